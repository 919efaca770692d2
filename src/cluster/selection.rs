//! Which Applications are meant.

use anyhow::{Result, anyhow};

use super::Cluster;
use crate::failure::HintExt;
use crate::model::LiveApplication;

/// How much a name must be like another one to be meant by it.
const LIKE: f64 = 0.8;

/// Which Applications are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All in Argo CD's namespace.
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl Selection {
    /// The only name, to ask for less.
    pub(super) fn only(&self) -> Option<&str> {
        match self {
            Self::Named(names) if names.len() == 1 => names.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether an Application is meant.
    pub(super) fn means(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|known| known == name),
        }
    }
}

impl Cluster {
    /// The Applications that are meant, in the order of their names in the selection.
    ///
    /// # Errors
    /// When one of them is not there; when there are none at all.
    pub fn find(&self, selection: &Selection) -> Result<Vec<LiveApplication>> {
        let found = self.list(selection.only())?;
        let Selection::Named(names) = selection else {
            if found.is_empty() {
                return Err(self.nothing());
            }
            return Ok(found);
        };
        let pick = |name: &String| match found.iter().find(|app| app.name() == name) {
            Some(app) => Ok(app.clone()),
            None => Err(self.unknown(name)?),
        };
        names.iter().map(pick).collect()
    }

    fn nothing(&self) -> anyhow::Error {
        anyhow!("there are no Applications in the namespace `{}`", self.namespace())
            .hint("name Argo CD's namespace with --argocd-namespace")
    }

    /// The error for an Application that is not there; it names those that may have been meant.
    fn unknown(&self, name: &str) -> Result<anyhow::Error> {
        let all = self.list(None)?;
        if all.is_empty() {
            return Ok(self.nothing());
        }
        let names: Vec<&str> = all.iter().map(LiveApplication::name).collect();
        let namespace = self.namespace();
        let error = anyhow!("there is no Application `{name}` in the namespace `{namespace}`");
        Ok(error.hint(match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("choose one of {}", names.join(", ")),
        }))
    }
}

/// The name that is most like another one, if any is.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    let best = names
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)).then_with(|| b.cmp(a)))?;
    (likeness(best) >= LIKE).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_understood() {
        let names = ["jellyfin", "namespaces", "pilotedge-audio-fetcher", "root"];
        for (typed, meant) in [
            ("jelyfin", Some("jellyfin")),
            ("namespace", Some("namespaces")),
            ("pilotedge", Some("pilotedge-audio-fetcher")),
            ("paperless", None),
        ] {
            assert_eq!(nearest(typed, &names), meant, "{typed}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
