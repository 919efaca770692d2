//! The policy on writes: each case with the API server's own answer, what goes on as ever, and what it costs.

use std::time::Instant;

use real_parts::measure::figure;
use serde_json::{Value, json};

use crate::{Locked, objects};

/// The kinds that the policy is about.
const KINDS: [(&str, &str); 7] = [
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
];

/// Returns a template that mounts `films` and can write it.
fn template(app: &str) -> Value {
    let mut labels = json!({"app": "x"});
    if !app.is_empty() {
        labels["storage.home.arpa/app"] = json!(app);
    }
    json!({
        "metadata": {"labels": labels},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "example.org/x", "volumeMounts": [{"name": "films", "mountPath": "/films"}]}],
            "volumes": [{"name": "films", "persistentVolumeClaim": {"claimName": "films"}}],
        },
    })
}

/// Returns a template that was changed.
fn with(app: &str, pointer: &str, value: Value) -> Value {
    let mut tree = template(app);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    tree.pointer_mut(parent).unwrap()[key] = value;
    tree
}

/// Returns a pod or workload of a template.
fn object((api_version, kind): (&str, &str), (namespace, name): (&str, &str), template: &Value) -> Value {
    let metadata = json!({"namespace": namespace, "name": name});
    let of = |spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
    let mut job = json!({"template": template});
    job["template"]["spec"]["restartPolicy"] = json!("Never");
    match kind {
        "Pod" => {
            let mut pod = of(template["spec"].clone());
            pod["metadata"]["labels"] = template["metadata"]["labels"].clone();
            pod
        }
        "Job" => of(job),
        "CronJob" => of(json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}})),
        _ => {
            let mut spec = json!({"selector": {"matchLabels": {"app": "x"}}, "template": template});
            if kind == "StatefulSet" {
                spec["serviceName"] = json!("x");
            }
            of(spec)
        }
    }
}

fn pod(template: &Value) -> Value {
    object(KINDS[0], ("show", "x"), template)
}

/// Returns the sentence about a pod or workload of an Application that would write `films`.
fn sentence(kind: &str, name: &str, app: &str) -> String {
    let (whose, way) = match app {
        "" => (
            ", whose pods have no label storage.home.arpa/app,".to_owned(),
            "set the parameter `stamp-app` of its Application to \"true\", or add `show/films=serviceaccount:NAME` to the parameter \
             `writers` of the source of the Namespaces"
                .to_owned(),
        ),
        app => (
            format!(" of {app}"),
            format!("run `kubectl homelab grant show/films --to {app}`"),
        ),
    };
    format!(
        "{kind} show/{name}{whose} would write the claim films of fetcher. Read it: set `readOnly: true` at the volume, or at each of \
         its mounts. Write it: {way}"
    )
}

impl Locked {
    /// Asks the API server whether it would create an object; returns what it says behind `denied request:`.
    fn answer(&self, object: &Value) -> Option<String> {
        let create = ["create", "--dry-run=server", "--validate=false", "-f", "-"];
        let answer = self.cluster.kubectl(&create, Some(&object.to_string())).err()?;
        let answer = format!("{answer:#}");
        let (_, sentence) = answer.split_once("denied request: ").expect(&answer);
        assert!(answer.contains("'foreign-claims-read-only'"), "{answer}");
        Some(sentence.to_owned())
    }

    fn refuses_write(&self, case: &str, object: &Value, expected: &str) {
        let answer = self.answer(object);
        figure(case, answer.as_deref().unwrap_or("let in"));
        assert_eq!(answer.as_deref(), Some(expected), "{case}: {object}");
    }

    fn lets_in(&self, case: &str, object: &Value) {
        let answer = self.answer(object);
        figure(case, answer.as_deref().unwrap_or("let in"));
        assert_eq!(answer, None, "{case}: {object}");
    }
}

