//! HL513: the whole repository would be sent at every render.

use super::view::SettingState;
use super::{Installation, InstallationRule};
use crate::model::sidecar::USE_GENERATE_PATHS;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL513",
    name: "generate-paths-include-sources",
    severity: Severity::Warning,
    summary: "the repo-server packs only the paths that an Application names",
    why: "The repo-server packs the whole repository for the plugin at every render, however small the chart in it. With \
`reposerver.plugin.use.manifest.generate.paths: \"true\"` it packs what the Application names in its annotation \
`argocd.argoproj.io/manifest-generate-paths`, which `add-app` writes, and everything when it has none. 200 Applications of one \
repository were synced in less than half the time.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    if installation.sidecar().is_none() {
        return Vec::new();
    }
    match installation.setting(&USE_GENERATE_PATHS) {
        SettingState::Elsewhere(_) => return Vec::new(),
        SettingState::Set(value) if TRUE.contains(&value.as_str()) => return Vec::new(),
        SettingState::Set(_) | SettingState::Unset => {}
    }
    let message = "the repo-server packs the whole repository for the plugin at every render";
    let finding = Finding::new(&META, message, installation.server().location());
    let hint = format!(
        "set `{}: \"{}\"` in `argocd-cmd-params-cm`",
        USE_GENERATE_PATHS.key, USE_GENERATE_PATHS.value
    );
    vec![finding.hint(hint)]
}

/// What Go reads as true.
const TRUE: [&str; 6] = ["1", "t", "T", "TRUE", "true", "True"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    const PATHS: &str = "generate.paths: \"true\"";

    #[test]
    fn fires() {
        for case in [
            Case::sound().with(PATHS, "generate.paths: \"false\""),
            Case::sound().without(PATHS),
            Case::sound().with("ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS", "OTHER"),
        ] {
            assert_eq!(
                case.messages(&RULE),
                ["the repo-server packs the whole repository for the plugin at every render"]
            );
        }
    }

    #[test]
    fn stays_silent() {
        let server = "args: [/usr/local/bin/argocd-repo-server";
        for case in [
            Case::sound().with(PATHS, "generate.paths: \"1\""),
            Case::sound().without(PATHS).with(
                server,
                "args: [/usr/local/bin/argocd-repo-server, --plugin-use-manifest-generate-paths",
            ),
            Case::sound().without(PATHS).with(
                server,
                "args: [sh, -c, exec argocd-repo-server --plugin-use-manifest-generate-paths=true",
            ),
        ] {
            assert!(case.messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        assert_eq!(
            Case::sound().without(PATHS).way_out(&RULE),
            "set `reposerver.plugin.use.manifest.generate.paths: \"true\"` in `argocd-cmd-params-cm`"
        );
    }
}
