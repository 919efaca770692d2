//! From a name to the file that defines it, through imports and re-exports.

use std::collections::BTreeMap;

use crate::name::Names;
use crate::source::{Crate, Module};

/// What a path means, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absolute {
    /// A path below the crate's root.
    Here(Vec<String>),
    /// A path into another crate, its name first.
    Elsewhere(Vec<String>),
}

/// What a path of this crate names in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// An item, by the module that defines it.
    Item(usize),
}

/// The use of a name in a file.
pub(crate) struct Usage<'c> {
    /// The module that uses it.
    pub(crate) module: &'c Module,
    /// The path, with imports and `super` filled in.
    pub(crate) path: Absolute,
    /// The module that defines the name; nothing where it is a module itself or comes from another crate.
    pub(crate) definition: Option<&'c Module>,
}

/// A crate's modules with their names.
pub(crate) struct Resolver<'c> {
    modules: &'c [Module],
    names: Vec<Names>,
    by_path: BTreeMap<&'c [String], usize>,
}

/// More imports in a row than any honest chain of re-exports has.
const LONGEST_CHAIN: usize = 16;

impl<'c> Resolver<'c> {
    /// Collects the names of all modules.
    pub(crate) fn new(sources: &'c Crate) -> Self {
        let modules = sources.modules.as_slice();
        Self {
            modules,
            names: modules.iter().map(|module| Names::of(&module.items)).collect(),
            by_path: (0..)
                .zip(modules)
                .map(|(at, module)| (module.path.as_slice(), at))
                .collect(),
        }
    }

    /// The macros that each module calls by a single name.
    pub(crate) fn macros(&self) -> impl Iterator<Item = (&'c Module, &str)> {
        let each = self.modules.iter().zip(&self.names);
        each.flat_map(|(module, names)| names.macros.iter().map(move |name| (module, name.as_str())))
    }

    /// Every use of a name from another module.
    pub(crate) fn usages(&self) -> Vec<Usage<'c>> {
        let mut usages = Vec::new();
        for (at, names) in self.names.iter().enumerate() {
            let module = &self.modules[at];
            let imports = names.imports.iter().map(|import| &import.path);
            for path in imports.chain(&names.paths) {
                let absolute = self.absolute(at, path, 0);
                let definition = match &absolute {
                    Absolute::Here(path) => self.definition(path),
                    Absolute::Elsewhere(_) => None,
                };
                usages.push(Usage {
                    module,
                    path: absolute,
                    definition,
                });
            }
            // A glob takes everything that its module defines or passes on.
            for import in names.imports.iter().filter(|import| import.name.is_none()) {
                for path in self.everything_in(&self.absolute(at, &import.path, 0)) {
                    usages.push(Usage {
                        module,
                        definition: self.definition(&path),
                        path: Absolute::Here(path),
                    });
                }
            }
        }
        usages
    }

    fn everything_in(&self, path: &Absolute) -> Vec<Vec<String>> {
        let Absolute::Here(path) = path else { return Vec::new() };
        let Some(Target::Module(at)) = self.target(path, true, 0) else {
            return Vec::new();
        };
        let imported = self.names[at].imports.iter().filter_map(|import| import.name.as_ref());
        let names = self.names[at].defined.iter().chain(imported);
        names
            .map(|name| [self.modules[at].path.as_slice(), std::slice::from_ref(name)].concat())
            .collect()
    }

    fn definition(&self, path: &[String]) -> Option<&'c Module> {
        match self.target(path, false, 0) {
            Some(Target::Item(at)) => Some(&self.modules[at]),
            _ => None,
        }
    }

    /// The path that a path means in a module: `crate`, `self`, `super` and the names of imports filled in.
    fn absolute(&self, module: usize, path: &[String], depth: usize) -> Absolute {
        let here = &self.modules[module].path;
        let below = |parent: &[String], rest: &[String]| Absolute::Here([parent, rest].concat());
        let Some((first, rest)) = path.split_first() else {
            return Absolute::Here(Vec::new());
        };
        match first.as_str() {
            "crate" => return Absolute::Here(rest.to_vec()),
            "self" => return below(here, rest),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                return below(&here[..here.len().saturating_sub(ups)], &path[ups..]);
            }
            _ => {}
        }
        let names = &self.names[module];
        if self.child(module, first).is_some() || names.defined.contains(first) {
            return below(here, path);
        }
        let import = names.imports.iter().find(|import| import.name.as_ref() == Some(first));
        if let Some(import) = import.filter(|import| depth < LONGEST_CHAIN && import.path != path) {
            return match self.absolute(module, &import.path, depth + 1) {
                Absolute::Here(start) => below(&start, rest),
                Absolute::Elsewhere(start) => Absolute::Elsewhere([&start, rest].concat()),
            };
        }
        for import in names
            .imports
            .iter()
            .filter(|import| import.name.is_none() && import.path != path)
        {
            let start = self.absolute(module, &import.path, depth + 1);
            let named = [first.clone()];
            let is_there = self.everything_in(&start).iter().any(|path| path.ends_with(&named));
            if let Absolute::Here(start) = start
                && is_there
            {
                return below(&start, path);
            }
        }
        Absolute::Elsewhere(path.to_vec())
    }

    fn child(&self, module: usize, name: &str) -> Option<usize> {
        let path = [self.modules[module].path.as_slice(), &[name.to_owned()]].concat();
        self.by_path.get(path.as_slice()).copied()
    }

    /// Follows a path from the root. A name may be a module and an item; `wants_module` decides for the last one.
    fn target(&self, path: &[String], wants_module: bool, depth: usize) -> Option<Target> {
        let mut module = 0;
        for (at, name) in path.iter().enumerate() {
            let is_last = at + 1 == path.len();
            let child = self.child(module, name);
            let item = || self.item(module, name, wants_module || !is_last, depth);
            let step = if wants_module || !is_last {
                child.map(Target::Module).or_else(item)
            } else {
                item().or(child.map(Target::Module))
            };
            // What is not found is the work of a macro, or a method: it belongs to the module where it was looked for.
            match step.unwrap_or(Target::Item(module)) {
                Target::Module(next) => module = next,
                item @ Target::Item(_) => return Some(item),
            }
        }
        Some(Target::Module(module))
    }

    /// An item of a module, its own or one that it passes on.
    fn item(&self, module: usize, name: &String, wants_module: bool, depth: usize) -> Option<Target> {
        let names = &self.names[module];
        if names.defined.contains(name) {
            return Some(Target::Item(module));
        }
        if depth == LONGEST_CHAIN {
            return None;
        }
        let follow = |path: &[String]| match self.absolute(module, path, 0) {
            Absolute::Here(path) => self.target(&path, wants_module, depth + 1),
            // It is another crate's, passed on here.
            Absolute::Elsewhere(_) => Some(Target::Item(module)),
        };
        let named = names.imports.iter().find(|import| import.name.as_ref() == Some(name));
        if let Some(import) = named {
            return follow(&import.path);
        }
        let globs = names.imports.iter().filter(|import| import.name.is_none());
        let mut found = globs.filter_map(|glob| {
            let start = self.absolute(module, &glob.path, 0);
            let all = self.everything_in(&start);
            let path = all.into_iter().find(|path| path.last() == Some(name))?;
            self.target(&path, wants_module, depth + 1)
        });
        found.next()
    }
}
