//! HL401: a value that no template reads changes nothing, and nobody says so.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Finding, Meta, Rule, Scope, Severity, Subject};
use crate::model::unknown_value::UnknownValue;
use crate::model::{PointerBuf, PointerExt};

static META: Meta = Meta {
    id: "HL401",
    name: "value-is-known",
    severity: Severity::Warning,
    summary: "the chart knows every value that is set: it has a default for it, or a template reads it",
    why: "Helm takes any value. One that is misspelled, that stands one level too high, or that an older version of the chart had, is \
ignored without a word: `persistance.size` leaves the claim at the chart's default size, `existingClaim` beside `persistence` instead \
of in it makes the workload start on a new and empty claim.\n\n\
A value counts as known where the chart's `values.yaml` has it, where a template reads it or all of the map that it is in, where \
such a map is empty by default, and where the text of another value reads it. Nothing is said of charts that hand all their values \
on, that use the templates of a library which is not available, or that have a `values.schema.json`, which Helm checks itself; nor of \
keys that only hold anchors, nor of a value file that several Applications share, if one of their charts knows the value. A chart that \
has to be downloaded is checked with `--fetch`.\n\n\
https://helm.sh/docs/chart_template_guide/values_files/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    // How many charts get a file, and how many of them do not know a value of it.
    let mut of_file: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_value: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for checked in scope
        .subjects
        .iter()
        .filter_map(|subject| scope.values_of(&subject.name))
    {
        for file in checked.files.iter().chain(&checked.unchecked) {
            *of_file.entry(file).or_default() += 1;
        }
        for value in &checked.unknown {
            if let Some(file) = &value.file {
                *of_value.entry((file, &value.path)).or_default() += 1;
            }
        }
    }
    let is_nobodys = |value: &UnknownValue| {
        let Some(file) = &value.file else { return true };
        let unknown = of_value.get(&(file.as_str(), value.path.as_str()));
        unknown.copied().unwrap_or_default() >= of_file.get(file.as_str()).copied().unwrap_or_default()
    };
    let subjects = scope.subjects.iter();
    let all = subjects.filter_map(|subject| Some((subject, scope.values_of(&subject.name)?)));
    let unknown = all.flat_map(|(subject, checked)| checked.unknown.iter().map(move |value| (subject, value)));
    let mut seen = BTreeSet::new();
    unknown
        .filter(|(subject, value)| is_nobodys(value) && seen.insert((&subject.name, &value.file, &value.path)))
        .map(|(subject, value)| of_value_of(subject, value))
        .collect()
}

fn of_value_of(subject: &Subject<'_>, value: &UnknownValue) -> Finding {
    let place = match (&value.file, value.line) {
        (Some(file), Some(line)) => format!(" in `{file}`, line {line},"),
        (Some(file), None) => format!(" in `{file}`"),
        (None, _) => String::new(),
    };
    let message = format!(
        "value `{}`{place} is none of the chart of `{}`: it changes nothing",
        value.path, subject.name
    );
    let finding = subject.finding(&META, message, pointer(subject, value));
    finding.hint(match &value.meant {
        Some(meant) => format!("write `{meant}`, which the chart knows, or take it out"),
        None => "look it up in what `helm show values` prints for the chart, or take it out".to_owned(),
    })
}

/// Returns where an Application sets a value: its key in `valuesObject`, else the text that has it, else its sources.
fn pointer(subject: &Subject<'_>, value: &UnknownValue) -> PointerBuf {
    let inline = || {
        subject.sources.iter().find_map(|(source, _)| {
            let object = source.pointer.child("helm").child("valuesObject");
            let keys = value.path.split('.').fold(object, |pointer, key| pointer.child(key));
            let text = source.pointer.child("helm").child("values");
            let there = |pointer: &PointerBuf| subject.app.object().at(pointer).is_some();
            let own = [keys, text].into_iter().find(there);
            own.or_else(|| source.parameter("values"))
        })
    };
    let inline = if value.file.is_none() { inline() } else { None };
    inline.unwrap_or_else(|| subject.source_pointer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AppName;
    use crate::model::unknown_value::CheckedValues;
    use crate::rules::case::{self, Case};

    fn findings(checked: &[(&str, Option<&str>)]) -> Vec<Finding> {
        let case = Case::new().helm("a").helm("b");
        let repo = case.repo();
        let values = ["a", "b"].map(|app| {
            let own = checked.iter().filter(|(of, _)| *of == app);
            let unknown = own.filter_map(|(_, path)| {
                Some(UnknownValue {
                    path: (*path)?.to_owned(),
                    file: Some("shared.yaml".to_owned()),
                    line: Some(3),
                    meant: Some("ingress".to_owned()),
                })
            });
            let checked = CheckedValues {
                files: checked
                    .iter()
                    .filter(|(of, _)| *of == app)
                    .map(|_| "shared.yaml".to_owned())
                    .take(1)
                    .collect(),
                unknown: unknown.collect(),
                unchecked: Vec::new(),
            };
            (AppName::new(app).unwrap(), checked)
        });
        case::findings(&RULE, &Scope::new(&repo, case.app_renders()).with_values(values.into()))
    }

    #[test]
    fn fires() {
        let messages: Vec<String> = findings(&[("a", Some("ingres"))])
            .into_iter()
            .map(|found| found.message)
            .collect();
        assert_eq!(
            messages,
            ["value `ingres` in `shared.yaml`, line 3, is none of the chart of `a`: it changes nothing"]
        );
        assert_eq!(findings(&[("a", Some("ingres")), ("b", Some("ingres"))]).len(), 2);
    }

    #[test]
    fn stays_silent() {
        assert!(findings(&[]).is_empty());
        assert!(
            findings(&[("a", Some("ingres")), ("b", None)]).is_empty(),
            "the other chart knows it"
        );
    }

    #[test]
    fn says_the_way_out() {
        assert_eq!(
            findings(&[("a", Some("ingres"))])[0].hint.as_deref(),
            Some("write `ingress`, which the chart knows, or take it out")
        );
    }
}
