//! Argo CD's comma lists in annotations: `sync-options` and `compare-options`.
//!
//! Argo CD takes the first entry of a key
//! ([source](https://github.com/argoproj/argo-cd/blob/master/gitops-engine/pkg/sync/resource/annotations.go)), so that
//! entries are replaced in place and never merely appended.

pub use crate::model::sync::{COMPARE_OPTIONS, SYNC_OPTIONS};

/// The entries by which Argo CD deletes and creates an object.
pub const RECREATING: [&str; 2] = ["Force=true", "Replace=true"];

/// Keeps a kept leftover from making its Application OutOfSync.
pub const IGNORE_EXTRANEOUS: &str = "IgnoreExtraneous";

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// Returns the list with `Prune=false` and `Delete=false`: entries of these keys are set in place, a second one of a
/// key goes, missing ones come last. A list that has them already stays as it is written.
pub fn with_guards(list: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for entry in entries(list) {
        let guard = match entry.split_once('=').map(|(key, _)| key.trim()) {
            Some("Prune") => "Prune=false",
            Some("Delete") => "Delete=false",
            _ => entry,
        };
        if guard == entry && !matches!(entry, "Prune=false" | "Delete=false") || !out.contains(&guard) {
            out.push(guard);
        }
    }
    for guard in ["Prune=false", "Delete=false"] {
        if !out.contains(&guard) {
            out.push(guard);
        }
    }
    joined(list, &out)
}

/// Returns the list with `IgnoreExtraneous`.
pub fn with_ignore_extraneous(list: &str) -> String {
    let mut out: Vec<&str> = entries(list).collect();
    if !out.contains(&IGNORE_EXTRANEOUS) {
        out.push(IGNORE_EXTRANEOUS);
    }
    joined(list, &out)
}

/// Returns the list without the entries by which Argo CD deletes and creates an object.
pub fn without_recreation(list: &str) -> String {
    let out: Vec<&str> = entries(list).filter(|entry| !RECREATING.contains(entry)).collect();
    out.join(",")
}

/// Returns the list with the entries by which Argo CD deletes and creates an object.
pub fn with_recreation(list: &str) -> String {
    let is_of_key = |entry: &str| {
        matches!(
            entry.split_once('=').map(|(key, _)| key.trim()),
            Some("Force" | "Replace")
        )
    };
    let others = entries(list).filter(|entry| !is_of_key(entry));
    let out: Vec<&str> = others.chain(RECREATING).collect();
    joined(list, &out)
}

/// Returns the list without what keeps an object from being pruned and deleted; one that has nothing of it stays as it is written.
pub fn without_guards(list: &str) -> String {
    let is_guard = |entry: &&str| {
        let key = entry.split_once('=').map(|(key, _)| key.trim());
        matches!(key, Some("Prune" | "Delete"))
    };
    let out: Vec<&str> = entries(list).filter(|entry| !is_guard(entry)).collect();
    joined(list, &out)
}

/// Returns the list without `IgnoreExtraneous`.
pub fn without_ignore_extraneous(list: &str) -> String {
    let out: Vec<&str> = entries(list).filter(|entry| *entry != IGNORE_EXTRANEOUS).collect();
    joined(list, &out)
}

fn joined(list: &str, wanted: &[&str]) -> String {
    if entries(list).eq(wanted.iter().copied()) {
        list.to_owned()
    } else {
        wanted.join(",")
    }
}

/// Reports whether a list has an entry, such as `Replace=true`.
pub fn has(list: &str, entry: &str) -> bool {
    entries(list).any(|other| other == entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_are_merged_in_place() {
        for (list, merged) in [
            ("", "Prune=false,Delete=false"),
            ("ServerSideApply=true", "ServerSideApply=true,Prune=false,Delete=false"),
            (
                "Delete=confirm, Prune=true,Validate=false",
                "Delete=false,Prune=false,Validate=false",
            ),
            ("Prune=confirm,Prune=false,Delete=false", "Prune=false,Delete=false"),
            ("PruneLast=true", "PruneLast=true,Prune=false,Delete=false"),
            (" Prune = true", "Prune=false,Delete=false"),
            (
                "Delete=false, Prune=false, Validate=false",
                "Delete=false, Prune=false, Validate=false",
            ),
        ] {
            assert_eq!(with_guards(list), merged);
            assert_eq!(with_guards(merged), merged);
        }
        assert_eq!(
            with_ignore_extraneous("ServerSideDiff=true"),
            "ServerSideDiff=true,IgnoreExtraneous"
        );
        assert_eq!(
            without_guards("ServerSideApply=true, Prune=confirm,Delete=false, PruneLast=true"),
            "ServerSideApply=true,PruneLast=true"
        );
        assert_eq!(without_guards("Prune=false,Delete=false"), "");
        assert_eq!(
            without_guards(" Validate=false , PruneLast=true"),
            " Validate=false , PruneLast=true"
        );
        assert_eq!(
            without_ignore_extraneous("IgnoreExtraneous,ServerSideDiff=true"),
            "ServerSideDiff=true"
        );
        assert_eq!(
            with_recreation("Replace=false,PruneLast=true"),
            "PruneLast=true,Force=true,Replace=true"
        );
        assert!(has("A=b, Replace=true", "Replace=true") && !has("Replace=truer", "Replace=true"));
    }
}
