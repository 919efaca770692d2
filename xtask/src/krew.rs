//! `cargo xtask krew`: the krew manifest, generated from the release archives.
//!
//! Source of the format: <https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/>.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::dist::{self, TARGETS, Target};
use crate::repository;

/// The path of the manifest. `plugins` is a link to its folder, which makes the repository a krew index.
const MANIFEST: &str = "krew/homelab.yaml";
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Placeholder for a checksum. krew refuses every archive for it.
const NO_SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Placeholder in the repository's address until the project is published.
const PLACEHOLDER: &str = "/OWNER/";

const SHORT: &str = "Argo CD home clusters without lost data";
const DESCRIPTION: &str = "\
Edits, checks and renders the GitOps repository of a home cluster that runs
Argo CD, and keeps its storage rules: the Application that produces the data
owns its claim, every other workload mounts it read-only, and the data stays
when an Application is replaced or removed.

The same program is the config management plugin that Argo CD renders with:
what it shows is what the cluster gets.
";
const CAVEATS: &str = "\
Rendering Helm charts needs `helm` on the PATH.

To enable completion, run `kubectl homelab completion install` once.
Run `completion uninstall` before you uninstall the plugin.
";

/// The arguments of `cargo xtask krew`.
#[derive(Args)]
pub(crate) struct Request {
    /// Folder of the archives; by default the output of `cargo xtask dist`
    #[arg(long, value_name = "DIR")]
    archives: Option<PathBuf>,

    /// Output file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Check that this tag can be released: its version, its notes and all archives
    #[arg(long, value_name = "TAG")]
    release: Option<String>,
}

/// Writes the manifest.
pub(crate) fn write(request: &Request) -> Result<()> {
    let archives = match &request.archives {
        Some(folder) => folder.clone(),
        None => dist::folder()?,
    };
    let sums = TARGETS
        .iter()
        .map(|target| dist::sum(&archives.join(target.archive())))
        .collect::<Result<Vec<_>>>()?;
    if let Some(tag) = &request.release {
        let changelog =
            fs::read_to_string(repository::root().join("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
        check_tag(tag, &changelog)?;
        check_archives(&sums, &archives, REPOSITORY)?;
    }
    let output = request
        .output
        .clone()
        .unwrap_or_else(|| repository::root().join(MANIFEST));
    fs::write(&output, manifest(VERSION, &sums)).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}", output.display());
    Ok(())
}

/// Checks that a tag has the version of Cargo.toml, and that the changelog has notes for it.
fn check_tag(tag: &str, changelog: &str) -> Result<()> {
    if tag != format!("v{VERSION}") {
        bail!("not a release: the tag is `{tag}`, but the version in Cargo.toml is {VERSION}");
    }
    if !changelog
        .lines()
        .any(|line| line.starts_with(&format!("## [{VERSION}]")))
    {
        bail!("not a release: CHANGELOG.md has no `## [{VERSION}]`; rename the heading `Unreleased`");
    }
    Ok(())
}

/// Checks that all archives exist and that the address is filled in.
fn check_archives(sums: &[Option<String>], archives: &Path, repository: &str) -> Result<()> {
    let missing: Vec<String> = TARGETS
        .iter()
        .zip(sums)
        .filter(|(_, sum)| sum.is_none())
        .map(|(target, _)| target.archive())
        .collect();
    if !missing.is_empty() {
        bail!(
            "not a release: {} has no {}; build them with `cargo xtask dist`",
            archives.display(),
            missing.join(", ")
        );
    }
    if repository.contains(PLACEHOLDER) {
        bail!("not a release: `repository` in Cargo.toml is still {repository}; set it to the project's address");
    }
    Ok(())
}

/// Returns the manifest of a version, for archives with these checksums in the order of the targets.
fn manifest(version: &str, sums: &[Option<String>]) -> String {
    let mut text = "# Written by `cargo xtask krew` from the release archives.\n".to_owned();
    if sums.contains(&None) {
        text.push_str(
            "# unreleased: where a sum is all zeros there is no archive, and krew installs nothing. The release fills it in.\n",
        );
    }
    text.push_str("apiVersion: krew.googlecontainertools.github.com/v1alpha2\nkind: Plugin\n");
    text.push_str("metadata:\n  name: homelab\nspec:\n");
    let _ = write!(
        text,
        "  version: v{version}\n  homepage: {REPOSITORY}\n  shortDescription: {SHORT}\n"
    );
    for (name, block) in [("description", DESCRIPTION), ("caveats", CAVEATS)] {
        let _ = writeln!(text, "  {name}: |");
        for line in block.lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            let _ = writeln!(text, "{indent}{line}");
        }
    }
    text.push_str("  platforms:\n");
    for (target, sum) in TARGETS.iter().zip(sums) {
        text.push_str(&platform(version, target, sum.as_deref().unwrap_or(NO_SUM)));
    }
    text
}

