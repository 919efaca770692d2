//! What the policies refuse, each with its sentence.

use std::fmt::Write;

use crate::{Locked, objects};

/// Returns the sentence about a claim.
fn sentence(claim: &str, owner: &str) -> String {
    format!(
        "claim media/{claim} belongs to {owner}. Keep it: put it back in Git, or run `kubectl annotate pvc {claim} -n media --overwrite \
         argocd.argoproj.io/sync-options=Prune=false,Delete=false`. Lose it: run `kubectl homelab release pvc/{claim} -n media`"
    )
}

pub(crate) fn all(locked: &Locked) {
    for name in ["owned-claims-stay", "namespaces-with-claims-stay"] {
        let warnings = locked.field(
            &format!("validatingadmissionpolicy {name}"),
            ".status.typeChecking.expressionWarnings",
        );
        assert_eq!(warnings, "", "{name}");
    }
    let before = uids(locked);
    by_name(locked);
    all_at_once(locked);
    without_the_label(locked);
    by_force(locked);
    whose_release_names_another(locked);
    a_namespace(locked);
    in_a_foreground_cascade(locked);
    of_many_claims(locked);
    assert_eq!(uids(locked), before);
}

/// Returns the UIDs of the claims that have an owner; one that is being deleted has another value.
fn uids(locked: &Locked) -> Vec<String> {
    let claims = ["films", "books", "data-db-0", "data-gone-0"];
    let uid = |claim: &str| {
        locked.field(
            &format!("pvc {claim} -n media"),
            ".metadata.uid}{.metadata.deletionTimestamp",
        )
    };
    claims.map(uid).to_vec()
}

fn by_name(locked: &Locked) {
    let answer = locked.refuses("delete pvc films -n media", &[]);
    assert_eq!(
        answer,
        format!(
            "kubectl delete pvc films -n media failed: Error from server (Forbidden): persistentvolumeclaims \"films\" is forbidden: \
             ValidatingAdmissionPolicy 'owned-claims-stay' with binding 'owned-claims-stay' denied request: {}",
            sentence("films", "fetcher")
        )
    );
    // Its label alone, and a claim that a StatefulSet has made, by the registry alone.
    locked.refuses("delete pvc books -n media", &[&sentence("books", "reader")]);
    locked.refuses("delete pvc data-db-0 -n media", &[&sentence("data-db-0", "db")]);
    locked.refuses(
        "delete pvc films -n media --dry-run=server",
        &[&sentence("films", "fetcher")],
    );
    locked.refuses(
        "delete pvc films -n media --grace-period=0 --force",
        &["belongs to fetcher"],
    );
}

fn all_at_once(locked: &Locked) {
    locked.refuses(
        "delete pvc --all -n media --wait=false",
        &[
            "claim media/films belongs to fetcher",
            "claim media/data-db-0 belongs to db",
        ],
    );
    locked.cluster.apply(&objects::claim("media", "scratch", "")).unwrap();
    let collection = "/api/v1/namespaces/media/persistentvolumeclaims";
    locked.refuses(&format!("delete --raw {collection}"), &["belongs to "]);
    locked.cluster.apply(&objects::claim("media", "scratch", "")).unwrap();
}

fn without_the_label(locked: &Locked) {
    for label in ["storage.home.arpa/owner-", "storage.home.arpa/owner="] {
        locked
            .kubectl(&format!("label pvc films -n media --overwrite {label}"))
            .unwrap();
        locked.refuses("delete pvc films -n media", &[&sentence("films", "fetcher")]);
    }
    // A claim moves to another owner at any time, and back.
    for owner in ["next", "fetcher"] {
        locked
            .kubectl(&format!(
                "label pvc films -n media --overwrite storage.home.arpa/owner={owner}"
            ))
            .unwrap();
        locked.refuses("delete pvc films -n media", &[&sentence("films", owner)]);
    }
}

