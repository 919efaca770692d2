//! Texts that hold a part of a manifest, such as `podSpecPatch` of Argo Workflows: the claims that they could write.
//!
//! A text cannot be made read-only in its place, since its reader fills in expressions first. So a text that the cluster
//! applies has to be read-only by itself, or is refused; any other text may be meant for nobody.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::claim_use::{Access, Embedded, TextUse, claim_uses};
use crate::model::{ClaimName, Object};
use crate::yaml::{self, YamlError};

/// A claim that a text names, where it can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedClaim {
    /// The claim's name.
    pub claim: String,
    /// The namespace of the manifest in the text, or around it.
    pub namespace: Option<String>,
    /// [`Access::Writes`] where the cluster applies the text, else [`Access::Unknown`]; [`Access::Reads`] for one that is
    /// only read.
    pub access: Access,
}

/// What a text says of claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The claims that it could write.
    pub named: Vec<NamedClaim>,
    /// The claims that it names and only reads.
    pub read: Vec<NamedClaim>,
    /// Whether the name of one is an expression that the cluster fills in.
    pub has_expression: bool,
}

/// Returns the claims that a text names, to write them or not, each with its namespace where that is said.
pub fn names(text: &TextUse<'_>) -> Vec<(String, Option<String>)> {
    let claims = claims(text);
    let all = claims.named.into_iter().chain(claims.read);
    all.map(|claim| (claim.claim, claim.namespace)).collect()
}

/// What an expression is replaced with: no claim has such a name, and YAML reads it as a word.
const EXPRESSION: &str = "EXPRESSION";

/// Returns what a text says of claims. A text that is no YAML, even without its expressions, is searched for the key
/// `claimName`.
pub fn claims(text: &TextUse<'_>) -> Claims {
    let plain = without_expressions(text.text);
    let mut claims = Claims::default();
    let access = if text.is_applied {
        Access::Writes
    } else {
        Access::Unknown
    };
    let mut add = |name: &str, namespace: Option<&str>, access: Access| {
        let namespace = namespace.or(text.manifest.namespace).map(str::to_owned);
        if ClaimName::new(name).is_ok() {
            let claim = name.to_owned();
            let named = match access {
                Access::Reads => &mut claims.read,
                Access::Writes | Access::Unknown => &mut claims.named,
            };
            named.push(NamedClaim {
                claim,
                namespace,
                access,
            });
        } else if access != Access::Reads {
            claims.has_expression |= name.contains(EXPRESSION) || name.contains("$(");
        }
    };
    let Ok(trees) = trees(&plain) else {
        for name in searched(&plain) {
            add(name, None, access);
        }
        return claims;
    };
    let mut inner = Vec::new();
    for object in trees.into_iter().map(Object::new) {
        let uses = claim_uses(&object);
        for volume in &uses.volumes {
            let access = match volume.read_only || volume.is_read_only_at_mounts() {
                true => Access::Reads,
                false => access,
            };
            add(volume.claim, volume.manifest.namespace, access);
        }
        for place in &uses.places {
            let access = match place.access {
                Access::Writes => access,
                other => other,
            };
            add(place.claim, place.manifest.namespace, access);
        }
        for found in uses.texts {
            let namespace = found.manifest.namespace.or(text.manifest.namespace);
            inner.push(self::claims(&TextUse {
                manifest: Embedded {
                    namespace,
                    ..found.manifest
                },
                is_applied: found.is_applied && text.is_applied,
                ..found
            }));
        }
    }
    for found in inner {
        claims.named.extend(found.named);
        claims.read.extend(found.read);
        claims.has_expression |= found.has_expression;
    }
    claims
}

/// Returns the documents of a text.
fn trees(text: &str) -> Result<Vec<Value>, YamlError> {
    let documents = yaml::document_ranges(text)?.into_iter();
    let trees = documents.map(|range| yaml::value(&text[range]));
    trees.filter_map(Result::transpose).collect()
}