/// Makes what is there before the policy: Namespaces with claims, and pods and workloads without the label.
pub(crate) fn furnish(locked: &Locked) {
    let mut all = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: show\n  labels: {storage.home.arpa/registry: v1, \
         owner.storage.home.arpa/films: fetcher, owner.storage.home.arpa/data-db-0: db, owner.storage.home.arpa/none: ''}\n  \
         annotations: {writers.storage.home.arpa/films: 'sorter,serviceaccount:mover'}\n---\n\
         apiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere, labels: {owner.storage.home.arpa/films: fetcher}}\n"
        .to_owned();
    for name in ["films", "scratch", "none"] {
        all.push_str(&objects::claim("show", name, ""));
    }
    all.push_str("---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: mover, namespace: show}\n");
    locked.cluster.apply(&all).unwrap();
    locked.until("there are service accounts", || {
        ["show", "elsewhere"].iter().all(|namespace| {
            !locked
                .field(&format!("serviceaccount default -n {namespace}"), ".metadata.uid")
                .is_empty()
        })
    });
    let old = object(KINDS[1], ("show", "old"), &template(""));
    let mut job = template("");
    // It is on no node: it runs until somebody says that it has ended.
    job["spec"]["nodeSelector"] = json!({"none": "such"});
    let job = object(KINDS[5], ("show", "running"), &job);
    let read = with("", "/spec/containers/0/volumeMounts/0/readOnly", json!(true));
    let reader = object(KINDS[0], ("show", "reader"), &read);
    let writer = object(KINDS[0], ("show", "writer"), &template(""));
    for object in [old, job, reader, writer] {
        locked.cluster.apply(&object.to_string()).unwrap();
    }
    for pod in ["reader", "writer"] {
        locked.until("the pods run", || {
            locked.field(&format!("pod {pod} -n show"), ".status.phase") == "Running"
        });
    }
    locked.until("the Job has its pod", || !job_pod(locked).is_empty());
}

