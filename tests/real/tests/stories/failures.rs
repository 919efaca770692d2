//! Every way in which the plugin can fail: one readable condition, and nothing is pruned.

use real_parts::{Options, World};

const VALUES: &str = "helm/jellyfin/values.yaml";
const DEPLOYMENT: &str = "helm/jellyfin/templates/deployment.yaml";
const APPLICATION: &str = "applications/jellyfin.yaml";
/// A value that no message may contain.
const PRIVATE: &str = "hunter2-of-the-values";

/// A failure, and the words of its condition.
struct Failure {
    name: &'static str,
    happens: fn(&World),
    words: &'static [&'static str],
    ends: fn(&World),
}

fn revert(world: &World, name: &str) {
    let repository = if name == "home" {
        &world.home
    } else {
        world.source(name)
    };
    repository.revert().unwrap();
    world.refresh(repository).unwrap();
}

fn commit_chart(world: &World, path: &str, from: &str, to: &str) {
    let media = world.source("home-media");
    media.replace(path, from, to).unwrap();
    world.push(media, "It breaks").unwrap();
}

fn commit_mount(world: &World, mount: &str) {
    let to = format!("            - {mount}");
    world
        .home
        .replace(APPLICATION, "            - pvc-pe-audio:/media/pe-audio", &to)
        .unwrap();
    world.push(&world.home, "It breaks").unwrap();
}

const FAILURES: &[Failure] = &[
    Failure {
        name: "helm is missing",
        happens: |world| world.argocd.repo_servers.take_away("helm").unwrap(),
        words: &["helm", "PATH"],
        ends: |world| world.argocd.repo_servers.put_back("helm").unwrap(),
    },
    Failure {
        name: "helm hangs",
        happens: |world| {
            world
                .argocd
                .repo_servers
                .stand_in("helm", "exec /bin/sleep 600")
                .unwrap()
        },
        words: &["helm", "5 s"],
        ends: |world| world.argocd.repo_servers.put_back("helm").unwrap(),
    },
    Failure {
        name: "helm is killed",
        happens: |world| world.argocd.repo_servers.stand_in("helm", "kill -KILL $$").unwrap(),
        words: &["helm", "killed"],
        ends: |world| world.argocd.repo_servers.put_back("helm").unwrap(),
    },
    Failure {
        name: "helm prints half",
        happens: |world| {
            let half = "\"$REAL\" \"$@\" | { IFS= read -r a; IFS= read -r b; IFS= read -r c; echo \"$a\"; echo \"$b\"; echo \"$c\"; }; exit 1";
            world.argocd.repo_servers.stand_in("helm", half).unwrap();
        },
        words: &["helm"],
        ends: |world| world.argocd.repo_servers.put_back("helm").unwrap(),
    },
    Failure {
        name: "the plugin is killed",
        happens: |world| {
            world
                .argocd
                .repo_servers
                .stand_in("kubectl-homelab", "kill -KILL $$")
                .unwrap()
        },
        words: &["killed"],
        ends: |world| world.argocd.repo_servers.put_back("kubectl-homelab").unwrap(),
    },
    Failure {
        name: "the chart is broken",
        happens: |world| {
            commit_chart(
                world,
                DEPLOYMENT,
                "  replicas: 1\n",
                "  replicas: {{ fail \"no replicas\" }}\n",
            )
        },
        words: &["no replicas"],
        ends: |world| revert(world, "home-media"),
    },
    Failure {
        name: "the chart prints no YAML",
        happens: |world| commit_chart(world, DEPLOYMENT, "  replicas: 1\n", "  replicas: [1\n"),
        words: &["deployment.yaml"],
        ends: |world| revert(world, "home-media"),
    },
    Failure {
        name: "the chart prints nothing",
        happens: |world| {
            let media = world.source("home-media");
            for file in ["deployment", "service", "claims", "ingress"] {
                media.remove(&format!("helm/jellyfin/templates/{file}.yaml")).unwrap();
            }
            world.push(media, "It breaks").unwrap();
        },
        words: &["allow-empty"],
        ends: |world| revert(world, "home-media"),
    },
    Failure {
        name: "a mount for no workload",
        happens: |world| commit_mount(world, "pvc-pe-audio:/media/pe-audio,workload=plex"),
        words: &["plex"],
        ends: |world| revert(world, "home"),
    },
    Failure {
        name: "a mount for one of two workloads",
        happens: |world| {
            let media = world.source("home-media");
            let second = media.read(DEPLOYMENT).unwrap().replace(
                "  name: {{ include \"jellyfin.fullname\" . }}\n",
                "  name: {{ include \"jellyfin.fullname\" . }}-second\n",
            );
            media.write("helm/jellyfin/templates/second.yaml", &second).unwrap();
            world.push(media, "It breaks").unwrap();
        },
        words: &["jellyfin-second", "workload="],
        ends: |world| revert(world, "home-media"),
    },
    Failure {
        name: "a parameter that is none",
        happens: |world| {
            world
                .home
                .replace(APPLICATION, "        - name: mounts\n", "        - name: mount\n")
                .unwrap();
            world.push(&world.home, "It breaks").unwrap();
        },
        words: &["mount", "mounts"],
        ends: |world| revert(world, "home"),
    },
];

