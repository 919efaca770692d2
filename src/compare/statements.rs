//! What the repository itself says of a claim that its Application does not render any more: that it moves, is kept, or is let go.
//! A statement explains what Argo CD does, and changes nothing of it: guards alone keep a claim.

use super::level::Level;
use super::likeness::HASHED;
use super::prediction::{Action, Outcome};
use super::state::State;
use crate::model::{AppName, ClaimRef};

/// The reason of a claim that another Application takes over, as both say.
pub(super) const MOVED: &str = "moved";
/// The reason of a claim that stays, and of which `keeps` says whose it was.
const REMEMBERED: &str = "remembered";
/// The reason of a claim that is deleted, as `releases` has announced.
pub(super) const RELEASED: &str = "released";

/// The reason of what is not synced since the project of its Application refuses that.
pub(super) const REFUSED: &str = "project-refuses";

/// Returns how much an outcome matters where no check says more: a claim that stays, and is remembered, is as somebody wanted it.
pub(super) fn level(outcome: &Outcome) -> Level {
    match outcome.reason.word {
        REMEMBERED | HASHED => Level::Routine,
        REFUSED => Level::SyncFailure,
        _ => outcome.action.level(),
    }
}

/// Returns the parameter that says that a claim moves from one Application to another: `moved-from` of the new owner, or `moves` of
/// the old one.
pub(super) fn moves(head: &State<'_>, claim: &ClaimRef, [from, to]: [&AppName; 2]) -> Option<&'static str> {
    let is = |named: &AppName, app: &AppName| named == app || *named == app.without_root();
    let comes = head.scope.subject(to).is_some_and(|new| {
        let mut moved = new.read_sources().flat_map(|(_, parameters)| &parameters.moved_from);
        moved.any(|moved| is(&moved.from, from) && new.claim(&moved.claim).as_ref() == Some(claim))
    });
    let goes = || given(head, claim, from).is_some_and(|given| is(given, to));
    match comes {
        true => Some("moved-from"),
        false => goes().then_some("moves"),
    }
}

/// Returns the Application to which another one gives a claim, by `moves`.
fn given<'s>(head: &State<'s>, claim: &ClaimRef, from: &AppName) -> Option<&'s AppName> {
    let old = head.scope.subject(from)?;
    let mut moved = old.read_sources().flat_map(|(_, parameters)| &parameters.moves);
    let moved = moved.find(|moved| old.claim(&moved.claim).as_ref() == Some(claim))?;
    Some(&moved.to)
}

/// Returns what becomes of a claim of an Application that nothing renders any more, with what the repository says of it.
pub(super) fn explained(
    (base, head): (&State<'_>, &State<'_>),
    (app, claim): (&AppName, &ClaimRef),
    outcome: Outcome,
) -> Outcome {
    let (before, after) = (base.scope.claim(claim), head.scope.claim(claim));
    let (was_released, is_released) = (before.released_by.contains(app), after.released_by.contains(app));
    let kept_for = after.kept_for.first();
    let said = |more: &str| format!("{}; {more}", outcome.reason.sentence);
    let (word, sentence) = match (outcome.action, kept_for, given(head, claim, app)) {
        (action, ..) if action.deletes() && was_released => {
            (RELEASED, said("`releases` has announced that its data is lost"))
        }
        (action, Some(_), _) if action.deletes() => {
            (outcome.reason.word, said("`keeps` remembers it, and guards nothing"))
        }
        (action, None, Some(to)) if action.deletes() => {
            let more = format!("`moves` gives it to `{to}`, which does not render it, and guards nothing");
            (outcome.reason.word, said(&more))
        }
        (Action::Keep | Action::Orphan | Action::Left, Some(owner), _) => {
            let more = format!("`keeps` remembers it as a claim of `{owner}`");
            (REMEMBERED, said(&more))
        }
        (Action::Keep, ..) if was_released => (outcome.reason.word, said("its release has not been synced")),
        (Action::Keep, ..) if is_released => {
            let more = "`releases` comes with the change that removes it, and has to be synced before";
            (outcome.reason.word, said(more))
        }
        (_, _, Some(to)) => {
            let more = format!("`moves` gives it to `{to}`, which does not render it");
            (outcome.reason.word, said(&more))
        }
        _ => return outcome,
    };
    Outcome::guarded(outcome.action, outcome.guard, word, sentence)
}

#[cfg(test)]
mod tests {
    use crate::compare::Level;
    use crate::compare::fixture::Fixture;

    const GUARD: &str = r#"annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}"#;

