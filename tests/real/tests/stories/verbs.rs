//! Every verb in the life of one claim: each commit that a verb makes is synced, the claim stays the same, and there is never a
//! moment with two pods that can write it.

mod home;

use std::collections::BTreeSet;

use real_parts::World;
use real_parts::record::Record;
use serde_json::{Value, json};

use home::{Kind, VARIANTS, Variant};

const GUARDS: &str = "/metadata/annotations/argocd.argoproj.io~1sync-options";
const OWNER: &str = "/metadata/labels/storage.home.arpa~1owner";
const CLAIM: &str = "PersistentVolumeClaim";

/// A running story.
struct Story {
    world: World,
    variants: Vec<&'static Variant>,
    record: Record,
    uids: Vec<Option<String>>,
}

impl Story {
    fn start() -> Self {
        let all = real_parts::options::all_sequences();
        let variants: Vec<&Variant> = VARIANTS.iter().take(if all { VARIANTS.len() } else { 1 }).collect();
        let world = home::world(&variants);
        let record = world.record().unwrap();
        let mut story = Self {
            world,
            variants,
            record,
            uids: Vec::new(),
        };
        story.land();
        let uid = |variant: &&Variant| story.world.uid(CLAIM, &format!("{}/data", variant.namespace));
        story.uids = story.variants.iter().map(uid).collect();
        assert!(story.uids.iter().all(Option::is_some));
        story
    }

    /// Runs a command for each variant, commits what it changes, and waits until Argo CD has synced that. Words in capitals are
    /// the variant's own.
    fn step(&self, command: &str) {
        self.step_of(|_| true, command);
    }

    /// Does the same for some of the variants.
    fn step_of(&self, which: impl Fn(&Variant) -> bool, command: &str) {
        let before = self.world.home.head().unwrap();
        for variant in self.variants.iter().filter(|variant| which(variant)) {
            self.run(variant, 0, &format!("{command} --commit"));
        }
        if self.world.home.head().unwrap() != before {
            self.land();
        }
    }

