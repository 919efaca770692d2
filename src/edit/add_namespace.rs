//! `add-namespace`: a Namespace manifest with its pod security labels and, where the plugin does not add them, its
//! guards.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::merge::merge;
use crate::failure::HintExt;
use crate::law::sync_options::{COMPARE_OPTIONS, SYNC_OPTIONS, with_guards, with_ignore_extraneous};
use crate::model::{NamespaceName, Object};
use crate::repo::{Change, ChangeSet, Repo};
use crate::yaml;

/// Label: the level that is enforced.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// A level of the Pod Security Standards, with the version that it is pinned to
/// ([source](https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSecurity {
    level: String,
    version: Option<String>,
}

impl FromStr for PodSecurity {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (level, version) = text
            .split_once(':')
            .map_or((text, None), |(level, version)| (level, Some(version)));
        if !["privileged", "baseline", "restricted"].contains(&level) {
            bail!("level `{level}` is not privileged, baseline or restricted");
        }
        let is_version = |version: &str| {
            let minor = version.strip_prefix("v1.").unwrap_or_default();
            version == "latest" || !minor.is_empty() && minor.bytes().all(|digit| digit.is_ascii_digit())
        };
        if let Some(version) = version.filter(|version| !is_version(version)) {
            bail!("version `{version}` is neither `latest` nor `v1.` and a number");
        }
        Ok(Self {
            level: level.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for PodSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.level)?;
        self.version.iter().try_for_each(|version| write!(f, ":{version}"))
    }
}

/// The level of a new Namespace for which none is named: without one, every pod could read and write the node's disk.
const DEFAULT_LEVEL: &str = "baseline";

/// Returns a remark on the level of a new Namespace for which none is named.
pub fn default_remark(name: &NamespaceName) -> String {
    format!(
        "pods in `{name}` have to meet the Pod Security Standard `{DEFAULT_LEVEL}`: change it with \
         `kubectl homelab add-namespace {name} --upsert --pod-security LEVEL`"
    )
}

/// A request to add or change a Namespace.
#[derive(Clone, Debug)]
pub struct Request {
    /// The Namespace.
    pub name: NamespaceName,
    /// Its pod security level.
    pub pod_security: Option<PodSecurity>,
    /// Additional labels.
    pub labels: BTreeMap<String, String>,
    /// Additional annotations.
    pub annotations: BTreeMap<String, String>,
    /// The sync wave.
    pub sync_wave: Option<i64>,
    /// The text of a ResourceQuota manifest to add with it.
    pub quota: Option<String>,
    /// Whether an existing Namespace may be changed.
    pub upsert: bool,
}

impl Request {
    /// Returns a request for a plain Namespace.
    pub fn new(name: NamespaceName) -> Self {
        Self {
            name,
            pod_security: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            sync_wave: None,
            quota: None,
            upsert: false,
        }
    }
}

/// Reports whether a request names the level that is enforced.
pub fn has_level(request: &Request) -> bool {
    request.pod_security.is_some() || request.labels.contains_key(ENFORCE)
}

/// Adds a Namespace to the repository, or brings the one that is there to what is asked for.
///
/// # Errors
/// When it is already there (without `upsert`), or the quota is no ResourceQuota of this Namespace.
pub fn add_namespace(repo: &Repo, request: &Request) -> Result<ChangeSet> {
    let guarded = repo
        .namespaces_application()
        .is_some_and(|app| app.sources().iter().any(crate::model::Source::uses_homelab_plugin));
    let existing = repo.namespace(request.name.as_str());
    let level = request
        .pod_security
        .clone()
        .or_else(|| default_level(request, existing.is_none()));
    let mut wanted = manifest(request, level.as_ref());
    if !guarded {
        guard(&mut wanted, existing.map(|existing| &existing.object));
    }
    let change = match existing {
        Some(existing) if request.upsert => {
            let mut merged = existing.object.tree().clone();
            merge(&mut merged, &wanted);
            if let Some(security) = &request.pod_security {
                unpin(&mut merged, security);
            }
            let patch = json_patch::diff(existing.object.tree(), &merged);
            Change::Patch {
                path: existing.file.clone(),
                document: existing.document,
                patch,
            }
        }
        Some(existing) => {
            return Err(
                anyhow::anyhow!("Namespace `{}` is already there, in `{}`", request.name, existing.file)
                    .hint("change it with `--upsert`"),
            );
        }
        None => {
            let mut text = yaml::emit(&wanted)?;
            if let Some(quota) = &request.quota {
                text.push_str("---\n");
                text.push_str(&quota_of(&request.name, quota).context("cannot use the quota")?);
            }
            return Ok(ChangeSet {
                changes: repo.place_for_namespace(&request.name)?.create(text),
            });
        }
    };
    if request.quota.is_some() {
        bail!("a quota goes with a new Namespace only; add its manifest to the Namespace's file by hand");
    }
    Ok(ChangeSet { changes: vec![change] })
}