/// Returns a text with a word in the place of each expression `{{…}}`.
fn without_expressions(text: &str) -> Cow<'_, str> {
    let (mut plain, mut rest) = (Cow::Borrowed(""), text);
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else { break };
        let plain = plain.to_mut();
        plain.push_str(&rest[..start]);
        plain.push_str(EXPRESSION);
        rest = &rest[start + length + 2..];
    }
    match plain {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(plain) => Cow::Owned(plain + rest),
    }
}

/// Returns the words that stand behind a key `claimName`.
fn searched(text: &str) -> impl Iterator<Item = &str> {
    let is_quote = |sign: char| matches!(sign, '"' | '\'' | '\\');
    text.split("claimName").skip(1).filter_map(move |rest| {
        let value = rest.trim_start_matches(is_quote).trim_start().strip_prefix(':')?;
        let value = value.trim_start_matches([' ', '\t']).trim_start_matches(is_quote);
        value
            .split(|sign: char| sign.is_whitespace() || is_quote(sign) || matches!(sign, ',' | '}'))
            .next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PointerBuf;

    fn claims_of(text: &str, is_applied: bool) -> Claims {
        claims(&TextUse {
            manifest: Embedded {
                namespace: Some("media"),
                ..Embedded::default()
            },
            pointer: PointerBuf::new(),
            text,
            is_applied,
        })
    }

    fn named(text: &str) -> Vec<String> {
        let named = claims_of(text, true).named.into_iter();
        named
            .map(|named| format!("{}/{}", named.namespace.unwrap_or_default(), named.claim))
            .collect()
    }

    #[test]
    fn a_text_is_read_as_its_reader_reads_it() {
        for (text, expected) in [
            (
                "volumes: [{name: f, persistentVolumeClaim: {claimName: films}}]",
                &["media/films"][..],
            ),
            (
                r#"{"volumes":[{"name":"f","persistentVolumeClaim":{"claimName":"films"}}]}"#,
                &["media/films"],
            ),
            (
                "volumes: [{name: f, persistentVolumeClaim: {claimName: films, readOnly: true}}]",
                &[],
            ),
            // A patch of JSON operations.
            (
                "- op: add\n  path: /spec/volumes/-\n  value: {persistentVolumeClaim: {claimName: films}}",
                &["media/films"],
            ),
            // Whole manifests, of their own namespace and inside each other.
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: other}\nspec:\n  containers: [{name: c}]\n  volumes: [{name: f, persistentVolumeClaim: {claimName: films}}]\n---\nkind: Empty",
                &["other/films"],
            ),
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: w-}\nspec:\n  podSpecPatch: |\n    volumes: [{name: f, persistentVolumeClaim: {claimName: films}}]",
                &["media/films"],
            ),
            (
                "apiVersion: volsync.backube/v1alpha1\nkind: ReplicationDestination\nmetadata: {name: r}\nspec: {restic: {destinationPVC: films}}",
                &["media/films"],
            ),
            // Read-only at every mount.
            (
                "containers: [{volumeMounts: [{name: f, readOnly: true}]}]\nvolumes: [{name: f, persistentVolumeClaim: {claimName: films}}]",
                &[],
            ),
            // Expressions make no YAML of their own.
            (
                "image: {{inputs.parameters.image}}\nvolumes: [{name: {{x}}, persistentVolumeClaim: {claimName: films}}]",
                &["media/films"],
            ),
            // No YAML at all.
            (
                "{{ if x }}\n}\n  persistentVolumeClaim:\n    claimName: \"films\"\n",
                &["media/films"],
            ),
            ("a claimName is needed: [", &[]),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_filled_in_is_said() {
        let claims = claims_of("volumes: [{persistentVolumeClaim: {claimName: 'films-{{x}}'}}]", true);
        assert_eq!((claims.named.len(), claims.has_expression), (0, true));
    }

    #[test]
    fn a_text_that_nobody_applies_says_nothing_certain() {
        let claims = claims_of("a: |\n  persistentVolumeClaim: {claimName: films}", false);
        assert_eq!(claims.named[0].access, Access::Unknown);
    }
}
