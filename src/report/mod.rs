//! Values in, text out: tables, findings with their source, diffs, JSON. Never prints.

pub mod claims;
pub mod diff;
pub mod explain;
pub mod findings;
pub mod fixes;
pub mod json;
pub mod list;
pub mod live;
mod mask;
mod places;
pub mod table;
