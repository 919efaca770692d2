//! `cargo xtask bench`: ratios of run times. The runs of both sides alternate, the ratio is that of the medians, and an A/A
//! ratio beside it shows the noise of the machine.

#[cfg(unix)]
mod end_to_end;
mod gitops;
mod growth;
#[cfg(unix)]
mod home;
#[cfg(unix)]
mod homes;
#[cfg(unix)]
mod kustomize;
mod processes;
mod stream;

use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use homelab::report::table::table;

use crate::cargo;

/// A measured ratio.
pub(crate) struct Row {
    name: &'static str,
    /// The ratio of the medians.
    ratio: f64,
    /// The ratio of the medians of the first side's even and odd runs.
    noise: f64,
    budget: String,
    /// Whether the budget is met; `None` without a budget.
    met: Option<bool>,
}

/// Measures the rows whose name contains `only`, or all of them.
pub(crate) fn measure(corpus: Option<&Path>, only: Option<&str>) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_in_release(corpus, only);
    }
    let stream = stream::Stream::load(corpus)?;
    println!("{}", stream.description);
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    let mut rows = Vec::new();
    if wanted("splice") {
        rows.extend(stream.rows()?);
    }
    if wanted("growth") {
        rows.extend(growth::rows()?);
    }
    rows.extend(processes::rows(&stream, &wanted)?);
    #[cfg(unix)]
    rows.extend(homes::rows(&wanted)?);
    #[cfg(unix)]
    rows.extend(end_to_end::rows(&wanted)?);
    #[cfg(unix)]
    rows.extend(kustomize::rows(&wanted)?);
    #[cfg(not(unix))]
    println!("skipped the rows of whole homes and the end-to-end rows: they run on Linux and macOS only");
    let cells = rows.iter().map(|row| {
        let met = row.met.map_or("", |met| if met { "met" } else { "MISSED" });
        vec![
            row.name.to_owned(),
            format!("{:.2}", row.ratio),
            format!("{:.2}", row.noise),
            row.budget.clone(),
            met.to_owned(),
        ]
    });
    print!("{}", table(&["what", "ratio", "a/a", "budget", ""], cells));
    Ok(())
}

/// Where Linux keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// Runs the benchmark with the release profile, with temporary files in memory where there is a place for them: ext4 without a
/// journal makes files slower for minutes after others were removed, so that each run would measure those before it
/// ([source](https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/fs/ext4/ialloc.c), `recently_deleted`).
fn run_in_release(corpus: Option<&Path>, only: Option<&str>) -> Result<()> {
    let mut command = cargo::cargo();
    command.args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
    // It goes with the run: the servers leave files behind.
    let in_memory = match std::env::var_os("TMPDIR") {
        None => tempfile::tempdir_in(IN_MEMORY)
            .ok()
            .filter(|folder| runs_programs(folder.path())),
        Some(_) => None,
    };
    if let Some(folder) = &in_memory {
        command.env("TMPDIR", folder.path());
    }
    if let Some(corpus) = corpus {
        command.arg("--corpus").arg(std::path::absolute(corpus)?);
    }
    if let Some(only) = only {
        command.args(["--only", only]);
    }
    if !command.status()?.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

/// Reports whether programs in a folder run: the servers of a benchmark have some among their files, and in a container memory may be
/// for data alone.
fn runs_programs(folder: &Path) -> bool {
    let runs = || -> Result<bool> {
        let copy = folder.join("program");
        std::fs::copy(std::env::current_exe()?, &copy)?;
        Ok(Command::new(copy)
            .arg("--help")
            .stdout(Stdio::null())
            .status()?
            .success())
    };
    runs().unwrap_or(false)
}

/// The run times of two sides, measured in turns: A, B, A, B …
pub(crate) struct Times {
    a: Vec<Duration>,
    b: Vec<Duration>,
}

/// Measures both sides in turns, after one warm-up run each.
pub(crate) fn take_turns(
    runs: usize,
    mut a: impl FnMut() -> Result<Duration>,
    mut b: impl FnMut() -> Result<Duration>,
) -> Result<Times> {
    a()?;
    b()?;
    let mut times = Times {
        a: Vec::new(),
        b: Vec::new(),
    };
    for _ in 0..runs {
        times.a.push(a()?);
        times.b.push(b()?);
    }
    Ok(times)
}

impl Times {
    /// Returns the ratio of A to B, with a budget of at most `limit`.
    pub(crate) fn at_most(self, name: &'static str, limit: f64) -> Row {
        let ratio = median(&self.a) / median(&self.b);
        Row {
            name,
            ratio,
            noise: self.noise(),
            budget: format!("≤ {limit}"),
            met: Some(ratio <= limit),
        }
    }

    /// Returns the ratio of A to B, without a budget.
    pub(crate) fn without_budget(self, name: &'static str) -> Row {
        Row {
            name,
            ratio: median(&self.a) / median(&self.b),
            noise: self.noise(),
            budget: String::new(),
            met: None,
        }
    }

    /// Returns the ratio of B to A, with a budget of at least `limit`: A is that many times faster.
    pub(crate) fn faster_by(self, name: &'static str, limit: f64) -> Row {
        let ratio = median(&self.b) / median(&self.a);
        Row {
            name,
            ratio,
            noise: self.noise(),
            budget: format!("≥ {limit}"),
            met: Some(ratio >= limit),
        }
    }

    /// Returns the ratio of A to B; the budget is that A takes at most `longer` more time than B.
    pub(crate) fn within(self, name: &'static str, longer: Duration) -> Row {
        let (a, b) = (median(&self.a), median(&self.b));
        let met = a - b <= longer.as_secs_f64();
        Row {
            name,
            ratio: a / b,
            noise: self.noise(),
            budget: format!("b + {} ms", longer.as_millis()),
            met: Some(met),
        }
    }

    fn noise(&self) -> f64 {
        let every_other = |start: usize| -> Vec<Duration> { self.a.iter().skip(start).step_by(2).copied().collect() };
        median(&every_other(0)) / median(&every_other(1))
    }
}

fn median(times: &[Duration]) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// Returns the time of one call. The result is kept from the optimiser, and is dropped after the measurement.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(work());
    let taken = start.elapsed();
    drop(result);
    taken
}

/// Reads all of the standard input and writes it at once.
pub(crate) fn cat() -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut bytes = Vec::with_capacity(8 << 20);
    input.read_to_end(&mut bytes).context("cannot read")?;
    std::io::stdout().lock().write_all(&bytes).context("cannot write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios() {
        let times = |list: &[u64]| list.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        assert!((median(&times(&[3, 1, 2])) - 0.002).abs() < 1e-9);
        let row = Times {
            a: times(&[10, 10]),
            b: times(&[5, 5]),
        }
        .at_most("x", 2.5);
        assert!(row.met == Some(true) && (row.ratio - 2.0).abs() < 1e-9 && (row.noise - 1.0).abs() < 1e-9);
        let pair = |a: u64, b: u64| Times {
            a: times(&[a]),
            b: times(&[b]),
        };
        assert_eq!(pair(10, 50).faster_by("x", 6.0).met, Some(false));
        assert_eq!(pair(12, 10).within("x", Duration::from_millis(3)).met, Some(true));
        assert_eq!(pair(12, 10).without_budget("x").met, None);
    }
}
