//! A rendered stream under the storage law.
//!
//! Documents that nobody touches go out as slices of the input, most of them without being parsed: a look at `kind` and
//! `apiVersion` is enough. Every object that comes in goes out, and each has apiVersion, kind and name; everything else
//! is an error, since Argo CD prunes what is not printed.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Context, Result, anyhow, bail};
use json_patch::Patch;
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::Object;
use crate::model::namespace::is_namespace;
use crate::model::parameter::PatchTarget;
use crate::rules::law::Law;
use crate::yaml::{self, Document, Sniffed};

/// A stream before and after the law.
#[derive(Clone, Debug)]
pub struct Output {
    raw: String,
    pieces: Vec<Piece>,
    /// Documents that had to be printed anew, by what they hold.
    pub reprinted: Vec<String>,
    /// Remarks of the law.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Piece {
    Slice(Range<usize>),
    Text(String),
}

impl Output {
    /// The stream as it came.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The stream as it goes, in pieces for one vectored write.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| match piece {
            Piece::Slice(range) => &self.raw[range.clone()],
            Piece::Text(text) => text,
        })
    }

    /// The stream as it goes.
    pub fn text(&self) -> String {
        self.pieces().collect()
    }

    /// The objects as they go, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn objects(&self) -> Result<Vec<Object>> {
        objects(&self.text())
    }

    /// The objects as they came, lists flattened.
    ///
    /// # Errors
    /// When a document cannot be read.
    pub fn raw_objects(&self) -> Result<Vec<Object>> {
        objects(&self.raw)
    }
}

fn objects(text: &str) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for document in split(text)? {
        if let Some(tree) = read(text, &document)? {
            objects.extend(Object::new(tree).flatten().into_iter().map(|(_, object)| object));
        }
    }
    Ok(objects)
}

fn split(text: &str) -> Result<Vec<Document>> {
    yaml::documents(text).map_err(|error| {
        anyhow!(
            "the render is not a stream of YAML: line {}: {}",
            error.line,
            error.message
        )
    })
}

fn read(text: &str, document: &Document) -> Result<Option<Value>> {
    yaml::value(&text[document.range.clone()]).map_err(|error| {
        let error = error.below(document.line - 1);
        anyhow!(
            "the render cannot be read: line {}, column {}: {}",
            error.line,
            error.column,
            error.message
        )
    })
}

/// Whether a stream could hold a Namespace.
///
/// # Errors
/// When the stream cannot be split, or a list in it cannot be read.
pub fn has_namespace(text: &str) -> Result<bool> {
    for document in split(text)? {
        match yaml::top_level_scalar(&text[document.range.clone()], "kind") {
            Sniffed::Plain("Namespace") => return Ok(true),
            Sniffed::Unclear | Sniffed::Plain("List" | "NamespaceList") => {
                let objects = read(text, &document)?.map(|tree| Object::new(tree).flatten());
                if objects.into_iter().flatten().any(|(_, object)| is_namespace(&object)) {
                    return Ok(true);
                }
            }
            Sniffed::Plain(_) | Sniffed::Absent => {}
        }
    }
    Ok(false)
}

/// The namespaces that claims and workloads of a stream say they are in.
///
/// # Errors
/// When a document cannot be read.
pub fn namespaces(text: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for document in split(text)? {
        if concerns(&[], &text[document.range.clone()])
            && let Some(tree) = read(text, &document)?
        {
            let objects = Object::new(tree).flatten().into_iter().map(|(_, object)| object);
            found.extend(objects.filter_map(|object| object.namespace().map(str::to_owned)));
        }
    }
    Ok(found)
}

/// A stream without the law, checked all the same.
///
/// # Errors
/// When an object is incomplete, or there is none.
pub fn untouched(raw: String, allow_empty: bool) -> Result<Output> {
    let documents = split(&raw)?;
    check_count(count(&raw, &documents)?, allow_empty)?;
    let pieces = vec![Piece::Slice(0..raw.len())];
    Ok(Output {
        raw,
        pieces,
        reprinted: Vec::new(),
        notes: Vec::new(),
    })
}