/// Removes the version that an earlier level was pinned to: a level without a version means the newest.
fn unpin(tree: &mut Value, security: &PodSecurity) {
    let labels = tree.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
    if let (None, Some(labels)) = (&security.version, labels) {
        for mode in ["enforce", "audit", "warn"] {
            labels.remove(&format!("pod-security.kubernetes.io/{mode}-version"));
        }
    }
}

/// Guards are entries of lists that may have other entries: requested ones are kept, otherwise existing ones.
fn guard(wanted: &mut Value, existing: Option<&Object>) {
    let annotations = &mut wanted["metadata"]["annotations"];
    let mut set = |annotation: &str, with: fn(&str) -> String| {
        let there = existing.and_then(|existing| existing.annotation(annotation));
        let list = with(annotations[annotation].as_str().or(there).unwrap_or_default());
        annotations[annotation] = json!(list);
    };
    set(SYNC_OPTIONS, with_guards);
    set(COMPARE_OPTIONS, with_ignore_extraneous);
}

/// Returns the level of a new Namespace for which none is named.
fn default_level(request: &Request, is_new: bool) -> Option<PodSecurity> {
    let level = PodSecurity {
        level: DEFAULT_LEVEL.to_owned(),
        version: None,
    };
    (is_new && !has_level(request)).then_some(level)
}

fn manifest(request: &Request, level: Option<&PodSecurity>) -> Value {
    let mut labels = BTreeMap::new();
    if let Some(security) = level {
        for mode in ["enforce", "audit", "warn"] {
            labels.insert(format!("pod-security.kubernetes.io/{mode}"), security.level.clone());
            if let Some(version) = &security.version {
                labels.insert(format!("pod-security.kubernetes.io/{mode}-version"), version.clone());
            }
        }
    }
    labels.extend(request.labels.clone());
    let mut annotations = BTreeMap::new();
    if let Some(wave) = request.sync_wave {
        annotations.insert("argocd.argoproj.io/sync-wave".to_owned(), wave.to_string());
    }
    annotations.extend(request.annotations.clone());
    let mut tree = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": request.name.as_str()}});
    for (key, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            tree["metadata"][key] = json!(map);
        }
    }
    tree
}

