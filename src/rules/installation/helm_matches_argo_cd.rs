//! HL506: two versions of helm render the same chart in two ways.

use super::sidecar_has_helm::bringer;
use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL506",
    name: "helm-matches-argo-cd",
    severity: Severity::Warning,
    summary: "helm comes from the image that the repo-server has",
    why: "The plugin promises what native Helm in Argo CD renders, and then the storage rules. Another version of helm can render another \
thing: a function of templates that is newer, a default that has changed. The init container that brings helm should have the \
image of the repo-server, so that both change in one upgrade. The kustomize component and the chart's values of \
`kubectl homelab cmp manifest` take it from there by themselves.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/helm/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(init) = bringer(installation, "helm").filter(|_| installation.sidecar().is_some()) else {
        return Vec::new();
    };
    let (own, argo_cd) = (init.text("image"), installation.server().text("image"));
    if own == argo_cd {
        return Vec::new();
    }
    let message = format!("helm comes from `{own}`, and the repo-server is `{argo_cd}`");
    let finding = Finding::new(&META, message, init.location_of("/image"));
    vec![finding.hint("give both the same image; `kubectl homelab cmp manifest --argocd-version VERSION` names one")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    fn older() -> Case {
        Case::sound().with(
            "- name: homelab-tools\n        image: quay.io/argoproj/argocd:v3.5.7",
            "- name: homelab-tools\n        image: quay.io/argoproj/argocd:v3.4.0",
        )
    }

    #[test]
    fn fires() {
        assert_eq!(
            older().messages(&RULE),
            [
                "helm comes from `quay.io/argoproj/argocd:v3.4.0`, and the repo-server is `quay.io/argoproj/argocd:v3.5.7`"
            ]
        );
        assert_eq!(older().place(&RULE), "/spec/template/spec/initContainers/1/image");
    }

    #[test]
    fn stays_silent() {
        let none = Case::sound().with("/usr/local/bin/helm, ", "");
        assert!(none.messages(&RULE).is_empty(), "that is another rule's");
    }

    #[test]
    fn says_the_way_out() {
        assert!(older().way_out(&RULE).contains("--argocd-version"));
    }
}
