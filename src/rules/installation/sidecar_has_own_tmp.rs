//! HL504: a shared /tmp lets one container read and wipe the other's files.

use super::{Installation, InstallationRule, Node};
use crate::model::sidecar::TEMPORARY;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL504",
    name: "sidecar-has-own-tmp",
    severity: Severity::Error,
    summary: "the sidecar has a volume of its own at `/tmp`",
    why: "Argo CD's server of plugins unpacks every repository below `/tmp`, and wipes its folder there when it starts. The \
repo-server keeps its clones and its credentials for Git below its own `/tmp`. In a shared volume a chart that a plugin \
renders could read them, and links that lead out of one's folder end in the other's: Argo CD's documentation asks for separate \
volumes. Without any volume there the root file system would have to be writable.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let Some(own) = sidecar.mount_around(TEMPORARY) else {
        let message = format!("the sidecar has no volume at `{TEMPORARY}`, where repositories are unpacked");
        let finding = Finding::new(&META, message, sidecar.location_of("/volumeMounts"));
        return vec![finding.hint("mount an emptyDir of its own there")];
    };
    let containers = installation.pod().items("containers");
    let others = containers.iter().filter(|one| one.text("name") != sidecar.text("name"));
    let shares = |one: &&Node<'_>| {
        let mounts = one.mounts();
        mounts
            .iter()
            .any(|mount| (mount.volume, mount.sub_path) == (own.volume, own.sub_path))
    };
    let finding = |other: &Node<'_>| {
        let message = format!(
            "the sidecar shares its `{TEMPORARY}` with the container `{}`",
            other.text("name")
        );
        Finding::new(&META, message, own.node.location()).hint("give each an emptyDir of its own")
    };
    others.filter(shares).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        let case = Case::sound().with("{name: homelab-tmp, mountPath: /tmp}", "{name: tmp, mountPath: /tmp}");
        assert_eq!(
            case.messages(&RULE),
            ["the sidecar shares its `/tmp` with the container `argocd-repo-server`"]
        );
        let case = Case::sound().without("{name: homelab-tmp, mountPath: /tmp}");
        assert_eq!(
            case.messages(&RULE),
            ["the sidecar has no volume at `/tmp`, where repositories are unpacked"]
        );
    }

    #[test]
    fn stays_silent() {
        let parts = Case::sound().with(
            "{name: homelab-tmp, mountPath: /tmp}",
            "{name: tmp, mountPath: /tmp, subPath: homelab}",
        );
        assert!(parts.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().without("{name: homelab-tmp, mountPath: /tmp}");
        assert!(case.way_out(&RULE).contains("emptyDir"));
    }
}
