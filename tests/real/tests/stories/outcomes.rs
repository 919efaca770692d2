//! What `diff` predicts, and what Argo CD then does: for each row of `tests/vectors/outcomes.yaml`, which `docs/outcomes.md` shows.

mod happened;
mod laid_out;
#[path = "../../../../src/compare/fixture/short.rs"]
mod short;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use real_parts::argocd::patch_health_checks;
use real_parts::folder::Folder;
use real_parts::measure::{figure, seconds};
use real_parts::repository::Repository;
use real_parts::{Options, Tools, World};
use serde_json::{Value, json};

use happened::{Seen, agrees, is_settled, object, standing, state};
use laid_out::{Row, read};

/// How long nothing may move before it counts as the end.
const QUIET: Duration = Duration::from_secs(5);
/// The longest time that all rows together take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts a world with the first state of every row; nothing is applied yet. Claims wait for their pods as in an Argo CD that
/// nobody gave the project's health checks.
fn world(rows: &[Row]) -> World {
    let folder = Folder::new().unwrap();
    let home = Repository::create(folder.path(), "home", None).unwrap();
    let url = home.url();
    home.write("root.yaml", &laid_out::root(&url)).unwrap();
    for row in rows {
        row.write(&home, &row.base);
    }
    home.commit("The first state").unwrap();
    let options = Options {
        application_sets: true,
        health_checks: false,
        resync_seconds: 900,
        ..Options::default()
    };
    let tools = Tools::of_the_test_run().unwrap();
    World::with_repositories(&tools, &options, folder, home, [].into()).unwrap()
}

/// Waits until every Application has done what it does with a revision, and nothing moves any more.
fn come_to_rest(world: &World, rows: &[Row], revision: &str, until: &str) {
    let last = RefCell::new((Vec::new(), Instant::now()));
    world.until_within(PATIENCE, until, || {
        let applications = world.api().list("Application", "argocd/").unwrap();
        let mut now: Vec<String> = applications.iter().filter_map(standing).collect();
        now.extend(rows.iter().map(|row| {
            let uid = object(world, row)["metadata"]["uid"].clone();
            format!("{} {uid}", row.name)
        }));
        let mut last = last.borrow_mut();
        if last.0 != now {
            *last = (now, Instant::now());
        }
        let is_done = applications.iter().all(|application| is_settled(application, revision));
        is_done && last.1.elapsed() > QUIET
    });
}

/// Refreshes the Applications that a row has sync first, then the root, then all others, each when those before have come to rest.
fn push(world: &World, rows: &[Row], message: &str) -> String {
    let revision = world.home.commit(message).unwrap();
    let refresh = |name: &str| {
        if world.application(name).is_object() {
            world.refresh_application(name).unwrap();
        }
    };
    for name in rows.iter().filter_map(Row::first) {
        refresh(&name);
        world.until(&format!("{name} has seen {}", &revision[..7]), || {
            is_settled(&world.application(&name), &revision)
        });
    }
    refresh("root");
    world.until("the root has seen it", || {
        is_settled(&world.application("root"), &revision)
    });
    for application in world.api().list("Application", "argocd/").unwrap() {
        refresh(application["metadata"]["name"].as_str().unwrap());
    }
    come_to_rest(world, rows, &revision, message);
    revision
}

/// Applies what the rows start from.
fn start(world: &World, rows: &[Row]) {
    for row in rows {
        world.cluster.apply(&row.before()).unwrap();
        for manifest in row.by_hand(&world.home.url()) {
            world.cluster.apply(&manifest.to_string()).unwrap();
        }
    }
    world.cluster.apply(&world.home.read("root.yaml").unwrap()).unwrap();
    let head = world.home.head().unwrap();
    for name in rows.iter().flat_map(Row::not_automated) {
        world.until(&format!("{name} is there"), || {
            world.application(&name)["status"]["sync"]["status"] == "OutOfSync"
        });
        let sync = json!({"operation": {"initiatedBy": {"username": "story"}, "sync": {"revision": head}}});
        world
            .api()
            .merge("Application", &format!("argocd/{name}"), &sync)
            .unwrap();
    }
    come_to_rest(world, rows, &head, "the first state is synced");
}

