//! One entry of `.homelab.yaml`: its value, and its text as it is written.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::Failure;
use crate::model::spelling::nearest;
use crate::model::{Pointer, PointerBuf, PointerExt};

/// Returns the text of a scalar as it is written.
type Written<'d> = dyn Fn(&Pointer) -> Option<String> + 'd;

/// One entry.
pub(super) struct Entry<'d> {
    pub(super) value: &'d Value,
    pointer: PointerBuf,
    pub(super) written: &'d Written<'d>,
}

/// What is wrong with an entry.
pub(super) struct Fault {
    pub(super) pointer: PointerBuf,
    /// Whether it is the key that is wrong, and not the value.
    pub(super) is_on_key: bool,
    pub(super) message: String,
    /// The way out.
    pub(super) hint: String,
}

impl<'d> Entry<'d> {
    pub(super) fn new(value: &'d Value, pointer: PointerBuf, written: &'d Written<'d>) -> Self {
        Self {
            value,
            pointer,
            written,
        }
    }

    /// Returns an entry of this map.
    pub(super) fn child(&self, key: &str, value: &'d Value) -> Self {
        Self::new(value, self.pointer.child(key), self.written)
    }

    /// Returns the items of this list; `None` where it is none.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let items = self.value.as_array()?.iter().enumerate();
        Some(
            items
                .map(|(index, value)| Self::new(value, self.pointer.child(index), self.written))
                .collect(),
        )
    }

    /// Returns the text of a scalar as it is written; `None` for a map, a list and null.
    pub(super) fn text(&self) -> Option<String> {
        match self.value {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::String(text) => Some(text.clone()),
            // Behind an alias there is only the value.
            value => (self.written)(&self.pointer).or_else(|| Some(value.to_string())),
        }
    }

    /// Returns the entries of this map that are not null, by their keys; each has to be one of those that are known.
    pub(super) fn fields(&self, known: &[&'static str]) -> Result<BTreeMap<&'d str, Self>, Vec<Fault>> {
        let Value::Object(map) = self.value else {
            let hint = format!("write keys such as `{}`", known[0]);
            return Err(vec![self.fault("not a map", hint)]);
        };
        let entries = map.iter().map(|(key, value)| (key.as_str(), self.child(key, value)));
        let entries: Vec<(&str, Self)> = entries.collect();
        let unknown = entries.iter().filter(|(key, _)| !known.contains(key));
        let faults: Vec<Fault> = unknown.map(|(key, entry)| entry.unknown(key, known)).collect();
        match faults.is_empty() {
            true => Ok(entries
                .into_iter()
                .filter(|(_, entry)| !entry.value.is_null())
                .collect()),
            false => Err(faults),
        }
    }

    /// Returns the texts of this map's entries, as they are written.
    pub(super) fn texts(&self, hint: &str) -> Result<BTreeMap<String, String>, Vec<Fault>> {
        let Value::Object(map) = self.value else {
            return Err(vec![self.fault("not a map", hint)]);
        };
        let (mut texts, mut faults) = (BTreeMap::new(), Vec::new());
        for (key, value) in map {
            let entry = self.child(key, value);
            match entry.text() {
                Some(text) => {
                    texts.insert(key.clone(), text);
                }
                None => faults.push(entry.fault(format!("`{key}` is not a text"), hint)),
            }
        }
        if faults.is_empty() { Ok(texts) } else { Err(faults) }
    }

    /// Returns the fault of a key that is none of those that are known.
    pub(super) fn unknown(&self, name: &str, known: &[&'static str]) -> Fault {
        let hint = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("write `{meant}`"),
            None => format!("the keys are {}", known.join(", ")),
        };
        self.fault_on_key(format!("unknown key `{name}`"), hint)
    }

    pub(super) fn fault(&self, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault {
            pointer: self.pointer.clone(),
            is_on_key: false,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Returns the fault that an error is.
    pub(super) fn fault_of(&self, error: anyhow::Error) -> Fault {
        let failure = Failure::from(error);
        self.fault(failure.one_line(), failure.hints.join("; "))
    }

    pub(super) fn fault_on_key(&self, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault {
            is_on_key: true,
            ..self.fault(message, hint)
        }
    }
}
