//! HL402: what is in Git is read by everybody who has the repository, for ever.

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity};
use crate::model::{Object, Pointer, PointerBuf};
use serde_json::Value;

static META: Meta = Meta {
    id: "HL402",
    name: "secret-is-encrypted",
    severity: Severity::Error,
    summary: "no Secret is in the repository in plain text",
    why: "The values of a Secret are base64, which is no encryption: whoever can read the repository, a fork or an old clone \
has them, and removing the file leaves them in the history. Change the values, then keep them outside of Git (External \
Secrets) or encrypted in it (SOPS, Sealed Secrets). A Secret that SOPS encrypted (`sops:` or `ENC[…]`), one without \
values, and one whose values are placeholders of a vault plugin (`<path:…>`) are not meant. The values are never printed.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/secret-management/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in &scope.repo.manifests {
        if !manifest.object.is_list() {
            findings.extend(of_object(&manifest.object).map(|found| finding(manifest, Pointer::root(), found)));
            continue;
        }
        for (base, object) in manifest.object.flatten() {
            findings.extend(of_object(&object).map(|found| finding(manifest, &base, found)));
        }
    }
    findings
}

fn finding(manifest: &crate::repo::Manifest, base: &Pointer, (message, pointer): (String, PointerBuf)) -> Finding {
    let location = Location::of(manifest, base.concat(&pointer));
    Finding::new(&META, message, location)
        .hint("change the values, and encrypt them (SOPS, Sealed Secrets) or keep them outside of Git")
}

/// Returns what is wrong with an object, and the field that holds the plain values.
fn of_object(object: &Object) -> Option<(String, PointerBuf)> {
    if !object.is("", "Secret") || object.at("/sops").is_some() {
        return None;
    }
    let fields = ["stringData", "data"].map(|field| PointerBuf::from_tokens([field]));
    let pointer = fields.into_iter().find(|field| {
        let values = object.at(field).and_then(Value::as_object);
        values.is_some_and(|values| values.values().any(is_plain))
    })?;
    Some((
        format!("Secret `{}` is in the repository in plain text", object.name()),
        pointer,
    ))
}

fn is_plain(value: &Value) -> bool {
    let text = match value {
        Value::Null => return false,
        Value::String(text) => text.trim(),
        _ => return true,
    };
    let is_placeholder = text.starts_with('<') && text.ends_with('>');
    !text.is_empty() && !text.starts_with("ENC[") && !is_placeholder
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    fn case(mut secret: Value) -> Case {
        secret["apiVersion"] = json!("v1");
        secret["kind"] = json!("Secret");
        secret["metadata"] = json!({"name": "token"});
        Case::new().manifest("applications/token.yaml", secret)
    }

    #[test]
    fn fires() {
        let plain = case(json!({"data": {"key": "aHVudGVyMg=="}}));
        assert_eq!(
            plain.messages(&RULE),
            ["Secret `token` is in the repository in plain text"]
        );
        assert_eq!(plain.place(&RULE), "applications/token.yaml /data");
        let text = case(json!({"stringData": {"key": "hunter2", "other": "ENC[AES256]"}}));
        assert!(!format!("{:?}", text.findings(&RULE)).contains("hunter2"));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "Yg=="}}]});
        assert_eq!(
            Case::new().manifest("applications/list.yaml", list).place(&RULE),
            "applications/list.yaml /items/0/data"
        );
    }

    #[test]
    fn stays_silent() {
        for secret in [
            json!({"data": {"key": "ENC[AES256_GCM,data:x]"}}),
            json!({"data": {"key": "aHVudGVyMg=="}, "sops": {"mac": "x"}}),
            json!({"stringData": {"key": "<path:kv/data/x#key>", "empty": ""}}),
            json!({"type": "kubernetes.io/service-account-token"}),
        ] {
            assert!(case(secret).messages(&RULE).is_empty());
        }
        let sealed = json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "x"}, "spec": {"encryptedData": {"a": "b"}}});
        assert!(
            Case::new()
                .manifest("applications/x.yaml", sealed)
                .messages(&RULE)
                .is_empty()
        );
    }

    #[test]
    fn says_the_way_out() {
        let hint = case(json!({"data": {"key": "eA=="}})).findings(&RULE)[0]
            .hint
            .clone()
            .unwrap();
        assert!(hint.contains("SOPS"), "{hint}");
    }
}
