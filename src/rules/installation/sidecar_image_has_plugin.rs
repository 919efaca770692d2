//! HL510: a placeholder, or Argo CD's own image, has no plugin in it.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL510",
    name: "sidecar-image-has-plugin",
    severity: Severity::Error,
    summary: "the sidecar's image is one that has the plugin in it",
    why: "Until there is a release, `kubectl homelab cmp manifest` prints an image with `OWNER` in it: a place to fill in. No registry \
has it, so that the repo-server's pod never gets ready, and Argo CD renders nothing at all. And where a sidecar names no image, \
the operator takes Argo CD's own, which has no `kubectl-homelab`. `plugin/Containerfile` makes the image; `--image` names it.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let image = sidecar.text("image");
    let message = if image.is_empty() {
        "the sidecar has no image".to_owned()
    } else if image.split('/').any(|part| part == "OWNER") {
        format!("the sidecar's image `{image}` is a placeholder")
    } else if image == installation.server().text("image") {
        format!("the sidecar's image `{image}` is Argo CD's own, which has no plugin in it")
    } else {
        return Vec::new();
    };
    let finding = Finding::new(&META, message, sidecar.location_of("/image"));
    vec![finding.hint("name the plugin's image, with `kubectl homelab cmp manifest --image IMAGE`")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    const IMAGE: &str = "image: ghcr.io/you/kubectl-homelab:v0.1.0";

    #[test]
    fn fires() {
        for (image, message) in [
            (
                "image: ghcr.io/OWNER/kubectl-homelab:v0.1.0",
                "the sidecar's image `ghcr.io/OWNER/kubectl-homelab:v0.1.0` is a placeholder",
            ),
            (
                "image: quay.io/argoproj/argocd:v3.5.7",
                "the sidecar's image `quay.io/argoproj/argocd:v3.5.7` is Argo CD's own, which has no plugin in it",
            ),
            ("stdin: false", "the sidecar has no image"),
        ] {
            assert_eq!(Case::sound().with(IMAGE, image).messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        let own = Case::sound().with(IMAGE, "image: registry.home/owner/mine:v1");
        assert!(own.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with(IMAGE, "image: ghcr.io/OWNER/kubectl-homelab:v0.1.0");
        assert!(case.way_out(&RULE).contains("--image"));
    }
}
