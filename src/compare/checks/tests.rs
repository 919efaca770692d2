//! Every check over its own fixtures, and over those of all others.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{ALL, FIXTURES};
use crate::compare::fixture::Fixture;

fn hits(fixture: &str) -> Vec<&'static str> {
    let fixture = Fixture::read(fixture);
    let mut found: Vec<&str> = fixture.compare(|comparison| {
        let hits = comparison.predictions.iter().flat_map(|prediction| &prediction.hits);
        hits.map(|hit| hit.id).collect()
    });
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn every_check_fires_and_stays_silent() {
    for (check, fires, silent) in FIXTURES {
        assert!(
            hits(fires).contains(&check.id),
            "{} does not fire: {}",
            check.id,
            Fixture::read(fires).describe()
        );
        assert!(
            !hits(silent).contains(&check.id),
            "{} fires: {}",
            check.id,
            Fixture::read(silent).describe()
        );
    }
    assert_eq!(FIXTURES.len(), ALL.len());
}

#[test]
fn every_check_runs_over_the_fixtures_of_all_others() {
    let mut text = String::new();
    for (check, fires, silent) in FIXTURES {
        let others = |fixture: &str| -> String {
            let hits = hits(fixture).into_iter().filter(|id| *id != check.id);
            hits.collect::<Vec<_>>().join(" ")
        };
        let (fires, silent) = (others(fires), others(silent));
        if !fires.is_empty() || !silent.is_empty() {
            let _ = writeln!(text, "{}: {fires} | {silent}", check.id);
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn ids_are_the_names_of_files_and_summaries_are_sentences() {
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for check in ALL {
        *ids.entry(check.id).or_default() += 1;
        assert!(
            check.reference.starts_with("https://") && !check.summary.ends_with('.'),
            "{}",
            check.id
        );
        assert!(
            check.way_out.len() > 20 && !check.way_out.ends_with('.'),
            "{} leaves the reader alone",
            check.id
        );
    }
    assert!(ids.values().all(|count| *count == 1));
}
