//! One Kubernetes object, as its manifest has it, and references to objects.

use std::fmt;

use serde_json::Value;

use super::pointer::{AsPointer, Pointer, PointerBuf, PointerExt};

/// Names an object: group and kind, namespace where it has one, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind, as `PersistentVolumeClaim`.
    pub kind: String,
    /// Namespace as written in the manifest; `None` where there is none.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// One object with its whole tree, read-only.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    tree: Value,
    /// What it is and how it is called, asked for more often than all else.
    identity: Identity,
}

/// Group, kind and name in one place, which is no part of the tree: the trees of many objects do not fit into a processor's
/// caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    /// Where group, kind and name end.
    ends: [usize; 3],
    /// The group, followed by the kind and the name, as far as there is space for them.
    texts: [u8; Self::SPACE],
}

impl Identity {
    const SPACE: usize = 88;

    fn of(texts: [&str; 3]) -> Self {
        let mut identity = Self {
            ends: [0; 3],
            texts: [0; Self::SPACE],
        };
        let mut end = 0;
        for (place, text) in identity.ends.iter_mut().zip(texts) {
            let start = end;
            end += text.len();
            *place = end;
            if let Some(space) = identity.texts.get_mut(start..end) {
                space.copy_from_slice(text.as_bytes());
            }
        }
        identity
    }

    /// Returns group and kind, one after the other; `None` where there is no space for them.
    fn kind(&self) -> Option<&[u8]> {
        self.texts.get(..self.ends[1])
    }

    /// Reports whether these are group and kind; `None` where there is no space for them.
    fn is(&self, group: &str, kind: &str) -> Option<bool> {
        if self.ends[..2] != [group.len(), group.len() + kind.len()] {
            return Some(false);
        }
        let (of_group, of_kind) = self.kind()?.split_at(group.len());
        Some(of_group == group.as_bytes() && of_kind == kind.as_bytes())
    }

    /// Returns the name; `None` where there is no space for it.
    fn name(&self) -> Option<&str> {
        let name = self.texts.get(self.ends[1]..self.ends[2])?;
        std::str::from_utf8(name).ok()
    }
}

impl Object {
    /// Takes a tree as it is; [`Object::reference`] is `None` for an incomplete object.
    pub fn new(tree: Value) -> Self {
        let name = tree.get("metadata").map_or("", |metadata| text(metadata, "name"));
        let identity = Identity::of([group(&tree), text(&tree, "kind"), name]);
        Self { tree, identity }
    }

    /// Returns the whole tree.
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// Returns the whole tree and drops the object.
    pub fn into_tree(self) -> Value {
        self.tree
    }

    /// Returns the value at a JSON Pointer (RFC 6901).
    pub fn at(&self, pointer: impl AsPointer) -> Option<&Value> {
        let pointer = pointer.as_pointer();
        let mut value = &self.tree;
        for key in pointer.as_str().split('/').skip(1) {
            value = match value {
                Value::Object(map) if !key.contains('~') => map.get(key)?,
                Value::Object(_) | Value::Array(_) => return pointer.resolve(&self.tree).ok(),
                _ => return None,
            };
        }
        Some(value)
    }

    /// Returns `apiVersion`, empty when absent.
    pub fn api_version(&self) -> &str {
        text(&self.tree, "apiVersion")
    }

    /// Returns the API group: what stands before the `/` of `apiVersion`.
    pub fn group(&self) -> &str {
        group(&self.tree)
    }

    /// Returns `kind`, empty when absent.
    pub fn kind(&self) -> &str {
        text(&self.tree, "kind")
    }

    /// Returns `metadata.name`, empty when absent.
    pub fn name(&self) -> &str {
        let in_tree = || self.metadata("name").and_then(Value::as_str).unwrap_or_default();
        self.identity.name().unwrap_or_else(in_tree)
    }

