//! Source lines without the values that nobody may see: those of Secrets, and Helm values in an Application.

use std::ops::Range;

use serde_json::Value;

use crate::masking::{is_secret, logins, secrets_within};
use crate::model::object::annotation_pointer;
use crate::model::{Application, Object, Pointer, PointerBuf, PointerExt, Source};
use crate::repo::{Manifest, Repo};

/// Returns the ranges of a manifest's file that hold values nobody may see, in order; all of its document where that
/// cannot be read.
pub(super) fn secret_ranges(repo: &Repo, manifest: &Manifest) -> Vec<Range<usize>> {
    let pointers = secret_places(&manifest.object);
    if pointers.is_empty() {
        return Vec::new();
    }
    let mut ranges = repo
        .value_ranges(manifest, &pointers)
        .unwrap_or_else(|| vec![repo.files[&manifest.file].documents[manifest.document].range.clone()]);
    ranges.sort_by_key(|range| (range.start, range.end));
    // Those inside of another one say nothing more, and the ends are in order then, too.
    let mut end = 0;
    ranges.retain(|range| {
        let says_more = range.end > end;
        end = end.max(range.end);
        says_more
    });
    ranges
}

/// Returns the places of an object with values that nobody may see; what is below them is meant, too.
pub(super) fn secret_places(object: &Object) -> Vec<PointerBuf> {
    let mut pointers = secret_pointers(object);
    named_secrets(object.tree(), PointerBuf::new(), &mut pointers);
    pointers
}

/// Returns a line of a file, or a part of one, with what is secret replaced by `*`, byte for byte: the given ranges, and the
/// logins and tokens of URLs.
pub(super) fn masked(text: &str, line: Range<usize>, secret: &[Range<usize>]) -> String {
    let mut shown = text[line.clone()].trim_end_matches('\r').to_owned();
    let first = secret.partition_point(|range| range.end <= line.start);
    let inside = secret[first..].iter().take_while(|range| range.start < line.end);
    let inside = inside.map(|range| range.start.max(line.start) - line.start..range.end.min(line.end) - line.start);
    let of_urls = logins(&shown).into_iter().map(|place| place.range());
    let of_texts: Vec<String> = secrets_within(&shown);
    let of_texts = of_texts
        .iter()
        .filter_map(|text| shown.find(text.as_str()).map(|at| at..at + text.len()));
    let ranges: Vec<Range<usize>> = inside.chain(of_urls).chain(of_texts).collect();
    for range in ranges {
        let range = range.start..range.end.min(shown.len());
        if range.start < range.end {
            let stars = mask(&shown[range.clone()]);
            shown.replace_range(range, &stars);
        }
    }
    shown
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

/// Adds the places of texts and numbers under keys that mean a secret, and of variables with such a name.
fn named_secrets(tree: &Value, at: PointerBuf, found: &mut Vec<PointerBuf>) {
    match tree {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                named_secrets(item, at.child(index), found);
            }
        }
        Value::Object(map) => {
            let named = map.get("name").and_then(Value::as_str).is_some_and(is_secret);
            for (key, value) in map {
                let is_leaf = value.is_string() || value.is_number();
                if is_leaf && (is_secret(key) || named && key == "value") {
                    found.push(at.child(key.as_str()));
                } else if !is_leaf {
                    named_secrets(value, at.child(key.as_str()), found);
                }
            }
        }
        _ => {}
    }
}

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
const HARMLESS: &[&str] = &[
    "owns",
    "mounts",
    "writes",
    "releases",
    "keeps",
    "writers",
    "stamp-app",
    "chart",
    "chart-repo",
    "chart-version",
    "chart-digest",
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
    let has_login = !logins(source.repo_url()).is_empty();
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
