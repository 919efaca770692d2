//! `templatePatch`: a strategic merge patch on a rendered Application
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Template/#template-patch)).

use serde_json::{Map, Value as Json};

use super::{Reason, remove};
use crate::model::argocd_schema::{self, What};
use crate::yaml;

/// Applies a rendered patch.
pub(super) fn patched(mut application: Json, text: &str) -> Result<Json, Reason> {
    let wrong = |why: &str| Reason::invalid(format!("the result of `spec.templatePatch` is {why}"));
    let read = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).map_err(|_| wrong("not JSON"))?,
        false => yaml::raw_value(text)
            .map_err(|error| wrong(&format!("not YAML: {error}")))?
            .unwrap_or_default(),
    };
    let patch = match read {
        Json::Object(patch) => patch,
        Json::Null => Map::new(),
        _ => return Err(wrong("not a map")),
    };
    check(&Json::Object(patch.clone()))?;
    let project = application["spec"]["project"].clone();
    if let Json::Object(map) = &mut application {
        merge(map, &patch, "")?;
    }
    for fault in argocd_schema::faults("Application", &application.clone()) {
        if matches!(fault.what, What::Unknown { .. }) {
            remove(&mut application, fault.pointer.as_str());
        }
    }
    if !application["spec"].is_object() {
        application["spec"] = Json::Object(Map::new());
    }
    if let Json::Object(spec) = &mut application["spec"] {
        match project {
            Json::Null => spec.remove("project"),
            project => spec.insert("project".to_owned(), project),
        };
    }
    Ok(application)
}

fn check(patch: &Json) -> Result<(), Reason> {
    for fault in argocd_schema::faults("Application", patch) {
        if let What::WrongType { expected, .. } = fault.what {
            let place = fault.pointer.as_str();
            // Go takes it for its type's zero value.
            if patch.pointer(place).is_some_and(Json::is_null) {
                return Err(Reason::unsupported(format!(
                    "the null at `{place}` of `spec.templatePatch`"
                )));
            }
            return Err(Reason::invalid(format!(
                "`spec.templatePatch`: `{place}` has to be {expected}"
            )));
        }
    }
    Ok(())
}

fn merge(into: &mut Map<String, Json>, patch: &Map<String, Json>, place: &str) -> Result<(), Reason> {
    for (key, value) in patch {
        if key.starts_with('$') {
            return Err(Reason::unsupported(format!(
                "the directive `{key}` in `spec.templatePatch`"
            )));
        }
        let below = format!("{place}/{key}");
        let is_free = place.ends_with("/valuesObject") || place.contains("/valuesObject/");
        match (into.get_mut(key), value) {
            (_, Json::Null) => {
                into.remove(key);
            }
            (Some(Json::Object(_) | Json::Array(_)), Json::Object(_) | Json::Array(_)) if is_free => {
                return Err(Reason::invalid(format!("`spec.templatePatch` cannot merge `{below}`")));
            }
            (Some(Json::Object(known)), Json::Object(patch)) => merge(known, patch, &below)?,
            (Some(Json::Array(known)), Json::Array(list)) if below == "/metadata/finalizers" => {
                known.retain(|item| !list.contains(item));
                known.splice(..0, list.iter().cloned());
            }
            (known, _) => {
                check_directives(value)?;
                let value = match known {
                    None => without_nulls(value),
                    Some(_) => value.clone(),
                };
                into.insert(key.clone(), value);
            }
        }
    }
    Ok(())
}

/// Returns a value without the entries of maps that are null: they remove nothing where there is nothing.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let entries = map.iter().filter(|(_, value)| !value.is_null());
            Json::Object(
                entries
                    .map(|(key, value)| (key.clone(), without_nulls(value)))
                    .collect(),
            )
        }
        Json::Array(list) => Json::Array(list.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

fn check_directives(value: &Json) -> Result<(), Reason> {
    match value {
        Json::Object(map) => map.iter().try_for_each(|(key, value)| match key.starts_with('$') {
            true => Err(Reason::unsupported(format!(
                "the directive `{key}` in `spec.templatePatch`"
            ))),
            false => check_directives(value),
        }),
        Json::Array(list) => list.iter().try_for_each(check_directives),
        _ => Ok(()),
    }
}
