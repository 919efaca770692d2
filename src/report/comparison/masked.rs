//! Objects without the values that nobody may see. Whether such a value differs is shown, and nothing else of it.

use serde_json::Value;

use crate::masking::{MASK, Values, secrets_within, without_logins};
use crate::model::{Object, PointerBuf, PointerExt};
use crate::report::mask::secret_places;

/// The bytes from which a text is masked line by line.
const LONG: usize = 32 << 10;

/// Returns the trees of both sides of an object, masked.
pub(super) fn both(before: Option<&Object>, after: Option<&Object>, secrets: &Values) -> [Option<Value>; 2] {
    let places: Vec<PointerBuf> = before.into_iter().chain(after).flat_map(secret_places).collect();
    let one = |object: Option<&Object>, other: Option<&Object>, side: &str| {
        let object = object?;
        let mut tree = object.tree().clone();
        let masking = Masking {
            places: &places,
            secrets,
            side,
        };
        masking.mask(&mut tree, other.map(Object::tree), (&PointerBuf::new(), false));
        Some(tree)
    };
    [one(before, after, "before"), one(after, before, "after")]
}

/// What is masked of an object.
struct Masking<'m> {
    places: &'m [PointerBuf],
    secrets: &'m Values,
    side: &'m str,
}

impl Masking<'_> {
    /// Masks the values at secret places and below them, and the secrets inside of texts.
    fn mask(&self, tree: &mut Value, other: Option<&Value>, (at, is_below): (&PointerBuf, bool)) {
        let is_secret = is_below || self.places.contains(at);
        match tree {
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    let other = other.and_then(|other| other.get(key));
                    self.mask(value, other, (&at.child(key.as_str()), is_secret));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter_mut().enumerate() {
                    let other = other.and_then(|other| other.get(index));
                    self.mask(value, other, (&at.child(index), is_secret));
                }
            }
            Value::Null | Value::Bool(_) => {}
            leaf if is_secret => {
                let differs = other.is_some_and(|other| other != leaf);
                *leaf = Value::String(match differs {
                    true => format!("{MASK} ({})", self.side),
                    false => MASK.to_owned(),
                });
            }
            Value::String(text) => *text = self.text(text),
            Value::Number(_) => {}
        }
    }

    fn text(&self, text: &str) -> String {
        let mut shown = without_logins(text);
        for secret in secrets_within(&shown) {
            shown = shown.replace(&secret, MASK);
        }
        // Of a longer text only the start would be left.
        match shown.len() > LONG {
            true => shown
                .split_inclusive('\n')
                .map(|line| self.secrets.mask(line))
                .collect(),
            false => self.secrets.mask(&shown),
        }
    }
}
