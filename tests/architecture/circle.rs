//! Circles between the files of a crate.
//!
//! A file depends on the files that define what it names, through whatever module the name comes. A module is made of
//! its child modules: what it lists of them, passes on or calls is no dependency.

use std::collections::{BTreeMap, BTreeSet};

use crate::resolve::Resolver;
use crate::source::Crate;

/// The names that a file takes from each other file.
pub(crate) type Dependencies = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Returns what each file takes from which other file.
pub(crate) fn dependencies(sources: &Crate) -> Dependencies {
    let mut dependencies = Dependencies::new();
    for usage in Resolver::new(sources).usages() {
        let Some(definition) = usage.definition else { continue };
        let is_part = definition.path.starts_with(&usage.module.path);
        if definition.file == usage.module.file || is_part {
            continue;
        }
        let crate::resolve::Absolute::Here(path) = usage.path else {
            continue;
        };
        let of_file = dependencies.entry(usage.module.file.clone()).or_default();
        let names = of_file.entry(definition.file.clone()).or_default();
        names.insert(path.join("::"));
    }
    dependencies
}

/// Returns the circles: the sets of files of which each depends on all others in the end.
pub(crate) fn circles(dependencies: &Dependencies) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = dependencies
        .keys()
        .map(|file| (file, reachable(dependencies, file)))
        .collect();
    let mut circles = BTreeSet::new();
    for (file, reach) in &reached {
        let back = |other: &&&String| reached.get(**other).is_some_and(|reach| reach.contains(file));
        let circle: BTreeSet<String> = reach.iter().filter(back).map(|other| (**other).clone()).collect();
        circles.insert(circle);
    }
    circles.into_iter().filter(|circle| !circle.is_empty()).collect()
}

fn reachable<'d>(dependencies: &'d Dependencies, start: &'d String) -> BTreeSet<&'d String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(file) = open.pop() {
        let next = dependencies.get(file).into_iter().flat_map(BTreeMap::keys);
        open.extend(next.filter(|next| reached.insert(*next)));
    }
    reached
}

/// Describes a circle: each dependency in it, with the names that make it.
pub(crate) fn describe(dependencies: &Dependencies, circle: &BTreeSet<String>) -> String {
    let mut lines = Vec::new();
    for file in circle {
        for (other, names) in dependencies[file].iter().filter(|(other, _)| circle.contains(*other)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines.push(format!("  {file} → {other}: {}", names.join(", ")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[(&str, &str)]) -> (Dependencies, Vec<Vec<String>>) {
        let texts = texts
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let dependencies = dependencies(&Crate::parse(texts.collect(), "lib.rs"));
        let circles = circles(&dependencies);
        let circles = circles.into_iter().map(|circle| circle.into_iter().collect());
        (dependencies, circles.collect())
    }

    #[test]
    fn a_circle_of_two_files_is_found_and_described() {
        let (dependencies, circles) = of(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use super::a; pub struct B; fn f() { a::A; }"),
            ("c.rs", "use crate::{a::A, b};"),
        ]);
        assert_eq!(circles, [["a.rs", "b.rs"]]);
        let circle = circles[0].iter().cloned().collect();
        assert_eq!(
            describe(&dependencies, &circle),
            "  a.rs → b.rs: b::B\n  b.rs → a.rs: a::A"
        );
    }

    #[test]
    fn a_re_export_counts_for_the_file_that_defines() {
        let (dependencies, circles) = of(&[
            ("lib.rs", "mod p;"),
            (
                "p/mod.rs",
                "mod a; mod b; pub use self::{a::A as X, b::*}; pub struct P;",
            ),
            ("p/a.rs", "use super::B; pub struct A;"),
            ("p/b.rs", "fn f() { vec![crate::p::X::new()] } pub struct B;"),
        ]);
        assert_eq!(circles, [["p/a.rs", "p/b.rs"]], "{dependencies:?}");
    }

    #[test]
    fn a_module_is_made_of_its_children() {
        let (_, circles) = of(&[
            ("lib.rs", "mod p; pub use p::P;"),
            ("p/mod.rs", "mod a; pub use a::A; pub struct P; fn f() { a::g() }"),
            ("p/a.rs", "use super::P; use crate::P as Q; pub struct A; pub fn g() {}"),
        ]);
        assert_eq!(circles, Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_circle_goes_through_a_parent() {
        let (_, circles) = of(&[
            ("lib.rs", "mod p; mod q;"),
            ("p/mod.rs", "mod a; use crate::q::Q; pub struct P;"),
            ("p/a.rs", ""),
            ("q.rs", "use crate::p; pub struct Q(p::P);"),
        ]);
        assert_eq!(circles, [["p/mod.rs", "q.rs"]]);
    }

    #[test]
    fn a_name_may_be_a_module_and_a_function() {
        let (dependencies, _) = of(&[
            ("lib.rs", "mod y; mod z;"),
            ("y/mod.rs", "mod value; mod other; pub use value::value;"),
            ("y/value.rs", "pub fn value() {} pub fn more() {}"),
            ("y/other.rs", "use super::value; fn f() { value::more(); value() }"),
            ("z.rs", "use crate::y; fn f() { y::value() }"),
        ]);
        assert_eq!(
            dependencies["y/other.rs"].keys().collect::<Vec<_>>(),
            ["y/value.rs"],
            "{dependencies:?}"
        );
        assert_eq!(dependencies["z.rs"].keys().collect::<Vec<_>>(), ["y/value.rs"]);
    }

    #[test]
    fn a_circle_of_tests_alone_is_none() {
        let (_, circles) = of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert_eq!(circles, Vec::<Vec<String>>::new());
    }
}
