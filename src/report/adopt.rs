//! The plan of `adopt`: as text that fits 80 columns, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use textwrap::{Options, WordSplitter};

use super::table::{Cell, sized};
use crate::edit::adopt::{Disk, LeftAlone, Proposal, ProposedApp, ProposedClaim, Way};
use crate::model::ClaimPath;
use crate::model::application::PLUGIN_NAME;
use crate::model::cluster::LOCAL_NAME;

/// The columns of a terminal that the text fits.
const COLUMNS: usize = 80;

/// Renders the plan as text. `stays` are the Applications that stay as they are until the user does something: the reason, and
/// the next step.
pub fn text(plan: &Proposal, stays: &[(String, String)]) -> String {
    let mut out = String::new();
    if !plan.claims.is_empty() {
        let note = match plan.is_partial() {
            true => item(
                "",
                "Applications that are left alone, below, are not rendered: what they do with claims is shown as their files say it, which may not be what the cluster gets.",
            ),
            false => String::new(),
        };
        section(
            &mut out,
            "Claims, as they are used today",
            &(claims(&plan.claims) + &note),
        );
    }
    let unowned: Vec<String> = plan.unowned().map(|claim| claim.claim.to_string()).collect();
    if !unowned.is_empty() {
        let text = "no YAML that was read declares them. Who mounts them read-write today gets them in `writes`, and nothing turns read-only. Put each into `owns` of the Application that produces its data";
        section(&mut out, "Without a known owner", &item(&unowned.join(", "), text));
    }
    let contested: Vec<String> = plan.contested().map(|claim| claim.claim.to_string()).collect();
    if !contested.is_empty() {
        let text = "several Applications render them: leave each to the one that produces its data";
        section(&mut out, "With several owners", &item(&contested.join(", "), text));
    }
    if !plan.disks.is_empty() {
        let text: String = plan.disks.iter().map(disk).collect();
        section(&mut out, "PersistentVolumes that are one disk", &text);
    }
    let (moved, by_hand): (Vec<_>, Vec<_>) = plan.applications.iter().partition(|app| app.way.is_converted());
    if !moved.is_empty() {
        let text: String = moved.iter().map(|app| of_app(app)).collect();
        section(&mut out, "Applications that `adopt` moves to the plugin", &text);
    }
    if !by_hand.is_empty() {
        let text: String = by_hand.iter().map(|app| of_app(app)).collect();
        section(&mut out, "Applications that are changed by hand", &text);
    }
    if !stays.is_empty() {
        let text: String = stays.iter().map(|(why, hint)| item(why, hint)).collect();
        section(&mut out, "Of these stay as they are", &text);
    }
    if !plan.left.is_empty() {
        let text: String = plan.left.iter().map(left).collect();
        section(&mut out, "Left alone", &text);
    }
    out
}

fn section(out: &mut String, head: &str, text: &str) {
    let blank = if out.is_empty() { "" } else { "\n" };
    let _ = writeln!(out, "{blank}{head}\n\n{}", text.trim_end());
}

fn claims(claims: &[ProposedClaim]) -> String {
    let is_shown = claims.iter().any(|claim| claim.claim.cluster.to_string() != LOCAL_NAME);
    let names = |apps: &BTreeSet<_>| Cell::List(apps.iter().map(ToString::to_string).collect());
    let rows = claims.iter().map(|claim| {
        let mut cells = Vec::from_iter(is_shown.then(|| Cell::Word(claim.claim.cluster.to_string())));
        let claim_cells = [claim.claim.namespace.to_string(), claim.claim.name.to_string()];
        cells.extend(claim_cells.map(Cell::Word));
        cells.extend([&claim.owners, &claim.writers, &claim.readers].map(names));
        cells
    });
    let mut heads = Vec::from_iter(is_shown.then_some("cluster"));
    heads.extend(["namespace", "claim", "owner", "writers", "readers"]);
    sized(&heads, &rows.collect::<Vec<_>>(), false)
}

fn disk(disk: &Disk) -> String {
    let volumes: Vec<&str> = disk.volumes.iter().map(String::as_str).collect();
    let text = format!("{}. Who writes one of them writes the data of all", volumes.join(", "));
    item(&disk.place, &text)
}

fn of_app(app: &ProposedApp) -> String {
    let mut parts = Vec::new();
    for (name, paths) in [("owns", &app.owns), ("writes", &app.writes), ("reads", &app.reads)] {
        if !paths.is_empty() {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            parts.push(format!("{name} {}", paths.join(", ")));
        }
    }
    if !app.turns_read_only.is_empty() {
        let paths: Vec<String> = app.turns_read_only.iter().map(ToString::to_string).collect();
        parts.push(format!("turns read-only for {}", paths.join(", ")));
    }
    if !app.namespaces.is_empty() {
        let names: Vec<&str> = app.namespaces.iter().map(String::as_str).collect();
        parts.push(format!("renders Namespace {}", names.join(", ")));
    }
    let what = parts.join("; ");
    let stop = if what.is_empty() { "" } else { ". " };
    item(app.name.as_str(), &format!("{what}{stop}{}", way(app)))
}

