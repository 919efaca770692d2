//! The plugin renders exactly what Argo CD itself renders: Argo CD's repo-server renders each case of `cases.yaml` and
//! `kustomize.yaml` both ways. The changes of the storage rules are computed here independently, and nothing else may differ.
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
use table::{BUILD_OPTIONS, Case, Table};
use world::{Renderer, Repositories};

/// The environment variable that selects the cases whose names contain its value.
const ONLY: &str = "HOMELAB_PARITY_ONLY";

/// The programs of an older Argo CD, by the names of those that they replace.
const OLDER: [(&str, &str); 2] = [("helm", "helm3"), ("kustomize", "kustomize-older")];

/// Argo CD's answer for a case, and its second answer if it was asked again.
struct Native {
    first: Answer,
    again: Option<Answer>,
}

#[test]
fn the_plugin_renders_what_argo_cd_renders() {
    let start = Instant::now();
    let tables = Table::read();
    let repositories = Repositories::create(&tables);
    let mut cases: Vec<Case> = tables
        .iter()
        .flat_map(|table| table.cases(&repositories.found))
        .collect();
    if let Ok(part) = std::env::var(ONLY) {
        cases.retain(|case| case.name.contains(&part));
    }
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a case stands twice in the table");
    let registries = world::own().map(|(name, folder)| (name, Registries::read(&folder.join("applications"))));
    let registries = registries.into();
    let of = |build: &str| Parity {
        cases: cases.iter().filter(|case| case.build == build).cloned().collect(),
        repositories: &repositories,
        registries: &registries,
    };

    let parity = of(BUILD_OPTIONS);
    let (natives, verdicts) = parity.shown(&mut Renderer::start(&[], BUILD_OPTIONS));
    let mut failures = parity.report("parity", &verdicts, start);
    let others = cases.iter().map(|case| case.build.as_str());
    let others: BTreeSet<_> = others.filter(|build| *build != BUILD_OPTIONS).collect();
    for build in others {
        let start = Instant::now();
        let parity = of(build);
        let (_, verdicts) = parity.shown(&mut Renderer::start(&[], build));
        failures.extend(parity.report(&format!("parity with the build options `{build}`"), &verdicts, start));
    }
    let start = Instant::now();
    let mut older = Renderer::start(&OLDER, BUILD_OPTIONS);
    let differing = parity.with_older(&mut older, &natives, &mut failures);
    figure(
        "parity with helm 3 and an older kustomize",
        &format!("they themselves differ in {differing} cases ({})", seconds(start)),
    );
    assert!(
        failures.is_empty(),
        "{} differences:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Everything that the comparison needs.
struct Parity<'p> {
    cases: Vec<Case>,
    repositories: &'p Repositories,
    /// Those of our own repositories, by their names.
    registries: &'p BTreeMap<&'static str, Registries>,
}

impl Parity<'_> {
    /// Renders every case both ways and compares; if something differs, asks Argo CD again and compares again.
    fn shown(&self, renderer: &mut Renderer) -> (Vec<Native>, Vec<Result<Same, String>>) {
        let both = self
            .cases
            .iter()
            .flat_map(|case| [(case, Way::Native), (case, Way::Plugin)]);
        let wanted: Vec<_> = both.collect();
        let (mut natives, mut plugins) = (Vec::new(), Vec::new());
        for (answer, (_, way)) in renderer.render(self.repositories, &wanted).into_iter().zip(&wanted) {
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
        for ((index, plugin), again) in doubtful.into_iter().zip(renderer.render(self.repositories, &wanted)) {
            natives[index].again = Some(again);
            verdicts[index] = self.compare(index, &natives[index], plugin);
        }
        (natives, verdicts)
    }

    fn compare(&self, index: usize, native: &Native, plugin: &Answer) -> Result<Same, String> {
        self.compare_as(&self.cases[index], native, plugin)
    }

    fn compare_as(&self, case: &Case, native: &Native, plugin: &Answer) -> Result<Same, String> {
        // The Applications lie in our own repositories.
        let registries = self.registries.get(case.repository.as_str());
        compare(case, registries, &native.first, native.again.as_ref(), plugin)
    }

    /// Prints the results, and returns the differences.
    fn report(&self, what: &str, verdicts: &[Result<Same, String>], start: Instant) -> Vec<String> {
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
            what,
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

    /// Compares the plugin with helm 3 and an older kustomize to Argo CD with its own: where they differ, Argo CD with the same
    /// programs renders what the plugin renders, and the table has the reason. Returns the number of these cases.
    fn with_older(&self, older: &mut Renderer, natives: &[Native], failures: &mut Vec<String>) -> usize {
        let wanted: Vec<_> = self.cases.iter().map(|case| (case, Way::Plugin)).collect();
        let plugins = older.render(self.repositories, &wanted);
        let mut differing = Vec::new();
        for (index, plugin) in plugins.into_iter().enumerate() {
            let case = &self.cases[index];
            match self.compare(index, &natives[index], &plugin) {
                Err(how) => differing.push((index, plugin, how)),
                Ok(_) if case.expected.older.is_some() => {
                    failures.push(format!(
                        "{}: the table says that an older program differs, and it does not",
                        case.name
                    ));
                }
                Ok(_) => {}
            }
        }
        let twice = differing
            .iter()
            .flat_map(|(index, ..)| [(&self.cases[*index], Way::Native); 2]);
        let answers = older.render(self.repositories, &twice.collect::<Vec<_>>());
        for ((index, plugin, how), pair) in differing.iter().zip(answers.chunks(2)) {
            let case = &self.cases[*index];
            let native = Native {
                first: pair[0].clone(),
                again: Some(pair[1].clone()),
            };
            let alike = Case {
                expected: case.expected.of_older(),
                ..case.clone()
            };
            match self.compare_as(&alike, &native, plugin) {
                Err(difference) => failures.push(format!("{} with older programs: {difference}", case.name)),
                Ok(_) if case.expected.older.is_none() => failures.push(format!(
                    "{}: an older program itself differs, and the table does not say why: {how}",
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