fn job_pod(locked: &Locked) -> String {
    locked
        .kubectl("get pod -n show -l job-name=running -o name")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Waits until the policy is in force; an older one of the same name knew no pods.
pub(crate) fn in_force(locked: &Locked) {
    locked.until("the policy is in force", || {
        let answer = locked.answer(&pod(&template("player")));
        answer.is_some_and(|answer| answer.contains(" would write "))
    });
    let warnings = locked.field(
        "validatingadmissionpolicy foreign-claims-read-only",
        ".status.typeChecking.expressionWarnings",
    );
    assert_eq!(warnings, "");
}

pub(crate) fn all(locked: &Locked) {
    of_every_kind(locked);
    of_every_mount(locked);
    of_whoever(locked);
    in_a_set(locked);
    of_a_custom_kind(locked);
    debugged(locked);
    what_is_older_goes_on(locked);
    of_many_claims(locked);
}

fn of_every_kind(locked: &Locked) {
    let read = with("player", "/spec/volumes/0/persistentVolumeClaim/readOnly", json!(true));
    for of in KINDS {
        let (kind, place) = (of.1, ("show", "x"));
        let new = |template: &Value| object(of, place, template);
        locked.refuses_write(
            &format!("{kind} of another Application"),
            &new(&template("player")),
            &sentence(kind, "x", "player"),
        );
        locked.refuses_write(
            &format!("{kind} without the label"),
            &new(&template("")),
            &sentence(kind, "x", ""),
        );
        locked.lets_in(&format!("{kind} of the owner"), &new(&template("fetcher")));
        locked.lets_in(&format!("{kind} of a writer"), &new(&template("sorter")));
        locked.lets_in(&format!("{kind} that reads, at the volume"), &new(&read));
        let elsewhere = object(of, ("elsewhere", "x"), &template("player"));
        locked.lets_in(&format!("{kind} in a Namespace without a registry"), &elsewhere);
    }
}

fn of_every_mount(locked: &Locked) {
    let expected = sentence("Pod", "x", "player");
    let mount = |name: &str, read_only: bool| json!({"name": name, "mountPath": format!("/{name}{read_only}"), "readOnly": read_only});
    let container = |mounts: Value| json!({"name": "c", "image": "example.org/x", "volumeMounts": mounts});
    let bare = json!([{"name": "main", "image": "example.org/x"}]);
    let containers = |key: &str, mounts: Value| {
        let mut tree = with("player", "/spec/containers", bare.clone());
        let mut there = tree["spec"][key].as_array().cloned().unwrap_or_default();
        there.push(container(mounts));
        tree["spec"][key] = json!(there);
        pod(&tree)
    };
    for key in ["containers", "initContainers"] {
        let read = containers(key, json!([mount("films", true)]));
        locked.lets_in(&format!("a pod whose {key} read, at the mount"), &read);
        let write = containers(key, json!([mount("films", true), mount("films", false)]));
        locked.refuses_write(
            &format!("a pod whose {key} write at one of two mounts"),
            &write,
            &expected,
        );
    }
    locked.lets_in(
        "a pod that mounts nothing of its volume",
        &pod(&with("player", "/spec/containers", bare.clone())),
    );
    let device = json!([{"name": "main", "image": "example.org/x", "volumeDevices": [{"name": "films", "devicePath": "/dev/x"}]}]);
    locked.refuses_write(
        "a pod with a block device",
        &pod(&with("player", "/spec/containers", device)),
        &expected,
    );
    let claim = |name: &str| {
        pod(&with(
            "player",
            "/spec/volumes/0/persistentVolumeClaim/claimName",
            json!(name),
        ))
    };
    locked.lets_in("a pod with a claim that is not registered", &claim("scratch"));
    locked.lets_in("a pod with a claim whose owner is empty", &claim("none"));
    let mut two = template("player");
    let mut push = |pointer: &str, value: Value| two.pointer_mut(pointer).unwrap().as_array_mut().unwrap().push(value);
    push(
        "/spec/volumes",
        json!({"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}),
    );
    push("/spec/containers/0/volumeMounts", mount("data", false));
    locked.refuses_write(
        "a pod with two claims of others",
        &pod(&two),
        &expected.replace(
            "the claim films of",
            "2 claims of other Applications, the first is films of",
        ),
    );
}

fn of_whoever(locked: &Locked) {
    // A label that is there and empty: `''.split(',')` is a list with an empty text.
    let mut empty = template("");
    empty["metadata"]["labels"]["storage.home.arpa/app"] = json!("");
    locked.refuses_write("a pod with an empty label", &pod(&empty), &sentence("Pod", "x", ""));
    let unwritten = |tree: &Value| {
        let mut tree = tree.clone();
        tree["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = json!("data-db-0");
        pod(&tree)
    };
    let of_db = |app: &str| {
        let films = sentence("Pod", "x", app);
        films
            .replace("films of fetcher", "data-db-0 of db")
            .replace("films", "data-db-0")
    };
    locked.refuses_write(
        "a pod with an empty label and a claim without writers",
        &unwritten(&empty),
        &of_db(""),
    );
    locked.refuses_write(
        "a pod of a writer of another claim",
        &unwritten(&template("sorter")),
        &of_db("sorter"),
    );
    locked.refuses_write(
        "a pod with the claim of a StatefulSet",
        &unwritten(&template("player")),
        &of_db("player"),
    );
    let account = |name: &str| with("", "/spec/serviceAccountName", json!(name));
    locked.lets_in("a pod with a declared service account", &pod(&account("mover")));
    for of in &KINDS[1..] {
        let kind = of.1;
        let by_account = |name: &str| object(*of, ("show", "x"), &account(name));
        locked.lets_in(&format!("{kind} with a declared service account"), &by_account("mover"));
        locked.refuses_write(
            &format!("{kind} with another service account"),
            &by_account("other"),
            &sentence(kind, "x", "").replace("serviceaccount:NAME", "serviceaccount:other"),
        );
    }
    // An Application that has the name of a service account is none.
    locked.refuses_write(
        "a pod of an Application called as a declared service account",
        &pod(&template("mover")),
        &sentence("Pod", "x", "mover"),
    );
}

/// The controller of a StatefulSet puts claims of its own in the place of volumes of the same name.
fn in_a_set(locked: &Locked) {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let mut set = object(KINDS[2], ("show", "db"), &template("player"));
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "films"}, "spec": spec}]);
    locked.lets_in("a StatefulSet with a template of that name", &set);
}

