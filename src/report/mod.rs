//! Values in, text out: tables, findings with their source, diffs, JSON. Never prints.

pub mod diff;
pub mod findings;
pub mod list;
pub mod table;
