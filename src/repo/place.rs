//! Places in the repository: where in its text a part of a manifest stands.

use std::fmt;
use std::ops::Range;

use super::{Manifest, Repo, RepoPath};
use crate::model::{Pointer, PointerBuf};
use crate::yaml::{self, Lines, Locator, Position};

/// A place in the repository: a file, and a range of bytes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: RepoPath,
    /// The range of bytes.
    pub range: Range<usize>,
    /// The start of the range.
    pub position: Position,
}

impl Place {
    /// Returns the start of a file.
    pub fn start_of(file: RepoPath) -> Self {
        Self {
            file,
            range: 0..0,
            position: Position { line: 1, column: 1 },
        }
    }
}

/// `FILE:LINE:COLUMN`, of the start.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}", self.file)
    }
}

impl Repo {
    /// Returns the place of a JSON Pointer of a manifest: its key if it has one, otherwise its value; if the pointer
    /// leads nowhere, the nearest place above it, or the document's first line.
    pub fn place(&self, manifest: &Manifest, pointer: &Pointer) -> Place {
        let pointer = manifest.in_document(pointer);
        let range = self.located(manifest, |locator, text| nearest(locator, text, &pointer));
        let position = |text: &str, offset: usize| yaml::position(text, offset);
        self.placed(manifest, range, position)
    }

    /// Does the same as [`Repo::place`] for many JSON Pointers of one manifest, whose text is read once.
    pub fn places<'p>(&self, manifest: &Manifest, pointers: impl IntoIterator<Item = &'p Pointer>) -> Vec<Place> {
        let ranges: Vec<_> = self.located(manifest, |locator, text| {
            pointers
                .into_iter()
                .map(|pointer| nearest(locator, text, &manifest.in_document(pointer)))
                .collect()
        });
        let lines = Lines::of(self.document_of(manifest).unwrap_or_default());
        let place = |range| self.placed(manifest, range, |_, offset| lines.position(offset));
        ranges.into_iter().map(place).collect()
    }

    /// Returns the place of a range of bytes of a manifest's document.
    pub fn place_of_range(&self, manifest: &Manifest, range: Range<usize>) -> Place {
        self.placed(manifest, range, yaml::position)
    }

    /// Returns the ranges of bytes of the values at JSON Pointers of a manifest, in its file; those that are not there are
    /// left out. `None` where the document cannot be read.
    pub fn value_ranges(&self, manifest: &Manifest, pointers: &[PointerBuf]) -> Option<Vec<Range<usize>>> {
        let base = self.files.get(&manifest.file)?.documents[manifest.document].range.start;
        self.located(manifest, |locator, _| {
            let spans = pointers
                .iter()
                .filter_map(|pointer| locator?.locate(&manifest.in_document(pointer)));
            let ranges = spans.map(|span| span.value.start + base..span.value.end + base);
            locator.map(|_| ranges.collect())
        })
    }

    fn document_of(&self, manifest: &Manifest) -> Option<&str> {
        let file = self.files.get(&manifest.file)?;
        Some(file.document(manifest.document))
    }

    fn located<T>(&self, manifest: &Manifest, find: impl FnOnce(Option<&Locator<'_, '_>>, &str) -> T) -> T {
        let text = self.document_of(manifest).unwrap_or_default();
        match yaml::Tree::parse(text) {
            Ok(tree) => find(Some(&Locator::new(&tree)), text),
            Err(_) => find(None, text),
        }
    }

    /// Returns the place of a range of a manifest's document.
    fn placed(
        &self,
        manifest: &Manifest,
        range: Range<usize>,
        position: impl FnOnce(&str, usize) -> Position,
    ) -> Place {
        let Some(file) = self.files.get(&manifest.file) else {
            // A chart that somebody applies: its files are no manifests.
            return Place::start_of(manifest.file.clone());
        };
        let document = &file.documents[manifest.document];
        let base = document.range.start;
        let inside = position(file.document(manifest.document), range.start);
        // A document of JSON may start where another one ends.
        let before = if inside.line == 1 {
            yaml::position(&file.text[..base], base).column - 1
        } else {
            0
        };
        Place {
            file: manifest.file.clone(),
            position: Position {
                line: inside.line + document.line - 1,
                column: inside.column + before,
            },
            range: range.start + base..range.end + base,
        }
    }
}

/// Returns the range of the key or value that a pointer leads to, or of the nearest above it; else that of the first line.
pub(super) fn nearest(locator: Option<&Locator<'_, '_>>, text: &str, pointer: &Pointer) -> Range<usize> {
    let mut pointer = pointer;
    let found = locator.and_then(|locator| {
        loop {
            let above = pointer.parent()?;
            if let Some(span) = locator.locate(pointer) {
                return Some(span.key.unwrap_or(span.value));
            }
            pointer = above;
        }
    });
    found.unwrap_or_else(|| first_line(text))
}

/// Returns the range of the first line that is neither blank nor a comment.
fn first_line(text: &str) -> Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    0..0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AsPointer;

    #[test]
    fn places_are_counted_in_the_file() {
        let yaml = "# ü\na: 1\n---\nb:\n  ü: [1, x]\n";
        let json = "{\"a\":1}{\"ü\":{\"b\":1}}";
        for (text, document, pointer, expected) in [
            (yaml, 0, "/a", (2, 1, "a")),
            (yaml, 1, "/b/ü/1", (5, 10, "x")),
            (yaml, 1, "/b/ü/7/x", (5, 3, "ü")),
            (yaml, 1, "/nothing", (4, 1, "b:")),
            (json, 1, "/ü/b", (1, 14, "\"b\"")),
        ] {
            let repo = Repo::of_text(RepoPath::new("a.yaml").unwrap(), text.to_owned());
            let manifest = &repo.manifests[document];
            let place = repo.place(manifest, pointer.as_pointer());
            let Position { line, column } = place.position;
            assert_eq!((line, column, &text[place.range.clone()]), expected, "{pointer}");
            assert_eq!(repo.places(manifest, [pointer.as_pointer()]), [place]);
        }
    }
}
