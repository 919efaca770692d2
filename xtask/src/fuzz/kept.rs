//! The finds of earlier runs: each target's are run first, and held against the oracle as well.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::case::{self, Target};
use super::mistake;
use super::oracle::Oracle;
use crate::repository;

/// Runs the kept finds of a target; reports whether all are right.
pub(super) fn replay(target: &Target, oracle: &mut Oracle) -> Result<bool> {
    let file = repository::root().join(format!("tests/vectors/fuzz/{}.json", target.name));
    let read = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let kept: Value = serde_json::from_str(&read).with_context(|| format!("{} is not JSON", file.display()))?;
    let mut is_clean = true;
    for (name, find) in kept.as_object().context("the finds are no map")? {
        if let Some(why) = mistake(target, oracle, &find["case"])? {
            is_clean = false;
            eprintln!("find of `{}` that was kept as `{name}`: {why}", target.name);
            case::show(&find["case"]);
        }
    }
    Ok(is_clean)
}