/// Returns what is done with an Application, in sentences.
fn way(app: &ProposedApp) -> String {
    match &app.way {
        Way::Manifest(file) => format!("In {file}"),
        Way::Moving => "It has moved; its guards of the move go in the last step".to_owned(),
        Way::Done => "The plugin renders it already".to_owned(),
        Way::List(file) => format!("It is in a List in {file}: write it as a document of its own first"),
        Way::Override { set, file, overrides } => {
            format!("In {overrides}; its guards of the move go into ApplicationSet `{set}` ({file})")
        }
        Way::Set { set, file, why } => format!(
            "ApplicationSet `{set}` ({file}) generates it, and {why}: move all that the set generates with `kubectl homelab convert applicationset/{set} --guard-first`, once for each step and each time after the sync, and see that the template has `{}` in the end",
            plugin(app)
        ),
        Way::RenderedSet { set, file, overrides } => format!(
            "ApplicationSet `{set}` generates it, and is rendered itself ({file}), so that `adopt` writes no guards there. One commit suffices, as no object changes its name: `{}` writes {overrides}",
            conversion(app)
        ),
        Way::Chart { by, chart, file } => {
            let chart = chart.iter().map(|chart| format!(" from the chart `{chart}`"));
            format!(
                "`{by}` renders it{} ({file}): in the templates of the chart, or in the values that they fill in, first add `Prune=false` and `Delete=false` to its `syncOptions` and wait for the sync, then give its source `{}`, with its options as parameters, then take the options away again",
                chart.collect::<String>(),
                plugin(app)
            )
        }
    }
}

/// Returns the section of a source that the plugin renders, with the claims of an Application.
fn plugin(app: &ProposedApp) -> String {
    let parameter = |(name, paths): (&str, &BTreeSet<_>)| {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        (!paths.is_empty()).then(|| format!("{{name: {name}, array: [{}]}}", paths.join(", ")))
    };
    let parameters = [("owns", &app.owns), ("writes", &app.writes)]
        .into_iter()
        .filter_map(parameter);
    let parameters: Vec<String> = parameters.collect();
    match parameters.is_empty() {
        true => format!("plugin: {{name: {PLUGIN_NAME}}}"),
        false => format!(
            "plugin: {{name: {PLUGIN_NAME}, parameters: [{}]}}",
            parameters.join(", ")
        ),
    }
}

/// Returns the command that gives an Application to the plugin.
fn conversion(app: &ProposedApp) -> String {
    let option = |(name, paths): (&'static str, &BTreeSet<ClaimPath>)| -> String {
        paths.iter().map(|path| format!(" --{name} {path}")).collect()
    };
    let options = [
        ("owns", &app.owns),
        ("writes", &app.writes),
        ("read-only", &app.turns_read_only),
    ];
    let options: String = options.into_iter().map(option).collect();
    format!("kubectl homelab convert {}{options}", app.name)
}

fn left(left: &LeftAlone) -> String {
    let hint = left.hint.iter().map(|hint| format!(" ({hint})")).collect::<String>();
    let names = left.names.join(", ");
    item(
        &format!("{}: {}", left.names.len(), left.why),
        &format!("{names}{hint}"),
    )
}

/// Returns an item: its head, and its text below.
fn item(head: &str, text: &str) -> String {
    let wrapped = |text: &str, indent: &'static str| {
        let options = Options::new(COLUMNS)
            .initial_indent(indent)
            .subsequent_indent(indent)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(text, options)
    };
    match text.is_empty() {
        true => format!("{}\n", wrapped(head, "  ")),
        false => format!("{}\n{}\n", wrapped(head, "  "), wrapped(text, "    ")),
    }
}

/// Returns the plan for scripts, without the next step.
pub fn tree(plan: &Proposal) -> Value {
    let names = |names: &BTreeSet<_>| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let claims = plan.claims.iter().map(|claim| {
        json!({
            "cluster": claim.claim.cluster.to_string(),
            "namespace": claim.claim.namespace.as_str(),
            "name": claim.claim.name.as_str(),
            "owners": names(&claim.owners),
            "writers": names(&claim.writers),
            "readers": names(&claim.readers),
            "notRendered": names(&claim.not_rendered),
        })
    });
    let paths =
        |paths: &BTreeSet<crate::model::ClaimPath>| -> Vec<String> { paths.iter().map(ToString::to_string).collect() };
    let applications = plan.applications.iter().map(|app| {
        json!({
            "name": app.name.as_str(),
            "owns": paths(&app.owns),
            "writes": paths(&app.writes),
            "reads": paths(&app.reads),
            "turnsReadOnly": paths(&app.turns_read_only),
            "namespaces": app.namespaces,
            "moved": app.way.is_converted(),
            "way": way(app),
        })
    });
    let disks = plan
        .disks
        .iter()
        .map(|disk| json!({"place": disk.place, "volumes": disk.volumes}));
    let left = plan
        .left
        .iter()
        .map(|left| json!({"names": left.names, "why": left.why, "hint": left.hint}));
    json!({
        "claims": claims.collect::<Vec<_>>(),
        "applications": applications.collect::<Vec<_>>(),
        "disks": disks.collect::<Vec<_>>(),
        "leftAlone": left.collect::<Vec<_>>(),
    })
}
