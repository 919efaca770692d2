//! `lock` and `release` in a cluster with the lock.

use serde_json::Value;

use crate::{Locked, objects};

/// Returns the document that `lock status` prints.
fn status(locked: &Locked, code: i32, more: &[&str]) -> Value {
    let arguments = [&["lock", "status", "-o", "json"], more].concat();
    let text = locked.runs(code, &arguments);
    let end = text.rfind("\n}").unwrap() + 2;
    serde_json::from_str(&text[..end]).unwrap()
}

pub(crate) fn status_and_release(locked: &Locked) {
    shows_what_is_held(locked);
    names_missing_grants(locked);
    releases_a_claim(locked);
    releases_a_namespace(locked);
    rescues_a_claim_that_is_going(locked);
}

fn shows_what_is_held(locked: &Locked) {
    let status = status(locked, 0, &[]);
    for policy in status["policies"].as_array().unwrap() {
        assert_eq!(policy["live"]["state"], "current", "{status:#}");
        assert!(policy["refusals"].as_u64() > Some(0), "{status:#}");
    }
    for proof in status["proofs"].as_array().unwrap() {
        assert_eq!(proof["result"], "refused", "{status:#}");
    }
    let unregistered = &status["unregistered"];
    assert_eq!(unregistered.as_array().map(Vec::len), Some(1));
    assert_eq!(unregistered[0]["name"], "books");
    let text = locked.runs(0, &["lock", "status"]);
    assert!(text.contains("proof: a deletion of `namespace/"), "{text}");
    assert!(
        text.contains("claim `media/books` of `reader` is not in the registry of its Namespace"),
        "{text}"
    );
    // A Namespace that holds claims with an owner and has no registry.
    let open =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: open}\n".to_owned() + &objects::claim("open", "data", "a");
    locked.cluster.apply(&open).unwrap();
    let text = locked.runs(0, &["lock", "status"]);
    assert!(text.contains("Namespace `open` holds claims with an owner"), "{text}");
}

fn names_missing_grants(locked: &Locked) {
    locked
        .kubectl("create clusterrole claims --verb=list --resource=persistentvolumeclaims")
        .unwrap();
    locked
        .kubectl("create clusterrolebinding claims --clusterrole=claims --user=guest")
        .unwrap();
    // It is not known then whether the lock holds.
    let status = status(locked, 1, &["--as", "guest"]);
    let grants = status["missingGrants"].as_array().unwrap();
    for grant in [
        "list namespaces",
        "list validatingadmissionpolicies",
        "list validatingadmissionpolicybindings",
        "get /metrics",
    ] {
        assert!(grants.iter().any(|is| is == grant), "{grant}: {status:#}");
    }
    assert!(!status["held"].as_array().unwrap().is_empty(), "the rest is shown");
}

fn releases_a_claim(locked: &Locked) {
    let claim = ["release", "pvc/books", "-n", "media"];
    let run = |code: i32, more: &[&str]| locked.runs(code, &[&claim[..], more].concat());
    let text = run(3, &[]);
    assert!(text.contains("1Gi") && text.contains("--confirm books"), "{text}");
    let text = run(3, &["--confirm", "films"]);
    assert!(text.contains("`films` is not `books`"), "{text}");
    locked.refuses("delete pvc books -n media", &["belongs to reader"]);
    let text = run(0, &["--confirm", "books"]);
    assert!(
        text.contains("claim `media/books` of `reader`: 1Gi, no volume yet; no pod mounts it"),
        "{text}"
    );
    let text = locked.runs(0, &["lock", "status"]);
    assert!(
        text.contains("take it back with `kubectl homelab release pvc/books -n media --cancel`"),
        "{text}"
    );
    run(0, &["--cancel"]);
    locked.refuses("delete pvc books -n media", &["belongs to reader"]);
    run(0, &["--confirm", "books"]);
    locked.kubectl("delete pvc books -n media").unwrap();
    let text = run(3, &["--confirm", "books"]);
    assert!(text.contains("there is no `pvc/books -n media`"), "{text}");
    let unowned = locked.runs(3, &["release", "pvc/scratch", "-n", "media", "--confirm", "scratch"]);
    assert!(
        unowned.contains("no Application owns the claim `media/scratch`"),
        "{unowned}"
    );
}