    /// Returns `metadata.namespace`, if there is one.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata("namespace")
            .and_then(Value::as_str)
            .filter(|namespace| !namespace.is_empty())
    }

    /// Returns the value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata("annotations")?.get(key)?.as_str()
    }

    /// Returns the value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata("labels")?.get(key)?.as_str()
    }

    /// Returns an entry of `metadata`.
    fn metadata(&self, key: &str) -> Option<&Value> {
        self.tree.get("metadata")?.get(key)
    }

    /// Reports whether the object is of this group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        let known = self.identity.is(group, kind);
        known.unwrap_or_else(|| self.kind() == kind && self.group() == group)
    }

    /// Returns the reference, or `None` when apiVersion, kind or name is missing.
    pub fn reference(&self) -> Option<ObjectRef> {
        let (group, kind, namespace, name) = self.reference_texts()?;
        Some(ObjectRef {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// Reports whether an object has the same reference; incomplete objects have none.
    pub fn is_same_as(&self, other: &Object) -> bool {
        self.identity == other.identity && self.reference_texts() == other.reference_texts()
    }

    /// Returns group, kind, namespace and name of the reference.
    fn reference_texts(&self) -> Option<(&str, &str, Option<&str>, &str)> {
        let complete = !self.api_version().is_empty() && !self.kind().is_empty() && !self.name().is_empty();
        complete.then(|| (self.group(), self.kind(), self.namespace(), self.name()))
    }

    /// Reports whether this is a `List`, which Argo CD and kubectl flatten: `items` is an array, whatever the kind
    /// ([source](https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/unstructured/unstructured.go),
    /// `IsList`).
    pub fn is_list(&self) -> bool {
        self.tree.get("items").is_some_and(Value::is_array)
    }

    /// Returns the objects in it with the JSON Pointer of each: itself (the root), or the items of a list, lists in
    /// lists included.
    pub fn flatten(&self) -> Vec<(PointerBuf, Object)> {
        self.clone().into_flat()
    }

    /// Does the same as [`Object::flatten`] without a copy.
    pub fn into_flat(self) -> Vec<(PointerBuf, Object)> {
        let mut out = Vec::new();
        flatten_into(PointerBuf::new(), self, &mut out);
        out
    }
}

/// Returns the text of an entry, empty when absent.
fn text<'v>(tree: &'v Value, key: &str) -> &'v str {
    tree.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns what stands before the `/` of `apiVersion`.
fn group(tree: &Value) -> &str {
    text(tree, "apiVersion").split_once('/').map_or("", |(group, _)| group)
}

fn flatten_into(pointer: PointerBuf, mut object: Object, out: &mut Vec<(PointerBuf, Object)>) {
    if !object.is_list() {
        out.push((pointer, object));
        return;
    }
    if let Some(Value::Array(items)) = object.tree.get_mut("items").map(Value::take) {
        let list = pointer.child("items");
        for (index, item) in items.into_iter().enumerate() {
            flatten_into(list.child(index), Object::new(item), out);
        }
    }
}

/// Returns the JSON Pointer of an annotation.
pub fn annotation_pointer(key: &str) -> PointerBuf {
    Pointer::from_static("/metadata/annotations").child(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_flattened_with_pointers() {
        let list = Object::new(json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
            {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "b", "namespace": "n"}}]},
        ]}));
        let found: Vec<_> = list
            .flatten()
            .into_iter()
            .map(|(p, o)| (p.to_string(), o.reference().unwrap().to_string()))
            .collect();
        assert_eq!(
            found,
            [
                ("/items/0".to_owned(), "ConfigMap/a".to_owned()),
                ("/items/1/items/0".to_owned(), "apps/Deployment/n/b".to_owned()),
            ]
        );
    }

    #[test]
    fn group_and_kind_are_told_apart_however_long_they_are() {
        let object = |group: &str, kind: &str| {
            let api_version = if group.is_empty() {
                "v1".to_owned()
            } else {
                format!("{group}/v1")
            };
            Object::new(json!({"apiVersion": api_version, "kind": kind}))
        };
        let (long, longer) = ("a".repeat(40), "B".repeat(40));
        let kinds = [
            ("", "Pod"),
            ("a", "bc"),
            ("ab", "c"),
            (&long, "C"),
            (&long, &longer),
            ("a", &longer),
        ];
        for one in kinds {
            for other in kinds {
                assert_eq!(
                    object(one.0, one.1).is(other.0, other.1),
                    one == other,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn a_pointer_leads_through_maps_and_lists() {
        let object = Object::new(json!({"a": {"b/c": [{"~": 1}], "": 2}, "d": "e"}));
        let at = |pointer: &'static str| object.at(pointer).cloned();
        assert_eq!(at("/a/b~1c/0/~0"), Some(json!(1)));
        assert_eq!((at("/a/"), at("/d")), (Some(json!(2)), Some(json!("e"))));
        assert_eq!(at(""), Some(object.tree().clone()));
        for pointer in ["/a/b~1c/1", "/a/b~1c/00", "/a/b~1c/-", "/d/e", "/a/x", "/a/b~1c/x"] {
            assert_eq!(at(pointer), None, "{pointer}");
        }
    }

    #[test]
    fn an_incomplete_object_has_no_reference() {
        assert_eq!(
            Object::new(json!({"kind": "A", "metadata": {"name": "x"}})).reference(),
            None
        );
    }
}
