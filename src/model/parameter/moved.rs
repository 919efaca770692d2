//! The parameters of claims that move between Applications, and what cannot be beside them.

use std::collections::BTreeMap;

use super::spec::{Shape, Spec, spec};
use super::{Parameter, ParameterError, Parameters, each};
use crate::model::ClaimPath;
use crate::model::moved_claim::{MovedFrom, MovedTo};

pub(super) const MOVES: Spec = spec(
    "moves",
    Shape::Array,
    "Moved claims",
    "Claims that the source renders and another Application owns now, each as `[NAMESPACE/]CLAIM=APP`: they are rendered and not printed, since that Application brings them. `move-owner` and `replace-app` write it.",
    |parameters, given| {
        parameters.moves = each(given.list(), str::parse::<MovedTo>)?;
        Ok(())
    },
);
pub(super) const MOVED_FROM: Spec = spec(
    "moved-from",
    Shape::Array,
    "Claims moved here",
    "Claims in `owns` that another Application owned before, each as `APP/[NAMESPACE/]CLAIM`. It changes nothing that is rendered; `validate` and `diff` read it.",
    |parameters, given| {
        parameters.moved_from = each(given.list(), str::parse::<MovedFrom>)?;
        Ok(())
    },
);

/// Returns what is wrong with the moves of a source taken together with what it owns.
pub(super) fn errors(parameters: &Parameters, list: &[Parameter]) -> Vec<ParameterError> {
    let index = list.iter().position(|parameter| parameter.name == "moves");
    let mut targets: BTreeMap<&ClaimPath, &MovedTo> = BTreeMap::new();
    let mut messages = Vec::new();
    for moved in &parameters.moves {
        let claim = &moved.claim;
        if parameters.owns.contains(claim) {
            messages.push(format!(
                "`{claim}` is in `owns` and in `moves`: take it out of `owns`, since Application `{}` owns it",
                moved.to
            ));
        }
        match targets.insert(claim, moved) {
            Some(other) if other.to != moved.to => messages.push(format!(
                "`{claim}` moves to `{}` and to `{}`: name the Application that owns it",
                other.to, moved.to
            )),
            _ => {}
        }
    }
    let error = |message| ParameterError {
        index,
        message: format!("parameter `moves`: {message}"),
    };
    messages.into_iter().map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &[(&str, &[&str])]) -> Result<Parameters, Vec<String>> {
        let list = parameters.iter().map(|(name, entries)| Parameter {
            name: (*name).to_owned(),
            array: Some(entries.iter().map(|entry| (*entry).to_owned()).collect()),
            ..Parameter::default()
        });
        let list: Vec<Parameter> = list.collect();
        Parameters::parse(&list).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_claim_has_one_owner_also_while_it_moves() {
        let read = parse(&[
            ("owns", &["config"]),
            ("moves", &["audio=recorder", "radio/audio=other"]),
            ("moved-from", &["old/config"]),
        ]);
        let read = read.unwrap();
        assert_eq!((read.moves.len(), read.moved_from.len()), (2, 1));
        for (owns, moves, part) in [
            (&["audio"][..], &["audio=recorder"][..], "in `owns` and in `moves`"),
            (&[], &["audio=a", "audio=b"], "moves to `a` and to `b`"),
        ] {
            let errors = parse(&[("owns", owns), ("moves", moves)]).unwrap_err();
            assert!(errors.len() == 1 && errors[0].contains(part), "{errors:?}");
        }
        assert!(parse(&[("moves", &["audio=a", "audio=a"])]).is_ok());
    }
}