    fn run(&self, variant: &Variant, code: i32, command: &str) -> String {
        let [first, second, third, fourth] = variant.names;
        let url = self.world.home.url();
        let names = [
            ("FIRST", first),
            ("SECOND", second),
            ("THIRD", third),
            ("FOURTH", fourth),
            ("NS", variant.namespace),
            ("URL", &url),
        ];
        let word = |word: &str| {
            names
                .iter()
                .fold(word.to_owned(), |word, (from, to)| word.replace(from, to))
        };
        let words: Vec<String> = command.split(' ').map(word).collect();
        self.world
            .runs(code, &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Pushes what is committed, and waits until the cluster has it: the Applications that the repository has are there, and no
    /// others; each is Synced at the commit and Healthy. Then checks the claims.
    fn land(&self) {
        let world = &self.world;
        let head = world.home.publish().unwrap();
        let listed = world.homelab(&["list", "-o", "name"]).unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let wanted: BTreeSet<String> = listed
            .lines()
            .filter_map(|line| Some(line.split_once('/')?.1.to_owned()))
            .collect();
        world.refresh_application("root").unwrap();
        world.until_synced("root", &head);
        if !world
            .api()
            .list("ApplicationSet", "argocd/")
            .unwrap_or_default()
            .is_empty()
        {
            let change = json!({"metadata": {"annotations": {"argocd.argoproj.io/application-set-refresh": "true"}}});
            world.api().merge("ApplicationSet", "argocd/folders", &change).unwrap();
        }
        world.until("the Applications are those of the repository", || {
            let found = world.api().list("Application", "argocd/").unwrap();
            let found = found
                .iter()
                .filter_map(|app| app["metadata"]["name"].as_str().map(str::to_owned));
            found.collect::<BTreeSet<_>>() == wanted
        });
        for app in &wanted {
            world.refresh_application(app).unwrap();
        }
        for app in &wanted {
            world.until_synced(app, &head);
            world.until_healthy(app);
        }
        self.check();
    }

    /// Checks that every claim is the same as ever, and was never written by two pods at once.
    fn check(&self) {
        for (variant, uid) in self.variants.iter().zip(&self.uids) {
            let seen = self.record.seen(variant.namespace, "data").unwrap();
            let same: BTreeSet<String> = uid.iter().cloned().collect();
            assert_eq!((&seen.uids, seen.is_deleted), (&same, false), "{variant:?}");
            assert!(
                seen.writers.len() <= 1,
                "{variant:?} had the writers {:?}",
                seen.writers
            );
            assert_eq!(
                self.claim(variant, "data", GUARDS),
                "Prune=false,Delete=false",
                "{variant:?}"
            );
        }
    }

    fn claim(&self, variant: &Variant, claim: &str, pointer: &str) -> Value {
        self.world
            .field(CLAIM, &format!("{}/{claim}", variant.namespace), pointer)
    }

    /// Returns the volume of the Deployment of an Application that is a claim, and the mount of it; null where there is none.
    fn mount(&self, variant: &Variant, deployment: &str, claim: &str) -> (Value, Value) {
        let place = format!("{}/{deployment}", variant.namespace);
        let spec = self.world.field("Deployment", &place, "/spec/template/spec");
        let find = |list: &Value, is_it: &dyn Fn(&Value) -> bool| {
            let mut list = list.as_array().into_iter().flatten();
            list.find(|item| is_it(item)).cloned().unwrap_or_default()
        };
        let volume = find(&spec["volumes"], &|volume| {
            volume["persistentVolumeClaim"]["claimName"] == claim
        });
        let mount = find(&spec["containers"][0]["volumeMounts"], &|mount| {
            mount["name"] == volume["name"]
        });
        (volume, mount)
    }

    /// Checks how a Deployment mounts a claim: `None` not at all, else whether it may write.
    fn assert_mounts(&self, name: usize, claim: &str, writes: Option<bool>) {
        for variant in &self.variants {
            let deployment = variant.names[name];
            let (volume, mount) = self.mount(variant, deployment, claim);
            let found = (!volume.is_null())
                .then(|| volume["persistentVolumeClaim"]["readOnly"] != true && mount["readOnly"] != true);
            assert_eq!(found, writes, "`{deployment}` of {variant:?} and `{claim}`");
        }
    }

    fn assert_owner(&self, name: usize, claim: &str) {
        for variant in &self.variants {
            let owner = variant.names[name];
            assert_eq!(self.claim(variant, claim, OWNER), owner, "{variant:?}");
            let label = format!("/metadata/labels/owner.storage.home.arpa~1{claim}");
            assert_eq!(
                self.world.field("Namespace", variant.namespace, &label),
                owner,
                "{variant:?}"
            );
        }
    }

    /// Returns the UIDs of a workload and its pods.
    fn uids_of(&self, variant: &Variant, deployment: &str) -> BTreeSet<String> {
        let namespace = format!("{}/", variant.namespace);
        let of = |kind: &str| self.world.api().list(kind, &namespace).unwrap();
        let own = |object: &Value| {
            let metadata = &object["metadata"];
            metadata["name"] == deployment || metadata["labels"]["app"] == deployment
        };
        let objects = ["Deployment", "CronJob", "Pod"].into_iter().flat_map(of);
        let uids = objects
            .filter(own)
            .filter_map(|object| object["metadata"]["uid"].as_str().map(str::to_owned));
        uids.collect()
    }

    /// Pushes what is committed while the root syncs nothing, does something, and lets it sync again.
    fn unsynced(&self, what: impl FnOnce()) {
        let change = json!({"spec": {"syncPolicy": null}});
        self.world.api().merge("Application", "argocd/root", &change).unwrap();
        self.world.home.publish().unwrap();
        what();
        let root = self.world.home.read("bootstrap/root.yaml").unwrap();
        self.world.cluster.apply(&root).unwrap();
    }
}

/// Returns whether the steps of a variant can be held back by the root: its Applications have manifests.
fn has_manifests(variant: &Variant) -> bool {
    variant.kind != Kind::Generated
}

/// Given an owner of a claim and another Application, when each verb does its steps, one commit after the other, then Argo CD syncs
/// every one of them; the claim has one UID all the time and its guards, it is what the verb says after each, and no two pods can
/// write it at one moment, as all events of pods and claims show. What a step says of the cluster with `--live` is so.
///
/// Control: a second claim which both Applications may write, by `grant`, has two writers in the same events.
#[test]
fn every_verb_keeps_the_claim() {
    let story = Story::start();
    story.assert_owner(0, "data");
    a_claim_is_added_and_shared(&story);
    a_pause_is_a_pause(&story);
    an_application_is_renamed(&story);
    a_claim_moves(&story);
    an_application_is_replaced(&story);
    an_application_is_removed_and_its_claim_restored(&story);
}

fn a_claim_is_added_and_shared(story: &Story) {
    story.step("add-volume shared --owner FIRST --size 1Gi");
    story.assert_owner(0, "shared");
    story.step("mount NS/shared --into FIRST --at /shared --workload Deployment/FIRST");
    story.assert_mounts(0, "shared", Some(true));
    for claim in ["data", "shared"] {
        story.step(&format!("mount NS/{claim} --into THIRD --at /{claim}"));
        story.assert_mounts(2, claim, Some(false));
    }
    story.step("grant NS/shared --to THIRD");
    story.assert_mounts(2, "shared", Some(true));
    for variant in &story.variants {
        let seen = story.record.seen(variant.namespace, "shared").unwrap();
        assert_eq!(seen.writers.len(), 2, "the control of {variant:?}: {seen:?}");
    }
    story.step("revoke NS/shared --from THIRD");
    story.assert_mounts(2, "shared", Some(false));
    story.step("unmount shared --from THIRD");
    story.assert_mounts(2, "shared", None);
    story.step("unmount shared --from FIRST");
    story.assert_mounts(0, "shared", None);
}

/// Takes an annotation of Argo CD off the claim in the cluster.
fn strip(world: &World, variant: &Variant, annotation: &str) {
    let off = json!({"metadata": {"annotations": {format!("argocd.argoproj.io/{annotation}"): null}}});
    world
        .api()
        .merge(CLAIM, &format!("{}/data", variant.namespace), &off)
        .unwrap();
}

fn a_pause_is_a_pause(story: &Story) {
    let (world, guards) = (&story.world, |variant: &Variant| story.claim(variant, "data", GUARDS));
    let strip = || {
        story
            .variants
            .iter()
            .for_each(|variant| strip(world, variant, "sync-options"))
    };
    let until_guarded = |what: &str| {
        world.until(what, || {
            story
                .variants
                .iter()
                .all(|variant| guards(variant) == "Prune=false,Delete=false")
        });
    };
    strip();
    until_guarded("Argo CD undoes what is changed by hand");
    for variant in story.variants.iter().filter(|variant| !has_manifests(variant)) {
        let place = format!("argocd/{}", variant.names[0]);
        let off = json!({"spec": {"syncPolicy": {"automated": {"enabled": false}}}});
        world.api().merge("Application", &place, &off).unwrap();
        world.until("the set puts it back", || {
            world
                .field("Application", &place, "/spec/syncPolicy/automated/enabled")
                .is_null()
        });
    }
    let before = world.home.head().unwrap();
    story.step("pause FIRST --reason test");
    strip();
    world.stays("without guards", 3, || {
        story.variants.iter().all(|variant| guards(variant).is_null())
    });
    guards_in_the_cluster_decide(story, &before);
    // Until this is synced, nothing is undone; then the check finds the guards again.
    story.step("resume FIRST");
}

/// The guards of the claims are off in the cluster, and on in Git: what becomes of a claim that leaves the chart?
fn guards_in_the_cluster_decide(story: &Story, before_the_pause: &str) {
    let (home, first) = (&story.world.home, story.variants[0]);
    let (chart, manifest) = (
        "charts/owner/templates/all.yaml",
        format!("bootstrap/{}.yaml", first.names[0]),
    );
    let texts = [chart, &manifest].map(|file| home.read(file).unwrap());
    let (_, without) = texts[0].split_once("---\n").unwrap();
    story.run(first, 0, "resume FIRST");
    home.write(chart, without).unwrap();
    let predicted = |code: i32, more: &[&str]| {
        let arguments = [&["diff", "--base", before_the_pause, "-o", "json"], more].concat();
        let output = story.world.homelab(&arguments).unwrap();
        let messages = String::from_utf8_lossy(&output.stderr);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(code), "{document:#}\n{messages}");
        let mut items = document["items"].as_array().into_iter().flatten();
        let is_it = |item: &&Value| item["object"]["namespace"] == first.namespace && item["object"]["kind"] == CLAIM;
        let item = items.find(is_it).cloned().unwrap_or_default();
        ["action", "guard"].map(|field| item[field].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(predicted(0, &[]), ["keep", "base"]);
    assert_eq!(predicted(1, &["--live-guards"]), ["prune-later", "none"]);
    strip(&story.world, first, "compare-options");
    assert_eq!(predicted(1, &["--live-guards"]), ["too-late", "none"]);
    for (file, text) in [chart, &manifest].into_iter().zip(&texts) {
        home.write(file, text).unwrap();
    }
}

fn an_application_is_renamed(story: &Story) {
    let uids = || -> Vec<BTreeSet<String>> {
        let variants = story.variants.iter();
        variants
            .map(|variant| story.uids_of(variant, variant.names[0]))
            .collect()
    };
    let before = uids();
    let finalizer_first = "rename-app FIRST SECOND --phase 1";
    for variant in &story.variants {
        story.run(variant, 0, &format!("{finalizer_first} --commit"));
    }
    story.unsynced(|| {
        for variant in story.variants.iter().filter(|variant| has_manifests(variant)) {
            let refused = story.run(variant, 3, "rename-app FIRST SECOND --live");
            assert!(
                refused.contains("in the cluster: all that it rendered would be deleted"),
                "{refused}"
            );
        }
    });
    story.land();
    for variant in &story.variants {
        let live = if has_manifests(variant) { " --live" } else { "" };
        story.run(variant, 0, &format!("rename-app FIRST SECOND{live} --commit"));
    }
    story.land();
    story.step_of(|variant| !has_manifests(variant), "rename-app FIRST SECOND");
    // No pod was stopped for it, and no object has another name.
    assert_eq!(uids(), before);
    story.assert_owner(1, "data");
    story.assert_owner(1, "shared");
}

fn a_claim_moves(story: &Story) {
    let command = "move-owner NS/data --to THIRD";
    stand_still(story, &format!("{command} --live"), command);
    let moved = format!("{command} --phase 3 --live");
    for variant in &story.variants {
        story.run(variant, 0, &format!("{command} --live --commit"));
    }
    story.unsynced(|| {
        for variant in story.variants.iter().filter(|variant| has_manifests(variant)) {
            let refused = story.run(variant, 3, &moved);
            assert!(refused.contains("is not owned by Application"), "{refused}");
        }
    });
    story.land();
    story.assert_owner(2, "data");
    story.assert_mounts(2, "data", Some(true));
    story.step(&moved);
    // The old owner runs again under its old names, and reads.
    story.assert_mounts(0, "data", Some(false));
}

/// Makes the first step of a handover, and shows that the second one waits for the pods.
fn stand_still(story: &Story, live: &str, command: &str) {
    for variant in &story.variants {
        story.run(variant, 0, &format!("{command} --commit"));
    }
    story.unsynced(|| {
        for variant in story.variants.iter().filter(|variant| has_manifests(variant)) {
            let refused = story.run(variant, 3, live);
            assert!(refused.contains("is written by the pods"), "{refused}");
        }
    });
    story.land();
}

fn an_application_is_replaced(story: &Story) {
    for variant in story.variants.iter().filter(|variant| !has_manifests(variant)) {
        let folder = format!("folders/{}", variant.names[3]);
        let home = &story.world.home;
        home.write(&format!("{folder}/all.yaml"), &home::program(variant.names[3]))
            .unwrap();
        home.write(&format!("{folder}/.argocd-source.yaml"), &home::overrides(""))
            .unwrap();
        home.commit("One more folder").unwrap();
    }
    let command = |variant: &Variant| {
        let new = match variant.kind {
            Kind::Helm => " -n NS --repo URL --path charts/owner --revision main",
            Kind::Kustomize => " -n NS --repo URL --path overlays/FOURTH --revision main",
            Kind::Generated => "",
        };
        format!("replace-app THIRD FOURTH{new}")
    };
    let all = |code: i32, more: &str, which: &dyn Fn(&Variant) -> bool| -> Vec<String> {
        let variants = story.variants.iter().filter(|variant| which(variant));
        variants
            .map(|variant| story.run(variant, code, &format!("{}{more}", command(variant))))
            .collect()
    };
    let every = |_: &Variant| true;
    story.land();
    all(0, " --commit", &every);
    story.unsynced(|| {
        for refused in all(3, " --live", &has_manifests) {
            assert!(refused.contains("is written by the pods"), "{refused}");
        }
    });
    story.land();
    all(0, " --live --commit", &every);
    story.unsynced(|| {
        for refused in all(3, " --live --phase 3", &has_manifests) {
            assert!(refused.contains("is not owned by Application"), "{refused}");
        }
    });
    story.land();
    story.assert_owner(3, "data");
    all(0, " --live --commit", &every);
    story.land();
    story.assert_owner(3, "data");
    story.assert_mounts(0, "data", Some(false));
}

fn an_application_is_removed_and_its_claim_restored(story: &Story) {
    for variant in &story.variants {
        let refused = story.run(variant, 3, "remove-app FOURTH");
        assert!(refused.contains("--orphan-consumers"), "{refused}");
    }
    story.step("remove-app FOURTH --orphan-consumers");
    for variant in &story.variants {
        assert!(
            story
                .world
                .uid("Deployment", &format!("{}/{}", variant.namespace, variant.names[3]))
                .is_none()
        );
        let label = "/metadata/labels/owner.storage.home.arpa~1data";
        assert_eq!(
            story.world.field("Namespace", variant.namespace, label),
            variant.names[3]
        );
    }
    story.step("restore NS/data --to SECOND");
    story.assert_owner(1, "data");
    story.assert_mounts(0, "data", Some(true));
}
