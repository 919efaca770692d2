//! Values in, text out: tables, findings with their source, diffs, JSON. Never prints.

pub mod adopt;
pub mod app_tree;
mod blocks;
pub mod claims;
pub mod comparison;
pub mod diff;
pub mod explain;
pub mod explain_app;
pub mod findings;
pub mod findings_table;
pub mod fixes;
pub mod github;
pub mod graph;
pub mod json;
pub mod list;
pub mod live;
pub mod lock;
mod mask;
mod places;
mod remarks;
pub mod sarif;
pub mod summary;
pub mod table;
mod tree;
mod workflow_command;
