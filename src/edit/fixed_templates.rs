//! Jobs and pods that change where Kubernetes allows no change: the sync fails while the old one is there.

use crate::compare;
use crate::model::{Application, Object};

/// Returns a remark on each Job and pod of an Application that cannot be changed to what it renders then.
pub fn remarks(app: &Application<'_>, before: &[Object], after: &[Object]) -> Vec<String> {
    let fixed = compare::fixed_templates(app, before, after).into_iter();
    let remark = |(object, pointer): (&Object, String)| {
        let (kind, name) = (object.kind(), object.name());
        let namespace = object.namespace().or(app.destination_namespace()).unwrap_or("default");
        format!(
            "{kind} `{namespace}/{name}` changes at `{pointer}`, which Kubernetes refuses: where it is in the cluster, {}",
            way_out(kind, namespace, name)
        )
    };
    fixed.map(remark).collect()
}

/// Returns what to do about a Job or pod that cannot be changed, in the imperative.
pub fn way_out(kind: &str, namespace: &str, name: &str) -> String {
    format!(
        "delete it after the push with `kubectl delete {} {name} -n {namespace}`, and Argo CD creates it again",
        kind.to_lowercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn job(name: &str, changes: &[(&'static str, Value)]) -> Object {
        let mut tree = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "annotations": {}},
            "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "c"}]}}}});
        for (pointer, value) in changes {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            tree.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        Object::new(tree)
    }

    fn said(spec: &Value, before: Object, after: Object) -> Vec<String> {
        let object = Object::new(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "a"}, "spec": spec}));
        remarks(
            &Application::new(&object).unwrap(),
            &[job("other", &[]), before],
            &[after],
        )
    }

    #[test]
    fn a_job_that_is_stamped_or_reads_is_named() {
        let spec = json!({"destination": {"namespace": "media"}});
        let stamped = ("/spec/template/metadata/labels", json!({"storage.home.arpa/app": "a"}));
        let reads = ("/spec/template/spec/volumes", json!([{"name": "v"}]));
        for (change, place) in [(&stamped, "metadata/labels"), (&reads, "spec/volumes")] {
            let words = said(&spec, job("once", &[]), job("once", std::slice::from_ref(change)));
            let sentence = format!(
                "Job `media/once` changes at `/spec/template/{place}`, which Kubernetes refuses: where it is in the cluster, delete it \
                 after the push with `kubectl delete job once -n media`, and Argo CD creates it again"
            );
            assert_eq!(words, [sentence.as_str()]);
            // And back.
            assert_eq!(
                said(&spec, job("once", std::slice::from_ref(change)), job("once", &[])),
                [sentence.as_str()]
            );
        }
        let pod = |read_only: bool| {
            Object::new(
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "films"},
                "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "c", "readOnly": read_only}}]}}),
            )
        };
        let words = said(&spec, pod(false), pod(true));
        assert!(words[0].contains("`kubectl delete pod p -n films`"), "{words:?}");
    }

    #[test]
    fn what_argo_cd_creates_again_or_leaves_alone_is_not_named() {
        let spec = json!({});
        let changed = ("/spec/template/metadata/labels", json!({"a": "b"}));
        let annotated = |key: &str, value: &str| ("/metadata/annotations", json!({key: value}));
        let is_silent = |spec: &Value, other: (&'static str, Value)| {
            let old = job("once", std::slice::from_ref(&other));
            let new = job("once", &[other, changed.clone()]);
            assert_eq!(said(spec, old, new), Vec::<String>::new());
        };
        is_silent(&spec, annotated("helm.sh/hook", "pre-install"));
        is_silent(&spec, annotated("argocd.argoproj.io/hook", "PreSync"));
        is_silent(&spec, annotated("argocd.argoproj.io/sync-options", "Force=true"));
        is_silent(&spec, ("/spec/suspend", json!(true)));
        let entry = json!({"group": "batch", "kind": "Job", "jsonPointers": ["/spec/template"]});
        let ignoring =
            json!({"ignoreDifferences": [entry], "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}});
        is_silent(&ignoring, ("/metadata/annotations", json!({})));
        // A name that the API server makes is a new one each time.
        let generated = |changes: &[(&'static str, Value)]| {
            let name = [
                ("/metadata/name", Value::Null),
                ("/metadata/generateName", json!("once-")),
            ];
            job("", &[&name[..], changes].concat())
        };
        assert_eq!(
            said(&spec, generated(&[]), generated(std::slice::from_ref(&changed))),
            Vec::<String>::new()
        );
        // What may change.
        let other = job("once", &[("/spec/parallelism", json!(2))]);
        assert_eq!(said(&spec, job("once", &[]), other), Vec::<String>::new());
        assert_eq!(said(&spec, job("once", &[]), job("new", &[])), Vec::<String>::new());
    }
}