/// A kind of custom resources is held at what its controller makes.
fn of_a_custom_kind(locked: &Locked) {
    let kind = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {"group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Rollout", "plural": "rollouts", "singular": "rollout"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    locked.cluster.apply(&kind.to_string()).unwrap();
    let rollout = object(
        ("argoproj.io/v1alpha1", "Rollout"),
        ("show", "canary"),
        &template("player"),
    );
    locked.until("its kind is known", || {
        locked.cluster.apply(&rollout.to_string()).is_ok()
    });
    figure("a Rollout itself", "let in");
    let owner = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "canary", "controller": true,
        "uid": locked.field("rollout canary -n show", ".metadata.uid")}]);
    for of in [KINDS[4], KINDS[0]] {
        let mut made = object(of, ("show", "canary-1"), &template("player"));
        made["metadata"]["ownerReferences"] = owner.clone();
        locked.refuses_write(
            &format!("a Rollout's {}", of.1),
            &made,
            &sentence(of.1, "canary-1", "player"),
        );
    }
    locked.kubectl("delete crd rollouts.argoproj.io").unwrap();
}

/// A container that debugs counts by itself, also in a pod that is older than the policy.
fn debugged(locked: &Locked) {
    let debug = |pod: &str, name: &str, mounts: Value| {
        let file = locked.file(&format!("{name}.json"), &json!({"volumeMounts": mounts}).to_string());
        locked.kubectl(&format!(
            "debug {pod} -n show -c {name} --image=example.org/debug --attach=false --quiet --custom={file}"
        ))
    };
    for pod in ["reader", "writer"] {
        debug(pod, "looks", json!([])).unwrap();
        let read = json!([{"name": "films", "mountPath": "/f", "readOnly": true}]);
        debug(pod, "reads", read).unwrap();
        let answer = debug(pod, "writes", json!([{"name": "films", "mountPath": "/f"}])).unwrap_err();
        let (_, said) = answer.split_once("denied request: ").expect(&answer);
        figure(&format!("a debug container that writes, in the pod {pod}"), said);
        assert_eq!(said, sentence("Pod", pod, ""));
        // After one that was refused, and with others there.
        debug(pod, "again", json!([])).unwrap();
    }
}

/// What is older than the policy runs to its end, scales and goes; it gets no new pods.
fn what_is_older_goes_on(locked: &Locked) {
    let pod = job_pod(locked);
    locked
        .kubectl(&format!(
            "patch {pod} -n show --subresource=status --type=merge -p {{\"status\":{{\"phase\":\"Succeeded\"}}}}"
        ))
        .unwrap();
    locked.until("the Job that ran has ended", || {
        locked.field("job running -n show", ".status.succeeded") == "1"
    });
    figure("a Job that ran before", "ends");
    locked.kubectl("delete job running -n show").unwrap();
    locked.kubectl("label pod writer -n show more=labels").unwrap();
    locked.refuses(
        "label pod writer -n show storage.home.arpa/app=player",
        &[&sentence("Pod", "writer", "player")],
    );
    locked
        .kubectl("label pod writer -n show storage.home.arpa/app=fetcher")
        .unwrap();
    locked
        .kubectl("annotate deployment old -n show more=annotations")
        .unwrap();
    let image = "set image deployment/old -n show main=example.org/y";
    locked.refuses(image, &[&sentence("Deployment", "old", "")]);
    locked.kubectl("scale deployment old -n show --replicas=2").unwrap();
    says_why_there_are_no_pods(locked);
    locked.kubectl("scale deployment old -n show --replicas=0").unwrap();
    locked.until("its pods are gone", || {
        locked
            .kubectl("get pod -n show -l app=x -o name")
            .is_ok_and(|names| !names.contains("old-"))
    });
    locked.kubectl("delete deployment old -n show").unwrap();
    locked.kubectl("delete pod reader writer -n show").unwrap();
}

