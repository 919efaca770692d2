//! A comparison as JSON, version 1: fields are added to it, never renamed or taken out.

use serde::Serialize;
use serde_json::Value;

use super::{Report, place};
use crate::compare::{Hit, Place, Prediction, Side, Withheld};
use crate::report::list::API_VERSION;

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'r> {
    api_version: &'static str,
    kind: &'static str,
    base: State<'r>,
    head: State<'r>,
    items: Vec<Item<'r>>,
    /// The Applications whose objects are not compared.
    withheld: Vec<WithheldItem<'r>>,
    summary: Summary<'r>,
}

#[derive(Debug, Serialize)]
struct State<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'r str>,
}

#[derive(Debug, Serialize)]
struct ObjectItem<'r> {
    group: &'r str,
    kind: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'r str>,
    name: &'r str,
    cluster: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'r> {
    object: ObjectItem<'r>,
    application: &'r str,
    level: &'static str,
    action: &'static str,
    reason: &'static str,
    message: &'r str,
    guard: &'static str,
    owner: Option<&'r str>,
    consumers: Vec<&'r str>,
    via: &'r [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_to: Option<ObjectItem<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<ObjectItem<'r>>,
    /// Where the second state has what is to be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationItem>,
    /// The JSON Pointers at which it differs.
    changes: &'r [String],
    checks: Vec<CheckItem<'r>>,
}

#[derive(Debug, Serialize)]
struct LocationItem {
    file: String,
    line: usize,
    column: usize,
}

#[derive(Debug, Serialize)]
struct CheckItem<'r> {
    check: &'static str,
    level: &'static str,
    message: &'r str,
    hint: &'static str,
    reference: &'static str,
}

#[derive(Debug, Serialize)]
struct WithheldItem<'r> {
    application: &'r str,
    /// On which side it is not known: `base`, `head` or `both`.
    side: &'static str,
    message: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'r str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'r> {
    level: &'static str,
    levels: Vec<LevelCount>,
    applications: Applications,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_compared_because: Option<&'r str>,
}

#[derive(Debug, Serialize)]
struct LevelCount {
    level: &'static str,
    objects: usize,
}

#[derive(Debug, Serialize)]
struct Applications {
    total: usize,
    compared: usize,
}

/// Renders the document.
///
/// # Errors
/// None in practice: it can always be written.
pub fn document(report: &Report<'_, '_>) -> serde_json::Result<Value> {
    let comparison = report.comparison;
    let (total, compared) = (report.applications.0, report.rendered());
    let state = |(name, commit)| State { name, commit };
    let counts = report.counts();
    let document = Document {
        api_version: API_VERSION,
        kind: "Comparison",
        base: state(report.base),
        head: state(report.head),
        items: comparison.predictions.iter().map(|one| item(report, one)).collect(),
        withheld: comparison.withheld.iter().map(withheld).collect(),
        summary: Summary {
            level: comparison.level().word(),
            levels: counts
                .iter()
                .rev()
                .map(|(level, objects)| LevelCount {
                    level: level.word(),
                    objects: *objects,
                })
                .collect(),
            applications: Applications { total, compared },
            all_compared_because: report.doubt,
        },
    };
    serde_json::to_value(document)
}

fn object(place: &Place) -> ObjectItem<'_> {
    ObjectItem {
        group: &place.object.group,
        kind: &place.object.kind,
        namespace: place.namespace(),
        name: &place.object.name,
        cluster: place.cluster.to_string(),
    }
}

fn item<'r>(report: &Report<'_, '_>, one: &'r Prediction<'_>) -> Item<'r> {
    let twin = || one.twin.as_ref().map(object);
    let is_gone = one.after.is_none();
    Item {
        object: object(&one.place),
        application: one.app.as_str(),
        level: one.level.word(),
        action: one.action().word(),
        reason: one.outcome.reason.word,
        message: &one.outcome.reason.sentence,
        guard: one.outcome.guard.word(),
        owner: one.owner.as_ref().map(|owner| owner.as_str()),
        consumers: one.consumers.iter().map(|app| app.as_str()).collect(),
        via: &one.via,
        renamed_to: twin().filter(|_| is_gone),
        renamed_from: twin().filter(|_| !is_gone),
        location: place(report, one).map(|place| LocationItem {
            file: place.file.to_string(),
            line: place.position.line,
            column: place.position.column,
        }),
        changes: &one.pointers,
        checks: one.hits.iter().map(check).collect(),
    }
}

fn check(hit: &Hit) -> CheckItem<'_> {
    CheckItem {
        check: hit.id,
        level: hit.level.word(),
        message: &hit.message,
        hint: hit.way_out,
        reference: hit.reference,
    }
}

fn withheld(withheld: &Withheld) -> WithheldItem<'_> {
    WithheldItem {
        application: withheld.app.as_str(),
        side: match withheld.side {
            Side::Base => "base",
            Side::Head => "head",
            Side::Both => "both",
        },
        message: &withheld.why,
        hint: withheld.hint.as_deref(),
    }
}
