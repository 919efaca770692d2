//! HL410: a comment that ignores a rule names it by an id that there is.

use super::ignore::{Fault, Id};
use super::{Check, Finding, Ignore, Meta, Rule, Scope, Severity, is_locked};

static META: Meta = Meta {
    id: "HL410",
    name: "ignore-comment-names-rules",
    severity: Severity::Warning,
    summary: "every comment `# homelab: ignore …` names rules that can be ignored",
    why: "A comment `# homelab: ignore HL123 reason` names the rules by their ids, separated by commas or blanks; what follows \
is the reason. An id that is misspelled ignores nothing, and a comment without one does not ignore everything: whoever wrote \
it believes in something that is not so. HL309 and HL406 cannot be ignored, since nothing else is certain while they are \
found, nor can the rules on these comments. Write the id that is meant; `kubectl homelab explain` lists them.",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Comments(check),
};

fn check(_: &Scope<'_>, ignores: &[Ignore]) -> Vec<Finding> {
    ignores.iter().flat_map(of_ignore).collect()
}

fn of_ignore(ignore: &Ignore) -> Vec<Finding> {
    let finding = |message: String| Finding::new(&META, message, ignore.location.clone());
    match &ignore.directive.fault {
        Some(Fault::Misspelled(verb)) => {
            return vec![finding(format!("`{verb}` is not known in a comment `homelab:`")).hint("write `ignore`")];
        }
        Some(Fault::OutsideOfDocuments) => {
            let message = format!("the comment `{}` is not read: it belongs to no document", ignore.text);
            return vec![finding(message).hint("put it below the `---`, above the line that it is about")];
        }
        None => {}
    }
    if ignore.directive.ids.is_empty() {
        let message = "the comment ignores nothing: it names no rule".to_owned();
        return vec![finding(message).hint("write the rule's id behind `ignore`, as `ignore HL123`")];
    }
    let wrong = ignore.directive.ids.iter().filter(|id| id.ignorable().is_none());
    wrong.map(|id| of_id(id, finding)).collect()
}

fn of_id(id: &Id, finding: impl Fn(String) -> Finding) -> Finding {
    match id.rule {
        Some(rule) if is_locked(rule.id) => finding(format!(
            "{} cannot be ignored: nothing else is certain while it is found",
            rule.id
        ))
        .hint(format!("correct what breaks `{}`", rule.name)),
        Some(rule) => finding(format!("{} cannot be ignored by a comment", rule.id)).hint(format!(
            "correct the comment, or write `{}: off` in `.homelab.yaml`",
            rule.id
        )),
        None => {
            let hint = match id.meant() {
                Some(rule) => format!("write `{}`, which is {}", rule.id, rule.name),
                None => "list the rules with `kubectl homelab explain`".to_owned(),
            };
            finding(format!("there is no rule `{}` to ignore", id.written)).hint(hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::Case;

    fn case(comment: &str) -> Case {
        let text = format!("# {comment}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n");
        Case::new().file("applications/a.yaml", &text)
    }

    /// The comment, the message and the hint.
    const FIRING: [(&str, &str, &str); 6] = [
        (
            "homelab: ignore HL1060 x",
            "there is no rule `HL1060` to ignore",
            "write `HL106`, which is",
        ),
        (
            "homelab: ignore retry-refreshs",
            "there is no rule `retry-refreshs` to ignore",
            "write `HL306`",
        ),
        (
            "homelab: ignore HL309",
            "HL309 cannot be ignored",
            "correct what breaks",
        ),
        (
            "homelab: ignore HL409",
            "HL409 cannot be ignored by a comment",
            "`HL409: off`",
        ),
        ("homelab: ignore", "it names no rule", "write the rule's id"),
        ("homelab: ignroe HL101", "`ignroe` is not known", "write `ignore`"),
    ];

    #[test]
    fn fires() {
        for (comment, message, _) in FIRING {
            let found = case(comment).messages(&RULE);
            assert!(found.len() == 1 && found[0].contains(message), "{comment}: {found:?}");
        }
        assert_eq!(case("homelab: ignore HL101, HL998, HL999").messages(&RULE).len(), 2);
    }

    #[test]
    fn fires_beside_and_above_the_line_between_documents() {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ";
        let text = format!(
            "# homelab: ignore HL101\n---\n{map}a\n--- # homelab: ignore HL102\n{map}b\n# homelab: ignore HL103\n---\n{map}c\n"
        );
        let found = Case::new().file("applications/a.yaml", &text).messages(&RULE);
        let message = |id: &str| format!("the comment `# homelab: ignore {id}` is not read: it belongs to no document");
        assert_eq!(found, [message("HL101"), message("HL102")]);
    }

    #[test]
    fn stays_silent() {
        for comment in ["homelab: ignore HL101", "homelab: my cluster", "ignore HL999"] {
            assert_eq!(case(comment).messages(&RULE), [""; 0], "{comment}");
        }
    }

    #[test]
    fn says_the_way_out() {
        for (comment, _, hint) in FIRING {
            let found = case(comment).findings(&RULE).remove(0).hint.unwrap_or_default();
            assert!(found.contains(hint), "{comment}: {found}");
        }
    }
}
