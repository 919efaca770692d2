//! HL516: the plugin's image has no kustomize of its own.

use super::sidecar_has_helm::{missing, way_out};
use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL516",
    name: "sidecar-has-kustomize",
    severity: Severity::Warning,
    summary: "an init container brings kustomize to a folder on the sidecar's PATH",
    why: "The plugin builds Kustomize folders with kustomize, and its image has none: the init container that brings helm copies the \
one of Argo CD's own image, too, so that the plugin and native Applications are built by the same version. Without it every \
Application with a Kustomize folder fails: `kustomize` is not on PATH. An installation that was made by an older version of the \
program lacks it. For an image of your own that has kustomize in it, leave this rule out with `--rules -HL516`.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let missing = missing(installation, &META, "kustomize");
    missing.map(|finding| finding.hint(way_out())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        let case = Case::sound().with("/usr/local/bin/kustomize, ", "");
        assert_eq!(
            case.messages(&RULE),
            ["no init container brings kustomize to the sidecar"]
        );
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with("/usr/local/bin/kustomize, ", "");
        assert!(case.way_out(&RULE).contains("cmp manifest"));
    }

    #[test]
    fn stays_silent() {
        assert!(Case::sound().messages(&RULE).is_empty());
    }
}
