//! The two states that `diff` compares: where they are, what they are called, and what they render.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::Args;
use crate::cli::base_read;
use crate::cli::session::Session;
use crate::disk::Checkout;
use crate::failure::HintExt;
use crate::git::WorkingTree;
use crate::model::{AppName, Application, Availability, Source};
use crate::repo::Repo;
use crate::sources::{
    ChartRenders, ComparedRenders, ComparedSources, Options, RevisedDirs, Snapshot, SourceDirs, Sources, Touched,
};

/// The two states.
pub(super) struct States<'s> {
    checkout: &'s Checkout,
    repo: &'s Repo,
    base: Snapshot,
    head: Option<Snapshot>,
    /// What the first state is called.
    pub(super) base_name: String,
    /// What the second state is called.
    pub(super) head_name: String,
    dirs: SourceDirs,
    base_dirs: RevisedDirs,
    options: Options,
}

impl<'s> States<'s> {
    /// Finds both states and reads them.
    ///
    /// # Errors
    /// When git does not know a revision, or where the change starts; when a state cannot be read.
    pub(super) fn read(args: &Args, session: &'s Session) -> Result<Self> {
        let (checkout, repo) = (session.checkout()?, session.repo()?);
        let options = Options {
            charts: args.cache.charts(),
            ..args.sources.options(&args.helm, &repo.settings)
        };
        let dirs = args.sources.clone().into_dirs();
        let base_dirs = dirs.at(&args.source_bases)?;
        let tree = WorkingTree::at(checkout.root());
        let progress = session.terminal.progress("reading the base");
        let of_revision = |revision: &str, dirs: &SourceDirs| {
            Snapshot::of(checkout, revision, repo.settings.clone(), (dirs, &options))
        };
        let (base, base_name) = match (&args.base_dir, &args.base) {
            (Some(folder), _) => {
                let around = (checkout, &repo.own_urls[..]);
                let base = Snapshot::in_folder(folder, around, repo.settings.clone(), (&base_dirs.dirs, &options))?;
                (base, folder.display().to_string())
            }
            (None, revision) => {
                let tree = tree.as_ref().ok_or_else(|| no_revision(checkout))?;
                let found = match revision {
                    Some(revision) => (revision.clone(), revision.clone()),
                    None => tree.merge_base(args.head.as_deref().unwrap_or("HEAD"))?,
                };
                let base = of_revision(&found.0, &base_dirs.dirs)?;
                let short = base.commit().map(|commit| tree.short(commit)).unwrap_or_default();
                (base, short)
            }
        };
        let head = args
            .head
            .as_ref()
            .map(|revision| of_revision(revision, &dirs))
            .transpose()?;
        drop(progress);
        for path in base
            .missing_submodules()
            .iter()
            .chain(head.iter().flat_map(Snapshot::missing_submodules))
        {
            session.terminal.say(&format!(
                "the submodule `{path}` of a revision is not available locally"
            ));
        }
        Ok(Self {
            checkout,
            repo,
            base,
            head_name: match &args.head {
                Some(revision) => format!("`{revision}`"),
                None => "the working tree".to_owned(),
            },
            head,
            base_name,
            dirs,
            base_dirs,
            options,
        })
    }

    /// Returns the first state.
    pub(super) fn base(&self) -> &Repo {
        self.base.repo()
    }

    /// Returns the second state.
    pub(super) fn head(&self) -> &Repo {
        self.head.as_ref().map_or(self.repo, Snapshot::repo)
    }

    /// Returns the commit of the first state, where it is one.
    pub(super) fn base_commit(&self) -> Option<&str> {
        self.base.commit()
    }

    /// Returns the commit of the second state, where it is one.
    pub(super) fn head_commit(&self) -> Option<&str> {
        self.head.as_ref().and_then(Snapshot::commit)
    }

    /// Reports whether the states are of two commits.
    pub(super) fn are_two_commits(&self) -> bool {
        let Some(base) = self.base_commit() else { return false };
        let head = match &self.head {
            Some(head) => head.commit().map(str::to_owned),
            None => WorkingTree::at(self.checkout.root()).and_then(|tree| tree.head().ok()),
        };
        head.is_some_and(|head| head != base)
    }

    /// Refuses the name of an Application that neither state has.
    ///
    /// # Errors
    /// Names those that there are.
    pub(super) fn check_names(&self, names: &[String]) -> Result<()> {
        let is_known = |name: &String| {
            [self.base(), self.head()]
                .iter()
                .any(|repo| repo.application(name).is_some())
        };
        match names.iter().find(|name| !is_known(name)) {
            Some(name) => Err(self.head().no_application(name)),
            None => Ok(()),
        }
    }

    /// Renders what differs.
    ///
    /// # Errors
    /// When the files of a state cannot be listed, or a directory was named for a repository that no Application has.
    pub(super) fn render(&self, args: &Args, session: &Session) -> Result<(Touched, ComparedRenders)> {
        let base = Sources::of_snapshot(&self.base, &self.base_dirs.dirs, &self.options);
        let head = match &self.head {
            Some(head) => Sources::of_snapshot(head, &self.dirs, &self.options),
            None => Sources::new(self.repo, self.checkout, &self.dirs, &self.options),
        };
        let others: Vec<String> = args.source_bases.iter().map(|(name, _)| name.clone()).collect();
        let touched = Touched::between(&base, &head, &others)?;
        let progress = session.terminal.progress("rendering");
        let sources = ComparedSources {
            base: &base,
            head: &head,
        };
        let renders = sources.render(&touched, &mut |name| progress.now(&format!("rendering {name}")))?;
        Ok((touched, renders))
    }

    /// Adds the renders of Applications in namespaces of which nothing has changed, as far as earlier commands have kept them: they
    /// say who else mounts a claim. No helm is started.
    ///
    /// # Errors
    /// None in practice: directories were checked before.
    pub(super) fn add_kept(&self, namespaces: &BTreeSet<String>, renders: &mut ComparedRenders) -> Result<()> {
        if namespaces.is_empty() {
            return Ok(());
        }
        let options = Options {
            charts: ChartRenders::KeptAlone,
            ..self.options.clone()
        };
        let sources = match &self.head {
            Some(head) => Sources::of_snapshot(head, &self.dirs, &options),
            None => Sources::new(self.repo, self.checkout, &self.dirs, &options),
        };
        let is_near = |app: &Application<'_>| app.destination_namespace().is_none_or(|name| namespaces.contains(name));
        let repo = self.head();
        let near = repo.applications().filter(|(_, app)| is_near(app));
        let near: BTreeSet<AppName> = near.filter_map(|(manifest, _)| repo.app_name(manifest)).collect();
        let is_wanted = |name: &AppName| near.contains(name) && !renders.head.contains_key(name);
        let (kept, _) = sources.render_where(is_wanted, |_| {})?;
        for (name, render) in kept {
            if matches!(render, Availability::Available(_)) && !renders.base.contains_key(&name) {
                renders.base.insert(name.clone(), render.clone());
                renders.head.insert(name, render);
            }
        }
        Ok(())
    }

    /// Returns whether Argo CD reads the first state from the branch that a source names.
    pub(super) fn reads_base(&self) -> impl Fn(&Source<'_>) -> bool + '_ {
        base_read::reads(self.checkout, self.repo, self.base.commit())
    }
}

fn no_revision(checkout: &Checkout) -> anyhow::Error {
    anyhow!(
        "`{}` is not a git working tree: there is no revision to compare with",
        checkout.root().display()
    )
    .hint("name the folder of the other state with `--base-dir DIR`")
}