    /// Returns the level of the claim, why Argo CD does what it does, and what the checks say.
    fn of_claim(base: &str, head: &str) -> (Level, String, Vec<String>) {
        let text = format!("base: {{{base}}}\nhead: {{{head}}}").replace("GUARD", GUARD);
        Fixture::read(&text).compare(|comparison| {
            let mut claims = comparison.predictions.iter().filter(|one| one.place.claim().is_some());
            let one = claims.next().unwrap();
            let messages = one.hits.iter().map(|hit| hit.message.clone()).collect();
            (one.level, one.outcome.reason.sentence.clone(), messages)
        })
    }

    #[test]
    fn a_claim_that_moves_names_the_condition() {
        let (level, why, hits) = of_claim(
            "media: {owns: [data], objects: [{kind: ConfigMap, name: a}, {kind: PersistentVolumeClaim, name: data, GUARD}]}, tv: []",
            "media: {moves: [data=tv], objects: [{kind: ConfigMap, name: a}]}, tv: {owns: [data], moved-from: [media/data], objects: [{kind: PersistentVolumeClaim, name: data, GUARD}]}",
        );
        assert_eq!((level, hits), (Level::Routine, Vec::new()));
        assert_eq!(
            why,
            "`tv` takes it over from `media`, as `moved-from` says; `Prune=false`: kept if Argo CD has synced `abc1234`, else deleted"
        );
        let (level, why, _) = of_claim(
            "media: [{kind: ConfigMap, name: a}, {kind: PersistentVolumeClaim, name: data}], tv: []",
            "media: {moves: [data=tv], objects: [{kind: ConfigMap, name: a}]}, tv: {objects: [{kind: PersistentVolumeClaim, name: data}]}",
        );
        assert_eq!(level, Level::DataLoss);
        assert_eq!(
            why,
            "`media` deletes it if it goes before `tv` takes it over: nothing guards it at the base, and `moves` guards nothing"
        );
    }

    #[test]
    fn a_claim_that_moves_to_what_does_not_render_it_is_no_move() {
        let (level, why, _) = of_claim(
            "media: {owns: [data], objects: [{kind: ConfigMap, name: a}, {kind: PersistentVolumeClaim, name: data, GUARD}]}, tv: []",
            "media: {moves: [data=tv], objects: [{kind: ConfigMap, name: a}]}, tv: []",
        );
        assert_eq!(level, Level::Review);
        assert!(
            why.ends_with("`moves` gives it to `tv`, which does not render it"),
            "{why}"
        );
    }

    #[test]
    fn a_claim_that_is_kept_is_routine_only_where_something_guards_it() {
        let head = "spaces: {keeps: [media/data=media], objects: [{kind: ConfigMap, name: b}]}";
        let spaces = "spaces: [{kind: ConfigMap, name: b}]";
        let (level, why, hits) = of_claim(
            &format!(
                "{spaces}, media: {{owns: [data], objects: [{{kind: PersistentVolumeClaim, name: data, GUARD}}]}}"
            ),
            head,
        );
        assert_eq!((level, hits), (Level::Routine, Vec::new()));
        assert_eq!(
            why,
            "`Delete=false`: kept if Argo CD has synced `abc1234`, else deleted; `keeps` remembers it as a claim of `media`"
        );
        let (level, why, _) = of_claim(
            &format!("{spaces}, media: [{{kind: PersistentVolumeClaim, name: data}}]"),
            head,
        );
        assert_eq!(level, Level::DataLoss);
        assert!(why.ends_with("`keeps` remembers it, and guards nothing"), "{why}");
    }

    #[test]
    fn a_release_is_a_loss_that_was_announced() {
        let released = "{kind: PersistentVolumeClaim, name: data}";
        let base =
            format!("media: {{owns: [data], releases: [data], objects: [{{kind: ConfigMap, name: a}}, {released}]}}");
        let (level, why, hits) = of_claim(&base, "media: [{kind: ConfigMap, name: a}]");
        assert_eq!(level, Level::DataLoss);
        assert!(why.ends_with("`releases` has announced that its data is lost"), "{why}");
        assert_eq!(hits.len(), 1, "the claim is deleted: {hits:?}");
        let guarded = "media: {owns: [data], objects: [{kind: ConfigMap, name: a}, {kind: PersistentVolumeClaim, name: data, GUARD}]}";
        let (level, _, hits) = of_claim(guarded, &base);
        assert_eq!(level, Level::Review);
        assert!(
            hits[0].ends_with("what removes it next deletes it, as `releases` announces"),
            "{hits:?}"
        );
        let (level, why, _) = of_claim(
            guarded,
            "media: {releases: [data], objects: [{kind: ConfigMap, name: a}]}",
        );
        assert_eq!(level, Level::Review);
        assert!(
            why.ends_with("`releases` comes with the change that removes it, and has to be synced before"),
            "{why}"
        );
    }
}
