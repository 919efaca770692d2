//! The JSON schema of `.homelab.yaml`, for editors: `homelab.schema.json` in the repository.

use serde_json::{Map, Value, json};

use super::TABLE;
use crate::model::settings::{Flavour, Level};
use crate::rules;

/// Returns the schema.
pub fn schema() -> Value {
    let properties = TABLE.iter().map(|key| {
        let mut schema = of_key(key.name);
        schema["description"] = json!(key.doc);
        (key.name.to_owned(), schema)
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of kubectl homelab",
        "description": "What a GitOps repository says about itself and its cluster; `.homelab.yaml` at its root.",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// Returns the schema as the file has it.
///
/// # Errors
/// Never in practice: it holds texts and lists.
pub fn schema_text() -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&schema())? + "\n")
}

fn of_key(name: &str) -> Value {
    match name {
        // An editor reads `1.30` as a number, the program as a text.
        "kubeVersion" => json!({
            "type": ["string", "number", "null"],
            "pattern": r"^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+].*)?$",
            "examples": ["1.34"],
        }),
        "apiVersions" => json!({
            "type": ["array", "null"],
            "items": {"type": "string", "pattern": "^[^/ ,]+(/[^/ ,]+){0,2}$"},
        }),
        "flavour" => {
            let names = Flavour::NAMES.iter().map(|(_, name)| json!(name));
            json!({"enum": names.chain([Value::Null]).collect::<Vec<_>>()})
        }
        "nodes" => json!({"type": ["integer", "null"], "minimum": 1}),
        "exclude" => list(json!({
            "type": "string",
            "pattern": "[^*/]",
            "not": {"pattern": r"^!|(^|/)\.\.?(/|$)"},
        })),
        "repoURLs" => list(json!({
            "type": "string",
            "pattern": r"^((https?|ssh|git|file)://[^\s]+|[^/\s]+:[^\s]+)$",
        })),
        "roots" => list(map(
            &["path"],
            json!({
                "path": {"type": "string", "minLength": 1},
                "name": text(),
                "namespace": {"type": ["string", "null"], "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
                "values": list(json!({"type": "string", "minLength": 1})),
                "parameters": texts(),
            }),
        )),
        "clusters" => list(map(
            &["name", "server"],
            json!({
                "name": {"type": ["string", "number"], "minLength": 1},
                "server": {"type": "string", "pattern": r"^https?://[^\s]+$"},
                "project": text(),
                "labels": texts(),
                "annotations": texts(),
            }),
        )),
        _ => json!({
            "type": ["object", "null"],
            "additionalProperties": false,
            "properties": rules::metas().map(|meta| (meta.id.to_owned(), of_rule(meta))).collect::<Map<_, _>>(),
        }),
    }
}

fn list(items: Value) -> Value {
    json!({"type": ["array", "null"], "items": items})
}

fn map(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

fn text() -> Value {
    json!({"type": ["string", "number", "null"], "minLength": 1})
}

fn texts() -> Value {
    json!({"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean"]}})
}

fn of_rule(meta: &rules::Meta) -> Value {
    let levels = Level::NAMES.iter().filter(|(level, _)| *level != Level::Off);
    let mut values: Vec<Value> = levels.map(|(_, name)| json!(name)).collect();
    if !rules::is_locked(meta.id) {
        values.extend([json!("off"), json!("false"), json!(false)]);
    }
    json!({"description": format!("{} ({}): {}", meta.name, meta.severity, meta.summary), "enum": values})
}