fn releases_a_namespace(locked: &Locked) {
    let text = locked.runs(3, &["release", "namespace/probe", "--confirm", "probe"]);
    assert!(
        text.contains("claims that are not released: `probe` of `probe`"),
        "{text}"
    );
    assert!(text.contains("`kubectl homelab release pvc/probe -n probe`"), "{text}");
    locked.refuses("delete namespace probe", &["holds the claim probe of probe"]);
    locked.runs(0, &["release", "pvc/probe", "-n", "probe", "--confirm", "probe"]);
    locked.runs(0, &["release", "namespace/probe", "--confirm", "probe"]);
    locked.runs(0, &["release", "namespace/probe", "--cancel"]);
    locked.refuses("delete namespace probe", &["holds the claim probe of probe"]);
    locked.runs(0, &["release", "namespace/probe", "--confirm", "probe"]);
    locked.kubectl("delete namespace probe --wait=false").unwrap();
    locked.until("it is gone with its claim", || {
        locked.field("namespace probe", ".metadata.uid").is_empty()
    });
}

/// Somebody deleted a claim before the lock was there: its volume can be kept as long as a pod mounts it.
fn rescues_a_claim_that_is_going(locked: &Locked) {
    let claim = objects::claim("media", "late", "writer");
    let pod = objects::pod("media", "late", "late");
    locked.cluster.apply(&(claim + &pod)).unwrap();
    locked.until("it runs", || {
        locked.field("pod late -n media", ".status.phase") == "Running"
    });
    let release = ["release", "pvc/late", "-n", "media"];
    let run = |code: i32, more: &[&str]| locked.runs(code, &[&release[..], more].concat());
    run(0, &["--confirm", "late"]);
    locked.kubectl("delete pvc late -n media --wait=false").unwrap();
    let text = run(3, &["--cancel"]);
    assert!(text.contains("it is too late") && text.contains("Retain"), "{text}");
    let volume = locked.field("pvc late -n media", ".spec.volumeName");
    let policy = || locked.field(&format!("pv {volume}"), ".spec.persistentVolumeReclaimPolicy");
    assert_eq!(policy(), "Delete");
    locked
        .kubectl("annotate pvc late -n media storage.home.arpa/release-")
        .unwrap();
    let text = run(3, &["--confirm", "late"]);
    assert!(
        text.contains("is being deleted already") && text.contains("--retain"),
        "{text}"
    );
    let text = run(0, &["--confirm", "late", "--retain"]);
    assert!(text.contains("mounted by `late`"), "{text}");
    assert_eq!(policy(), "Retain");
    locked.kubectl("delete pod late -n media").unwrap();
    locked.until("the claim is gone", || {
        locked.field("pvc late -n media", ".metadata.uid").is_empty()
    });
    locked.until("its volume is kept", || {
        locked.field(&format!("pv {volume}"), ".status.phase") == "Released"
    });
}

/// What was written goes, and what it held goes with an ordinary deletion.
pub(crate) fn disable(locked: &Locked) {
    locked.runs(0, &["release", "pvc/films", "-n", "media", "--confirm", "films"]);
    let text = locked.runs(0, &["lock", "disable"]);
    assert!(text.contains("`pvc/films -n media` is released"), "{text}");
    assert!(
        !locked.has("lock/owned-claims-stay.yaml")
            && !locked.has("lock/namespaces-with-claims-stay.yaml")
            && !locked.has("applications/lock.yaml"),
        "{text}"
    );
    assert_eq!(locked.read("applications/root.yaml"), crate::ROOT);
    crate::enabled::disabled(locked);
    for kind in ["validatingadmissionpolicy", "validatingadmissionpolicybinding"] {
        locked
            .kubectl(&format!(
                "delete {kind} owned-claims-stay namespaces-with-claims-stay foreign-claims-read-only"
            ))
            .unwrap();
    }
    locked.until("nothing is refused", || {
        locked.kubectl("delete namespace media --dry-run=server").is_ok()
    });
    assert_eq!(
        locked.field("pvc films -n media", ".metadata.labels.storage\\.home\\.arpa/owner"),
        "fetcher"
    );
    let status = status(locked, 0, &[]);
    assert_eq!(status["policies"][0]["live"]["state"], "missing");
}
