//! The table of imports and the picture in the documentation of `src/lib.rs`.

use std::collections::{BTreeMap, BTreeSet};

/// What a module names besides itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Other modules of this crate.
    pub(crate) modules: BTreeSet<String>,
    /// Other crates, as code names them.
    pub(crate) crates: BTreeSet<String>,
}

/// The rows of the table by their modules.
pub(crate) type Imports = BTreeMap<String, Row>;

/// Reads the table below the heading `# Imports`: module, the modules that it names, the crates that it names.
pub(crate) fn table(text: &str) -> Imports {
    let section = documentation(text).skip_while(|line| *line != "# Imports").skip(1);
    let rows = section
        .take_while(|line| !line.starts_with("# "))
        .filter(|line| line.starts_with("| `"));
    rows.map(row).collect()
}

fn row(line: &str) -> (String, Row) {
    let cells: Vec<BTreeSet<String>> = line.trim_matches('|').split('|').map(names).collect();
    let [module, modules, crates] = cells.as_slice() else {
        panic!("a row of the table of imports has three cells: {line}");
    };
    let module = module.first().expect("a row names its module").clone();
    let (modules, crates) = (modules.clone(), crates.clone());
    (module, Row { modules, crates })
}

/// The names between backticks.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the modules in the picture, the first block of text: they are written `name/` or `name.rs`.
pub(crate) fn picture(text: &str) -> BTreeSet<String> {
    let block = documentation(text).skip_while(|line| *line != "```text").skip(1);
    let lines = block.take_while(|line| *line != "```");
    let is_of_word = |c: char| !(c.is_ascii_lowercase() || matches!(c, '_' | '.' | '/'));
    let words = lines.flat_map(|line| line.split(is_of_word));
    let module = |word: &str| {
        let name = word.strip_suffix(".rs").or_else(|| word.strip_suffix('/'))?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    words.filter_map(module).collect()
}

fn documentation(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! What it is.
//!
//! ```text
//!   main.rs  →  cli/  →  disk.rs  files
//!               └─ model/  and/or
//! ```
//!
//! # Imports
//!
//! | module | names | crates |
//! |---|---|---|
//! | `model` | – | `serde` |
//! | `cli` | `model`, `disk` | `clap`, `anyhow` |
//!
//! # Other
//!
//! | `x` | – | – |
mod x;
";

    #[test]
    fn the_table_is_read() {
        let table = table(TEXT);
        assert_eq!(table.keys().collect::<Vec<_>>(), ["cli", "model"]);
        assert_eq!(table["model"].modules, BTreeSet::new());
        assert_eq!(table["cli"].modules, ["disk", "model"].map(str::to_owned).into());
        assert_eq!(table["cli"].crates, ["anyhow", "clap"].map(str::to_owned).into());
    }

    #[test]
    fn the_picture_is_read() {
        assert_eq!(
            picture(TEXT),
            ["cli", "disk", "main", "model"].map(str::to_owned).into()
        );
    }
}