/// Objects of a stream that is passed through whole.
fn count(raw: &str, documents: &[Document]) -> Result<usize> {
    let last = last_with_content(raw, documents);
    let mut count = 0;
    for (index, document) in documents.iter().enumerate() {
        let text = &raw[document.range.clone()];
        if !is_blank(text) {
            count += if Some(index) != last && is_plainly_complete(text) {
                1
            } else {
                complete_objects(raw, document)?
            };
        }
    }
    Ok(count)
}

fn check_count(objects: usize, allow_empty: bool) -> Result<()> {
    if objects == 0 && !allow_empty {
        return Err(anyhow!("the render is empty, and Argo CD would prune everything").hint(
            "if that is meant, set the parameter `allow-empty` to \"true\", or give `filter` the flag `--allow-empty`",
        ));
    }
    Ok(())
}

/// Applies the law to a stream.
///
/// # Errors
/// When an object is incomplete, there is none, the law refuses something, or a patch cannot be put into the text.
pub fn apply(raw: String, law: &Law, allow_empty: bool) -> Result<Output> {
    let documents = split(&raw)?;
    let last = last_with_content(&raw, &documents);
    let (mut parsed, mut trees, mut passed) = (Vec::new(), Vec::new(), 0);
    for (index, document) in documents.iter().enumerate() {
        let text = &raw[document.range.clone()];
        if is_blank(text) {
            continue;
        }
        if !concerns(&law.patches, text) {
            passed += if Some(index) != last && is_plainly_complete(text) {
                1
            } else {
                complete_objects(&raw, document)?
            };
            continue;
        }
        if let Some(tree) = read(&raw, document)? {
            check_complete(&tree, document)?;
            parsed.push(document);
            trees.push(tree);
        }
    }
    let before: usize = trees.iter().map(objects_in).sum();
    check_count(passed + before, allow_empty)?;
    let plan = law.plan(&trees)?;
    let mut output = Output {
        raw: String::new(),
        pieces: Vec::new(),
        reprinted: Vec::new(),
        notes: plan.notes,
    };
    let (mut from, mut after) = (0, 0);
    for ((document, tree), operations) in parsed.iter().zip(&trees).zip(plan.operations) {
        if operations.is_empty() {
            after += objects_in(tree);
            continue;
        }
        let what = || describe(tree, document);
        let spliced = yaml::splice(&raw[document.range.clone()], &Patch(operations)).with_context(what)?;
        check_complete(&spliced.value, document)?;
        after += objects_in(&spliced.value);
        if spliced.reprinted {
            output.reprinted.push(what());
        }
        output.pieces.push(Piece::Slice(from..document.range.start));
        output.pieces.push(Piece::Text(spliced.text));
        from = document.range.end;
    }
    if before != after {
        bail!("{before} objects came in and {after} would go out: a patch must not add or remove objects");
    }
    output.pieces.push(Piece::Slice(from..raw.len()));
    output.raw = raw;
    Ok(output)
}

fn objects_in(tree: &Value) -> usize {
    match tree.get("items").and_then(Value::as_array) {
        Some(items) if tree["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
            items.iter().map(objects_in).sum()
        }
        _ => 1,
    }
}

fn last_with_content(raw: &str, documents: &[Document]) -> Option<usize> {
    documents
        .iter()
        .rposition(|document| !is_blank(&raw[document.range.clone()]))
}

/// Whether a document has nothing but comments and blanks.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim_start_matches(['\u{feff}', ' ', '\t', '\r']);
        line.is_empty() || line.starts_with('#')
    })
}

