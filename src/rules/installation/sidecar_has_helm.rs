//! HL505: the plugin's image has no helm of its own.

use super::{Installation, InstallationRule, Mount, Node};
use crate::model::sidecar::TOOLS;
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL505",
    name: "sidecar-has-helm",
    severity: Severity::Error,
    summary: "an init container brings helm to a folder on the sidecar's PATH",
    why: "The plugin renders charts with helm, and its image has none: an init container copies the one of Argo CD's own image into a \
volume, so that the plugin and native Applications are rendered by the same version. Without it every Application with a chart \
fails: `helm` is not on PATH. For an image of your own that has helm in it, leave this rule out with `--rules -HL505`.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let missing = missing(installation, &META, "helm");
    missing.map(|finding| finding.hint(way_out())).into_iter().collect()
}

/// Returns what brings a program to the sidecar.
pub(super) fn way_out() -> String {
    format!("add the init container that `kubectl homelab cmp manifest` prints, and mount its volume at `{TOOLS}`")
}

/// Finds why a program is not on the sidecar's PATH.
pub(super) fn missing(installation: &Installation<'_>, meta: &'static Meta, program: &str) -> Option<Finding> {
    let sidecar = installation.sidecar()?;
    let path = sidecar
        .variable("PATH")
        .map_or(DEFAULT_PATH, |variable| variable.text("value"));
    let find = |message: String, place: &'static str| Some(Finding::new(meta, message, sidecar.location_of(place)));
    let Some(init) = bringer(installation, program) else {
        return find(
            format!("no init container brings {program} to the sidecar"),
            "/volumeMounts",
        );
    };
    let brought: Vec<&str> = init.mounts().iter().map(|mount| mount.volume).collect();
    let mounts = sidecar.mounts();
    let mounted: Vec<&Mount<'_>> = mounts.iter().filter(|mount| brought.contains(&mount.volume)).collect();
    if mounted.is_empty() {
        let message = format!(
            "the sidecar does not mount the volume into which `{}` puts {program}",
            init.text("name")
        );
        return find(message, "/volumeMounts");
    }
    let file = format!("/{program}");
    let folder = |mount: &&&Mount<'_>| {
        let at = mount.path.strip_suffix(file.as_str()).unwrap_or(mount.path);
        path.split(':').any(|folder| at == folder.trim_end_matches('/'))
    };
    if mounted.iter().any(|mount| folder(&mount)) {
        return None;
    }
    find(
        format!(
            "{program} is in `{}`, which is not on the sidecar's PATH",
            mounted[0].path
        ),
        "/env",
    )
}

/// The PATH of the plugin's image.
const DEFAULT_PATH: &str = "/usr/local/bin";

/// Returns the init container that brings a program.
pub(super) fn bringer<'a>(installation: &Installation<'a>, program: &str) -> Option<Node<'a>> {
    let names_it = |init: &Node<'_>| init.words().iter().any(|word| word.rsplit('/').next() == Some(program));
    installation.init_containers().into_iter().find(names_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        for (case, message) in [
            (
                Case::sound().with("/usr/local/bin/helm, ", ""),
                "no init container brings helm to the sidecar",
            ),
            (
                Case::sound().without("mountPath: /homelab-tools, readOnly: true"),
                "the sidecar does not mount the volume into which `homelab-tools` puts helm",
            ),
            (
                Case::sound().with("/usr/local/bin:/homelab-tools", "/usr/local/bin"),
                "helm is in `/homelab-tools`, which is not on the sidecar's PATH",
            ),
            (
                Case::sound().without("name: PATH"),
                "helm is in `/homelab-tools`, which is not on the sidecar's PATH",
            ),
        ] {
            assert_eq!(case.messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        let file = Case::sound().without("name: PATH").with(
            "mountPath: /homelab-tools, readOnly: true",
            "mountPath: /usr/local/bin/helm, subPath: helm",
        );
        assert!(file.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with("/usr/local/bin/helm, ", "");
        assert!(case.way_out(&RULE).contains("init container"));
    }
}
