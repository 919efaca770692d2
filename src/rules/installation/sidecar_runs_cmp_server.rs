//! HL503: Argo CD's own server of plugins, and the socket.

use super::{Installation, InstallationRule};
use crate::model::sidecar::{PLUGIN_SERVER, SERVERS, SOCKETS};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL503",
    name: "sidecar-runs-cmp-server",
    severity: Severity::Error,
    summary: "the sidecar runs Argo CD's server of plugins and shares the folder of sockets with the repo-server",
    why: "The sidecar runs `argocd-cmp-server`, which Argo CD's own init container copies into the volume `var-files`: the plugin's \
image does not have it, so that it is always the one of this Argo CD. That server opens a socket in \
`/home/argocd/cmp-server/plugins`, and the repo-server searches it there: both must mount the same volume at that path. When \
one of these is missing, the container does not start, or nobody finds it.\n\n\
https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(sidecar) = installation.sidecar() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut say = |message: String, place: &'static str, hint: &str| {
        findings.push(Finding::new(&META, message, sidecar.location_of(place)).hint(hint));
    };
    if sidecar.get("command").is_some() && !sidecar.runs(PLUGIN_SERVER) {
        let hint = format!("let it run `{SERVERS}/{PLUGIN_SERVER}`");
        say(format!("the sidecar does not run `{PLUGIN_SERVER}`"), "/command", &hint);
    }
    let is_filled = |volume: &str| {
        let inits = installation.init_containers();
        inits
            .iter()
            .any(|init| init.mounts().iter().any(|mount| mount.volume == volume))
    };
    match sidecar.mount_around(SERVERS) {
        None => say(
            format!("the sidecar mounts nothing at `{SERVERS}`, where Argo CD's server of plugins is"),
            "/volumeMounts",
            "mount the volume `var-files` there",
        ),
        Some(mount) if !is_filled(mount.volume) => say(
            format!(
                "no init container puts Argo CD's server of plugins into the volume `{}`",
                mount.volume
            ),
            "/volumeMounts",
            "mount the volume that Argo CD's init container `copyutil` fills",
        ),
        Some(_) => {}
    }
    let server = installation.server().mount_around(SOCKETS);
    match (sidecar.mount_around(SOCKETS), server) {
        (None, _) => say(
            format!("the sidecar mounts nothing at `{SOCKETS}`, so that the repo-server finds no socket"),
            "/volumeMounts",
            "mount the volume `plugins` there",
        ),
        (Some(own), Some(server)) if own.volume != server.volume => say(
            format!(
                "the sidecar's socket is in the volume `{}`, and the repo-server searches `{}`",
                own.volume, server.volume
            ),
            "/volumeMounts",
            "mount the same volume at that path in both",
        ),
        (Some(_), None) => say(
            format!("the repo-server mounts nothing at `{SOCKETS}`, so that it finds no socket"),
            "/volumeMounts",
            "mount the same volume at that path in both",
        ),
        (Some(_), Some(_)) => {}
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        for (case, message) in [
            (
                Case::sound().with("[/var/run/argocd/argocd-cmp-server]", "[kubectl-homelab, cmp]"),
                "the sidecar does not run `argocd-cmp-server`",
            ),
            (
                Case::sound().with(
                    "name: var-files, mountPath: /var/run/argocd}",
                    "name: var-files, mountPath: /elsewhere}",
                ),
                "the sidecar mounts nothing at `/var/run/argocd`, where Argo CD's server of plugins is",
            ),
            (
                Case::sound().with("- name: copyutil", "- name: x").with(
                    "argocd]\n        volumeMounts:\n        - {name: var-files",
                    "argocd]\n        volumeMounts:\n        - {name: other",
                ),
                "no init container puts Argo CD's server of plugins into the volume `var-files`",
            ),
            (
                Case::sound().without("mountPath: /home/argocd/cmp-server/plugins"),
                "the sidecar mounts nothing at `/home/argocd/cmp-server/plugins`, so that the repo-server finds no socket",
            ),
            (
                Case::sound().with(
                    "{name: plugins, mountPath: /home/argocd/cmp-server/plugins}\n        - {name: plugin,",
                    "{name: own, mountPath: /home/argocd/cmp-server/plugins}\n        - {name: plugin,",
                ),
                "the sidecar's socket is in the volume `own`, and the repo-server searches `plugins`",
            ),
            (
                Case::sound().with(
                    "{name: plugins, mountPath: /home/argocd/cmp-server/plugins}\n        - {name: tmp,",
                    "{name: tmp,",
                ),
                "the repo-server mounts nothing at `/home/argocd/cmp-server/plugins`, so that it finds no socket",
            ),
        ] {
            assert_eq!(case.messages(&RULE), [message]);
        }
    }

    #[test]
    fn stays_silent() {
        // The image's own entry point, and a volume around the folder.
        let own = Case::sound().without("command: [/var/run/argocd/argocd-cmp-server]");
        assert!(own.messages(&RULE).is_empty());
        let around = Case::sound().with("mountPath: /var/run/argocd}", "mountPath: /var/run}");
        assert!(around.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().without("mountPath: /home/argocd/cmp-server/plugins");
        assert_eq!(case.way_out(&RULE), "mount the volume `plugins` there");
    }
}
