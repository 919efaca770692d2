//! Which object a patch of the parameter `patches` is for.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::object::Object;

/// Which object a patch is for: `[group/]Kind/[namespace/]name`.
///
/// Two slashes can mean a group or a namespace: Kinds start with an upper-case letter, groups and namespaces do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatchTarget {
    /// API group; `None` matches every group.
    pub group: Option<String>,
    /// Kind.
    pub kind: String,
    /// Namespace; `None` matches every namespace.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl PatchTarget {
    /// Reads `[group/]Kind/[namespace/]name`.
    ///
    /// # Errors
    /// When no part of it can be the kind.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_kind = |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase());
        let target = |group: Option<&str>, kind: &str, namespace: Option<&str>, name: &str| Self {
            group: group.map(str::to_owned),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        match parts[..] {
            [kind, name] if is_kind(kind) && !name.is_empty() => Ok(target(None, kind, None, name)),
            [kind, namespace, name] if is_kind(kind) && !name.is_empty() => {
                Ok(target(None, kind, Some(namespace), name))
            }
            [group, kind, name] if is_kind(kind) && !name.is_empty() => Ok(target(Some(group), kind, None, name)),
            [group, kind, namespace, name] if is_kind(kind) && !name.is_empty() => {
                Ok(target(Some(group), kind, Some(namespace), name))
            }
            _ => Err(format!("patch key `{text}` is not [group/]Kind/[namespace/]name")),
        }
    }

    /// Reports whether the target names an object; an object without a namespace is in the destination's.
    pub fn matches(&self, object: &Object, destination: &str) -> bool {
        object.kind() == self.kind
            && object.name() == self.name
            && self.group.as_deref().is_none_or(|group| group == object.group())
            && self
                .namespace
                .as_deref()
                .is_none_or(|namespace| namespace == object.namespace().unwrap_or(destination))
    }
}

impl fmt::Display for PatchTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.group.as_deref(),
            Some(&self.kind),
            self.namespace.as_deref(),
            Some(&self.name),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
    }
}

/// Returns the patches of the parameter, each with its target; the error lists everything that is wrong with them.
pub(super) fn read_patches(map: Option<&BTreeMap<String, String>>) -> Result<Vec<(PatchTarget, Value)>, Vec<String>> {
    let (mut patches, mut errors) = (Vec::new(), Vec::new());
    for (key, text) in map.into_iter().flatten() {
        let read = PatchTarget::parse(key).and_then(|target| match serde_json::from_str(text) {
            Ok(patch @ Value::Array(_)) => Ok((target, patch)),
            Ok(_) => Err(format!(
                "the patch of `{key}` is not a JSON array of operations (RFC 6902)"
            )),
            Err(error) => Err(format!(
                "the patch of `{key}` is not JSON: line {}, column {}",
                error.line(),
                error.column()
            )),
        });
        match read {
            Ok(patch) => patches.push(patch),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(patches) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_target_tells_group_from_namespace_by_the_kind() {
        for text in ["Pod/x", "Pod/ns/x", "apps/Deployment/x", "apps/Deployment/ns/x"] {
            assert_eq!(PatchTarget::parse(text).unwrap().to_string(), text);
        }
        assert!(PatchTarget::parse("a/b/c").is_err());
        let target = PatchTarget::parse("apps/Deployment/ns/x").unwrap();
        let object = Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}}));
        assert!(target.matches(&object, "ns"));
        assert!(!target.matches(&object, "other"));
    }
}
