//! Converts text to trees and back: splits documents and reads values as Go does, and puts JSON Patches into text. Knows
//! nothing of Kubernetes.
//!
//! ```text
//! stream  text of a file → documents by byte range        tree    one document → flat nodes with byte spans
//! locate  JSON Pointer → span                             value   tree → JSON value, with Go's reading
//! reprint the fallback of the splice: a whole document    splice  JSON Patch → text, proved by reading it again
//! comment what a comment is about                         emit    value → text, for new files
//! replace_entry  an entry in another one's place         replace_comment  a comment in another one's place
//! brackets  how a document writes collections in brackets     raw_value  a text without a line end at its end
//! rename_key  another key for an entry
//! ```
//!
//! The reference for all of it is what `kubectl` and Argo CD read: go-yaml version 2, converted to JSON.

mod brackets;
mod comment;
mod emit;
mod error;
mod locate;
mod node;
mod position;
mod raw_value;
mod rename_key;
mod replace_comment;
mod replace_entry;
mod reprint;
mod splice;
mod stream;
mod tree;
mod trivia;
mod value;
mod write;

pub use comment::{Comment, comment_lines};
pub use emit::{emit, emit_line};
pub use error::YamlError;
pub use locate::{Locator, Span};
pub use position::{Lines, Position, position};
pub use raw_value::raw_value;
pub use rename_key::rename_key;
pub use replace_comment::{ReplaceComment, comments, replace_comment};
pub use replace_entry::{Goal, ReplaceEntry, ReplacedEntry, replace_entry};
pub use splice::error::SpliceError;
pub use splice::{Spliced, splice};
pub use stream::{Document, document_ranges, documents};
pub use tree::Tree;
pub use value::value;
