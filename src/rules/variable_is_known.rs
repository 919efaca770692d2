//! HL318: a `$` before something that Argo CD does not know leaves nothing.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::substitute::{UnknownVariable, VARIABLES, unknown_variables};

static META: Meta = Meta {
    id: "HL318",
    name: "variable-is-known",
    severity: Severity::Warning,
    summary: "variables in Helm parameters and in names of value files are ones that Argo CD has",
    why: "Argo CD substitutes `$NAME` and `${NAME}` in Helm parameters and in names of value files, and so does the plugin. It \
knows the variables that describe the Application, such as `ARGOCD_APP_NAME`, and none of the environment: `$HOME` becomes \
nothing, and so does a part of a password with a dollar in it, without a word. `$$` is a dollar. Texts of values \
(`values`, value files) are not touched.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let unknown = unknown_variables(&subject.app).into_iter();
    unknown
        .map(|unknown| subject.finding(&META, message(&unknown), &unknown.pointer).hint(hint()))
        .collect()
}

/// Returns what is wrong, in words.
pub fn message(unknown: &UnknownVariable) -> String {
    let of = &unknown.of;
    match &unknown.name {
        Some(name) => format!("`{of}` has `${name}`, which is no variable of Argo CD: nothing takes its place"),
        None => format!("`{of}` has a `$` before something that is no variable of Argo CD: nothing takes its place"),
    }
}

/// Returns the way out.
pub fn hint() -> String {
    format!("write `$$` for a dollar, or one of {}", VARIABLES.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;
    use serde_json::{Value, json};

    fn case(value: &str) -> Vec<Finding> {
        let parameters: Value = json!([{"name": "helm-parameters", "map": {"image": value}}]);
        Case::new().plugin("player", parameters).findings(&RULE)
    }

    #[test]
    fn fires() {
        assert_eq!(
            case("reg/$HOME")[0].message,
            "`image` has `$HOME`, which is no variable of Argo CD: nothing takes its place"
        );
        let of_password = &case("pas$word")[0].message;
        assert!(
            !of_password.contains("word") && of_password.contains("has a `$`"),
            "{of_password}"
        );
    }

    #[test]
    fn stays_silent() {
        for value in ["x-$ARGOCD_APP_NAME", "pa$$word", "a$", "plain"] {
            assert!(case(value).is_empty(), "{value}");
        }
    }

    #[test]
    fn says_the_way_out() {
        assert!(
            case("$HOME")[0]
                .hint
                .as_deref()
                .unwrap()
                .starts_with("write `$$` for a dollar")
        );
    }
}
