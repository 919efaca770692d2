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
    /// The digest of `kind`: most objects that are asked for their kind have another one, and their trees stay untouched.
    kind: u64,
}

impl Object {
    /// Takes a tree as it is; [`Object::reference`] is `None` for an incomplete object.
    pub fn new(tree: Value) -> Self {
        let kind = digest(text(&tree, "kind"));
        Self { tree, kind }
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
        pointer.as_pointer().resolve(&self.tree).ok()
    }

    /// Returns `apiVersion`, empty when absent.
    pub fn api_version(&self) -> &str {
        text(&self.tree, "apiVersion")
    }

    /// Returns the API group: what stands before the `/` of `apiVersion`.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// Returns `kind`, empty when absent.
    pub fn kind(&self) -> &str {
        text(&self.tree, "kind")
    }

    /// Returns `metadata.name`, empty when absent.
    pub fn name(&self) -> &str {
        self.tree.get("metadata").map_or("", |metadata| text(metadata, "name"))
    }

    /// Returns `metadata.namespace`, if there is one.
    pub fn namespace(&self) -> Option<&str> {
        self.at("/metadata/namespace")
            .and_then(Value::as_str)
            .filter(|namespace| !namespace.is_empty())
    }

    /// Returns the value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Returns the value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels")?.get(key)?.as_str()
    }

    /// Reports whether the object is of this group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == digest(kind) && self.kind() == kind && self.group() == group
    }

    /// Returns the reference, or `None` when apiVersion, kind or name is missing.
    pub fn reference(&self) -> Option<ObjectRef> {
        let complete = !self.api_version().is_empty() && !self.kind().is_empty() && !self.name().is_empty();
        complete.then(|| ObjectRef {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        })
    }

    /// Reports whether this is a `List`, which Argo CD and kubectl flatten: `items` is an array, whatever the kind
    /// ([source](https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/unstructured/unstructured.go),
    /// `IsList`).
    pub fn is_list(&self) -> bool {
        self.at("/items").is_some_and(Value::is_array)
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

/// Returns the FNV-1a digest of a short text ([source](http://www.isthe.com/chongo/tech/comp/fnv/)).
const fn digest(text: &str) -> u64 {
    let (bytes, mut digest, mut at) = (text.as_bytes(), 0xcbf2_9ce4_8422_2325, 0);
    while at < bytes.len() {
        digest = (digest ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    digest
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
    fn an_incomplete_object_has_no_reference() {
        assert_eq!(
            Object::new(json!({"kind": "A", "metadata": {"name": "x"}})).reference(),
            None
        );
    }
}
