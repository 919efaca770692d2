//! The environment variables that Argo CD makes of plugin parameters, and how long one of them may be.
//!
//! Argo CD writes them in `reposerver` with Go's JSON encoder
//! ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#using-environment-variables-in-your-plugin)).

use super::parameter::Parameter;

/// Longest `NAME=value` that Linux hands to a program (`MAX_ARG_STRLEN` without the final NUL): with a longer one the
/// plugin does not even start.
pub const VARIABLE_MAX: usize = 131_071;

/// Returns the variables that Argo CD makes of the parameters, each with the bytes of its `NAME=value`:
/// `ARGOCD_APP_PARAMETERS` with all of them as JSON, and one `PARAM_…` for each value.
pub fn variables(list: &[Parameter]) -> Vec<(String, usize)> {
    let mut json = 2 + list.len().saturating_sub(1);
    let mut variables = vec![(String::new(), 0)];
    let mut add = |name: String, value: &str| {
        let bytes = name.len() + 1 + value.len();
        variables.push((name, bytes));
    };
    for parameter in list {
        json += r#"{"name":}"#.len() + json_bytes(&parameter.name);
        let name = format!("PARAM_{}", variable_part(&parameter.name));
        if let Some(text) = &parameter.string {
            json += r#","string":"#.len() + json_bytes(text);
            add(name.clone(), text);
        }
        if let Some(array) = &parameter.array {
            json += r#","array":[]"#.len() + array.len().saturating_sub(1);
            for (index, text) in array.iter().enumerate() {
                json += json_bytes(text);
                add(format!("{name}_{index}"), text);
            }
        }
        if let Some(map) = &parameter.map {
            json += r#","map":{}"#.len() + map.len().saturating_sub(1);
            for (key, text) in map {
                json += json_bytes(key) + 1 + json_bytes(text);
                add(format!("{name}_{}", variable_part(key)), text);
            }
        }
    }
    let whole = "ARGOCD_APP_PARAMETERS";
    variables[0] = (whole.to_owned(), whole.len() + 1 + json);
    variables
}

/// Returns the variables of [`variables`] that are longer than [`VARIABLE_MAX`].
pub fn oversized(list: &[Parameter]) -> Vec<(String, usize)> {
    let mut variables = variables(list);
    variables.retain(|(_, bytes)| *bytes > VARIABLE_MAX);
    variables
}

fn variable_part(name: &str) -> String {
    let part = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    name.chars().map(part).collect()
}

/// Returns the bytes of a string as Go writes it in JSON: `<`, `>`, `&` and the two Unicode line separators are
/// escaped, too.
fn json_bytes(text: &str) -> usize {
    let bytes = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    };
    2 + text.chars().map(bytes).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::parameter::read;
    use serde_json::json;

    #[test]
    fn the_variables_are_measured_as_go_writes_them() {
        let list = read(&json!([
            {"name": "values", "string": "a: <b>\n\u{1}ä\u{2028}\"\\"},
            {"name": "owns", "array": ["x", "y"]},
            {"name": "helm-parameters", "map": {"a.b": "1", "c": "&"}},
            {"name": "writes", "array": []},
        ]))
        .unwrap();
        let written = concat!(
            r#"ARGOCD_APP_PARAMETERS=[{"name":"values","string":"a: \u003cb\u003e\n\u0001ä\u2028\"\\"},"#,
            r#"{"array":["x","y"],"name":"owns"},{"map":{"a.b":"1","c":"\u0026"},"name":"helm-parameters"},"#,
            r#"{"array":[],"name":"writes"}]"#
        );
        let measured = variables(&list);
        assert_eq!(measured[0], ("ARGOCD_APP_PARAMETERS".to_owned(), written.len()));
        let names: Vec<&str> = measured.iter().skip(1).map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "PARAM_VALUES",
                "PARAM_OWNS_0",
                "PARAM_OWNS_1",
                "PARAM_HELM_PARAMETERS_A_B",
                "PARAM_HELM_PARAMETERS_C"
            ]
        );
        assert_eq!(measured[2].1, "PARAM_OWNS_0=x".len());
    }

    #[test]
    fn the_limit_is_exact() {
        let of = |bytes: usize| {
            let list = [Parameter {
                name: "values".to_owned(),
                string: Some("x".repeat(bytes)),
                ..Parameter::default()
            }];
            oversized(&list).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let frame = variables(&[Parameter {
            name: "values".to_owned(),
            string: Some(String::new()),
            ..Parameter::default()
        }]);
        assert!(of(VARIABLE_MAX - frame[0].1).is_empty());
        assert_eq!(of(VARIABLE_MAX - frame[0].1 + 1), ["ARGOCD_APP_PARAMETERS"]);
        assert_eq!(
            of(VARIABLE_MAX - frame[1].1 + 1),
            ["ARGOCD_APP_PARAMETERS", "PARAM_VALUES"]
        );
    }
}
