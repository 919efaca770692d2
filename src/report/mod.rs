//! Values in, text out: tables, findings with their source, diffs, JSON. Never prints.

pub mod diff;
pub mod findings;
