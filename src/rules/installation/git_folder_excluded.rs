//! HL512: the whole history would be sent at every render.

use super::view::SettingState;
use super::{Installation, InstallationRule};
use crate::model::sidecar::TAR_EXCLUSIONS;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL512",
    name: "git-folder-excluded",
    severity: Severity::Warning,
    summary: "the repo-server leaves `.git` out when it packs a repository for the plugin",
    why: "The repo-server packs its clone for the plugin at every render, and its folder `.git` with the whole history in it. The plugin \
needs no history: that is time and memory for nothing, and a chart could read what was deleted long ago. The parameter \
`reposerver.plugin.tar.exclusions: .git` in `argocd-cmd-params-cm` leaves it out; the repo-server reads it when it starts.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#plugin-tar-stream-exclusions",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    if installation.sidecar().is_none() {
        return Vec::new();
    }
    let leaves_out = |value: &str| value.split(';').any(|pattern| PATTERNS.contains(&pattern.trim()));
    match installation.setting(&TAR_EXCLUSIONS) {
        SettingState::Elsewhere(_) => return Vec::new(),
        SettingState::Set(value) if leaves_out(&value) => return Vec::new(),
        SettingState::Set(_) | SettingState::Unset => {}
    }
    let message = "the repo-server packs `.git` for the plugin at every render";
    let finding = Finding::new(&META, message, installation.server().location());
    vec![finding.hint(format!(
        "set `{}: {}` in `argocd-cmd-params-cm`",
        TAR_EXCLUSIONS.key, TAR_EXCLUSIONS.value
    ))]
}

/// The patterns that leave the folder out, as Go's `filepath.Match` reads them.
const PATTERNS: [&str; 5] = [".git", ".git/*", ".git*", ".*", "*"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        for case in [
            Case::sound().with("exclusions: .git\n", "exclusions: .github;docs\n"),
            Case::sound().without("exclusions: .git"),
            Case::sound().with("ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS", "OTHER"),
        ] {
            assert_eq!(
                case.messages(&RULE),
                ["the repo-server packs `.git` for the plugin at every render"]
            );
        }
    }

    #[test]
    fn stays_silent() {
        let unset = || Case::sound().with("ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS", "OTHER");
        let server = "args: [/usr/local/bin/argocd-repo-server";
        for case in [
            Case::sound().with("exclusions: .git\n", "exclusions: \"docs;.git/*\"\n"),
            unset().with(
                server,
                "args: [/usr/local/bin/argocd-repo-server, --plugin-tar-exclude=.git",
            ),
            unset().with(
                server,
                "args: [/usr/local/bin/argocd-repo-server, --plugin-tar-exclude, docs, --plugin-tar-exclude, .git",
            ),
            Case::sound().with("{name: argocd-cmd-params-cm, key", "{name: elsewhere, key"),
        ] {
            assert!(case.messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        assert_eq!(
            Case::sound().without("exclusions: .git").way_out(&RULE),
            "set `reposerver.plugin.tar.exclusions: .git` in `argocd-cmd-params-cm`"
        );
    }
}