/// Returns everything of Jellyfin that could be pruned.
fn everything(world: &World) -> Vec<Option<String>> {
    [
        ("Deployment", "jellyfin"),
        ("Service", "jellyfin"),
        ("PersistentVolumeClaim", "jellyfin-config"),
        ("PersistentVolumeClaim", "jellyfin-cache"),
        ("PersistentVolumeClaim", "jellyfin-media"),
    ]
    .map(|(kind, name)| world.uid(kind, &format!("jellyfin/{name}")))
    .to_vec()
}

/// Given everything runs, when the plugin fails in any way, then the Application has one readable condition without paths
/// of the server or values of the chart, nothing is pruned, and it recovers when the failure ends.
///
/// Control: a plugin that prints only the beginning of the output and succeeds loses the other objects.
#[test]
fn a_failure_is_one_line_and_prunes_nothing() {
    let options = Options {
        plugin_variables: vec![("HOMELAB_HELM_TIMEOUT", "5s".to_owned())],
        ..Options::default()
    };
    let world = World::with_the_shipped_repository(&options).unwrap();
    let media = world.source("home-media");
    media
        .replace(VALUES, "TZ: Etc/UTC", &format!("TOKEN: {PRIVATE}"))
        .unwrap();
    media.commit("A private value").unwrap();
    world.apply_the_root().unwrap();
    world.until_everything_runs().unwrap();
    let before = everything(&world);
    assert!(before.iter().all(Option::is_some));

    for failure in FAILURES {
        (failure.happens)(&world);
        let errors = || world.conditions("jellyfin", "ComparisonError");
        let is_reported = || {
            errors()
                .iter()
                .any(|line| failure.words.iter().all(|word| line.contains(word)))
        };
        world.render_again("jellyfin").unwrap();
        world.until(failure.name, is_reported);
        for line in errors() {
            let clean = !line.contains('\n') && !line.contains("/tmp/") && !line.contains(PRIVATE);
            assert!(clean, "{}: {line}", failure.name);
        }
        assert_eq!(errors().len(), 1, "{}: {:?}", failure.name, errors());
        assert_eq!(everything(&world), before, "{}", failure.name);
        (failure.ends)(&world);
        world.until("the root took it", || {
            world.is_synced("root", &world.home.head().unwrap())
        });
        world.render_again("jellyfin").unwrap();
        world.until("it is well again", || {
            errors().is_empty() && world.is_synced("jellyfin", &media.head().unwrap())
        });
        assert_eq!(everything(&world), before, "{}", failure.name);
    }

    let first_object = "\"$REAL\" \"$@\" | {\n  IFS= read -r line; echo \"$line\"\n  \
                        while IFS= read -r line && [ \"$line\" != --- ]; do printf '%s\\n' \"$line\"; done\n}";
    world
        .argocd
        .repo_servers
        .stand_in("kubectl-homelab", first_object)
        .unwrap();
    world.render_again("jellyfin").unwrap();
    world.until("the control loses what was not printed", || {
        everything(&world).iter().any(Option::is_none)
    });
}
