//! `--source-dir`: the checkouts of sources that a person names.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use super::pairs;
use crate::failure::HintExt;
use crate::model::{Application, repo_url};

/// Where sources may come from.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct CheckoutArgs {
    /// A checkout of a source, as REPO=DIR: REPO is its URL or the last part of it; may be repeated
    #[arg(long = "source-dir", value_name = "REPO=DIR", value_parser = parse)]
    source_dirs: Vec<pairs::Pair>,
}

fn parse(text: &str) -> Result<pairs::Pair, String> {
    pairs::parse(text).map_err(|_| "it is not REPO=DIR".to_owned())
}

impl CheckoutArgs {
    /// The folder that was named for a repository.
    pub(super) fn folder(&self, url: &str) -> Option<&str> {
        let found = self.source_dirs.iter().find(|(name, _)| is_meant(name, url));
        found.map(|(_, folder)| folder.as_str())
    }

    /// Refuses a checkout of a repository that none of these Applications has as a source: a slip of the pen would
    /// have no effect otherwise.
    pub(super) fn check<'a>(&self, applications: impl Iterator<Item = Application<'a>>) -> Result<()> {
        let sources = applications.flat_map(|app| app.sources());
        let urls: BTreeSet<&str> = sources.map(|source| source.repo_url()).collect();
        for (name, _) in &self.source_dirs {
            if !urls.iter().any(|url| is_meant(name, url)) {
                let known: Vec<&str> = urls.iter().copied().filter(|url| !url.is_empty()).collect();
                return Err(
                    anyhow!("`--source-dir` names `{name}`, which is no Application's source")
                        .hint(format!("choose one of {}", known.join(", "))),
                );
            }
        }
        Ok(())
    }
}

/// A repository is named by its URL or by the last part of it.
fn is_meant(name: &str, url: &str) -> bool {
    repo_url::same(name, url) || name == repo_url::repository_name(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use serde_json::json;

    fn named(name: &str) -> CheckoutArgs {
        CheckoutArgs {
            source_dirs: vec![(name.to_owned(), "dir".to_owned())],
        }
    }

    #[test]
    fn a_repository_is_named_by_its_url_or_its_name() {
        for name in [
            "media",
            "https://git.example.org/home/media.git",
            "git@git.example.org:home/media",
        ] {
            assert_eq!(
                named(name).folder("https://git.example.org/home/media"),
                Some("dir"),
                "{name}"
            );
        }
        assert_eq!(named("home").folder("https://git.example.org/home/media"), None);
    }

    #[test]
    fn a_name_that_is_no_source_is_refused() {
        let object = Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"},
            "spec": {"source": {"repoURL": "https://git.example.org/home/media", "path": "."}},
        }));
        let check = |name: &str| named(name).check(Application::new(&object).into_iter());
        assert!(check("media").is_ok());
        let error = check("medai").unwrap_err();
        assert!(format!("{error}").contains("`medai`"), "{error}");
    }
}
