//! The plugin renders exactly what Argo CD's own Helm renders: Argo CD's repo-server renders each case of `cases.yaml` both
//! ways. The changes of the storage rules are computed here independently, and nothing else may differ.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test's own world of files and programs; what it can't do fails it"
)]

mod compare;
mod corpora;
mod source;
mod storage_rules;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use compare::{Same, compare};
use real_parts::generate::Answer;
use real_parts::measure::{figure, seconds};
use source::Way;
use storage_rules::Registries;
use table::{Case, Table};
use world::{Renderer, Repositories};

/// The environment variable that selects the cases whose names contain its value.
const ONLY: &str = "HOMELAB_PARITY_ONLY";

/// Argo CD's answer for a case, and its second answer if it was asked again.
struct Native {
    first: Answer,
    again: Option<Answer>,
}

#[test]
fn the_plugin_renders_what_argo_cd_renders() {
    let start = Instant::now();
    let table = Table::read();
    let repositories = Repositories::create(&table);
    let mut cases = table.cases(&repositories.found);
    if let Ok(part) = std::env::var(ONLY) {
        cases.retain(|case| case.name.contains(&part));
    }
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a case stands twice in the table");
    let parity = Parity {
        registries: Registries::read(&world::charts().join("applications")),
        repositories,
        cases,
    };

    let (natives, verdicts) = parity.shown(&mut Renderer::start("helm"));
    let mut failures = parity.report(&verdicts, start);
    let start = Instant::now();
    let differing = parity.with_helm_3(&mut Renderer::start("helm3"), &natives, &mut failures);
    figure(
        "parity with helm 3",
        &format!("helm itself differs in {differing} cases ({})", seconds(start)),
    );
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Everything that the comparison needs.
struct Parity {
    cases: Vec<Case>,
    repositories: Repositories,
    registries: Registries,
}

impl Parity {
    /// Renders every case both ways and compares; if something differs, asks Argo CD again and compares again.
    fn shown(&self, renderer: &mut Renderer) -> (Vec<Native>, Vec<Result<Same, String>>) {
        let both = self
            .cases
            .iter()
            .flat_map(|case| [(case, Way::Native), (case, Way::Plugin)]);
        let wanted: Vec<_> = both.collect();
        let (mut natives, mut plugins) = (Vec::new(), Vec::new());
        for (answer, (_, way)) in renderer.render(&self.repositories, &wanted).into_iter().zip(&wanted) {
            match way {
                Way::Native => natives.push(Native {
                    first: answer,
                    again: None,
                }),
                Way::Plugin => plugins.push(answer),
            }
        }
        let numbered = || (0..self.cases.len()).zip(&plugins);
        let mut verdicts: Vec<_> = numbered()
            .map(|(index, plugin)| self.compare(index, &natives[index], plugin))
            .collect();
        let is_doubtful = |(index, plugin): &(usize, &Answer)| {
            let both = (&natives[*index].first, plugin);
            verdicts[*index].is_err() && matches!(both, (Answer::Manifests(_), Answer::Manifests(_)))
        };
        let doubtful: Vec<_> = numbered().filter(is_doubtful).collect();
        let wanted: Vec<_> = doubtful
            .iter()
            .map(|(index, _)| (&self.cases[*index], Way::Native))
            .collect();
        for ((index, plugin), again) in doubtful.into_iter().zip(renderer.render(&self.repositories, &wanted)) {
            natives[index].again = Some(again);
            verdicts[index] = self.compare(index, &natives[index], plugin);
        }
        (natives, verdicts)
    }

    fn compare(&self, index: usize, native: &Native, plugin: &Answer) -> Result<Same, String> {
        let case = &self.cases[index];
        // The Applications lie in our own repository.
        let registries = case.repository.is_empty().then_some(&self.registries);
        compare(case, registries, &native.first, native.again.as_ref(), plugin)
    }

    /// Prints the results, and returns the differences.
    fn report(&self, verdicts: &[Result<Same, String>], start: Instant) -> Vec<String> {
        let mut failures = Vec::new();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for (case, verdict) in self.cases.iter().zip(verdicts) {
            match verdict {
                Ok(same) => *count.entry(words(*same)).or_default() += 1,
                Err(difference) => failures.push(format!("{}: {difference}", case.name)),
            }
        }
        let options: BTreeSet<&String> = self.cases.iter().flat_map(|case| &case.options).collect();
        let charts: BTreeSet<_> = self.cases.iter().map(|case| (&case.repository, &case.chart)).collect();
        let counts: Vec<String> = count.iter().map(|(words, count)| format!("{count} {words}")).collect();
        figure(
            "parity",
            &format!(
                "{} cases of {} charts and {} options: {}; differences: {} ({})",
                self.cases.len(),
                charts.len(),
                options.len(),
                counts.join(", "),
                failures.len(),
                seconds(start)
            ),
        );
        failures
    }

    /// Compares the plugin with helm 3 to Argo CD with its own helm 4: where they differ, Argo CD with helm 3 renders what
    /// the plugin renders, and the table has the reason. Returns the number of these cases.
    fn with_helm_3(&self, helm3: &mut Renderer, natives: &[Native], failures: &mut Vec<String>) -> usize {
        let wanted: Vec<_> = self.cases.iter().map(|case| (case, Way::Plugin)).collect();
        let plugins = helm3.render(&self.repositories, &wanted);
        let mut differing = Vec::new();
        for (index, plugin) in plugins.into_iter().enumerate() {
            let case = &self.cases[index];
            match self.compare(index, &natives[index], &plugin) {
                Err(how) => differing.push((index, plugin, how)),
                Ok(_) if case.expected.helm3.is_some() => {
                    failures.push(format!(
                        "{}: the table says that helm 3 differs, and it does not",
                        case.name
                    ));
                }
                Ok(_) => {}
            }
        }
        let twice = differing
            .iter()
            .flat_map(|(index, ..)| [(&self.cases[*index], Way::Native); 2]);
        let answers = helm3.render(&self.repositories, &twice.collect::<Vec<_>>());
        for ((index, plugin, how), pair) in differing.iter().zip(answers.chunks(2)) {
            let case = &self.cases[*index];
            let native = Native {
                first: pair[0].clone(),
                again: Some(pair[1].clone()),
            };
            match self.compare(*index, &native, plugin) {
                Err(difference) => failures.push(format!("{} with helm 3: {difference}", case.name)),
                Ok(_) if case.expected.helm3.is_none() => failures.push(format!(
                    "{}: helm 3 itself differs from helm 4, and the table does not say why: {how}",
                    case.name
                )),
                Ok(_) => {}
            }
        }
        differing.len()
    }
}

fn words(same: Same) -> &'static str {
    match same {
        Same::Bytes => "equal byte for byte",
        Same::StorageRules => "equal except for the storage rules",
        Same::Random => "equal but for random values",
        Same::Fails => "failing alike",
        Same::Refused => "refused by the plugin alone",
    }
}
