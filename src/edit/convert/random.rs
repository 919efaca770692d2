//! What differs between the two renders of an Application: what differs between two native renders, too, is no difference
//! of the move. A random value is only reported; a random name or key needs a decision; a claim is never random.

use serde_json::Value;

use super::refusal::Refusal;
use crate::compare::{Action, Difference, Reason};
use crate::model::claim::is_claim;
use crate::model::parameter::PatchTarget;
use crate::model::{Application, Object};

const TOO: &str = "between two native renders, too";

/// The places that an Application's own `patches` set.
#[derive(Debug, Default)]
pub(super) struct Patched(Vec<(PatchTarget, Value)>);

impl Patched {
    /// Reads them from the parameters of an Application.
    pub(super) fn of(app: &Application<'_>) -> Self {
        let sources = app.sources();
        let parameters = sources.iter().filter_map(|source| source.parameters().ok());
        Self(parameters.flat_map(|parameters| parameters.patches).collect())
    }

    /// Reports whether a patch sets all places at which an object differs: they are the same in the cluster.
    fn settles(&self, difference: &Difference) -> bool {
        let Action::Changed(pointers) = &difference.action else {
            return false;
        };
        let is_of = |target: &PatchTarget| {
            let name = format!("{}/{}", target.kind, target.name);
            difference.object == name || difference.object.ends_with(&format!("/{name}"))
        };
        let of_object = self.0.iter().filter(|(target, _)| is_of(target));
        let paths: Vec<&str> = of_object
            .filter_map(|(_, patch)| patch.as_array())
            .flatten()
            .filter(|operation| matches!(operation["op"].as_str(), Some("add" | "replace" | "remove")))
            .filter_map(|operation| operation["path"].as_str())
            .collect();
        pointers.iter().all(|pointer| {
            paths.iter().any(|path| {
                pointer
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
    }
}

/// Decides about the differences of an Application: returns remarks on those that do not matter.
///
/// # Errors
/// When the two renders differ, or the user has to decide.
pub(super) fn decide(
    name: &str,
    differences: &[Difference],
    patched: &Patched,
    accept_random: bool,
) -> Result<Vec<String>, Vec<Refusal>> {
    let is_real = |difference: &&Difference| matches!(difference.reason, Reason::Content | Reason::Incomparable);
    let lines = || differences.iter().map(line);
    if differences.iter().any(|difference| is_real(&difference)) {
        let hint = differences
            .iter()
            .all(|difference| difference.reason != Reason::Content)
            .then(|| "render a fixed number of objects with fixed names, by the values of the chart".to_owned());
        return Err(refusals(
            format!("Application `{name}` would not render the same:"),
            lines(),
            hint,
        ));
    }
    if differences.iter().any(|difference| difference.of_claim) {
        let claims = differences.iter().filter(|difference| difference.of_claim);
        return Err(random_claims(name, claims.map(line)));
    }
    let is_open = |difference: &Difference| difference.reason == Reason::RandomShape && !patched.settles(difference);
    if !accept_random && differences.iter().any(is_open) {
        let open = differences.iter().filter(|difference| is_open(difference));
        return Err(refusals(
            format!("Application `{name}` has random names or keys:"),
            open.map(line),
            Some(
                "fix them by the values of the chart or by the parameter `patches`, or go on with `--accept-random`"
                    .to_owned(),
            ),
        ));
    }
    Ok(lines().collect())
}

/// Returns the refusal of an Application whose claims have other names in every native render.
pub(super) fn claims(name: &str, one: &[Object], again: &[Object]) -> Option<Vec<Refusal>> {
    let is_in = |objects: &[Object], claim: &Object| objects.iter().any(|other| other.reference() == claim.reference());
    let random = one.iter().filter(|object| is_claim(object) && !is_in(again, object));
    let lines: Vec<String> = random
        .map(|claim| format!("  {}/{}: its name differs {TOO}", claim.kind(), claim.name()))
        .collect();
    (!lines.is_empty()).then(|| random_claims(name, lines.into_iter()))
}

fn random_claims(name: &str, lines: impl Iterator<Item = String>) -> Vec<Refusal> {
    refusals(
        format!("Application `{name}` has random claims, which lose their data at every sync:"),
        lines,
        Some("give them fixed names by the values of the chart, and copy the data into the new claims".to_owned()),
    )
}

fn refusals(head: String, lines: impl Iterator<Item = String>, hint: Option<String>) -> Vec<Refusal> {
    let messages = std::iter::once(head).chain(lines);
    let mut refusals: Vec<Refusal> = messages.map(|message| Refusal { message, hint: None }).collect();
    if let Some(last) = refusals.last_mut() {
        last.hint = hint;
    }
    refusals
}

fn line(difference: &Difference) -> String {
    let is_random = difference.reason != Reason::Content;
    let what = match &difference.action {
        Action::Removed | Action::Added if is_random => format!("objects of this kind differ {TOO}"),
        Action::Removed => "rendered by Argo CD's own tool only".to_owned(),
        Action::Added => "rendered by the plugin only".to_owned(),
        Action::Moved => "is in another place".to_owned(),
        Action::Changed(pointers) if is_random => {
            let verb = if pointers.len() == 1 { "differs" } else { "differ" };
            format!("{} {verb} {TOO}", pointers.join(", "))
        }
        Action::Changed(pointers) => format!("differs at {}", pointers.join(", ")),
    };
    format!("  {}: {what}", difference.object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn difference(object: &str, pointer: &str, reason: Reason, of_claim: bool) -> Difference {
        Difference {
            object: object.to_owned(),
            action: Action::Changed(vec![pointer.to_owned()]),
            reason,
            of_claim,
        }
    }

    fn decided(
        differences: &[Difference],
        patched: &Patched,
        accept_random: bool,
    ) -> Result<Vec<String>, (String, String)> {
        decide("player", differences, patched, accept_random).map_err(|refusals| {
            let messages: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
            let hint = refusals.last().and_then(|refusal| refusal.hint.clone());
            (messages.join("\n"), hint.unwrap_or_default())
        })
    }

    #[test]
    fn a_random_value_is_reported_and_a_random_key_needs_a_decision() {
        let value = difference("Secret/s", "/data/password", Reason::RandomValue, false);
        let key = difference("ConfigMap/c", "/data/x", Reason::RandomShape, false);
        let nothing = Patched::default();
        assert_eq!(
            decided(std::slice::from_ref(&value), &nothing, false).unwrap(),
            ["  Secret/s: /data/password differs between two native renders, too"]
        );
        let mut values = difference("Secret/s", "/data/a", Reason::RandomValue, false);
        values.action = Action::Changed(["/data/a", "/data/b"].map(str::to_owned).to_vec());
        assert_eq!(
            line(&values),
            "  Secret/s: /data/a, /data/b differ between two native renders, too"
        );
        let both = [value, key];
        let (message, hint) = decided(&both, &nothing, false).unwrap_err();
        assert_eq!(
            message,
            "Application `player` has random names or keys:\n  ConfigMap/c: /data/x differs between two native renders, too"
        );
        assert!(hint.contains("--accept-random"), "{hint}");
        assert_eq!(decided(&both, &nothing, true).unwrap().len(), 2);
        for (target, path, settles) in [
            ("ConfigMap/c", "/data/x", true),
            ("ConfigMap/c", "/data", true),
            ("ConfigMap/c", "/data/xy", false),
            ("ConfigMap/other", "/data/x", false),
        ] {
            let target = PatchTarget::parse(target).unwrap();
            let patched = Patched(vec![(target, json!([{"op": "replace", "path": path, "value": "1"}]))]);
            assert_eq!(decided(&both, &patched, false).is_ok(), settles, "{path}");
        }
    }

    #[test]
    fn no_decision_makes_a_real_difference_or_a_random_claim_pass() {
        let nothing = Patched::default();
        let real = [
            difference("Pod/p", "/spec/x", Reason::Content, false),
            difference("Secret/s", "/data/a", Reason::RandomValue, false),
        ];
        assert_eq!(
            decided(&real, &nothing, true).unwrap_err().0,
            "Application `player` would not render the same:\n  Pod/p: differs at /spec/x\n  Secret/s: /data/a differs between two native renders, too"
        );
        let incomparable = [Difference {
            action: Action::Removed,
            ..difference("Job/j", "", Reason::Incomparable, false)
        }];
        assert!(
            decided(&incomparable, &nothing, true)
                .unwrap_err()
                .1
                .contains("fixed number")
        );
        for reason in [Reason::RandomValue, Reason::RandomShape] {
            let claim = [difference("PersistentVolumeClaim/a", "/metadata/name", reason, true)];
            let (message, hint) = decided(&claim, &nothing, true).unwrap_err();
            assert!(
                message.starts_with("Application `player` has random claims"),
                "{message}"
            );
            assert!(hint.contains("fixed names"), "{hint}");
        }
    }
}
