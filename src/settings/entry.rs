//! One entry of `.homelab.yaml`: its value, and its text as it is written.

use serde_json::Value;

use crate::model::{Pointer, PointerBuf, PointerExt};

/// Returns the text of a scalar as it is written.
type Written<'d> = dyn Fn(&Pointer) -> Option<String> + 'd;

/// One entry.
pub(super) struct Entry<'d> {
    pub(super) value: &'d Value,
    pointer: PointerBuf,
    written: &'d Written<'d>,
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

    pub(super) fn fault(&self, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault {
            pointer: self.pointer.clone(),
            is_on_key: false,
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn fault_on_key(&self, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault {
            is_on_key: true,
            ..self.fault(message, hint)
        }
    }
}
