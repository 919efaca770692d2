//! HL409: a comment that ignores nothing hides the next finding that stands there.

use super::ignore::{Id, line};
use super::{Check, Finding, Fix, Ignore, Location, Meta, Rule, Scope, Severity, Subject};
use crate::model::{Availability, Unavailable};

static META: Meta = Meta {
    id: "HL409",
    name: "ignore-comment-is-needed",
    severity: Severity::Warning,
    summary: "every comment `# homelab: ignore …` ignores something",
    why: "A comment `# homelab: ignore HL123 reason` takes the findings of these rules out of the report, at its own line or, \
where it has a line for itself, at the next one that is no comment. When nothing is found there any more, because it was \
corrected or the line has moved, the comment only waits for the next finding, which nobody would see. Take it out; the fix \
does that. The reason is optional, and the next reader is glad of one.\n\n\
A finding is at the line that `validate` shows. One on an object that another repository or a chart brings is at `source` of \
its Application. Nothing is said about a comment as long as its rule depends on something that was not rendered.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Comments(check),
};

fn check(scope: &Scope<'_>, ignores: &[Ignore]) -> Vec<Finding> {
    let all_known = scope.repo.malformed.is_empty() && scope.subjects.iter().all(|subject| is_known(scope, subject));
    let of_ignore = |ignore: &Ignore| {
        let is_unused = |id: &&Id| id.ignorable().is_some_and(|rule| !ignore.used.contains(&rule.id));
        let is_certain = |id: &&Id| match id.rule.is_some_and(|rule| depends_on_objects(rule.id)) {
            true => all_known,
            false => !is_about_unknown(scope, ignore),
        };
        let ids = ignore.directive.ids.iter();
        let unused: Vec<&Id> = ids.filter(is_unused).filter(is_certain).collect();
        finding(ignore, &unused)
    };
    let read = ignores.iter().filter(|ignore| ignore.directive.fault.is_none());
    read.filter_map(of_ignore).collect()
}

fn finding(ignore: &Ignore, unused: &[&Id]) -> Option<Finding> {
    let names: Vec<&str> = unused.iter().map(|id| id.written.as_str()).collect();
    let (last, others) = names.split_last()?;
    let names = match others {
        [] => (*last).to_owned(),
        others => format!("{} and {last}", others.join(", ")),
    };
    let title = match unused.len() == ignore.directive.ids.len() {
        true => "take the comment out".to_owned(),
        false => format!("take {names} out of the comment"),
    };
    let is_unused = |id: &str| {
        unused
            .iter()
            .any(|unused| unused.rule.is_some_and(|rule| rule.id == id))
    };
    let elsewhere = ignore.elsewhere.iter().find(|(id, _)| is_unused(id));
    let elsewhere = elsewhere.map(|(id, line)| format!("; {id} is found at line {line}"));
    let message = format!(
        "the comment ignores nothing: there is no finding of {names} at line {}{}",
        ignore.line,
        elsewhere.unwrap_or_default()
    );
    Some(Finding::new(&META, message, ignore.location.clone()).fix(Fix::safe(title, ignore.without(unused))))
}

/// Reports whether the findings of a rule depend on the objects of Applications, and not on their manifests alone. The
/// others find something in an object only where an Application brings it, at its source.
fn depends_on_objects(id: &str) -> bool {
    id.starts_with("HL1") || id.starts_with("HL2") || id == "HL302" || id.starts_with("HL5")
}

/// Reports whether everything is known that an Application brings, or will never be known here.
fn is_known(scope: &Scope<'_>, subject: &Subject<'_>) -> bool {
    match scope.renders.get(&subject.name) {
        Some(Availability::Available(_)) => true,
        Some(Availability::Unavailable(why)) => matches!(
            why,
            Unavailable::OtherPlugin { .. } | Unavailable::UnsupportedOptions { .. }
        ),
        Some(Availability::Failed { .. }) | None => false,
    }
}

/// Reports whether a comment is about the source of an Application whose objects are not known.
fn is_about_unknown(scope: &Scope<'_>, ignore: &Ignore) -> bool {
    let is_it = |subject: &&Subject<'_>| {
        let manifest = subject.manifest;
        manifest.file == ignore.location.file && manifest.document == ignore.location.document
    };
    let unknown = scope
        .subjects
        .iter()
        .filter(is_it)
        .filter(|subject| !is_known(scope, subject));
    unknown.into_iter().any(|subject| {
        let source = Location::of(subject.manifest, subject.source_pointer());
        line(scope.repo, &source) == Some(ignore.line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;

    const APP: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: player\n  namespace: argocd\nspec:\n  source:\n    repoURL: https://git.example.org/charts\n    path: chart\n  syncPolicy:\n    automated: {}\n";

    fn case(from: &str, to: &str) -> Case {
        let text = APP.replace(from, to);
        assert_ne!(text, APP);
        Case::new().file("applications/player.yaml", &text)
    }

    #[test]
    fn fires() {
        let nothing = "the comment ignores nothing: there is no finding of";
        for (from, to, message) in [
            (
                "  source:",
                "  # homelab: ignore HL303 once\n  source:",
                "HL303 at line 8",
            ),
            (
                "    path: chart",
                "    path: chart # homelab: ignore HL307",
                "HL307 at line 9",
            ),
            (
                "    automated: {}",
                "    # homelab: ignore HL303, HL306, HL308\n    automated: {}",
                "HL303 and HL308 at line 12",
            ),
            (
                "  syncPolicy:",
                "  # homelab: ignore HL306\n  syncPolicy:",
                "HL306 at line 11; HL306 is found at line 12",
            ),
        ] {
            let case = case(from, to);
            let case = if to.contains("source:") {
                case.renders("player", [])
            } else {
                case
            };
            assert_eq!(case.messages(&RULE), [format!("{nothing} {message}")]);
        }
    }

    #[test]
    fn stays_silent() {
        for (from, to) in [
            ("    automated: {}", "    automated: {} # homelab: ignore HL306 reason"),
            ("    automated: {}", "    # homelab: ignore HL306\n    automated: {}"),
            // What was not rendered may have it.
            ("  source:", "  # homelab: ignore HL101\n  source:"),
            ("  source:", "  # homelab: ignore HL310\n  source:"),
            // These are for the rule on what comments name.
            ("  source:", "  # homelab: ignroe HL303\n  source:"),
            ("  source:", "  # homelab: ignore HL999, HL309\n  source:"),
        ] {
            assert_eq!(case(from, to).messages(&RULE), [""; 0], "{to}");
        }
    }

    #[test]
    fn fix_removes_it() {
        let text = case(
            "    automated: {}",
            "    automated: {} # homelab: ignore HL303, HL306, HL308 why",
        )
        .fixed(&RULE);
        assert_eq!(text, APP.replace("{}", "{} # homelab: ignore HL306 why"));
        for comment in [
            "    # homelab: ignore HL303 why\n    automated: {}",
            "    automated: {}  # homelab: ignore HL303",
        ] {
            assert_eq!(case("    automated: {}", comment).fixed(&RULE), APP);
        }
    }
}