/// Kinds whose group is theirs alone and that neither have a pod template nor are touched by the law.
const PASSED_BY: &[(&str, &[&str])] = &[
    (
        "v1",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    ("apiextensions.k8s.io/v1", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io/v1", &["APIService"]),
    (
        "admissionregistration.k8s.io/v1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"]),
    ("networking.k8s.io/v1", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("policy/v1", &["PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io/v1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io/v1", &["PriorityClass"]),
    ("storage.k8s.io/v1", &["CSIDriver", "StorageClass"]),
    (
        "monitoring.coreos.com/v1",
        &["PodMonitor", "PrometheusRule", "ServiceMonitor"],
    ),
];

/// Whether the law could have anything to do with a document; on doubt it has.
fn concerns(patches: &[(PatchTarget, Value)], text: &str) -> bool {
    let (Sniffed::Plain(kind), Sniffed::Plain(api_version)) = (
        yaml::top_level_scalar(text, "kind"),
        yaml::top_level_scalar(text, "apiVersion"),
    ) else {
        return true;
    };
    if kind.ends_with("List") || patches.iter().any(|(target, _)| target.kind == kind) {
        return true;
    }
    if api_version == "v1" && matches!(kind, "PersistentVolumeClaim" | "PersistentVolume" | "Namespace") {
        return true;
    }
    let is_passed_by = |(group, kinds): &(&str, &[&str])| *group == api_version && kinds.contains(&kind);
    !PASSED_BY.iter().any(is_passed_by) && yaml::may_hide(text, &["containers", "persistentVolumeClaim"])
}

/// Whether a look at the text shows apiVersion, kind and a name; when it does not, a parser decides.
fn is_plainly_complete(text: &str) -> bool {
    let plain = |key: &str| matches!(yaml::top_level_scalar(text, key), Sniffed::Plain(word) if !word.is_empty());
    plain("apiVersion") && plain("kind") && names_itself(text)
}

/// Whether a line `metadata:` in the first column is followed by deeper lines of which one of the shallowest is a name.
fn names_itself(text: &str) -> bool {
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim_end() != "metadata:")
        .skip(1)
        .peekable();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let Some(depth) = lines.peek().map(|line| indent(line)).filter(|depth| *depth > 0) else {
        return false;
    };
    let mut below = lines.take_while(|line| indent(line) > 0 || line.trim().is_empty());
    below.any(|line| {
        let name = line.get(depth..).and_then(|rest| {
            rest.strip_prefix("name: ")
                .or_else(|| rest.strip_prefix("generateName: "))
        });
        indent(line) == depth && name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// The objects of a document, each complete.
fn complete_objects(raw: &str, document: &Document) -> Result<usize> {
    match read(raw, document)? {
        None => Ok(0),
        Some(tree) => {
            check_complete(&tree, document)?;
            Ok(objects_in(&tree))
        }
    }
}

/// Every object needs apiVersion, kind and a name (or `generateName`, which hooks may have instead).
fn check_complete(tree: &Value, document: &Document) -> Result<()> {
    let line = document.line;
    if !tree.is_object() {
        bail!("the document at line {line} of the render is not an object");
    }
    for (_, object) in Object::new(tree.clone()).flatten() {
        let generated = object
            .at("/metadata/generateName")
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty());
        let lacks = [
            ("apiVersion", object.api_version().is_empty()),
            ("kind", object.kind().is_empty()),
            ("metadata.name", object.name().is_empty() && !generated),
        ];
        if let Some((field, _)) = lacks.iter().find(|(_, lacks)| *lacks) {
            bail!("an object of the document at line {line} of the render has no `{field}`: the render is incomplete");
        }
    }
    Ok(())
}

fn describe(tree: &Value, document: &Document) -> String {
    let object = Object::new(tree.clone());
    let name = object
        .reference()
        .map_or_else(|| object.kind().to_owned(), |reference| reference.to_string());
    format!("{name}, at line {} of the render", document.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_found_wherever_it_stands() {
        let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: a\n";
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n";
        let list = |item: &str| {
            let lines: Vec<&str> = item.lines().collect();
            format!("apiVersion: v1\nkind: List\nitems:\n- {}\n", lines.join("\n  "))
        };
        assert!(has_namespace(&format!("{claim}---\n{namespace}")).unwrap());
        assert!(has_namespace(&list(namespace)).unwrap());
        assert!(has_namespace("{\"kind\": \"Namespace\", \"apiVersion\": \"v1\"}").unwrap());
        assert!(!has_namespace(&list(claim)).unwrap());
        assert!(!has_namespace(claim).unwrap());
    }
}
