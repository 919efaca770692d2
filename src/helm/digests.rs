//! Compares downloads with the digests in their repository's index. Helm itself checks no digest of a chart that it downloads
//! from a chart repository; those of a registry are checked by their very names.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base16ct::lower;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::staged::packed;
use crate::failure::HintExt;
use crate::yaml;

/// Refuses a downloaded chart that differs from the digest in its index. An index need not have digests.
///
/// `indexes` is the folder in which helm keeps the indexes that it fetched.
pub(super) fn check(charts: &Path, indexes: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(indexes) else {
        return Ok(());
    };
    let is_index = |path: &Path| path.to_str().is_some_and(|path| path.ends_with("-index.yaml"));
    let paths = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_index(path));
    let indexes: Vec<String> = paths.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    for path in packed(charts)? {
        let bytes = std::fs::read(&path).context("cannot read a temporary file")?;
        let digest = lower::encode_string(&Sha256::digest(bytes));
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // An index may be large: it is parsed only when it does not simply have the digest.
        if !indexes.iter().any(|index| index.contains(&digest))
            && indexes.iter().any(|index| names_another(index, name))
        {
            return Err(
                anyhow!("`{name}` differs from the index of its chart repository: the digests are not equal")
                    .hint("ask who runs the repository; the download or the index was changed"),
            );
        }
    }
    Ok(())
}

/// Reports whether an index has a digest for the file.
fn names_another(index: &str, file: &str) -> bool {
    if !index.contains(file) {
        return false;
    }
    // Helm could read the index; if it cannot be parsed here, it has no digest to compare the file with.
    let tree = yaml::value(index).ok().flatten().unwrap_or_default();
    let charts = tree["entries"]
        .as_object()
        .into_iter()
        .flat_map(|entries| entries.values());
    let mut versions = charts.filter_map(Value::as_array).flatten();
    versions.any(|version| {
        let urls = version["urls"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut names = urls.map(|url| url.split(['?', '#']).next().unwrap_or_default());
        names.any(|url| url.rsplit('/').next() == Some(file))
            && version["digest"].as_str().is_some_and(|digest| !digest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_from_its_index_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (charts, indexes) = (folder.path().join("charts"), folder.path().join("indexes"));
        std::fs::create_dir(&charts).unwrap();
        assert!(
            check(&charts, &indexes).is_ok(),
            "there is no index without a chart repository"
        );
        std::fs::create_dir(&indexes).unwrap();
        std::fs::write(charts.join("lib-1.0.0.tgz"), "1").unwrap();
        let right = lower::encode_string(&Sha256::digest("1"));
        let index = |digest: &str, url: &str| {
            format!("entries:\n  lib:\n  - version: 1.0.0\n    digest: {digest}\n    urls: [{url}]\n")
        };
        for (text, is_right) in [
            (index(&right, "lib-1.0.0.tgz"), true),
            (
                index(&format!("sha256:{right}"), "https://x.example/lib-1.0.0.tgz?t=1"),
                true,
            ),
            (index("abcd", "https://x.example/lib-1.0.0.tgz?t=1"), false),
            (index("abcd", "lib-1.0.0.tgz"), false),
            (index("''", "lib-1.0.0.tgz"), true),
            (index("abcd", "other-lib-1.0.0.tgz"), true),
            ("entries: {lib: [{urls: [lib-1.0.0.tgz]}]}".to_owned(), true),
            ("lib-1.0.0.tgz: [".to_owned(), true),
        ] {
            std::fs::write(indexes.join("x-index.yaml"), &text).unwrap();
            assert_eq!(check(&charts, &indexes).is_ok(), is_right, "{text}");
        }
    }
}
