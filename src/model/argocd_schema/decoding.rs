//! Decodes a source into one that is there already, as Argo CD's code does: Go keeps every field of the old value that the
//! new one does not have, and of a list the fields of the old entry at the same position
//! ([source](https://pkg.go.dev/encoding/json#Unmarshal)).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{SCHEMA, Type};
use crate::model::pointer::{Pointer, PointerBuf, PointerExt};

/// The type of the entries of `plugin.env`, which a null takes away.
const ENTRY_OF_ENV: &str = "Info";

/// Decodes several values one after the other into one source.
#[derive(Debug, Default)]
pub struct SourceDecoder {
    /// The entries of each list that was decoded, with those behind its end: a longer list that follows gets them back.
    lists: BTreeMap<PointerBuf, Vec<Value>>,
}

/// A value that Argo CD does not take, or takes for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// JSON Pointer below the source.
    pub pointer: PointerBuf,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not what it has to be, with an article.
    WrongType(String),
    /// It is a section, and Argo CD reads its key as this one.
    SpelledOtherwise(&'static str),
}

impl SourceDecoder {
    /// Decodes a source into the one that is there.
    ///
    /// # Errors
    /// When a value has another type than its field, or the key of a section is spelled otherwise than the section.
    pub fn decode(&mut self, source: &mut Value, new: &Value) -> Result<(), Undecodable> {
        *source = self.value(&Type::Fields("Source"), Some(source), new, Pointer::root())?;
        Ok(())
    }

    fn value(&mut self, of: &Type, old: Option<&Value>, new: &Value, at: &Pointer) -> Result<Value, Undecodable> {
        match (of, new) {
            (Type::Fields(name), Value::Object(new)) => self.fields(name, old, new, at),
            (Type::List(of), Value::Array(new)) => self.list(of, old, new, at),
            (Type::Map(of), Value::Object(new)) => {
                let mut map = old.and_then(Value::as_object).cloned().unwrap_or_default();
                for (key, value) in new {
                    map.insert(key.clone(), self.value(of, None, value, &at.child(key))?);
                }
                Ok(Value::Object(map))
            }
            (of, new) if of.is_of(new) => Ok(new.clone()),
            (of, _) => Err(Undecodable {
                pointer: at.to_buf(),
                why: Why::WrongType(of.described()),
            }),
        }
    }

    fn fields(
        &mut self,
        name: &str,
        old: Option<&Value>,
        new: &Map<String, Value>,
        at: &Pointer,
    ) -> Result<Value, Undecodable> {
        let mut map = old.and_then(Value::as_object).cloned().unwrap_or_default();
        let fields = SCHEMA.types.get(name).map_or(&[][..], Vec::as_slice);
        let mut entries: Vec<_> = new.iter().filter(|(_, value)| !value.is_null()).collect();
        // Several keys can mean one field: they come in this order.
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            let pointer = at.child(key);
            let exact = fields.iter().find(|field| field.name == key);
            let field = exact.or_else(|| fields.iter().find(|field| is_folded(key, field.name)));
            // Argo CD drops what is no field.
            let Some(field) = field else { continue };
            if exact.is_none() && at.is_root() {
                let why = Why::SpelledOtherwise(field.name);
                return Err(Undecodable { pointer, why });
            }
            let value = self.value(&field.of, map.get(field.name), value, &pointer)?;
            map.insert(field.name.to_owned(), value);
        }
        Ok(Value::Object(map))
    }

    fn list(&mut self, of: &Type, old: Option<&Value>, new: &[Value], at: &Pointer) -> Result<Value, Undecodable> {
        let kept = self.lists.remove(at);
        let mut entries = kept.or_else(|| old?.as_array().cloned()).unwrap_or_default();
        if new.is_empty() {
            self.lists.retain(|list, _| list.below(at).is_none());
            return Ok(Value::Array(Vec::new()));
        }
        for (index, value) in new.iter().enumerate() {
            let old = entries.get(index);
            let entry = match value {
                Value::Null => old.cloned().filter(|_| !is_pointer(of)).unwrap_or_else(|| zero(of)),
                value => self.value(of, old, value, &at.child(index))?,
            };
            match entries.get_mut(index) {
                Some(old) => *old = entry,
                None => entries.push(entry),
            }
        }
        let list = entries[..new.len()].to_vec();
        self.lists.insert(at.to_buf(), entries);
        Ok(Value::Array(list))
    }
}

