//! HL509: a tag that moves renders differently without a commit.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL509",
    name: "sidecar-image-is-pinned",
    severity: Severity::Warning,
    summary: "the sidecar's image has a version",
    why: "What the plugin renders is what Argo CD applies. With `latest`, or without a tag, the next restart of the repo-server may bring \
another version of the plugin and change what every Application renders, without a commit that says so; and two repo-servers \
may render differently. Name a version, or better its digest; after an upgrade `kubectl homelab refresh --all --hard` renders \
everything again.\n\n\
https://kubernetes.io/docs/concepts/containers/images/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let image = sidecar.text("image");
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map_or("latest", |(_, tag)| tag);
    if image.contains('@') || image.is_empty() || tag != "latest" {
        return Vec::new();
    }
    let message = format!("the sidecar's image `{image}` has no version");
    let finding = Finding::new(&META, message, sidecar.location_of("/image"));
    vec![finding.hint("name a version, as `kubectl-homelab:v0.1.0`, or a digest")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    const IMAGE: &str = "ghcr.io/you/kubectl-homelab:v0.1.0";

    #[test]
    fn fires() {
        for image in [
            "ghcr.io/you/kubectl-homelab",
            "ghcr.io/you/kubectl-homelab:latest",
            "home:5000/kubectl-homelab",
        ] {
            let case = Case::sound().with(IMAGE, image);
            assert_eq!(
                case.messages(&RULE),
                [format!("the sidecar's image `{image}` has no version")]
            );
        }
    }

    #[test]
    fn stays_silent() {
        for image in [
            "home:5000/kubectl-homelab:v1",
            "ghcr.io/you/kubectl-homelab@sha256:00",
            "kubectl-homelab:latest@sha256:00",
        ] {
            assert!(Case::sound().with(IMAGE, image).messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with(IMAGE, "ghcr.io/you/kubectl-homelab");
        assert!(case.way_out(&RULE).contains("digest"));
    }
}
