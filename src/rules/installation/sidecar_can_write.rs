//! HL515: a folder that cannot be written to fails every render that needs it.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL515",
    name: "sidecar-can-write",
    severity: Severity::Error,
    summary: "the folders that the sidecar is configured to write to are in volumes",
    why: "With a read-only root file system the sidecar can write to its volumes only. `HOMELAB_CACHE_DIR` sets where it keeps what it \
fetches for charts, the `HELM_*_HOME` variables do the same for helm, and `TMPDIR` sets where repositories are unpacked: a \
folder from one of these variables that is in no volume, or in one that is mounted read-only, fails every render that needs it.\n\n\
https://helm.sh/docs/helm/helm/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    if sidecar.flag("/securityContext/readOnlyRootFilesystem") != Some(true) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for name in WRITES {
        let Some(variable) = sidecar.variable(name) else {
            continue;
        };
        let folder = variable.text("value");
        let mount = sidecar.mount_around(folder);
        let message = match &mount {
            _ if folder.is_empty() => continue,
            None => format!("`{name}` is `{folder}`, which is in no volume"),
            Some(mount) if mount.node.flag("/readOnly") == Some(true) => {
                format!("`{name}` is `{folder}`, which is in a volume that is mounted read-only")
            }
            Some(_) => continue,
        };
        let finding = Finding::new(&META, message, variable.location());
        findings.push(finding.hint("mount an emptyDir there, or name a folder of one"));
    }
    findings
}

/// The variables that name folders to write to.
const WRITES: [&str; 6] = [
    "HOMELAB_CACHE_DIR",
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
    "HOME",
    "TMPDIR",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    const CACHE: &str = "{name: HOMELAB_CACHE_DIR, value: /homelab-cache}";

    #[test]
    fn fires() {
        for (folder, message) in [
            (
                "/var/cache",
                "`HOMELAB_CACHE_DIR` is `/var/cache`, which is in no volume",
            ),
            (
                "/homelab-tools/cache",
                "`HOMELAB_CACHE_DIR` is `/homelab-tools/cache`, which is in a volume that is mounted read-only",
            ),
        ] {
            let case = Case::sound().with(CACHE, &format!("{{name: HOMELAB_CACHE_DIR, value: {folder}}}"));
            assert_eq!(case.messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        for case in [
            Case::sound().with(CACHE, "{name: HELM_CACHE_HOME, value: /tmp/helm}"),
            Case::sound()
                .with(CACHE, "{name: HOMELAB_CACHE_DIR, value: /x}")
                .with("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
        ] {
            assert!(case.messages(&RULE).is_empty());
        }
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().with(CACHE, "{name: TMPDIR, value: /x}");
        assert!(case.way_out(&RULE).contains("emptyDir"));
    }
}
