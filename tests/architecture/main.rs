//! The layout of the sources: which module may name which, and which crates; no circles between files; what every file
//! has to have. The table of imports is in `src/lib.rs`.
#![expect(clippy::disallowed_methods, reason = "a test reads the sources")]

mod circle;
mod length;
mod name;
mod resolve;
mod source;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use resolve::{Absolute, Resolver};
use source::Crate;
use table::Imports;

/// The modules and crates that a module names, each with the files that name it.
#[derive(Default)]
struct Names {
    modules: BTreeMap<String, BTreeSet<String>>,
    crates: BTreeMap<String, BTreeSet<String>>,
}

type Named = BTreeMap<String, Names>;

/// Modules that read no files, run no programs and print nothing.
const CORE: &[&str] = &[
    "model", "yaml", "repo", "law", "lock", "rules", "edit", "render", "compare", "install", "report",
];

const BANNED_NAMES: &[&str] = &[
    "utils",
    "util",
    "helpers",
    "common",
    "manager",
    "handler",
    "processor",
    "types",
    "misc",
];
const LONGEST_FILE: usize = 400;
const LONGEST_RUN: usize = 40;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The program's library; `main.rs` is a crate of its own that only calls it.
fn program() -> Crate {
    Crate::read(&root().join("src"), "lib.rs")
}

/// The crates of Cargo.toml, as code names them.
fn dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let (mut names, mut is_inside) = (BTreeSet::new(), false);
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line == "[dependencies]" || line.starts_with("[target.") && line.ends_with(".dependencies]");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| is_inside) {
            names.insert(name.trim().replace('-', "_"));
        }
    }
    assert!(names.len() > 10, "the dependencies were not found: {names:?}");
    names
}

/// Returns what each module names besides itself: other modules of the table, and dependencies.
fn named(sources: &Crate, table: &Imports, dependencies: &BTreeSet<String>) -> Named {
    let mut named = Named::new();
    for usage in Resolver::new(sources).usages() {
        // The root only passes on.
        let Some(module) = usage.module.path.first() else {
            continue;
        };
        let names = named.entry(module.clone()).or_default();
        let (names, name) = match &usage.path {
            Absolute::Here(path) => (
                &mut names.modules,
                path.first().filter(|name| *name != module && table.contains_key(*name)),
            ),
            Absolute::Elsewhere(path) => (
                &mut names.crates,
                path.first().filter(|name| dependencies.contains(*name)),
            ),
        };
        if let Some(name) = name {
            names.entry(name.clone()).or_default().insert(usage.module.file.clone());
        }
    }
    named
}

/// Describes every name that the table of imports does not list, and every entry of the table that nothing names.
fn differences(named: &Named, table: &Imports) -> Vec<String> {
    let mut differences = Vec::new();
    for (module, names) in named {
        let Some(row) = table.get(module) else {
            differences.push(format!("module `{module}` is not in the table"));
            continue;
        };
        for (kind, names, listed) in [
            ("module", &names.modules, &row.modules),
            ("crate", &names.crates, &row.crates),
        ] {
            let unlisted = names.iter().filter(|(name, _)| !listed.contains(*name));
            differences.extend(unlisted.map(|(name, files)| {
                let files: Vec<&str> = files.iter().map(String::as_str).collect();
                format!("{} names the {kind} `{name}`", files.join(", "))
            }));
            let unused = listed.iter().filter(|name| !names.contains_key(*name));
            differences.extend(unused.map(|name| format!("nothing in `{module}` names the {kind} `{name}`")));
        }
    }
    differences
}

#[test]
fn modules_name_what_the_table_lists() {
    let table = table::table(&read("src/lib.rs"));
    let differences = differences(&named(&program(), &table, &dependencies()), &table);
    assert!(
        differences.is_empty(),
        "the table of imports in src/lib.rs differs from the code:\n{}",
        differences.join("\n")
    );
}

#[test]
fn the_table_has_every_module_and_no_circle() {
    let text = read("src/lib.rs");
    let table = table::table(&text);
    let sources = program();
    let modules: BTreeSet<&String> = sources
        .modules
        .iter()
        .filter_map(|module| match module.path.as_slice() {
            [name] => Some(name),
            _ => None,
        })
        .collect();
    assert_eq!(
        table.keys().collect::<BTreeSet<_>>(),
        modules,
        "the table of imports and the modules of src/lib.rs differ"
    );
    let dependencies = dependencies();
    let edges = table.iter().map(|(module, row)| {
        let unknown: Vec<_> = row.modules.iter().filter(|name| !table.contains_key(*name)).collect();
        assert!(
            unknown.is_empty(),
            "the row of `{module}` names unknown modules: {unknown:?}"
        );
        let unknown: Vec<_> = row.crates.difference(&dependencies).collect();
        assert!(
            unknown.is_empty(),
            "the row of `{module}` names unknown crates: {unknown:?}"
        );
        let named = row.modules.iter().map(|name| (name.clone(), BTreeSet::new()));
        (module.clone(), named.collect())
    });
    let circles = circle::circles(&edges.collect());
    assert!(circles.is_empty(), "the table of imports allows circles: {circles:?}");
}

#[test]
fn the_picture_shows_the_modules_of_the_table() {
    let text = read("src/lib.rs");
    let table: BTreeSet<String> = table::table(&text).into_keys().collect();
    let pictured = table::picture(&text);
    assert_eq!(
        pictured, table,
        "the picture (left) and the table (right) in src/lib.rs differ; the picture writes modules `name/` or `name.rs`"
    );
}

