//! A crate's sources: its modules in the order of their `mod` items, without what only tests see.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, Meta};

/// A file of sources below the folder of its crate, as `cli/mod.rs`.
pub(crate) struct File {
    /// Its text.
    pub(crate) text: String,
    /// Its lines without the items that only tests see; none where the whole file is for tests.
    pub(crate) shipped_lines: usize,
}

/// A module: a file, or a `mod` with a body.
pub(crate) struct Module {
    /// Its path below the crate's root, as `["cli", "add_app"]`.
    pub(crate) path: Vec<String>,
    /// The file that holds it.
    pub(crate) file: String,
    /// Its items, without those that only tests see and without the modules in it.
    pub(crate) items: Vec<Item>,
}

/// The sources of one crate.
pub(crate) struct Crate {
    /// Every file of the folder, by its path.
    pub(crate) files: BTreeMap<String, File>,
    /// The root and every module that is not only for tests.
    pub(crate) modules: Vec<Module>,
}

impl Crate {
    /// Reads the crate whose root is the file `root` of a folder.
    pub(crate) fn read(folder: &Path, root: &str) -> Self {
        let mut texts = BTreeMap::new();
        read_folder(folder, "", &mut texts);
        Self::parse(texts, root)
    }

    /// Parses a crate from its files' texts.
    pub(crate) fn parse(texts: BTreeMap<String, String>, root: &str) -> Self {
        let as_file = |(path, text)| {
            let shipped_lines = 0;
            (path, File { text, shipped_lines })
        };
        let mut sources = Self {
            files: texts.into_iter().map(as_file).collect(),
            modules: Vec::new(),
        };
        sources.add_file(root, "", Vec::new());
        sources
    }

    /// Adds the module of a file and those in it; `folder` is where the files of its child modules lie.
    fn add_file(&mut self, path: &str, folder: &str, module: Vec<String>) {
        let file = self.files.get_mut(path).unwrap_or_else(|| panic!("there is no {path}"));
        let mut parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut tests = WithoutTests::default();
        tests.visit_file_mut(&mut parsed);
        file.shipped_lines = file.text.lines().count() - tests.lines();
        self.add_module(path, folder, module, parsed.items);
    }

    fn add_module(&mut self, file: &str, folder: &str, module: Vec<String>, items: Vec<Item>) {
        let (children, items): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| matches!(item, Item::Mod(_)));
        self.modules.push(Module {
            path: module.clone(),
            file: file.to_owned(),
            items,
        });
        for child in children {
            let Item::Mod(child) = child else { continue };
            let name = child.ident.to_string();
            let path = [module.clone(), vec![name.clone()]].concat();
            let below = format!("{folder}{name}/");
            match child.content {
                Some((_, items)) => self.add_module(file, &below, path, items),
                None => {
                    let beside = format!("{folder}{name}.rs");
                    let is_beside = self.files.contains_key(&beside);
                    let inside = format!("{below}mod.rs");
                    self.add_file(if is_beside { &beside } else { &inside }, &below, path);
                }
            }
        }
    }
}

fn read_folder(folder: &Path, prefix: &str, out: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy();
        let below = format!("{prefix}{name}");
        if path.is_dir() {
            read_folder(&path, &format!("{below}/"), out);
        } else if below.ends_with(".rs") {
            out.insert(below, fs::read_to_string(&path).expect("the file can be read"));
        }
    }
}

/// Reports whether an item is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => requires_test(&list.tokens),
        meta => meta.path().is_ident("test"),
    };
    attributes.iter().any(is_test)
}

/// Reports whether a condition holds for tests only: `test` or `all(test, …)`.
fn requires_test(condition: &TokenStream) -> bool {
    let Ok(meta) = syn::parse2::<Meta>(condition.clone()) else {
        return false;
    };
    match &meta {
        Meta::List(list) if list.path.is_ident("all") => {
            let parts = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
            let parts = syn::parse::Parser::parse2(parts, list.tokens.clone()).unwrap_or_default();
            parts.iter().any(|part| part.path().is_ident("test"))
        }
        meta => meta.path().is_ident("test"),
    }
}

/// Removes what only tests see, and remembers its lines.
#[derive(Default)]
struct WithoutTests {
    removed: Vec<RangeInclusive<usize>>,
}

impl WithoutTests {
    fn lines(&self) -> usize {
        self.removed.iter().cloned().map(RangeInclusive::count).sum()
    }

    /// Reports whether a node stays, and remembers its lines if it does not.
    fn keeps(&mut self, node: &impl Spanned, attributes: &[Attribute]) -> bool {
        let is_kept = !is_for_tests(attributes);
        if !is_kept {
            self.removed.push(node.span().start().line..=node.span().end().line);
        }
        is_kept
    }
}

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        file.items.retain(|item| self.keeps(item, attributes(item)));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| self.keeps(item, attributes(item)));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| match item {
            syn::ImplItem::Fn(function) => self.keeps(item, &function.attrs),
            syn::ImplItem::Const(constant) => self.keeps(item, &constant.attrs),
            _ => true,
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| match statement {
            syn::Stmt::Local(local) => self.keeps(statement, &local.attrs),
            syn::Stmt::Item(item) => self.keeps(statement, attributes(item)),
            _ => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(text: &str) -> (usize, Vec<String>) {
        let sources = Crate::parse(BTreeMap::from([("lib.rs".to_owned(), text.to_owned())]), "lib.rs");
        let name = |item: &Item| match item {
            Item::Fn(function) => function.sig.ident.to_string(),
            _ => "other".to_owned(),
        };
        let names = sources.modules.iter().flat_map(|module| module.items.iter().map(name));
        (sources.files["lib.rs"].shipped_lines, names.collect())
    }

    #[test]
    fn code_below_the_tests_is_shipped_code() {
        let text = "fn a() {}\n/// Tests.\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n\nfn c() {}\n";
        assert_eq!(shipped(text), (3, vec!["a".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn every_form_of_code_for_tests_is_left_out() {
        let text =
            "#[cfg(all(test, unix))]\nfn a() {}\n#[cfg(not(test))]\nfn b() {}\n#[cfg(any(test, unix))]\nfn c() {}\n";
        assert_eq!(shipped(text).1, ["b", "c"]);
        let text =
            "impl A {\n    #[cfg(test)]\n    fn a() {\n    }\n}\nfn b() {\n    #[cfg(test)]\n    let x = 1;\n}\n";
        assert_eq!(shipped(text).0, 4);
    }

    #[test]
    fn modules_are_found_in_files_folders_and_bodies() {
        let texts = [
            ("lib.rs", "mod a; mod b; mod c { fn d() {} }"),
            ("a.rs", "mod x;"),
            ("a/x.rs", ""),
            ("b/mod.rs", "mod y; #[cfg(test)] mod tests;"),
            ("b/y.rs", ""),
            ("b/tests.rs", ""),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let sources = Crate::parse(BTreeMap::from(texts), "lib.rs");
        let paths: Vec<_> = sources.modules.iter().map(|module| module.path.join("::")).collect();
        assert_eq!(paths, ["", "a", "a::x", "b", "b::y", "c"]);
    }
}