fn is_pointer(of: &Type) -> bool {
    *of == Type::Fields(ENTRY_OF_ENV)
}

/// Returns what a null becomes in a list that has nothing there yet.
fn zero(of: &Type) -> Value {
    match of {
        of if is_pointer(of) => Value::Null,
        Type::Fields(_) => Value::Object(Map::new()),
        _ => Value::String(String::new()),
    }
}

/// Reports whether Go takes a key for a field: it passes over the case of letters, and over two letters of other alphabets.
pub(super) fn is_folded(key: &str, field: &str) -> bool {
    let letter = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    key.chars().map(letter).eq(field.chars().map(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decoded(source: Value, values: &[Value]) -> Result<Value, Undecodable> {
        let (mut source, mut decoder) = (source, SourceDecoder::default());
        for value in values {
            decoder.decode(&mut source, value)?;
        }
        Ok(source)
    }

    #[test]
    fn an_entry_keeps_the_fields_of_the_one_before() {
        let old = json!({"plugin": {"parameters": [{"name": "owns", "array": ["a"]}, {"name": "release-name", "string": "r"}]}});
        let new = json!({"plugin": {"parameters": [{"name": "release-name", "string": "x"}, {"name": "owns"}, {"name": "n"}]}});
        assert_eq!(
            decoded(old.clone(), &[new]).unwrap(),
            json!({"plugin": {"parameters": [{"name": "release-name", "array": ["a"], "string": "x"}, {"name": "owns", "string": "r"}, {"name": "n"}]}})
        );
        // What a shorter list cuts off comes back with a longer one, but not after an empty one.
        let lists = |first: Value| {
            let next = json!({"plugin": {"parameters": [{}, {"name": "x"}, null]}});
            decoded(old.clone(), &[json!({"plugin": {"parameters": first}}), next]).unwrap()["plugin"]["parameters"]
                .take()
        };
        assert_eq!(
            lists(json!([{"array": ["b"]}])),
            json!([{"name": "owns", "array": ["b"]}, {"name": "x", "string": "r"}, {}])
        );
        assert_eq!(lists(json!([])), json!([{}, {"name": "x"}, {}]));
    }

    #[test]
    fn nothing_goes_away() {
        let old = json!({"helm": {"releaseName": "r", "skipCrds": true}, "kustomize": {"commonLabels": {"a": "1"}}});
        let new = json!({"helm": {"skipcrds": false, "none": 1}, "kustomize": {"commonLabels": {"b": "2"}}});
        assert_eq!(
            decoded(old, &[new]).unwrap(),
            json!({"helm": {"releaseName": "r", "skipCrds": false}, "kustomize": {"commonLabels": {"a": "1", "b": "2"}}})
        );
    }

    #[test]
    fn what_argo_cd_does_not_take() {
        let why = |value: Value| {
            let error = decoded(json!({}), &[value]).unwrap_err();
            (error.pointer.to_string(), error.why)
        };
        assert_eq!(
            why(json!({"helm": {"parameters": [{"name": "a", "value": 2}]}})),
            (
                "/helm/parameters/0/value".to_owned(),
                Why::WrongType("a string".to_owned())
            )
        );
        assert_eq!(
            why(json!({"helm": {"valueFiles": "a"}})),
            ("/helm/valueFiles".to_owned(), Why::WrongType("a list".to_owned()))
        );
        for key in ["Helm", "\u{212a}ustomize"] {
            let is_other = |(pointer, why): (String, Why)| {
                pointer == format!("/{key}") && matches!(why, Why::SpelledOtherwise("helm" | "kustomize"))
            };
            assert!(is_other(why(json!({key: {}}))), "{key}");
        }
    }
}
