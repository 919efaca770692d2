//! The options of `convert`, and the Applications that they select.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::application::is_application_set;
use crate::model::{AppName, Application, ClaimPath};
use crate::repo::{Manifest, Origin, Repo};

use super::template;

/// The renderer that the Applications are moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The plugin.
    Plugin,
    /// Argo CD's own Helm, Kustomize or directory renderer.
    Native,
}

/// The selection of Applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The Applications with these names.
    Named(BTreeSet<String>),
    /// All except the root Application; those that cannot be moved stay as they are.
    All,
    /// Those of these that a document declares; those that cannot be moved stay as they are.
    Among(BTreeSet<String>),
}

/// A claim, with its Application where several are converted.
#[derive(Clone, Debug)]
pub struct ClaimOf {
    /// The Application; `None` where only one is converted.
    pub app: Option<AppName>,
    /// The claim.
    pub claim: ClaimPath,
}

/// The options of the user.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The Applications.
    pub which: Which,
    /// The renderer that they are moved to.
    pub target: Target,
    /// The positions of the sources to convert, from 1; empty for all.
    pub positions: Vec<usize>,
    /// Claims that an Application owns.
    pub owns: Vec<ClaimOf>,
    /// Claims of another Application that an Application may write.
    pub writes: Vec<ClaimOf>,
    /// Claims that an Application only reads from now on.
    pub read_only: Vec<ClaimOf>,
    /// Whether the claims in `owns` may lose their guards in a conversion to native.
    pub drop_owns: bool,
    /// Whether an Application moves whose names or keys differ between two native renders, too.
    pub accept_random: bool,
    /// Whether everything that an Application has is guarded before it moves: three commits, one for each run.
    pub guard_first: bool,
    /// Whether claims may be written that no known Application owns.
    pub unowned: bool,
}

impl Choices {
    /// Returns the claims that an Application owns by the choice of the user.
    pub(super) fn owns(&self, app: &str) -> BTreeSet<ClaimPath> {
        claims_of(&self.owns, app)
    }

    /// Returns the claims of others that an Application may write.
    pub(super) fn writes(&self, app: &str) -> BTreeSet<ClaimPath> {
        claims_of(&self.writes, app)
    }

    /// Returns the claims that an Application shall only read.
    pub(super) fn read_only(&self, app: &str) -> BTreeSet<ClaimPath> {
        claims_of(&self.read_only, app)
    }

    /// Reports whether Applications that cannot be moved stay as they are, while others move.
    pub(super) fn leaves_some(&self) -> bool {
        !matches!(self.which, Which::Named(_))
    }

    /// Returns the manifests of the Applications, each once; a set stands for all that it generates.
    pub(super) fn manifests<'r>(&self, repo: &'r Repo) -> Result<Vec<&'r Manifest>> {
        let names = match &self.which {
            Which::Named(names) => names,
            Which::Among(names) => {
                let is_app = |manifest: &&Manifest| Application::new(&manifest.object).is_some();
                let apps = repo.manifests.iter().filter(is_app);
                let is_among = |app: &Manifest| repo.app_name(app).is_some_and(|name| names.contains(name.as_str()));
                return Ok(apps.filter(|app| is_among(app)).collect());
            }
            Which::All => {
                let root = repo.root_application().map(|(manifest, _)| manifest);
                let is_root = |manifest: &Manifest| root.is_some_and(|root| std::ptr::eq(root, manifest));
                // The Applications of a set stand for it; what a chart renders is changed where it is rendered.
                let is_movable = |manifest: &Manifest| match manifest.origin {
                    Origin::Document | Origin::Generated(_) => Application::new(&manifest.object).is_some(),
                    Origin::Item(_) | Origin::Rendered(_) => false,
                };
                let movable = repo.all_manifests().filter(|manifest| is_movable(manifest));
                let all = movable.chain(repo.unexpanded_sets());
                let all = all.filter(|manifest| !is_root(manifest)).collect();
                return Ok(by_sets(all, |manifest| {
                    let set = template::set_of(repo, manifest)?;
                    let as_a_whole = match self.target {
                        Target::Plugin => template::is_closed(repo, set),
                        Target::Native => template::has_plugin(set),
                    };
                    as_a_whole.then_some(set)
                }));
            }
        };
        let is_named = |set: &Manifest, name: &String| {
            is_application_set(&set.object) && set.object.name() == name.strip_prefix(SET).unwrap_or(name)
        };
        let one = |name: &String| {
            repo.check_one(name)?;
            let app = repo.application(name).map(|(manifest, _)| manifest);
            let set = || repo.sets().find(|set| is_named(set, name));
            let manifest = app.or_else(set).ok_or_else(|| repo.no_application(name))?;
            if !matches!(manifest.origin, Origin::Generated(_) | Origin::Rendered(_)) {
                manifest.check_editable()?;
            }
            Ok(manifest)
        };
        let all = names.iter().map(one).collect::<Result<Vec<_>>>()?;
        Ok(by_sets(all.clone(), |manifest| {
            let set = template::set_of(repo, manifest)?;
            all.iter().any(|other| std::ptr::eq(*other, set)).then_some(set)
        }))
    }

    /// Refuses a claim that does not name its Application where it has to.
    pub(super) fn check_claims(&self, names: &[&str]) -> Result<()> {
        let flags = [
            ("--owns", &self.owns),
            ("--writes", &self.writes),
            ("--read-only", &self.read_only),
        ];
        for (flag, of) in flags
            .iter()
            .flat_map(|(flag, list)| list.iter().map(move |of| (flag, of)))
        {
            match &of.app {
                None if names.len() > 1 => {
                    return Err(
                        anyhow!("`{flag} {}` does not name its Application", of.claim).hint(format!(
                            "write `{flag} APP/{}` when several Applications are converted",
                            of.claim
                        )),
                    );
                }
                Some(app) if !names.contains(&app.as_str()) => {
                    return Err(
                        anyhow!("`{flag} {app}/{}` names an Application that is not converted", of.claim)
                            .hint(format!("choose one of {}", names.join(", "))),
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What stands before the name of a set where an Application has the same name.
const SET: &str = "applicationset/";

/// Returns the manifests, each once, with a set in the place of its Applications where it moves as a whole.
fn by_sets<'r>(all: Vec<&'r Manifest>, set: impl Fn(&'r Manifest) -> Option<&'r Manifest>) -> Vec<&'r Manifest> {
    let mut seen: BTreeSet<*const Manifest> = BTreeSet::new();
    let ones = all.into_iter().map(|manifest| set(manifest).unwrap_or(manifest));
    ones.filter(|one| seen.insert(std::ptr::from_ref(*one))).collect()
}

fn claims_of(list: &[ClaimOf], app: &str) -> BTreeSet<ClaimPath> {
    let of_app = list
        .iter()
        .filter(|of| of.app.as_ref().is_none_or(|name| name.as_str() == app));
    of_app.map(|of| of.claim.clone()).collect()
}
