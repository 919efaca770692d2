//! Source lines without the values that nobody may see: those of Secrets, and Helm values in an Application.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::object::annotation_pointer;
use crate::model::repo_url::shown;
use crate::model::{Application, Object, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Manifest, SourceFile};
use crate::yaml::Tree;

/// Returns a line of a file (a byte range without its end) with secret values replaced by `*`, byte for byte.
pub(super) fn masked_line(file: &SourceFile, manifest: &Manifest, line: Range<usize>) -> String {
    let base = file.documents[manifest.document].range.start;
    let secret = secret_pointers(&manifest.object);
    let mut text = file.text[line.clone()].trim_end_matches('\r').to_owned();
    if secret.is_empty() {
        return text;
    }
    let Ok(tree) = Tree::parse(file.document(manifest.document)) else {
        return "*".repeat(text.len());
    };
    for span in secret.iter().filter_map(|pointer| tree.locate(pointer)) {
        let (from, to) = (span.value.start + base, span.value.end + base);
        let from = from.clamp(line.start, line.end) - line.start;
        let to = (to.clamp(line.start, line.end) - line.start).min(text.len());
        if from < to {
            let stars = mask(&text[from..to]);
            text.replace_range(from..to, &stars);
        }
    }
    text
}

/// Replaces a text by stars, byte for byte; blanks stay, so that the indentation does.
fn mask(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                c.to_string()
            } else {
                "*".repeat(c.len_utf8())
            }
        })
        .collect()
}

/// Annotation: the object as `kubectl apply` got it last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns the places of values that may be secret.
fn secret_pointers(object: &Object) -> Vec<PointerBuf> {
    let of_secret = |object: &Object, base: &Pointer| -> Vec<PointerBuf> {
        let fields = ["data", "stringData"]
            .into_iter()
            .filter(|field| object.tree().get(*field).is_some());
        fields.map(|field| base.child(field)).collect()
    };
    if object.is("", "Secret") {
        // A Secret that was changed with `kubectl apply` carries its values in an annotation, too.
        let mut pointers = of_secret(object, Pointer::root());
        pointers.push(annotation_pointer(LAST_APPLIED));
        return pointers;
    }
    if object.is_list() {
        let secrets = object.flatten().into_iter().filter(|(_, item)| item.is("", "Secret"));
        return secrets.flat_map(|(base, item)| of_secret(&item, &base)).collect();
    }
    let sources = Application::new(object).map(|app| app.sources()).unwrap_or_default();
    sources.iter().flat_map(of_source).collect()
}

/// Parameters that hold names of things; all others, misspelt ones included, can hold anything.
const HARMLESS: [&str; 19] = [
    "owns",
    "mounts",
    "writes",
    "values-files",
    "ignore-missing-values-files",
    "helm-file-parameters",
    "release-name",
    "namespace",
    "skip-crds",
    "skip-tests",
    "skip-schema-validation",
    "dependency-update",
    "kube-version",
    "api-versions",
    "recurse",
    "include",
    "exclude",
    "allow-empty",
    "applications",
];

/// Returns the places of a source's Helm values: passwords are often among them.
fn of_source(source: &Source<'_>) -> Vec<PointerBuf> {
    let helm = ["values", "valuesObject", "parameters"].map(|field| source.at(&["helm", field]));
    let mut pointers: Vec<PointerBuf> = helm.into();
    pointers.push(source.at(&["plugin", "env"]));
    let has_login = matches!(shown(source.repo_url()), Cow::Owned(_));
    pointers.extend(has_login.then(|| source.at(&["repoURL"])));
    let parameters = source.plugin().and_then(|plugin| plugin.get("parameters")?.as_array());
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        let name = parameter.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        let fields = parameter.as_object().into_iter().flat_map(|fields| fields.keys());
        let secret = fields.filter(|field| *field != "name" && !HARMLESS.contains(&name));
        pointers.extend(secret.map(|field| source.at(&["plugin", "parameters"]).child(index).child(field)));
    }
    pointers
}
