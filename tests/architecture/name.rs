//! The names that a module uses: its imports, the paths in its code and in the tokens of its macros.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, Meta, UseTree};

/// One name of a `use` item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// The whole path, as `["crate", "model", "Object"]`; for a glob the path of what it takes everything from.
    pub(crate) path: Vec<String>,
    /// The name that it has here; nothing for a glob.
    pub(crate) name: Option<String>,
}

/// What the items of a module define and use.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The names of its items.
    pub(crate) defined: BTreeSet<String>,
    /// Its imports, those in functions included.
    pub(crate) imports: Vec<Import>,
    /// The paths of at least two segments.
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// The macros that are called by a single name.
    pub(crate) macros: BTreeSet<String>,
}

impl Names {
    /// Collects the names of a module's items.
    pub(crate) fn of(items: &[Item]) -> Self {
        let mut names = Self::default();
        for item in items {
            names.defined.extend(defined(item));
            names.visit_item(item);
        }
        names
    }

    fn add_path(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }

    fn add_imports(&mut self, tree: &UseTree, before: &[String]) {
        let behind = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_imports(&path.tree, &behind(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_imports(tree, before)),
            UseTree::Glob(_) => self.imports.push(Import {
                path: before.to_vec(),
                name: None,
            }),
            UseTree::Name(name) => self.add_import(behind(&name.ident), None),
            UseTree::Rename(rename) => self.add_import(behind(&rename.ident), Some(rename.rename.to_string())),
        }
    }

    /// Adds an import; in a group `self` means the path before it.
    fn add_import(&mut self, mut path: Vec<String>, name: Option<String>) {
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = name.or_else(|| path.last().cloned());
        self.imports.push(Import { path, name });
    }

    /// Adds what looks like a path in tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
        let mut at = 0;
        while at < tokens.len() {
            let mut path = Vec::new();
            while let Some(TokenTree::Ident(name)) = tokens.get(at) {
                path.push(name.to_string());
                if !(is(at + 1, ':') && is(at + 2, ':')) {
                    break;
                }
                at += 3;
            }
            if let (1, true) = (path.len(), is(at + 1, '!')) {
                self.macros.extend(path);
            } else {
                self.add_path(path);
            }
            if let Some(TokenTree::Group(group)) = tokens.get(at) {
                self.add_tokens(group.stream());
            }
            at += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_imports(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.add_path(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.get_ident() {
            self.macros.insert(name.to_string());
        }
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.add_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }

    /// Leaves visibilities out: `pub(in crate::x)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// The names that an item defines.
fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Names {
        Names::of(&syn::parse_file(text).unwrap().items)
    }

    fn imports(text: &str) -> Vec<(String, Option<String>)> {
        let imports = names(text).imports.into_iter();
        imports.map(|import| (import.path.join("::"), import.name)).collect()
    }

    fn paths(text: &str) -> Vec<String> {
        names(text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn groups_renames_and_globs_are_imports() {
        let one = |path: &str, name: &str| (path.to_owned(), Some(name.to_owned()));
        assert_eq!(
            imports("use crate::{a::B, c::{self, d as e}};"),
            [one("crate::a::B", "B"), one("crate::c", "c"), one("crate::c::d", "e")]
        );
        assert_eq!(imports("use super::x::*;"), [("super::x".to_owned(), None)]);
        assert_eq!(imports("fn f() { use crate::a::b; }"), [one("crate::a::b", "b")]);
    }

    #[test]
    fn paths_are_seen_in_types_calls_and_patterns() {
        let text = "fn f(x: &crate::a::B<c::D>) -> e::F { match x { g::H::I => <j::K as l::M>::n(), _ => o::p } }";
        assert_eq!(
            paths(text),
            ["c::D", "crate::a::B", "e::F", "g::H::I", "j::K", "l::M::n", "o::p"]
        );
    }

    #[test]
    fn paths_are_seen_in_macros_and_attributes() {
        let text =
            "#[derive(serde::Serialize)] struct S; fn f() { println!(\"{}\", [crate::a::b(c::D), vec![e::f]]); }";
        let names = names(text);
        assert_eq!(paths(text), ["c::D", "crate::a::b", "e::f", "serde::Serialize"]);
        assert_eq!(names.macros.iter().collect::<Vec<_>>(), ["println", "vec"]);
        assert!(names.defined.contains("S") && names.defined.contains("f"));
    }

    #[test]
    fn comments_and_texts_name_nothing() {
        let text = "/// See [`crate::a::B`].\n// crate::c::D\nfn f() { g(\"crate::e::F\") }";
        assert_eq!(paths(text), Vec::<String>::new());
    }
}
