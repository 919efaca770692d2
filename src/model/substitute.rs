//! `$NAME` and `${NAME}` in parameters and value file names, as Argo CD substitutes them for native Helm: Go's
//! `os.Expand` with `$$` for a dollar
//! ([source](https://github.com/argoproj/argo-cd/blob/master/pkg/apis/application/v1alpha1/types.go), `Envsubst`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::application::{Application, Source};
use super::pointer::{PointerBuf, PointerExt};

/// The variables that Argo CD has for an Application
/// ([source](https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/)).
pub const VARIABLES: [&str; 9] = [
    "ARGOCD_APP_NAME",
    "ARGOCD_APP_NAMESPACE",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_SOURCE_REPO_URL",
    "ARGOCD_APP_SOURCE_TARGET_REVISION",
];

/// The plugin's parameters in which variables are substituted, and the fields of Argo CD's own tools.
const PARAMETERS: [&str; 4] = [
    "helm-parameters",
    "helm-string-parameters",
    "helm-file-parameters",
    "values-files",
];
const FIELDS: [(&[&str], &str); 5] = [
    (&["helm", "parameters"], "value"),
    (&["helm", "fileParameters"], "path"),
    (&["helm", "valueFiles"], ""),
    (&["directory", "jsonnet", "extVars"], "value"),
    (&["directory", "jsonnet", "tlas"], "value"),
];

/// A `$` before something that is no variable of Argo CD: nothing takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Where the text stands in the Application.
    pub pointer: PointerBuf,
    /// What the text is for: the name of a value, or the parameter.
    pub of: String,
    /// The name behind the dollar, if it is written as a variable's; another one may be part of a password.
    pub name: Option<String>,
}

/// Finds the variables in an Application that Argo CD does not know.
pub fn unknown_variables(app: &Application<'_>) -> Vec<UnknownVariable> {
    let sources = app.sources();
    let references: BTreeSet<&str> = sources.iter().filter_map(Source::reference).collect();
    let mut unknown = Vec::new();
    for source in &sources {
        for Substituted {
            pointer,
            of,
            text,
            is_file,
        } in texts(source)
        {
            substitute_with(text, |name| {
                let part = |c: char| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit();
                let name_of_variable = name.chars().all(part).then(|| name.to_owned());
                let is_known = name == "$" || VARIABLES.contains(&name) || references.contains(name);
                // A file of a source that is not there is another mistake.
                let is_reference = is_file && name_of_variable.is_none();
                if !is_known && !is_reference {
                    unknown.push(UnknownVariable {
                        pointer: pointer.clone(),
                        of: of.clone(),
                        name: name_of_variable,
                    });
                }
                String::new()
            });
        }
    }
    unknown
}

/// A text in which variables are substituted.
struct Substituted<'o> {
    pointer: PointerBuf,
    of: String,
    text: &'o str,
    is_file: bool,
}

/// Returns the texts of a source in which variables are substituted.
fn texts<'o>(source: &Source<'o>) -> Vec<Substituted<'o>> {
    let mut found = Vec::new();
    let mut add = |pointer: PointerBuf, of: &str, text: Option<&'o Value>, is_file: bool| {
        found.extend(text.and_then(Value::as_str).map(|text| Substituted {
            pointer,
            of: of.to_owned(),
            text,
            is_file,
        }));
    };
    let list = |path: &[&str]| {
        source
            .value(&source.at(path))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let name = |entry: &'o Value| entry.get("name").and_then(Value::as_str).unwrap_or_default();
    for (index, parameter) in list(&["plugin", "parameters"]).enumerate() {
        let (of, place) = (name(parameter), source.at(&["plugin", "parameters"]).child(index));
        if !source.uses_homelab_plugin() || !PARAMETERS.contains(&of) {
            continue;
        }
        let is_file = of.contains("file");
        for (key, text) in parameter.get("map").and_then(Value::as_object).into_iter().flatten() {
            add(place.child("map").child(key.as_str()), key, Some(text), is_file);
        }
        let array = parameter.get("array").and_then(Value::as_array);
        for (index, text) in array.into_iter().flatten().enumerate() {
            add(place.child("array").child(index), of, Some(text), is_file);
        }
    }
    for (path, field) in FIELDS {
        for (index, entry) in list(path).enumerate() {
            let place = source.at(path).child(index);
            match field {
                "" => add(place, &path.join("."), Some(entry), true),
                field => add(place.child(field), name(entry), entry.get(field), field == "path"),
            }
        }
    }
    found
}