/// Returns what `diff` says of an object: action, reason and guard, and the Application that does it.
fn predicted(document: &Value, row: &Row) -> (String, String) {
    let wanted = row.of();
    let items = document["items"].as_array().unwrap();
    let is_it = |item: &&Value| {
        let object = &item["object"];
        let is_local = object["cluster"] == "in-cluster";
        object["kind"] == wanted.kind
            && object["name"] == *wanted.name
            && object["namespace"].as_str() == wanted.namespace.as_deref()
            && is_local
    };
    let found: Vec<&Value> = items.iter().filter(is_it).collect();
    let [item] = found[..] else {
        return (format!("{} predictions", found.len()), String::new());
    };
    let word = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    (
        format!("{} {} {}", word("action"), word("reason"), word("guard")),
        word("application"),
    )
}

/// Returns what happened to each object since it was as `before`.
fn observed(world: &World, rows: &[Row], document: &Value, (before, head): (&[Value], &str)) -> Vec<Seen> {
    let of_row = |(row, before): (&Row, &Value)| {
        let (prediction, app) = predicted(document, row);
        Seen {
            prediction,
            object: happened::became(world, row, &app, [before, &object(world, row)]),
            app: state(world, row, &app, head),
            later: None,
        }
    };
    rows.iter().zip(before).map(of_row).collect()
}

/// Returns the rows in which the table, the prediction and what happened are not the same.
fn differences(rows: &[Row], seen: &[Seen]) -> Vec<String> {
    let differs = |(row, seen): &(&Row, &Seen)| seen.prediction != row.is || seen.did() != row.did || !agrees(seen);
    let text = |(row, seen): (&Row, &Seen)| {
        let (is, did) = (&seen.prediction, seen.did());
        format!(
            "{}: {}\n  is: {} | {is}\n  did: {} | {did}",
            row.name, row.when, row.is, row.did
        )
    };
    rows.iter().zip(seen).filter(differs).map(text).collect()
}

/// Given the first state of every row is synced, when `diff` compares it with the second state, and that is pushed, then for each
/// row Argo CD does what `diff` has said; and the sync that waits for a claim goes on with the health checks of the project.
///
/// Control: the rows of one action differ from those of another one in one thing only, as a guard.
#[test]
fn what_is_predicted_happens() {
    let start_of_all = Instant::now();
    let rows = read();
    let world = world(&rows);
    start(&world, &rows);
    let objects = || -> Vec<Value> { rows.iter().map(|row| object(&world, row)).collect() };
    let before = objects();

    for row in &rows {
        row.change(&world.home, [&row.base, &row.head]);
    }
    let arguments = ["diff", "--base", "HEAD", "-o", "json"];
    let answer = world.homelab(&arguments).unwrap();
    let messages = String::from_utf8_lossy(&answer.stderr).into_owned();
    // One Application cannot be rendered any more.
    assert_eq!(answer.status.code(), Some(3), "{messages}");
    let document: Value = serde_json::from_slice(&answer.stdout).unwrap();

    let head = push(&world, &rows, "The second state");
    let mut seen = observed(&world, &rows, &document, (&before, &head));
    let after = objects();
    for row in &rows {
        if let Some(next) = &row.next {
            row.change(&world.home, [&row.head, next]);
        }
    }
    push(&world, &rows, "What comes later");
    for ((row, seen), after) in rows.iter().zip(&mut seen).zip(&after) {
        if row.next.is_some() {
            seen.later = Some(happened::became(&world, row, "", [after, &object(&world, row)]));
        }
    }

    figure("rows", &rows.len().to_string());
    figure(
        "agreements",
        &seen.iter().filter(|seen| agrees(seen)).count().to_string(),
    );
    let differing = differences(&rows, &seen);
    let text = differing.join("\n");
    assert!(
        differing.is_empty(),
        "{} rows differ:\n{text}\n{}",
        differing.len(),
        world.describe()
    );

    let waits = rows.iter().find(|row| row.is.starts_with("wait ")).unwrap();
    let name = waits.app("media");
    patch_health_checks(&world.cluster).unwrap();
    world.until("the sync goes on", || {
        world.refresh_application(&name).unwrap();
        world.application(&name)["status"]["operationState"]["phase"] == "Succeeded"
    });
    figure("all rows", &seconds(start_of_all));
}