fn platform(version: &str, target: &Target, sum: &str) -> String {
    let (os, arch, archive, program) = (target.os, target.arch, target.archive(), target.program());
    // The sum is quoted: one without letters would be a number.
    format!(
        "    - selector:
        matchLabels:
          os: {os}
          arch: {arch}
      uri: {REPOSITORY}/releases/download/v{version}/{archive}
      sha256: \"{sum}\"
      bin: {program}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn committed() -> String {
        fs::read_to_string(repository::root().join(MANIFEST)).unwrap()
    }

    fn tree(text: &str) -> Value {
        yaml_serde::from_str(text).unwrap()
    }

    /// Returns the checksums of a manifest as they are written, with their quotes.
    fn written_sums(text: &str) -> Vec<&str> {
        text.lines()
            .filter_map(|line| line.trim().strip_prefix("sha256: "))
            .collect()
    }

    /// Compares only the platforms after a release: the texts may have changed since, for the next one.
    #[test]
    fn the_manifest_of_the_repository_is_the_generated_one() {
        let text = committed();
        let sums: Vec<Option<String>> = written_sums(&text)
            .iter()
            .map(|sum| sum.trim_matches('"').to_owned())
            .map(|sum| (sum != NO_SUM).then_some(sum))
            .collect();
        let is_released = !sums.contains(&None);
        let version = tree(&text)["spec"]["version"].as_str().unwrap()[1..].to_owned();
        let wanted = manifest(if is_released { &version } else { VERSION }, &sums);
        let platforms = |text: &str| text.split_once("  platforms:\n").unwrap().1.to_owned();
        let is_same = if is_released {
            platforms(&text) == platforms(&wanted)
        } else {
            text == wanted
        };
        assert!(
            is_same,
            "run `cargo xtask krew`: krew/homelab.yaml is not what it writes"
        );
        assert_eq!(text.contains("unreleased"), !is_released);
    }

    #[test]
    fn every_sum_is_a_quoted_word() {
        for text in [
            committed(),
            manifest(VERSION, &vec![Some("1".repeat(64)); TARGETS.len()]),
        ] {
            let sums = written_sums(&text);
            assert_eq!(sums.len(), TARGETS.len());
            for sum in sums {
                let word = sum.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
                assert!(word.len() == 64 && word.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
            }
            let platforms = tree(&text)["spec"]["platforms"].as_array().unwrap().clone();
            assert!(platforms.iter().all(|platform| platform["sha256"].is_string()));
        }
    }

    /// Source: <https://krew.sigs.k8s.io/docs/developer-guide/develop/naming-guide/>, and what the reviewers of krew-index ask for.
    #[test]
    fn the_rules_of_krew_index_hold() {
        let manifest = tree(&committed());
        let name = manifest["metadata"]["name"].as_str().unwrap();
        assert!(MANIFEST.ends_with(&format!("/{name}.yaml")));
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'));
        assert!(!name.starts_with("kube") && !name.contains("k8s"));
        let spec = &manifest["spec"];
        let text = |key: &str| spec[key].as_str().unwrap();
        let version: Vec<&str> = text("version").strip_prefix('v').unwrap().split('.').collect();
        assert!(version.len() == 3 && version.iter().all(|part| part.parse::<u32>().is_ok()));
        assert!(text("homepage").starts_with("https://"));
        let short = text("shortDescription");
        assert!(short.len() <= 50 && !short.contains('\n') && !short.ends_with('.'));
        assert!(!short.to_lowercase().contains("kubectl") && !short.to_lowercase().contains("plugin"));
        for key in ["description", "caveats"] {
            assert!(text(key).lines().all(|line| line.chars().count() <= 80), "{key}");
        }
        assert!(!text("description").contains("kubectl "), "a description has no usage");
    }

    #[test]
    fn no_platform_is_served_twice() {
        let manifest = tree(&committed());
        let platforms = manifest["spec"]["platforms"].as_array().unwrap();
        let labels: BTreeSet<String> = platforms
            .iter()
            .map(|platform| platform["selector"]["matchLabels"].to_string())
            .collect();
        assert_eq!(labels.len(), TARGETS.len());
        for platform in platforms {
            let text = |key: &str| platform[key].as_str().unwrap();
            let is_windows = platform["selector"]["matchLabels"]["os"] == "windows";
            assert_eq!(text("bin").ends_with(".exe"), is_windows);
            assert_eq!(text("uri").ends_with(".zip"), is_windows);
        }
    }

    #[test]
    fn an_incomplete_release_is_refused() {
        let sum = || Some("1".repeat(64));
        let mut sums = vec![sum(); TARGETS.len()];
        let folder = Path::new("dist");
        let refused = |sums: &[Option<String>], address: &str| check_archives(sums, folder, address);
        assert!(refused(&sums, "https://example.org/me/kubectl-homelab").is_ok());
        let error = refused(&sums, "https://example.org/OWNER/kubectl-homelab").unwrap_err();
        assert!(error.to_string().contains("`repository` in Cargo.toml"), "{error}");
        sums[2] = None;
        let error = refused(&sums, "https://example.org/me/kubectl-homelab").unwrap_err();
        assert!(
            error.to_string().contains("kubectl-homelab-x86_64-apple-darwin.tar.gz"),
            "{error}"
        );
    }

    #[test]
    fn a_tag_names_the_version_and_the_version_has_notes() {
        let tag = format!("v{VERSION}");
        let notes = format!("# Changelog\n\n## [{VERSION}] - 2026-01-01\n");
        assert!(check_tag(&tag, &notes).is_ok());
        let error = check_tag("v9.9.9", &notes).unwrap_err();
        assert!(error.to_string().contains("the tag is `v9.9.9`"), "{error}");
        let error = check_tag(&tag, "## [Unreleased]\n").unwrap_err();
        assert!(error.to_string().contains("CHANGELOG.md has no"), "{error}");
    }

    #[test]
    fn the_addresses_of_binstall_are_those_of_the_archives() {
        let manifest = fs::read_to_string(repository::root().join("Cargo.toml")).unwrap();
        let pattern = "pkg-url = \"{ repo }/releases/download/v{ version }/{ name }-{ target }{ archive-suffix }\"";
        assert!(manifest.contains(pattern));
        for triple in manifest
            .split("{ name }-")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let archive = format!("kubectl-homelab-{triple}");
            let known = TARGETS.iter().any(|target| target.archive() == archive);
            assert!(known || triple.starts_with("{ target }"), "{archive}");
        }
    }

    #[test]
    fn the_repository_is_an_index() {
        let link = fs::read_link(repository::root().join("plugins")).unwrap();
        assert_eq!(link, Path::new("krew"));
    }
}
