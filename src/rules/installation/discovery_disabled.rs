//! HL511: with discovery Argo CD asks the plugin about everything.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL511",
    name: "discovery-disabled",
    severity: Severity::Warning,
    summary: "the plugin does not discover sources",
    why: "With `discover` in its `plugin.yaml`, Argo CD packs every source that names no tool and asks the plugin whether it is for it. \
That slows every Application down, and takes over those that happen to match: they would be rendered under the storage rules \
although nobody asked for it. An Application names the plugin itself, with `plugin: {name: homelab-v1}`, so that discovery is \
never needed.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let (Some(entry), Some(plugin)) = (installation.plugin_entry(sidecar), installation.plugin_of(sidecar)) else {
        return Vec::new();
    };
    if plugin.pointer("/spec/discover").is_none_or(serde_json::Value::is_null) {
        return Vec::new();
    }
    let message = format!("the plugin in ConfigMap `{}` has `discover`", entry.config_map);
    let finding = Finding::new(&META, message, entry.mount.location());
    vec![finding.hint("take `discover` out, or the mount: the plugin's image has its own `plugin.yaml`")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    fn discovering() -> Case {
        Case::sound().with("version: v1\n", "version: v1\n      discover: {fileName: Chart.yaml}\n")
    }

    #[test]
    fn fires() {
        assert_eq!(
            discovering().messages(&RULE),
            ["the plugin in ConfigMap `homelab-plugin` has `discover`"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(
            discovering()
                .without("name: plugin, mountPath")
                .messages(&RULE)
                .is_empty()
        );
    }

    #[test]
    fn says_the_way_out() {
        assert!(discovering().way_out(&RULE).contains("take `discover` out"));
    }
}
