//! A new version of the plugin.

use real_parts::{Options, World};

/// The next version: it renders one word differently.
const NEXT: &str = r#"
"$REAL" "$@" | /bin/sed 's/Etc\/UTC/Next\/Version/'"#;

/// Given everything runs, when the sidecar gets a new version of the plugin under the same name, then Argo CD keeps
/// what it has rendered, until `kubectl homelab refresh --hard` makes it render again.
///
/// Control: a normal refresh changes nothing.
#[test]
fn a_new_version_needs_a_hard_refresh() {
    let mut world = World::running(&Options::default()).unwrap();
    world.argocd.repo_servers.stand_in("kubectl-homelab", NEXT).unwrap();
    world.argocd.repo_servers.restart_plugins().unwrap();
    let deployment = |world: &World| {
        world
            .field(
                "Deployment",
                "jellyfin/jellyfin",
                "/spec/template/spec/containers/0/env",
            )
            .to_string()
    };
    world.runs(0, &["refresh", "jellyfin"]);
    world.stays("as the old version rendered it", 3, || {
        deployment(&world).contains("Etc/UTC")
    });
    world.runs(0, &["refresh", "--hard", "jellyfin"]);
    world.runs(0, &["wait", "jellyfin", "--for", "synced,healthy", "--timeout", "60s"]);
    world.until("it is as the new version renders it", || {
        deployment(&world).contains("Next/Version")
    });
}