/// Substitutes the variables in a text; an unknown one is empty.
pub fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    substitute_with(text, |name| match name {
        "$" => "$".to_owned(),
        _ => variables.get(name).cloned().unwrap_or_default(),
    })
}

/// Reports whether a text names a variable that is none, so that a part of it gets lost.
pub fn is_lossy(text: &str, variables: &BTreeMap<String, String>) -> bool {
    let mut is_lossy = false;
    substitute_with(text, |name| {
        is_lossy |= name != "$" && !variables.contains_key(name);
        String::new()
    });
    is_lossy
}

/// Substitutes what stands behind each dollar.
fn substitute_with(text: &str, mut value: impl FnMut(&str) -> String) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        let (name, width) = shell_name(rest);
        if name.is_empty() && width == 0 {
            out.push('$');
        } else if !name.is_empty() {
            out.push_str(&value(name));
        }
        rest = &rest[width..];
    }
    out.push_str(rest);
    out
}

/// Returns the name after a dollar and its length in bytes, as Go reads it: an invalid `${` consumes the bytes that
/// were read.
fn shell_name(text: &str) -> (&str, usize) {
    let is_special = |byte: u8| b"*#$@!?-".contains(&byte) || byte.is_ascii_digit();
    let is_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'{') => {
            if bytes.len() > 2 && is_special(bytes[1]) && bytes[2] == b'}' {
                return (&text[1..2], 3);
            }
            match text[1..].find('}') {
                Some(0) => ("", 2),
                Some(end) => (&text[1..=end], end + 2),
                None => ("", 1),
            }
        }
        Some(&byte) if is_special(byte) => (&text[..1], 1),
        _ => {
            let width = bytes.iter().take_while(|byte| is_name(**byte)).count();
            (&text[..width], width)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Object;
    use serde_json::json;

    #[test]
    fn substitutes_as_go_does() {
        let variables = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("A_B".to_owned(), "2".to_owned())]);
        for (text, expected) in [
            ("x-$A-${A_B}y", "x-1-2y"),
            ("$A_B", "2"),
            ("$NOPE|${NOPE}", "|"),
            ("$$A", "$A"),
            ("$1 $@ $* $-", "   "),
            ("a$", "a$"),
            ("$.x", "$.x"),
            ("${}x", "x"),
            ("${A", "A"),
            ("ä$Aö", "ä1ö"),
        ] {
            assert_eq!(substitute(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn unknown_variables_are_found_where_argo_cd_substitutes() {
        let object = Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"sources": [
                {"ref": "values"},
                {
                    "helm": {
                        "valueFiles": ["$values/a.yaml", "${NOPE}.yaml"],
                        "parameters": [{"name": "image", "value": "x/$HOME"}, {"name": "ok", "value": "$$HOME$ARGOCD_APP_NAME"}],
                        "values": "a: $HOME",
                    },
                },
                {"plugin": {"name": "homelab-v1", "parameters": [
                    {"name": "helm-parameters", "map": {"password": "pas$word"}},
                    {"name": "values", "string": "a: $HOME"},
                ]}},
            ]},
        }));
        let unknown = unknown_variables(&Application::new(&object).unwrap());
        let found: Vec<(&str, &str, Option<&str>)> = unknown
            .iter()
            .map(|unknown| (unknown.pointer.as_str(), unknown.of.as_str(), unknown.name.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("/spec/sources/1/helm/parameters/0/value", "image", Some("HOME")),
                ("/spec/sources/1/helm/valueFiles/1", "helm.valueFiles", Some("NOPE")),
                ("/spec/sources/2/plugin/parameters/0/map/password", "password", None),
            ]
        );
    }

    #[test]
    fn a_variable_that_is_none_is_noticed() {
        let variables = BTreeMap::from([("ARGOCD_APP_NAME".to_owned(), "player".to_owned())]);
        for (text, expected) in [
            ("reg/$HOME", true),
            ("pas$word", true),
            ("${HOME}", true),
            ("pa$$word", false),
            ("x-$ARGOCD_APP_NAME", false),
            ("5 $ or so", false),
            ("plain", false),
        ] {
            assert_eq!(is_lossy(text, &variables), expected, "{text}");
        }
    }
}
