//! The length of functions.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Item, ItemFn};

/// Returns the lines of each function of this name, from `fn` to the last brace.
pub(crate) fn of_functions(items: &[Item], name: &str) -> Vec<usize> {
    let mut functions = Functions {
        name,
        lines: Vec::new(),
    };
    items.iter().for_each(|item| functions.visit_item(item));
    functions.lines
}

struct Functions<'n> {
    name: &'n str,
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if function.sig.ident == self.name {
            let start = function.sig.span().start().line;
            self.lines.push(function.block.span().end().line + 1 - start);
        }
        visit::visit_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_above_a_function_are_not_its_lines() {
        let file =
            syn::parse_file("/// One.\n#[must_use]\npub fn run(\n    a: u8,\n) -> u8 {\n    a\n}\nfn other() {}\n")
                .unwrap();
        assert_eq!(of_functions(&file.items, "run"), [5]);
    }
}
