//! HL501: without a sidecar nobody answers to the plugin's name.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL501",
    name: "plugin-has-sidecar",
    severity: Severity::Error,
    summary: "the repo-server's pod has a sidecar that runs the plugin",
    why: "An Application that names the plugin is rendered by a container beside Argo CD's repo-server. Without it every such \
Application fails with a ComparisonError that says `couldn't find cmp-server plugin`: nothing is pruned, and nothing is \
synced any more. `kubectl homelab cmp manifest` prints what adds the sidecar to an Argo CD, for kustomize, for its Helm \
chart and for the operator.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    if installation.sidecar().is_some() {
        return Vec::new();
    }
    let name = installation
        .workload()
        .get("metadata")
        .map_or("", |metadata| metadata.text("name"));
    let message = format!("`{name}` has no sidecar that runs the plugin");
    let finding = Finding::new(&META, message, installation.pod().location_of("/containers"));
    vec![finding.hint("add what `kubectl homelab cmp manifest -o kustomize|helm-values|operator` prints")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    fn without_sidecar() -> Case {
        Case::sound()
            .with("- name: homelab\n", "- name: other\n")
            .with("ghcr.io/you/kubectl-homelab:v0.1.0", "ghcr.io/you/other:v1")
            .with("kubectl-homelab, cmp", "other, cmp")
    }

    #[test]
    fn fires() {
        let case = without_sidecar();
        assert_eq!(
            case.messages(&RULE),
            ["`argocd-repo-server` has no sidecar that runs the plugin"]
        );
        assert_eq!(case.place(&RULE), "/spec/template/spec/containers");
    }

    #[test]
    fn stays_silent() {
        // By its name, its image, or the command in its `plugin.yaml`.
        for case in [
            Case::sound().with("- name: homelab\n", "- name: plugin\n"),
            Case::sound().with("ghcr.io/you/kubectl-homelab:v0.1.0", "ghcr.io/you/mine:v1"),
            Case::sound()
                .with("- name: homelab\n", "- name: plugin\n")
                .with("you/kubectl-homelab", "you/mine"),
        ] {
            assert!(case.messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            without_sidecar()
                .way_out(&RULE)
                .contains("kubectl homelab cmp manifest")
        );
    }
}
