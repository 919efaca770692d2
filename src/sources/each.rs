//! The renders of many Applications, on all cores.

use anyhow::Result;

use super::{AppRender, How, Sources, add_new, availability, flat};
use crate::model::{AppName, AppRenders, Application, Object};
use crate::render::Output;

impl Sources<'_> {
    /// Renders Applications on all cores; `progress` is called with the name of each one that is started. Returns the
    /// renders in the order of the Applications.
    pub fn render_each(&self, apps: &[Application<'_>], progress: impl FnMut(&str)) -> Vec<Result<AppRender>> {
        self.each_as(apps, How::default(), |render| render, progress)
    }

    /// Renders Applications as Argo CD does without the storage rules; returns the objects of each, lists flattened.
    pub(super) fn render_natively(
        &self,
        apps: &[Application<'_>],
        progress: &mut dyn FnMut(&str),
    ) -> Vec<Result<Vec<Object>>> {
        // The registry on Namespaces would ask for what is being found out.
        let how = How {
            without_storage_rules: true,
            ..How::default()
        };
        let objects = |render: Result<AppRender>| flat(&render?.outputs, Output::raw_objects);
        self.each_as(apps, how, objects, progress)
    }

    /// Renders Applications so, and returns what `then` makes of each render, on the core that has rendered it.
    fn each_as<R: Send>(
        &self,
        apps: &[Application<'_>],
        how: How<'_>,
        then: impl Fn(Result<AppRender>) -> R + Sync,
        mut progress: impl FnMut(&str),
    ) -> Vec<R> {
        let render = |app: &Application<'_>| then(self.rendered(app, how));
        crate::parallel::in_order(apps, render, |index| progress(apps[index].name()))
    }

    /// Renders every Application that Argo CD would have, on all cores, for the rules. Returns the objects of each, lists
    /// flattened, or why they are not known, and the remarks that were made on the way. An object that names a claim of
    /// others where it cannot be made read-only is among them, since HL126 reports it.
    ///
    /// # Errors
    /// When a directory was named for a repository that no Application has as a source.
    pub fn render_all(&self, progress: impl FnMut(&str)) -> Result<(AppRenders, Vec<String>)> {
        self.render_where(|_| true, progress)
    }

    /// As [`Sources::render_all`], for the Applications that are wanted.
    ///
    /// # Errors
    /// Those of [`Sources::render_all`].
    pub fn render_where(
        &self,
        is_wanted: impl Fn(&AppName) -> bool,
        progress: impl FnMut(&str),
    ) -> Result<(AppRenders, Vec<String>)> {
        self.render_where_as(is_wanted, How::for_rules(), progress)
    }

    /// As [`Sources::render_where`], rendered so.
    ///
    /// # Errors
    /// Those of [`Sources::render_all`].
    pub(super) fn render_where_as(
        &self,
        is_wanted: impl Fn(&AppName) -> bool,
        how: How<'_>,
        progress: impl FnMut(&str),
    ) -> Result<(AppRenders, Vec<String>)> {
        let repo = self.resolver.repo();
        let all: Vec<Application<'_>> = repo.applications().map(|(_, app)| app).collect();
        self.resolver.check_dirs(&all)?;
        let named = repo
            .applications()
            .filter_map(|(manifest, app)| Some((repo.app_name(manifest)?, app)));
        let (names, apps): (Vec<AppName>, Vec<Application<'_>>) = named.filter(|(name, _)| is_wanted(name)).unzip();
        let read = |render: Result<AppRender>| match render {
            Ok(AppRender { outputs, notes }) => (availability(flat(&outputs, Output::objects)), notes),
            Err(error) => (availability(Err(error)), Vec::new()),
        };
        let (mut renders, mut notes) = (AppRenders::new(), Vec::new());
        for (name, (objects, remarks)) in names.into_iter().zip(self.each_as(&apps, how, read, progress)) {
            add_new(&mut notes, remarks);
            renders.entry(name).or_insert(objects);
        }
        Ok((renders, notes))
    }
}
