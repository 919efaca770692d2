//! Merges maps as the library mergo does ([source](https://github.com/imdario/mergo/blob/v1.0.2/merge.go)).

use std::rc::Rc;

use super::fault::Fault;
use super::value::{Entries, Items, Value};

/// Merges a map of parameters into another one, which others may share. Values that are there win, or those of `from` where
/// it overrides.
pub(in crate::sets) fn merge(into: &Entries, from: &Entries, overrides: bool) -> Result<(), Fault> {
    if Rc::ptr_eq(into, from) {
        return Ok(());
    }
    let from: Vec<(String, Value)> = from.borrow().clone().into_iter().collect();
    for (key, value) in from {
        if value == Value::Nil && !overrides {
            continue;
        }
        let known = into.borrow().get(&key).cloned();
        if let (Some(Value::Map(a, inner)), Value::Map(b, other)) = (&known, &value) {
            if *a == Items::Text && *b != Items::Text && !other.borrow().is_empty() {
                return Err(Fault::unsupported("a merge of maps of different types"));
            }
            merge(inner, other, overrides)?;
        }
        let is_there = known.as_ref().is_some_and(Value::is_true);
        let both_are_maps = matches!((&known, &value), (Some(Value::Map(..)), Value::Map(..)));
        let both_are_lists = matches!((&known, &value), (Some(Value::List(..)), Value::List(..)));
        // An override with a list counts where neither map was empty, which holds here.
        if is_there && (both_are_maps || !overrides) && !(both_are_lists && overrides) {
            continue;
        }
        into.borrow_mut().insert(key, value);
    }
    Ok(())
}
