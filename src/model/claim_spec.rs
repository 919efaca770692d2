//! What a claim asks for: its storage class, its access modes, its size.

use serde_json::Value;

use super::claim::is_claim;
use super::object::Object;
use super::pointer::{AsPointer, PointerBuf, PointerExt};

/// The spec of a claim, or of the claims that an object's controller makes of a template.
#[derive(Clone, Debug)]
pub struct ClaimSpec<'o> {
    /// The name of the claim or of the template.
    pub name: &'o str,
    /// JSON Pointer of the spec.
    pub pointer: PointerBuf,
    spec: &'o Value,
}

/// Returns the specs of an object: a claim's own, and those of a StatefulSet's `volumeClaimTemplates`.
pub fn claim_specs(object: &Object) -> Vec<ClaimSpec<'_>> {
    if is_claim(object) {
        let pointer = "/spec".as_pointer().to_buf();
        let spec = object.at(&pointer).map(|spec| ClaimSpec {
            name: object.name(),
            pointer,
            spec,
        });
        return spec.into_iter().collect();
    }
    if !object.is("apps", "StatefulSet") {
        return Vec::new();
    }
    let base = "/spec/volumeClaimTemplates".as_pointer();
    let templates = object.at(base).and_then(Value::as_array).into_iter().flatten();
    let specs = templates.enumerate().filter_map(|(index, template)| {
        let name = template.pointer("/metadata/name").and_then(Value::as_str);
        Some(ClaimSpec {
            name: name.unwrap_or_default(),
            pointer: base.child(index).child("spec"),
            spec: template.get("spec").filter(|spec| spec.is_object())?,
        })
    });
    specs.collect()
}

impl<'o> ClaimSpec<'o> {
    /// Returns a field; a null is an absent one to Kubernetes.
    pub fn field(&self, name: &str) -> Option<&'o Value> {
        self.spec.get(name).filter(|value| !value.is_null())
    }

    /// Returns a field that is a text.
    pub fn text(&self, name: &str) -> Option<&'o str> {
        self.field(name)?.as_str()
    }

    /// Returns the access modes.
    pub fn access_modes(&self) -> Vec<&'o str> {
        let modes = self.field("accessModes").and_then(Value::as_array);
        modes.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns the size that it asks for.
    pub fn size(&self) -> Option<&'o Value> {
        self.field("resources")?.pointer("/requests/storage")
    }

    /// Reports whether only the pods of one node can use it.
    pub fn is_of_one_node(&self) -> bool {
        let modes = self.access_modes();
        !modes.is_empty() && modes.iter().all(|mode| mode.starts_with("ReadWriteOnce"))
    }

    /// Reports whether it takes a volume that is there, instead of one that is made for it.
    pub fn is_static(&self) -> bool {
        let names_one = self.text("volumeName").is_some_and(|name| !name.is_empty());
        names_one || self.field("selector").is_some() || self.text("storageClassName") == Some("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn claims_and_templates_have_specs() {
        let spec = |class: &str| json!({"storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}});
        let claim = Object::new(
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": spec("x")}),
        );
        let set = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": [
            {"metadata": {"name": "none"}}, {"metadata": {"name": "data"}, "spec": spec("y")}]}}),
        );
        let found = [claim_specs(&claim), claim_specs(&set)].concat();
        let found: Vec<_> = found
            .iter()
            .map(|spec| (spec.name, spec.pointer.as_str(), spec.text("storageClassName")))
            .collect();
        let expected = [
            ("a", "/spec", Some("x")),
            ("data", "/spec/volumeClaimTemplates/1/spec", Some("y")),
        ];
        assert_eq!(found, expected);
        let spec = &claim_specs(&claim)[0];
        assert_eq!(spec.size(), Some(&json!("5Gi")));
        assert!(spec.is_of_one_node() && !spec.is_static());
    }
}
