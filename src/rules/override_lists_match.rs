//! HL319: the lists in a file of overrides begin with the entries of the source's lists.

use super::{Check, Finding, Location, Meta, Rule, Scope, Severity, Subject};
use crate::model::{Pointer, PointerBuf, PointerExt, Source};
use crate::repo::overrides::{self, Override};
use serde_json::Value;

static META: Meta = Meta {
    id: "HL319",
    name: "override-lists-match",
    severity: Severity::Error,
    summary: "a list in `.argocd-source.yaml` begins with the entries of the source's own list",
    why: "Argo CD merges the files `.argocd-source.yaml` and `.argocd-source-<application>.yaml` in a source's folder over the \
source, and lists by position: entry i of the file keeps every field of the source's entry i that it does not have itself. \
With `[owns, release-name]` in the source and `[release-name, owns]` in the file, both parameters get the values of both; and \
what stands in the place of another parameter takes it away. Nobody says so: the Application renders with other parameters \
than those that are written. Write the source's entries first in the file, in their order, each with its name; what follows is \
added. An entry that has only its name stays as it is in the source.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/parameters/#store-overrides-in-git",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

/// The lists of things that have names.
const LISTS: [&[&str]; 7] = [
    &["plugin", "parameters"],
    &["plugin", "env"],
    &["helm", "parameters"],
    &["helm", "fileParameters"],
    &["kustomize", "replicas"],
    &["directory", "jsonnet", "extVars"],
    &["directory", "jsonnet", "tlas"],
];

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((source, _), all) in subject.sources.iter().zip(&subject.overrides) {
        for (index, one) in all.iter().enumerate() {
            findings.extend(of_file(subject, source, (&all[..index], one)));
        }
    }
    findings
}

/// Finds the first entry of each list of a file that is mixed with another one, or takes its place.
fn of_file(subject: &Subject<'_>, source: &Source<'_>, (below, one): (&[Override], &Override)) -> Vec<Finding> {
    let base = overrides::merge(source.tree(), below);
    let all = [below, std::slice::from_ref(one)].concat();
    let (Ok(base), Ok(merged)) = (base, overrides::merge(source.tree(), &all)) else {
        return Vec::new();
    };
    let list = |tree: &Value, at: &Pointer| -> Vec<Value> {
        let list = tree.pointer(at.as_str()).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let mut findings = Vec::new();
    for keys in LISTS {
        let mut at = PointerBuf::new();
        keys.iter().for_each(|key| at = at.child(*key));
        let [base, own, merged] = [&base.tree, &one.patch, &merged.tree].map(|tree| list(tree, &at));
        let mixed = base.iter().zip(&own).zip(&merged).position(|((base, own), entry)| {
            let is_gone = !merged.iter().any(|entry| name(entry) == name(base));
            name(base) != name(own) && !name(own).is_empty() && (entry != own || is_gone)
        });
        if let Some(index) = mixed {
            let what = (keys.join("."), name(&own[index]), name(&base[index]));
            findings.push(finding(subject, one, &at.child(index), &what));
        }
    }
    findings
}

fn finding(
    subject: &Subject<'_>,
    one: &Override,
    pointer: &Pointer,
    (list, own, base): &(String, &str, &str),
) -> Finding {
    let location = Location {
        file: one.file.clone(),
        document: 0,
        pointer: pointer.to_buf(),
        bytes: None,
    };
    let message = format!(
        "`{own}` in `{list}` stands in the place of `{base}` of Application `{}`: Argo CD merges lists by position and makes one of both",
        subject.name
    );
    Finding::new(&META, message, location)
        .app(Some(subject.name.clone()))
        .hint(format!(
            "write `- name: {base}` in this place of the file, as in the source, and `{own}` behind the source's entries"
        ))
}

fn name(entry: &Value) -> &str {
    entry.get("name").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    fn case(source: Value, text: &str) -> Case {
        let mut spec = json!({"source": source});
        spec["source"]["repoURL"] = json!(HOME);
        spec["source"]["path"] = json!("apps/player");
        let root = json!({"source": {"repoURL": HOME, "path": "applications"}});
        Case::new()
            .app("root", root)
            .app("player", spec)
            .file("apps/player/.argocd-source.yaml", text)
    }

    fn plugin() -> Value {
        json!({"plugin": {"name": "homelab-v1", "parameters": [
            {"name": "owns", "array": ["a"]}, {"name": "release-name", "string": "r"}]}})
    }

    #[test]
    fn fires() {
        let mixed = "plugin:\n  parameters:\n  - name: release-name\n    string: x\n  - name: owns\n    array: [b]\n";
        let case_of = case(plugin(), mixed);
        assert_eq!(
            case_of.messages(&RULE),
            [
                "`release-name` in `plugin.parameters` stands in the place of `owns` of Application `player`: Argo CD merges lists by position and makes one of both"
            ]
        );
        assert_eq!(
            case_of.place(&RULE),
            "apps/player/.argocd-source.yaml /plugin/parameters/0"
        );
        // One that takes the place of another of its kind, and that of a chart.
        let lost = "plugin: {parameters: [{name: writes, array: [b]}]}\n";
        assert_eq!(case(plugin(), lost).messages(&RULE).len(), 1);
        let helm = json!({"helm": {"parameters": [{"name": "a", "value": "1", "forceString": true}]}});
        let text = "helm: {parameters: [{name: image.tag, value: '2'}]}\n";
        assert_eq!(case(helm, text).messages(&RULE).len(), 1);
    }

    #[test]
    fn stays_silent() {
        for text in [
            "plugin: {parameters: [{name: owns, array: [b]}, {name: release-name}, {name: writes, array: [c]}]}\n",
            "plugin: {parameters: [{name: owns}]}\n",
            "plugin: {parameters: []}\n",
            "helm: {parameters: [{name: a}]}\n",
        ] {
            assert!(case(plugin(), text).messages(&RULE).is_empty(), "{text}");
        }
        let same_kind =
            json!({"plugin": {"parameters": [{"name": "owns", "array": ["a"]}, {"name": "writes", "array": ["b"]}]}});
        let swapped = "plugin: {parameters: [{name: writes, array: [c]}, {name: owns, array: [d]}]}\n";
        assert!(case(same_kind, swapped).messages(&RULE).is_empty());
        assert!(case(json!({}), swapped).messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let lost = "plugin: {parameters: [{name: writes, array: [b]}]}\n";
        let hint = case(plugin(), lost).findings(&RULE)[0].hint.clone().unwrap();
        assert!(
            hint.starts_with("write `- name: owns` in this place of the file"),
            "{hint}"
        );
    }
}