/// Returns the quota's text with the namespace set.
fn quota_of(namespace: &NamespaceName, text: &str) -> Result<String> {
    let tree = yaml::value(text)?.context("it is empty")?;
    if tree["kind"] != "ResourceQuota" {
        bail!("it is not a ResourceQuota");
    }
    match &tree["metadata"]["namespace"] {
        Value::Null => {}
        Value::String(name) if name == namespace.as_str() => return Ok(text.to_owned()),
        _ => bail!("it belongs to another Namespace"),
    }
    if !tree["metadata"].is_object() {
        bail!("it has no name");
    }
    let patch = json!([{"op": "add", "path": "/metadata/namespace", "value": namespace.as_str()}]);
    Ok(yaml::splice(text, &serde_json::from_value(patch)?)?.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn request(name: &str) -> Request {
        Request {
            pod_security: Some("baseline".parse().unwrap()),
            ..Request::new(NamespaceName::new(name).unwrap())
        }
    }

    fn after(repo: &Repo, request: &Request) -> String {
        let changes = add_namespace(repo, request).unwrap();
        repo.file_changes(&changes).unwrap().remove(0).after.unwrap()
    }

    #[test]
    fn a_new_namespace_is_guarded_where_no_plugin_guards_it() {
        let text = after(&Repo::default(), &request("media"));
        let tree = yaml::value(&text).unwrap().unwrap();
        assert_eq!(
            tree["metadata"]["labels"]["pod-security.kubernetes.io/warn"],
            "baseline"
        );
        assert_eq!(
            tree["metadata"]["annotations"]["argocd.argoproj.io/sync-options"],
            "Prune=false,Delete=false"
        );
    }

    #[test]
    fn a_new_namespace_enforces_a_level() {
        let plain = Request::new(NamespaceName::new("media").unwrap());
        assert!(after(&Repo::default(), &plain).contains("pod-security.kubernetes.io/enforce: baseline\n"));
        let labels = BTreeMap::from([(ENFORCE.to_owned(), "privileged".to_owned())]);
        let text = after(&Repo::default(), &Request { labels, ..plain });
        assert!(
            text.contains("enforce: privileged") && !text.contains("baseline"),
            "{text}"
        );
    }

    #[test]
    fn an_existing_namespace_is_changed_on_demand_only() {
        let files = Memory::new([(
            "applications/n.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n  labels:\n    a: b\n",
        )]);
        let repo = Repo::read(&files.unwrap(), &[]).unwrap();
        assert!(
            add_namespace(&repo, &request("media"))
                .unwrap_err()
                .to_string()
                .contains("already there, in `applications/n.yaml`")
        );
        let tree = yaml::value(&after(
            &repo,
            &Request {
                upsert: true,
                ..request("media")
            },
        ))
        .unwrap()
        .unwrap();
        assert_eq!(tree["metadata"]["labels"]["a"], "b");
        assert_eq!(
            tree["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
            "baseline"
        );
    }

    #[test]
    fn guards_stand_beside_other_options() {
        let files = Memory::new([(
            "namespaces/n.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n  annotations:\n    argocd.argoproj.io/sync-options: ServerSideApply=true # needed\n    argocd.argoproj.io/compare-options: ServerSideDiff=true\n",
        )]);
        let repo = Repo::read(&files.unwrap(), &[]).unwrap();
        let mut upsert = Request {
            upsert: true,
            ..request("media")
        };
        let text = after(&repo, &upsert);
        for part in [
            "sync-options: ServerSideApply=true,Prune=false,Delete=false # needed\n",
            "compare-options: ServerSideDiff=true,IgnoreExtraneous\n",
        ] {
            assert!(text.contains(part), "{text}");
        }
        upsert.annotations = BTreeMap::from([(SYNC_OPTIONS.to_owned(), "Replace=false".to_owned())]);
        let text = after(&repo, &upsert);
        assert!(
            text.contains("sync-options: Replace=false,Prune=false,Delete=false"),
            "{text}"
        );
    }

    #[test]
    fn a_level_without_a_version_is_not_pinned_to_the_old_one() {
        let files = Memory::new([(
            "namespaces/n.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n    pod-security.kubernetes.io/enforce-version: v1.30\n",
        )]);
        let repo = Repo::read(&files.unwrap(), &[]).unwrap();
        let upsert = Request {
            upsert: true,
            ..request("media")
        };
        let text = after(&repo, &upsert);
        assert!(text.contains("enforce: baseline"), "{text}");
        assert!(!text.contains("v1.30"), "{text}");
    }

    #[test]
    fn a_quota_goes_into_the_same_file() {
        let quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: q\nspec:\n  hard: {pods: 10}\n";
        let text = after(
            &Repo::default(),
            &Request {
                quota: Some(quota.to_owned()),
                ..request("media")
            },
        );
        let documents = yaml::documents(&text).unwrap();
        assert_eq!(documents.len(), 2);
        let tree = yaml::value(&text[documents[1].range.clone()]).unwrap().unwrap();
        assert_eq!(tree["metadata"]["namespace"], "media");
        let wrong = Request {
            quota: Some("kind: Pod\n".to_owned()),
            ..request("media")
        };
        assert!(format!("{:#}", add_namespace(&Repo::default(), &wrong).unwrap_err()).contains("not a ResourceQuota"));
    }

    #[test]
    fn pod_security_levels_are_checked() {
        assert_eq!(
            "restricted:v1.30".parse::<PodSecurity>().unwrap().to_string(),
            "restricted:v1.30"
        );
        for bad in ["none", "baseline:1.30", "baseline:v1.", "baseline:v1.x"] {
            assert!(bad.parse::<PodSecurity>().is_err(), "{bad}");
        }
    }
}