fn by_force(locked: &Locked) {
    let manifest = objects::claim("media", "films", "fetcher");
    let answer = locked
        .cluster
        .kubectl(&["replace", "--force", "-f", "-"], Some(&manifest));
    let answer = format!("{:#}", answer.unwrap_err());
    assert!(answer.contains(&sentence("films", "fetcher")), "{answer}");
}

fn whose_release_names_another(locked: &Locked) {
    let annotate = |value: &str| {
        locked
            .kubectl(&format!(
                "annotate pvc films -n media --overwrite storage.home.arpa/release{value}"
            ))
            .unwrap();
    };
    annotate("=books");
    locked.refuses(
        "delete pvc films -n media",
        &["claim media/films belongs to fetcher, and its annotation storage.home.arpa/release names books. Keep it:"],
    );
    annotate("=true");
    locked.refuses("delete pvc films -n media", &["names true"]);
    annotate("-");
}

fn a_namespace(locked: &Locked) {
    let answer = locked.refuses("delete namespace media", &[]);
    assert_eq!(
        answer,
        "kubectl delete namespace media failed: Error from server (Forbidden): namespaces \"media\" is forbidden: ValidatingAdmissionPolicy \
         'namespaces-with-claims-stay' with binding 'namespaces-with-claims-stay' denied request: namespace media holds 3 claims of \
         Applications, the first is data-db-0 of db. Keep it: put it back in Git, or run `kubectl annotate namespace media --overwrite \
         argocd.argoproj.io/sync-options=Prune=false,Delete=false`. Lose it with everything in it: run `kubectl homelab release namespace/media`"
    );
    assert_eq!(locked.field("namespace media", ".status.phase"), "Active");
}

/// A StatefulSet whose claims are deleted with it hangs: HL127 is an error once the lock is on.
fn in_a_foreground_cascade(locked: &Locked) {
    locked
        .kubectl("delete statefulset gone -n media --cascade=foreground --wait=false")
        .unwrap();
    locked.until("its pod is gone", || {
        locked.field("pod gone-0 -n media", ".metadata.uid").is_empty()
    });
    let event = || locked.field("statefulset gone -n media", ".metadata.finalizers");
    locked.until("it waits for its claim", || event().contains("foregroundDeletion"));
}

/// A Namespace with as many claims as fit: the cost stays within the limits of the API server, and so does the message.
fn of_many_claims(locked: &Locked) {
    let name = |number: usize| format!("{}-{number:02}", "c".repeat(60));
    let mut labels = String::new();
    for number in 0..60 {
        let _ = write!(labels, "owner.storage.home.arpa/{}: {}, ", name(number), "o".repeat(63));
    }
    let mut all = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: many, labels: {{{labels}}}}}\n");
    (0..60).for_each(|number| all.push_str(&objects::claim("many", &name(number), "")));
    all.push_str("---\napiVersion: v1\nkind: Pod\nmetadata: {name: many, namespace: many}\nspec:\n  containers:\n");
    let mounts: Vec<String> = (0..60)
        .map(|number| format!("{{name: v{number}, mountPath: /v{number}}}"))
        .collect();
    for number in 0..20 {
        let _ = writeln!(
            all,
            "  - {{name: c{number}, image: example.org/x, volumeMounts: [{}]}}",
            mounts.join(", ")
        );
    }
    all.push_str("  volumes:\n");
    for number in 0..60 {
        let _ = writeln!(
            all,
            "  - {{name: v{number}, persistentVolumeClaim: {{claimName: {}}}}}",
            name(number)
        );
    }
    locked.cluster.apply(&all).unwrap();
    locked.refuses(
        "delete namespace many",
        &["holds 60 claims of Applications, the first is"],
    );
    let answer = locked.refuses("delete pvc --all -n many", &[]);
    assert_eq!(answer.matches("Lose it: run").count(), 60);
    assert!(!answer.contains("cost") && !answer.contains("budget"), "{answer}");
}