#[test]
fn files_depend_on_each_other_in_no_circle() {
    let mut descriptions = Vec::new();
    for (folder, file) in [
        ("src", "lib.rs"),
        ("xtask/src", "main.rs"),
        ("tests/real/src", "lib.rs"),
    ] {
        let dependencies = circle::dependencies(&Crate::read(&root().join(folder), file));
        assert!(!dependencies.is_empty(), "{folder}: nothing depends on anything");
        for circle in circle::circles(&dependencies) {
            descriptions.push(format!("{folder}:\n{}", circle::describe(&dependencies, &circle)));
        }
    }
    assert!(
        descriptions.is_empty(),
        "files name each other in a circle:\n{}",
        descriptions.join("\n")
    );
}

#[test]
fn the_core_reads_no_files_and_prints_nothing() {
    let banned = [["std", "fs"], ["std", "env"], ["std", "process"], ["std", "net"]];
    let prints = ["println", "eprintln", "print", "eprint", "dbg"];
    let is_core = |module: &source::Module| module.path.first().is_some_and(|name| CORE.contains(&name.as_str()));
    let sources = program();
    let resolver = Resolver::new(&sources);
    let mut broken = BTreeSet::new();
    for usage in resolver.usages().iter().filter(|usage| is_core(usage.module)) {
        if let Absolute::Elsewhere(path) = &usage.path
            && banned.iter().any(|banned| path.starts_with(&banned.map(str::to_owned)))
        {
            broken.insert(format!("{}: {}", usage.module.file, path.join("::")));
        }
    }
    let prints = resolver
        .macros()
        .filter(|(module, name)| is_core(module) && prints.contains(name));
    broken.extend(prints.map(|(module, name)| format!("{}: {name}!", module.file)));
    assert!(
        broken.is_empty(),
        "the core has no input or output:\n{}",
        Vec::from_iter(broken).join("\n")
    );
}

#[test]
fn files_say_what_they_are_for_and_are_short() {
    let mut broken = Vec::new();
    let sources = program();
    let module_files: BTreeSet<&String> = sources.modules.iter().map(|module| &module.file).collect();
    for (path, file) in &sources.files {
        let path_of = PathBuf::from(path);
        let name = path_of.file_stem().expect("a file has a name").to_string_lossy();
        let mut problem = |is: bool, what: String| {
            if is {
                broken.push(format!("{path} {what}"));
            }
        };
        problem(
            file.shipped_lines > LONGEST_FILE,
            format!(
                "has {} lines without its tests, at most {LONGEST_FILE} are allowed",
                file.shipped_lines
            ),
        );
        problem(
            BANNED_NAMES.contains(&name.as_ref()),
            "has a name without a meaning".to_owned(),
        );
        let is_shipped = module_files.contains(path) || path == "main.rs";
        problem(
            is_shipped && !file.text.starts_with("//!"),
            "does not describe its purpose in its first line".to_owned(),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn commands_are_short() {
    let sources = program();
    let commands = sources
        .modules
        .iter()
        .filter(|module| module.path.first().is_some_and(|name| name == "cli"));
    let runs = commands.flat_map(|module| {
        let runs = length::of_functions(&module.items, "run");
        runs.into_iter().map(|lines| (module.file.as_str(), lines))
    });
    let runs: Vec<(&str, usize)> = runs.collect();
    assert!(runs.len() > 10, "the commands were not found: {runs:?}");
    let long: Vec<&(&str, usize)> = runs.iter().filter(|(_, lines)| *lines > LONGEST_RUN).collect();
    assert!(
        long.is_empty(),
        "`run` of a command has at most {LONGEST_RUN} lines: {long:?}"
    );
}

#[test]
fn the_signposts_stand() {
    for (path, words) in [
        ("src/rules/mod.rs", "# How to add a rule"),
        ("src/cli/mod.rs", "# How to add a command"),
        ("src/lib.rs", "# Imports"),
        ("src/lib.rs", "# Decisions"),
        (".github/CONTRIBUTING.md", "**A plugin parameter**"),
    ] {
        assert!(read(path).contains(words), "{path} lacks `{words}`");
    }
}

#[test]
fn every_difference_from_the_table_is_found() {
    let texts = [
        ("lib.rs", "mod cli; mod model; mod yaml; mod odd;"),
        (
            "cli.rs",
            "use crate::{model::Object, yaml};\nuse serde_json as json;\nfn f() { json::json!({}) }",
        ),
        (
            "model.rs",
            "mod part;\n#[cfg(test)] mod tests { use crate::cli; }\nfn f() { vec![crate::yaml::g()] }",
        ),
        ("model/part.rs", "fn f() { super::super::cli::g() }"),
        ("yaml.rs", "use std::fmt;"),
        ("odd.rs", "use std::fmt;"),
    ];
    let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let sources = Crate::parse(texts.into(), "lib.rs");
    let table =
        "//! # Imports\n//! | `cli` | `model` | – |\n//! | `model` | – | – |\n//! | `yaml` | `model` | `clap` |";
    let table = table::table(table);
    let named = named(&sources, &table, &BTreeSet::from(["serde_json".to_owned()]));
    assert_eq!(
        differences(&named, &table),
        [
            "cli.rs names the module `yaml`",
            "cli.rs names the crate `serde_json`",
            "model/part.rs names the module `cli`",
            "model.rs names the module `yaml`",
            "module `odd` is not in the table",
            "nothing in `yaml` names the module `model`",
            "nothing in `yaml` names the crate `clap`",
        ]
    );
}
