//! `cargo xtask fuzz`: generated inputs through the program's own functions, held against Argo CD's code and against the
//! storage rules written a second time, in Go (`tests/tools/argocd/oracle`).
//!
//! Each case has a seed of its own, the run's seed plus its number, so that a find is repeated by `--seed N --cases 1`.

mod case;
mod kept;
mod mounts;
mod numbers;
mod objects;
mod oracle;
mod parameters;
mod patch;
mod paths;
mod sets;
mod shapes;
mod shrink;
mod spelling;
mod stream;
mod volumes;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail};
use serde_json::Value;

use case::{Answer, Ran, Target};
use numbers::Numbers;
use oracle::Oracle;

/// The targets, in the order in which they run.
const TARGETS: &[&Target] = &[
    &stream::TARGET,
    &patch::TARGET,
    &parameters::TARGET,
    &mounts::TARGET,
    &paths::TARGET,
    &sets::TARGET,
];

/// How many cases go to the oracle at a time.
const BATCH: usize = 256;

/// After how many kinds of finds a run ends.
const KINDS: usize = 12;

/// How long all targets run where nothing is said.
const SECONDS: u64 = 60;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Request {
    /// Target to run: stream, patch, parameters, mounts, generate-paths or sets; by default all, which share the time
    #[arg(value_name = "TARGET", value_parser = TARGETS.iter().map(|target| target.name).collect::<Vec<_>>())]
    target: Option<String>,

    /// How long to run, in seconds; 60 where neither this nor --cases is given
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// How many cases to run for each target
    #[arg(long, value_name = "N")]
    cases: Option<usize>,

    /// Seed of the first case; by default another one each time
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Print the cases instead of running them
    #[arg(long, requires = "target")]
    print: bool,
}

/// Runs the targets; fails when there is a find, and shows one of each kind.
pub(crate) fn run(request: &Request) -> Result<ExitCode> {
    let chosen = |target: &&&Target| request.target.as_ref().is_none_or(|name| *name == target.name);
    let targets: Vec<&&Target> = TARGETS.iter().filter(chosen).collect();
    let seed = request.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(1, |now| now.as_micros() as u64)
    });
    if request.print {
        for number in 0..request.cases.unwrap_or(1) as u64 {
            case::show(&(targets[0].make)(&mut Numbers::of(seed.wrapping_add(number))));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(panic = "abort") {
        bail!("the release profile ends at the first panic: build with `--profile fuzz` instead of `--release`");
    }
    let seconds = request.seconds.or(request.cases.is_none().then_some(SECONDS));
    let each = seconds.map(|seconds| Duration::from_secs(seconds) / targets.len() as u32);
    let mut is_clean = true;
    case::hide_panics();
    for target in targets {
        let mut oracle = Oracle::start(target)?;
        is_clean &= kept::replay(target, &mut oracle)?;
        let mut run = Run::new(target, seed);
        run.cases(&mut oracle, request.cases.unwrap_or(usize::MAX), each)?;
        run.report();
        for (seed, why) in run.finds.into_values() {
            is_clean = false;
            println!("find of `{}`: {why}", target.name);
            let case = (target.make)(&mut Numbers::of(seed));
            let (case, why) = shrink::shrink(target, &mut oracle, case, why)?;
            println!("the smallest case that shows it: {why}");
            case::show(&case);
            println!(
                "repeat it with: cargo xtask fuzz {} --seed {seed} --cases 1",
                target.name
            );
        }
    }
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The run of one target.
struct Run<'t> {
    target: &'t Target,
    seed: u64,
    started: Instant,
    made: usize,
    /// What became of the cases.
    classes: BTreeMap<String, usize>,
    /// The first find of each kind: its seed, and what is wrong.
    finds: BTreeMap<String, (u64, String)>,
}

impl<'t> Run<'t> {
    fn new(target: &'t Target, seed: u64) -> Self {
        Self {
            target,
            seed,
            started: Instant::now(),
            made: 0,
            classes: BTreeMap::new(),
            finds: BTreeMap::new(),
        }
    }

    /// Runs the cases in batches, until the time is over or there are too many kinds of finds.
    fn cases(&mut self, oracle: &mut Oracle, most: usize, time: Option<Duration>) -> Result<()> {
        let mut waiting: Option<Vec<Ran>> = None;
        loop {
            let is_over = time.is_some_and(|time| self.started.elapsed() >= time) || self.finds.len() >= KINDS;
            let count = if is_over { 0 } else { BATCH.min(most - self.made) };
            // The program works on the next batch while the oracle works on the last.
            let next: Vec<Ran> = (0..count).map(|number| self.one(self.made + number)).collect();
            if let Some(ran) = waiting.take() {
                let first = self.made - ran.len();
                let answers = oracle.answers(&ran)?;
                for (number, (ran, answer)) in ran.into_iter().zip(answers).enumerate() {
                    let class = verdict(self.target, &ran, answer).unwrap_or_else(|why| {
                        let seed = self.seed.wrapping_add((first + number) as u64);
                        self.finds.entry(shrink::kind_of(&why)).or_insert((seed, why));
                        "finds".to_owned()
                    });
                    *self.classes.entry(class).or_default() += 1;
                }
            }
            if next.is_empty() {
                return Ok(());
            }
            oracle.ask(self.target.name, &next)?;
            self.made += next.len();
            waiting = Some(next);
        }
    }

    fn one(&self, number: usize) -> Ran {
        let mut numbers = Numbers::of(self.seed.wrapping_add(number as u64));
        case::run(self.target, &(self.target.make)(&mut numbers))
    }

    fn report(&self) {
        let checked: usize = self.classes.values().sum();
        println!(
            "{}: {checked} cases in {:.1} s, from seed {}",
            self.target.name,
            self.started.elapsed().as_secs_f64(),
            self.seed
        );
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (class, count) in classes {
            println!("  {count:>9}  {class}");
        }
    }
}

/// Returns what became of a case, or what is wrong about it.
fn verdict(target: &Target, ran: &Ran, answer: Option<Answer>) -> Result<String, String> {
    if let Some(wrong) = &ran.wrong {
        return Err(wrong.clone());
    }
    match answer {
        None => Ok(ran.class.clone()),
        Some(Answer { wrong: Some(wrong), .. }) => Err(wrong),
        Some(answer) => (target.verdict)(ran, &answer),
    }
}

/// Runs one case, and returns what is wrong about it.
fn mistake(target: &Target, oracle: &mut Oracle, case: &Value) -> Result<Option<String>> {
    let ran = vec![case::run(target, case)];
    oracle.ask(target.name, &ran)?;
    let answer = oracle.answers(&ran)?.remove(0);
    Ok(verdict(target, &ran[0], answer).err())
}
