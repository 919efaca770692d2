//! HL508: the sidecar runs what strangers wrote.

use super::{Installation, InstallationRule};
use crate::model::{Pointer, PointerExt};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL508",
    name: "sidecar-is-restricted",
    severity: Severity::Warning,
    summary: "the sidecar cannot write to its root file system or gain privileges",
    why: "The sidecar runs helm on charts that other people wrote, beside a repo-server that holds credentials for Git. It needs no \
privilege at all: `readOnlyRootFilesystem: true`, `allowPrivilegeEscalation: false`, `runAsNonRoot: true` and \
`capabilities: {drop: [ALL]}` are what Argo CD's own containers have, and what `kubectl homelab cmp manifest` prints.\n\n\
https://kubernetes.io/docs/concepts/security/pod-security-standards/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let context = Pointer::from_static("/securityContext");
    let own = |flag: &str| sidecar.flag(context.child(flag));
    let of_the_pod = |flag: &str| installation.pod().flag(context.child(flag));
    let drops_all = sidecar
        .at("/securityContext/capabilities")
        .is_some_and(|capabilities| capabilities.items("drop").iter().any(|one| one.value() == "ALL"));
    let lacks = [
        (
            own("readOnlyRootFilesystem") != Some(true),
            "readOnlyRootFilesystem: true",
        ),
        (
            own("allowPrivilegeEscalation") != Some(false),
            "allowPrivilegeEscalation: false",
        ),
        (
            own("runAsNonRoot").or_else(|| of_the_pod("runAsNonRoot")) != Some(true),
            "runAsNonRoot: true",
        ),
        (!drops_all, "capabilities: {drop: [ALL]}"),
        (own("privileged") == Some(true), "privileged: false"),
    ];
    let lacks: Vec<String> = lacks
        .into_iter()
        .filter(|(lacks, _)| *lacks)
        .map(|(_, what)| format!("`{what}`"))
        .collect();
    if lacks.is_empty() {
        return Vec::new();
    }
    let message = format!("the sidecar's `securityContext` lacks {}", lacks.join(", "));
    let finding = Finding::new(&META, message, sidecar.location_of("/securityContext"));
    vec![finding.hint("take the `securityContext` that `kubectl homelab cmp manifest` prints")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        let case = Case::sound()
            .with("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
            .without("drop: [ALL]");
        assert_eq!(
            case.messages(&RULE),
            ["the sidecar's `securityContext` lacks `readOnlyRootFilesystem: true`, `capabilities: {drop: [ALL]}`"]
        );
        let case = Case::sound()
            .with("allowPrivilegeEscalation: false", "privileged: true")
            .without("runAsNonRoot");
        assert_eq!(
            case.messages(&RULE),
            [
                "the sidecar's `securityContext` lacks `allowPrivilegeEscalation: false`, `runAsNonRoot: true`, `privileged: false`"
            ]
        );
    }

    #[test]
    fn stays_silent() {
        let by_the_pod = Case::sound().without("runAsNonRoot").with(
            "    spec:\n      initContainers",
            "    spec:\n      securityContext: {runAsNonRoot: true}\n      initContainers",
        );
        assert!(by_the_pod.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().without("drop: [ALL]");
        assert!(case.way_out(&RULE).contains("securityContext"));
    }
}
