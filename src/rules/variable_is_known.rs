//! HL318: a `$` before something that Argo CD does not know leaves nothing.

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::substitute::{UnknownVariable, unknown_variables};

static META: Meta = Meta {
    id: "HL318",
    name: "variable-is-known",
    severity: Severity::Warning,
    summary: "variables in Helm parameters and in names of value files are ones that Argo CD has",
    why: "Argo CD substitutes `$NAME` and `${NAME}` in Helm parameters and in names of value files, and so does the plugin. It \
knows the variables that describe the Application, and none of the environment: `$HOME` becomes nothing, and so does a part \
of a password with a dollar in it, without a word. `$$` is a dollar. Texts of values (`values`, value files) are not touched. \
The variables are `ARGOCD_APP_NAME`, `ARGOCD_APP_NAMESPACE`, `ARGOCD_APP_PROJECT_NAME`, `ARGOCD_APP_REVISION`, \
`ARGOCD_APP_REVISION_SHORT`, `ARGOCD_APP_REVISION_SHORT_8`, `ARGOCD_APP_SOURCE_PATH`, `ARGOCD_APP_SOURCE_REPO_URL` and \
`ARGOCD_APP_SOURCE_TARGET_REVISION`.\n\n\
https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Each(check),
};

fn check(_: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let unknown = unknown_variables(&subject.app).into_iter();
    unknown
        .map(|unknown| subject.finding(&META, message(&unknown), &unknown.pointer).hint(HINT))
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

/// The way out.
pub const HINT: &str = "write `$$` for a dollar; `kubectl homelab explain HL318` lists the variables";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::substitute::VARIABLES;
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
        for variable in VARIABLES {
            assert!(META.why.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