/// As a person finds it, and as `lock status` shows it.
fn says_why_there_are_no_pods(locked: &Locked) {
    locked.until("its condition says why there is no second pod", || {
        let said = locked.field(
            "deployment old -n show",
            ".status.conditions[?(@.type==\"ReplicaFailure\")].message",
        );
        said.contains("would write the claim films of fetcher")
    });
    locked.until("there is an event", || {
        locked
            .field("events -n show", ".items[*].message")
            .contains("'foreign-claims-read-only'")
    });
    let (_, text) = locked.homelab(&["lock", "status"]);
    for part in [
        "gets no pods (ReplicaFailure, as `kubectl describe deployment old -n show` shows)",
        "as `kubectl events -n show --for replicaset/old-",
        "show/old",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// As many claims as fit, in 20 containers: the cost stays within the limits of the API server, whoever mounts them how.
fn of_many_claims(locked: &Locked) {
    let name = |number: usize| format!("{}-{number:02}", "c".repeat(60));
    let mounts = |read_only: bool| -> Vec<Value> {
        let one =
            |number| json!({"name": format!("v{number}"), "mountPath": format!("/v{number}"), "readOnly": read_only});
        (0..60).map(one).collect()
    };
    let many = |app: &str, read_only: bool| {
        let container =
            |number| json!({"name": format!("c{number}"), "image": "example.org/x", "volumeMounts": mounts(read_only)});
        let volume =
            |number| json!({"name": format!("v{number}"), "persistentVolumeClaim": {"claimName": name(number)}});
        let spec = json!({
            "containers": (0..20).map(container).collect::<Vec<_>>(),
            "volumes": (0..60).map(volume).collect::<Vec<_>>(),
        });
        with(app, "/spec", spec)
    };
    let writers = ["w".repeat(63), "x".repeat(63)].join(",");
    let annotations: serde_json::Map<String, Value> = (0..60)
        .map(|number| (format!("writers.storage.home.arpa/{}", name(number)), json!(writers)))
        .collect();
    let change = json!({"metadata": {"labels": {"storage.home.arpa/registry": "v1"}, "annotations": annotations}});
    locked.cluster.api().merge("Namespace", "many", &change).unwrap();
    for of in KINDS {
        let place = ("many", "x");
        let said = locked.answer(&object(of, place, &many("player", false))).unwrap();
        assert!(
            said.contains("would write 60 claims of other Applications, the first is"),
            "{said}"
        );
        figure(&format!("{} with 60 claims in 20 containers", of.1), &said);
        locked.lets_in(
            &format!("{} that reads 60 claims in 20 containers", of.1),
            &object(of, place, &many("player", true)),
        );
        locked.lets_in(
            &format!("{} of a writer of 60 claims in 20 containers", of.1),
            &object(of, place, &many(&"x".repeat(63), false)),
        );
    }
    locked.kubectl("delete pod many -n many").unwrap();
}

/// Returns the times that the API server takes to create pods that read a claim, in milliseconds.
pub(crate) fn creations(locked: &Locked, prefix: &str) -> Vec<f64> {
    let read = with("player", "/spec/containers/0/volumeMounts/0/readOnly", json!(true));
    let times = (0..60).map(|number| {
        let mut pod = object(KINDS[0], ("show", &format!("{prefix}-{number}")), &read);
        pod["spec"]["nodeSelector"] = json!({"none": "such"});
        pod["metadata"]["labels"] = json!({"measured": "x"});
        let start = Instant::now();
        locked.cluster.api().create("Pod", "show/", &pod).unwrap();
        start.elapsed().as_secs_f64() * 1000.0
    });
    let times = times.collect();
    locked.kubectl("delete pod -n show -l measured=x --wait=false").unwrap();
    times
}

/// Waits until nothing is refused.
pub(crate) fn out_of_force(locked: &Locked) {
    locked.until("the policy is out of force", || {
        locked.answer(&pod(&template("player"))).is_none()
    });
}

/// Returns the median.
pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
