//! The list of rules and their cases: a rule has one file, one name, one id and three tests.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use homelab::rules::{ALL, Meta, Severity, installation};

/// A list of rules: those on the repository, or those on an installation of Argo CD.
struct List {
    folder: &'static str,
    of: &'static str,
    metas: Vec<&'static Meta>,
}

fn lists() -> [List; 2] {
    [
        List {
            folder: "src/rules",
            of: "Rule",
            metas: ALL.iter().map(|rule| rule.meta).collect(),
        },
        List {
            folder: "src/rules/installation",
            of: "InstallationRule",
            metas: installation::ALL.iter().map(|rule| rule.meta).collect(),
        },
    ]
}

impl List {
    fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(self.folder)
    }

    /// Returns the line that defines a rule in its file.
    fn definition(&self) -> String {
        format!(" static RULE: {0} = {0} {{", self.of)
    }

    /// Returns the source of a rule by its name.
    fn source(&self, name: &str) -> String {
        let path = self.folder().join(format!("{}.rs", name.replace('-', "_")));
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("rule `{name}` has no file `{}`: {error}", path.display()))
    }
}

#[test]
fn ids_are_unique_and_in_order() {
    let ids: Vec<&str> = lists()
        .iter()
        .flat_map(|list| &list.metas)
        .map(|meta| meta.id)
        .collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted, "the lists are in the order of the ids, each once");
    for id in ids {
        let number = id.strip_prefix("HL").expect("an id starts with HL");
        assert!(
            number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()),
            "{id}"
        );
    }
}

#[test]
fn every_promised_rule_exists() {
    let lists = lists();
    let ids: BTreeSet<u32> = lists
        .iter()
        .flat_map(|list| &list.metas)
        .map(|meta| meta.id[2..].parse().unwrap())
        .collect();
    let promised = (101..=128)
        .chain([131, 132, 135, 136])
        .chain(201..=205)
        .chain(301..=317)
        .chain([401, 402, 403, 405, 406, 409, 410])
        .chain(501..=517);
    let missing: Vec<u32> = promised.filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn one_name_in_all_places() {
    for list in lists() {
        for meta in &list.metas {
            let source = list.source(meta.name);
            for part in [
                format!("//! {}: ", meta.id),
                format!("id: \"{}\"", meta.id),
                list.definition(),
            ] {
                assert!(source.contains(&part), "`{}` lacks `{part}`", meta.name);
            }
        }
    }
}

#[test]
fn every_file_of_a_rule_is_in_the_list() {
    for list in lists() {
        let names: BTreeSet<String> = list.metas.iter().map(|meta| meta.name.replace('-', "_")).collect();
        for entry in fs::read_dir(list.folder()).unwrap().map(Result::unwrap) {
            let file = entry.file_name().into_string().unwrap();
            let Some(stem) = file.strip_suffix(".rs") else { continue };
            let text = fs::read_to_string(entry.path()).unwrap();
            let is_rule = text.contains(&list.definition());
            assert_eq!(is_rule, names.contains(stem), "{file}");
        }
    }
}

#[test]
fn every_rule_has_its_three_cases() {
    for list in lists() {
        for meta in &list.metas {
            let source = list.source(meta.name);
            let (code, tests) = source
                .split_once("#[cfg(test)]")
                .unwrap_or_else(|| panic!("`{}` has no tests", meta.name));
            let offers_a_fix = ["Fix::safe(", "Fix::needs_review("]
                .iter()
                .any(|fix| code.contains(fix));
            let third = if offers_a_fix {
                "fn fix_removes_it()"
            } else {
                "fn says_the_way_out()"
            };
            for case in ["fn fires()", "fn stays_silent()", third] {
                assert!(tests.contains(case), "`{}` has no test `{case}`", meta.name);
            }
            assert!(
                offers_a_fix || code.contains(".hint("),
                "`{}` leaves the reader alone",
                meta.name
            );
        }
    }
}

#[test]
fn every_rule_explains_why_and_what_to_do() {
    for meta in lists().iter().flat_map(|list| &list.metas) {
        assert!(meta.why.len() > 250, "`{}`: the reason is too short", meta.name);
        assert!(
            !meta.summary.ends_with('.') && meta.summary.starts_with(|c: char| c.is_lowercase()),
            "{}",
            meta.name
        );
        let links = meta.why.lines().filter(|line| line.starts_with("https://"));
        assert!(
            links.clone().all(|link| !link.contains(' ')),
            "`{}`: a link stands on a line of its own",
            meta.name
        );
        // What this project alone defines has no page elsewhere.
        let own = [
            "HL123", "HL124", "HL126", "HL129", "HL130", "HL131", "HL132", "HL133", "HL137", "HL407", "HL409", "HL410",
        ];
        assert_eq!(links.count() == 0, own.contains(&meta.id), "{}", meta.id);
        assert!(matches!(meta.severity, Severity::Error | Severity::Warning));
    }
}
