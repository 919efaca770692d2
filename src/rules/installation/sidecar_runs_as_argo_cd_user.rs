//! HL507: the socket belongs to one user.

use super::{Installation, InstallationRule, Node};
use crate::model::sidecar::USER;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL507",
    name: "sidecar-runs-as-argo-cd-user",
    severity: Severity::Error,
    summary: "the sidecar runs as the user of the repo-server",
    why: "The socket of a plugin belongs to the user who opened it, and only that user may write to it: the repo-server of another \
user finds the socket and cannot speak to it. Argo CD's image and the plugin's run as 999. Set `runAsUser: 999` in the sidecar, \
or leave it out in both where the platform gives a namespace its user, as OpenShift does.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let (own, server) = (user(installation, sidecar), user(installation, installation.server()));
    if own == server {
        return Vec::new();
    }
    let message = format!("the sidecar runs as user {own}, and the repo-server as {server}");
    let finding = Finding::new(&META, message, sidecar.location_of("/securityContext/runAsUser"));
    vec![finding.hint(format!("set `runAsUser: {server}` in the sidecar"))]
}

/// Returns the user of a container: its own, the pod's, or the one of Argo CD's image and the plugin's.
fn user(installation: &Installation<'_>, container: &Node<'_>) -> u64 {
    let of = |node: &Node<'_>| node.at("/securityContext/runAsUser")?.value().as_u64();
    of(container).or_else(|| of(installation.pod())).unwrap_or(USER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        for (case, message) in [
            (
                Case::sound().with("runAsUser: 999", "runAsUser: 1000"),
                "the sidecar runs as user 1000, and the repo-server as 999",
            ),
            (
                Case::sound().with(
                    "    spec:\n      initContainers",
                    "    spec:\n      securityContext: {runAsUser: 5}\n      initContainers",
                ),
                "the sidecar runs as user 999, and the repo-server as 5",
            ),
        ] {
            assert_eq!(case.messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        // The image's own user is the same.
        assert!(Case::sound().without("runAsUser: 999").messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with("runAsUser: 999", "runAsUser: 1000");
        assert_eq!(case.way_out(&RULE), "set `runAsUser: 999` in the sidecar");
    }
}
