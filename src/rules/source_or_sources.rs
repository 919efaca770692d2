//! HL315: of `source` and `sources` only one counts.

use super::{Check, Declared, Finding, Meta, Rule, Severity};
use crate::model::Object;
use crate::model::application::GROUP;
use serde_json::Value;

static META: Meta = Meta {
    id: "HL315",
    name: "source-or-sources",
    severity: Severity::Warning,
    summary: "an Application has only one of source, sources and sourceHydrator",
    why: "Argo CD reads `sources` when there are any and `source` otherwise; a `sourceHydrator` goes before both. What is left \
over has no effect at all, and nobody says so: a version that is raised there is never deployed, and whoever reads the \
manifest believes that another chart runs than the one that does. Keep the one that is meant, and remove the others. This \
holds for the template of an ApplicationSet, too.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/multiple_sources/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

/// The fields in the order in which they count.
const FIELDS: [&str; 3] = ["sourceHydrator", "sources", "source"];

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let Some((path, spec)) = spec(declared.object()) else {
        return Vec::new();
    };
    let is_there = |field: &&&str| match spec.get(**field) {
        Some(Value::Array(list)) => !list.is_empty(),
        Some(value) => value.is_object(),
        None => false,
    };
    let mut there = FIELDS.iter().filter(is_there);
    let Some(counts) = there.next() else {
        return Vec::new();
    };
    let finding = |other: &&str| {
        let message = format!("`{other}` has no effect beside `{counts}`");
        declared
            .finding(&META, message, path.with_trailing_token(*other))
            .hint("remove the one that is not meant")
    };
    there.map(finding).collect()
}

/// Returns the spec of an Application, or that of the Applications of a set, with its place.
fn spec(object: &Object) -> Option<(&'static crate::model::Pointer, &Value)> {
    let place = match object.kind() {
        "Application" => "/spec",
        "ApplicationSet" => "/spec/template/spec",
        _ => return None,
    };
    let spec = object.at(place).filter(|_| object.group() == GROUP)?;
    Some((crate::model::Pointer::from_static(place), spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::json;

    #[test]
    fn fires() {
        let both = json!({"source": {"repoURL": "a", "path": "p"}, "sources": [{"repoURL": "b", "path": "p"}]});
        let case = Case::new().app("player", both.clone());
        assert_eq!(case.messages(&RULE), ["`source` has no effect beside `sources`"]);
        assert_eq!(case.place(&RULE), "applications/player.yaml /spec/source");
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s"}, "spec": {"template": {"spec": both}}});
        assert_eq!(
            Case::new().manifest("applications/s.yaml", set).place(&RULE),
            "applications/s.yaml /spec/template/spec/source"
        );
    }

    #[test]
    fn stays_silent() {
        let one = Case::new().app("player", json!({"source": {"repoURL": "a"}, "sources": []}));
        assert!(one.messages(&RULE).is_empty());
        let other = Case::new().app("player", json!({"source": null, "sources": [{"repoURL": "a"}]}));
        assert!(other.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let hydrated = Case::new().app("player", json!({"sourceHydrator": {}, "source": {"repoURL": "a"}}));
        assert_eq!(
            hydrated.findings(&RULE)[0].hint.as_deref(),
            Some("remove the one that is not meant")
        );
    }
}
