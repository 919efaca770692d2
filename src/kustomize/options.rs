//! What the owner of the sidecar decides, and no Application: the options of the build, and the kustomizes that there are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;

/// Environment variable: the options of `kustomize build`, as `kustomize.buildOptions` of Argo CD; separated by spaces.
pub const BUILD_OPTIONS_VARIABLE: &str = "HOMELAB_KUSTOMIZE_BUILD_OPTIONS";
/// Environment variable: kustomizes by the names that `kustomize-version` has, as `v5.4.3=/usr/local/bin/kustomize-5.4.3`;
/// separated by commas.
pub const VERSIONS_VARIABLE: &str = "HOMELAB_KUSTOMIZE_VERSIONS";
/// The options without that variable: charts are inflated, no program of the repository is run, and no file outside of a
/// kustomization's own folder is read.
const BUILD_OPTIONS: &str = "--enable-helm";

/// Options that let a repository run programs.
const RUNS_PROGRAMS: [&str; 2] = ["--enable-exec", "--enable-alpha-plugins"];

/// Options that a repository may set itself.
const HARMLESS: [&str; 5] = [
    "--enable-helm",
    "--load-restrictor",
    "--reorder",
    "--enable-managedby-label",
    "--as-current-user",
];

/// The options of every build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The options of `kustomize build`.
    pub(super) build: Vec<String>,
    /// The programs by their names.
    pub(super) versions: BTreeMap<String, PathBuf>,
}

impl Options {
    /// Reads them from the environment; the repository's own build options count where the environment has none, as far as they
    /// run nothing.
    pub(super) fn of(repository: Option<&str>) -> Result<Self> {
        let variable = |name| std::env::var(name).ok();
        let repository = || repository.map(harmless);
        let build = variable(BUILD_OPTIONS_VARIABLE).or_else(repository);
        Self::read(build.as_deref(), variable(VERSIONS_VARIABLE).as_deref())
    }

    fn read(build: Option<&str>, versions: Option<&str>) -> Result<Self> {
        let build: Vec<String> = build
            .unwrap_or(BUILD_OPTIONS)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let writes = |option: &&String| {
            let name = option.split('=').next().unwrap_or_default();
            name == "--output" || name.starts_with("-o") && !name.starts_with("--")
        };
        if let Some(option) = build.iter().find(writes) {
            return Err(
                anyhow!("the option `{option}` in `{BUILD_OPTIONS_VARIABLE}` writes the objects to files")
                    .hint("leave it out: Argo CD reads standard output"),
            );
        }
        let entries = versions.unwrap_or_default().split(',').map(str::trim);
        let version = |entry: &str| match entry.split_once('=') {
            Some((name, path)) if !name.is_empty() && path.starts_with('/') => Ok((name.to_owned(), path.into())),
            _ => Err(anyhow!("`{entry}` in `{VERSIONS_VARIABLE}` is not NAME=PATH")
                .hint("write it as `v5.4.3=/usr/local/bin/kustomize-5.4.3`, several separated by commas")),
        };
        Ok(Self {
            build,
            versions: entries
                .filter(|entry| !entry.is_empty())
                .map(version)
                .collect::<Result<_>>()?,
        })
    }

    /// Reports whether a repository may have programs run.
    pub(super) fn runs_programs(&self) -> bool {
        self.has_any(&RUNS_PROGRAMS)
    }

    /// Reports whether charts are inflated: kustomize refuses them otherwise.
    pub(super) fn inflates_charts(&self) -> bool {
        self.has_any(&[BUILD_OPTIONS])
    }

    fn has_any(&self, names: &[&str]) -> bool {
        let is_on = |option: &String| {
            let (name, value) = option.split_once('=').unwrap_or((option, "true"));
            names.contains(&name) && value != "false"
        };
        self.build.iter().any(is_on)
    }
}

/// Returns the options that run no program and write nothing: whoever may write to a repository may not decide that on the
/// machine that reads it.
fn harmless(options: &str) -> String {
    let (mut kept, mut words) = (Vec::new(), options.split_whitespace().peekable());
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        // The value of an option may be the next word.
        let value = words.next_if(|next| !next.starts_with('-'));
        if HARMLESS.contains(&name) {
            kept.extend([Some(word), value].into_iter().flatten());
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_are_on_and_programs_off_by_default() {
        let options = Options::read(None, None).unwrap();
        assert_eq!(options.build, ["--enable-helm"]);
        assert!(!options.runs_programs() && options.versions.is_empty());
        assert!(Options::read(Some(""), None).unwrap().build.is_empty());
        for (text, expected) in [
            ("--enable-helm --enable-alpha-plugins --enable-exec", true),
            ("--enable-exec=true", true),
            ("--enable-exec=false", false),
            ("--load-restrictor LoadRestrictionsNone", false),
        ] {
            assert_eq!(
                Options::read(Some(text), None).unwrap().runs_programs(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_repository_runs_no_programs() {
        for (text, expected) in [
            ("--enable-helm --enable-alpha-plugins --enable-exec", "--enable-helm"),
            (
                "--load-restrictor LoadRestrictionsNone --helm-command ./x",
                "--load-restrictor LoadRestrictionsNone",
            ),
            ("-o out --reorder=none", "--reorder=none"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }

    #[test]
    fn versions_have_names_and_absolute_paths() {
        let options = Options::read(None, Some("v5.4.3=/a/b, old=/c ,")).unwrap();
        assert_eq!(options.versions["v5.4.3"], PathBuf::from("/a/b"));
        assert_eq!(options.versions["old"], PathBuf::from("/c"));
        for (build, versions) in [
            (None, "v5"),
            (None, "=/a"),
            (None, "a=b"),
            (Some("-o /x"), ""),
            (Some("--output=x"), ""),
        ] {
            assert!(Options::read(build, Some(versions)).is_err(), "{versions}");
        }
    }
}
