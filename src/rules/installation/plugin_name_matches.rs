//! HL502: Applications and the sidecar must mean the same name.

use super::{Installation, InstallationRule};
use crate::model::AppName;
use crate::model::application::PLUGIN_NAME;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL502",
    name: "plugin-name-matches",
    severity: Severity::Error,
    summary: "the sidecar answers to the name that the Applications name",
    why: "Argo CD finds a plugin by the name of its socket: `metadata.name` of its `plugin.yaml`, and behind a `-` its \
`spec.version` where it has one. An Application whose `plugin.name` is another one is not rendered at all. The plugin's \
image has the `plugin.yaml` for `homelab-v1`; one that a ConfigMap brings may differ, and so may an Application that was \
written for another version of the contract.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    if let Some(entry) = installation.plugin_entry(sidecar)
        && installation.config_map(entry.config_map).is_some()
        && installation.plugin_of(sidecar).is_none()
    {
        let message = format!("ConfigMap `{}` has no plugin in `{}`", entry.config_map, entry.key);
        let finding = Finding::new(&META, message, entry.mount.location());
        return vec![finding.hint("take the mount out: the plugin's image has its own `plugin.yaml`")];
    }
    let Some(served) = installation.served() else {
        return Vec::new();
    };
    let named = installation.named();
    if !named.iter().any(|named| is_meant(named.name)) && served != PLUGIN_NAME {
        let message = format!("the sidecar answers to `{served}`, and Applications are written for `{PLUGIN_NAME}`");
        return vec![Finding::new(&META, message, sidecar.location_of("/volumeMounts")).hint(HINT)];
    }
    let wrong = named
        .iter()
        .filter(|named| is_meant(named.name) && named.name != served);
    let finding = |app: &str, name: &str| {
        let message = format!("Application `{app}` names the plugin `{name}`, and the sidecar answers to `{served}`");
        Finding::new(&META, message, sidecar.location())
            .app(AppName::new(app).ok())
            .hint(HINT)
    };
    wrong.map(|named| finding(named.app, named.name)).collect()
}

const HINT: &str =
    "give the sidecar the `plugin.yaml` that `kubectl homelab cmp manifest` prints, or correct `plugin.name`";

/// Reports whether a name is meant to be this plugin's, in whatever version of the contract.
fn is_meant(name: &str) -> bool {
    let base = PLUGIN_NAME.split('-').next().unwrap_or(PLUGIN_NAME);
    name.split('-').next() == Some(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    const OTHER: &str = "version: v2";

    #[test]
    fn fires() {
        let case = Case::sound().with("version: v1", OTHER);
        assert_eq!(
            case.messages(&RULE),
            ["the sidecar answers to `homelab-v2`, and Applications are written for `homelab-v1`"]
        );
        let case = case
            .app("player", "homelab-v1")
            .app("other", "lovely")
            .app("next", "homelab-v2");
        assert_eq!(
            case.messages(&RULE),
            ["Application `player` names the plugin `homelab-v1`, and the sidecar answers to `homelab-v2`"]
        );
        let case = Case::sound().with("subPath: plugin.yaml", "subPath: other.yaml");
        assert_eq!(
            case.messages(&RULE),
            ["ConfigMap `homelab-plugin` has no plugin in `other.yaml`"]
        );
    }

    #[test]
    fn stays_silent() {
        let case = Case::sound().app("player", "homelab-v1").app("other", "lovely");
        assert!(case.messages(&RULE).is_empty());
        // The image's own plugin.yaml, and one in a ConfigMap that was not rendered.
        let baked = Case::sound()
            .without("name: plugin, mountPath")
            .app("player", "homelab-v1");
        assert!(baked.messages(&RULE).is_empty());
        let elsewhere = Case::sound().with("configMap: {name: homelab-plugin}", "configMap: {name: elsewhere}");
        assert!(elsewhere.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            Case::sound()
                .with("version: v1", OTHER)
                .way_out(&RULE)
                .contains("plugin.yaml")
        );
    }
}
