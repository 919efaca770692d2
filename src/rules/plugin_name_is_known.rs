//! HL316: Argo CD finds a plugin by its name, letter by letter.

use super::{Check, Declared, Finding, Fix, Meta, Rule, Severity, fixes};
use crate::model::application::{GROUP, PLUGIN_NAME};
use crate::model::spelling::nearest;
use crate::model::{Object, Pointer, PointerBuf, PointerExt};
use serde_json::{Value, json};

static META: Meta = Meta {
    id: "HL316",
    name: "plugin-name-is-known",
    severity: Severity::Error,
    summary: "a plugin name that is nearly this plugin's is this plugin's",
    why: "Argo CD looks for a plugin by the name of its socket: the plugin's name and its version, `homelab-v1`. With another \
name, as `homelab` or `homelab-v2`, there is no such plugin, the Application does not render, and what runs stays as it is. \
For this program it is then somebody else's plugin: neither the parameters nor the claims of the Application are checked. \
The fix writes the right name. Names that are not nearly the same are those of other plugins and are left alone.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Object(check),
};

fn check(declared: &Declared<'_>) -> Vec<Finding> {
    let pointers = names(declared.object()).into_iter();
    pointers.filter_map(|pointer| of(declared, &pointer)).collect()
}

fn of(declared: &Declared<'_>, pointer: &Pointer) -> Option<Finding> {
    let name = declared.object().at(pointer)?.as_str()?;
    nearest(name, [PLUGIN_NAME])?;
    let message = format!("there is no plugin `{name}`; this one's name is `{PLUGIN_NAME}`");
    let changes = declared.patch(vec![fixes::replace(pointer, json!(PLUGIN_NAME))]);
    let fix = changes.map(|changes| Fix::safe(format!("write `{PLUGIN_NAME}`"), changes));
    let finding = declared.finding(&META, message, pointer);
    Some(finding.fix_or_hint(fix, format!("write `{PLUGIN_NAME}`")))
}

/// Returns where the names of plugins can be in an Application, or in the template of a set.
fn names(object: &Object) -> Vec<PointerBuf> {
    let spec = Pointer::from_static(match (object.group(), object.kind()) {
        (GROUP, "Application") => "/spec",
        (GROUP, "ApplicationSet") => "/spec/template/spec",
        _ => return Vec::new(),
    });
    let list = spec.child("sources");
    let count = object.at(&list).and_then(Value::as_array).map_or(0, Vec::len);
    let mut sources: Vec<PointerBuf> = (0..count).map(|index| list.child(index)).collect();
    sources.push(spec.child("source"));
    sources.push(spec.child("sourceHydrator").child("drySource"));
    sources
        .into_iter()
        .map(|source| source.child("plugin").child("name"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, plugin_spec};

    fn case(name: &str) -> Case {
        let mut spec = plugin_spec(json!([]));
        spec["source"]["plugin"]["name"] = json!(name);
        Case::new().app("player", spec)
    }

    #[test]
    fn fires() {
        assert_eq!(
            case("homelab").messages(&RULE),
            ["there is no plugin `homelab`; this one's name is `homelab-v1`"]
        );
        assert_eq!(
            case("homelab").place(&RULE),
            "applications/player.yaml /spec/source/plugin/name"
        );
        for name in ["homelab-v2", "homelab_v1", "Homelab-v1", "homelab-v1.0", "homlab-v1"] {
            assert_eq!(case(name).messages(&RULE).len(), 1, "{name}");
        }
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s"},
            "spec": {"template": {"spec": {"sources": [{"plugin": {"name": "homelab"}}]}}}});
        assert_eq!(
            Case::new().manifest("applications/s.yaml", set).place(&RULE),
            "applications/s.yaml /spec/template/spec/sources/0/plugin/name"
        );
    }

    #[test]
    fn stays_silent() {
        for name in [
            "homelab-v1",
            "lovely",
            "argocd-vault-plugin-helm",
            "my-homelab-plugin",
            "helm",
            "",
        ] {
            assert!(case(name).messages(&RULE).is_empty(), "{name}");
        }
    }

    #[test]
    fn fix_removes_it() {
        assert!(case("homelab").fixed(&RULE).contains("name: homelab-v1\n"));
    }
}
