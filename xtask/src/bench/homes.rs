//! Whole homes: what a command takes compared with the helms and kustomizes that it starts, run bare; and large ones compared
//! with smaller ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Row, Times, home, take_turns};
use crate::{dist, tools};

const RUNS: usize = 7;
/// As [`RUNS`], of a command that ends soon: its times differ by more.
const SHORT_RUNS: usize = 41;
/// Writes down a program, its folder and its arguments, a line for each, and is that program.
const RECORDER: &str = "#!/bin/sh\nprintf '%s\\n' 'PROGRAM' \"$PWD\" \"$@\" > \"STARTS/$$\"\nexec 'PROGRAM' \"$@\"\n";

/// Measures every row whose name is wanted.
pub(super) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if wanted("home") {
        rows.extend(mixed()?);
    }
    if wanted("sets") {
        rows.extend(large()?);
    }
    Ok(rows)
}

/// A repository, the program, helm and kustomize, and a cache.
struct Home {
    program: PathBuf,
    tools: [PathBuf; 2],
    folder: tempfile::TempDir,
}

/// One start of helm or kustomize.
struct Start {
    program: PathBuf,
    folder: PathBuf,
    arguments: Vec<String>,
}

impl Home {
    fn new() -> Result<Self> {
        let home = Self {
            program: dist::released()?,
            tools: [tools::get("helm")?, tools::get("kustomize")?],
            folder: tempfile::tempdir()?,
        };
        for folder in [home.repository(), home.path("bin"), home.path("recorders")] {
            fs::create_dir(folder)?;
        }
        for tool in &home.tools {
            let name = tool.file_name().context("a tool has no name")?;
            std::os::unix::fs::symlink(tool, home.path("bin").join(name))?;
            let recorder = home.path("recorders").join(name);
            let script = RECORDER.replace("STARTS", &home.path("starts").display().to_string());
            fs::write(&recorder, script.replace("PROGRAM", &tool.display().to_string()))?;
            fs::set_permissions(&recorder, fs::Permissions::from_mode(0o755))?;
        }
        Ok(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    /// Returns a command with the tools of a folder first on PATH.
    fn command(&self, repository: &Path, arguments: &[&str], tools: &str) -> Command {
        let mut command = Command::new(&self.program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.path(tools)].into_iter().chain(std::env::split_paths(&path));
        command
            .args(arguments)
            .current_dir(repository)
            .env("PATH", std::env::join_paths(folders).unwrap_or(path))
            .env("HOMELAB_CACHE_DIR", self.path("cache"));
        command
    }

    /// Returns the time of a command, with what earlier ones have kept or without it.
    fn time(&self, arguments: &[&str], is_warm: bool) -> Result<Duration> {
        if !is_warm {
            self.forget()?;
        }
        time(&mut self.command(&self.repository(), arguments, "bin"))
    }

    fn forget(&self) -> Result<()> {
        match fs::remove_dir_all(self.path("cache")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Returns the helms and kustomizes that a command starts.
    fn starts(&self, arguments: &[&str]) -> Result<Vec<Start>> {
        let starts = self.path("starts");
        if starts.exists() {
            fs::remove_dir_all(&starts)?;
        }
        fs::create_dir(&starts)?;
        time(&mut self.command(&self.repository(), arguments, "recorders"))?;
        let files = fs::read_dir(starts)?.map(|entry| Ok(fs::read_to_string(entry?.path())?));
        let start = |text: Result<String>| -> Result<Start> {
            let text = text?;
            let mut lines = text.lines().map(str::to_owned);
            Ok(Start {
                program: lines.next().context("a start has no program")?.into(),
                folder: lines.next().context("a start has no folder")?.into(),
                arguments: lines.collect(),
            })
        };
        files.map(start).collect()
    }

    /// Returns the time of these programs alone, as many at a time as there are cores.
    fn bare(&self, starts: &[Start]) -> Result<Duration> {
        let cores = std::thread::available_parallelism()?.get();
        let (next, own) = (std::sync::atomic::AtomicUsize::new(0), self.path("own"));
        let run = || -> Result<()> {
            while let Some(start) = starts.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                let mut command = Command::new(&start.program);
                command.args(&start.arguments).current_dir(&start.folder);
                for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
                    command.env(name, &own);
                }
                time(&mut command)?;
            }
            Ok(())
        };
        let begin = Instant::now();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(run)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => bail!("a worker panicked"),
            })
        })?;
        Ok(begin.elapsed())
    }

    /// Returns how many Applications `list` finds.
    fn found(&self, repository: &Path) -> Result<usize> {
        let output = self.command(repository, &["list", "-o", "name"], "bin").output()?;
        Ok(output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .count())
    }
}

/// Measures a home of the measured mix.
fn mixed() -> Result<Vec<Row>> {
    let home = Home::new()?;
    let repository = home.repository();
    home::write_mixed(&repository)?;
    let (found, expected) = (home.found(&repository)?, home::MIXED + home::PARENTS + 1);
    if found < expected {
        println!("skipped the rows of a whole home: `list` finds {found} of its {expected} Applications");
        return Ok(Vec::new());
    }
    let validate = ["validate"];
    home.forget()?;
    let all = home.starts(&validate)?;
    home.forget()?;
    let parents = home.starts(&["list"])?;
    println!(
        "a home of {expected} Applications: {} helms and {} kustomizes, {} of them for parents",
        all.iter().filter(|start| start.program == home.tools[0]).count(),
        all.iter().filter(|start| start.program == home.tools[1]).count(),
        parents.len()
    );
    let cold = || home.time(&validate, false);
    let mut rows = vec![
        take_turns(RUNS, cold, || home.bare(&all))?.at_most("home: validate cold / its programs bare", 1.15),
        warm(&home, &validate)?.at_most("home: validate warm / cold", 0.15),
    ];
    let list = || home.time(&["list"], false);
    rows.push(
        take_turns(SHORT_RUNS, list, || home.bare(&parents))?
            .at_most("home: list cold / its parents' programs bare", 1.2),
    );
    rows.push(changed(&home)?);
    rows.push(memory(&home, &all)?);
    Ok(rows)
}

/// Compares a command with itself on an empty cache.
fn warm(home: &Home, arguments: &[&str]) -> Result<Times> {
    let warm = || {
        home.time(arguments, true)?;
        home.time(arguments, true)
    };
    take_turns(RUNS, warm, || home.time(arguments, false))
}

/// Counts the programs that are started after one file was changed: one of a chart, or one that changes an Application of a
/// parent.
fn changed(home: &Home) -> Result<Row> {
    let mut most = 0;
    for change in [home::changed_chart, home::changed_parent] {
        home.starts(&["validate"])?;
        let (file, text) = change(&home.repository())?;
        fs::write(home.repository().join(file), text)?;
        most = home.starts(&["validate"])?.len().max(most);
    }
    Ok(Row {
        name: "home: programs after one changed file",
        ratio: most as f64,
        noise: 1.0,
        budget: "≤ 2".to_owned(),
        met: Some(most <= 2),
    })
}

/// Compares the program's peak memory with that of one of its helms.
fn memory(home: &Home, starts: &[Start]) -> Result<Row> {
    home.forget()?;
    let itself = peak(&mut home.command(&home.repository(), &["validate"], "bin"))?;
    let of_helm = |start: &&Start| start.program == home.tools[0];
    let start = starts.iter().find(of_helm).context("no helm was started")?;
    let mut helm = Command::new(&start.program);
    let helm = peak(helm.args(&start.arguments).current_dir(&start.folder))?;
    Ok(Row {
        name: "home: peak memory of validate / of one helm",
        ratio: itself / helm,
        noise: 1.0,
        budget: String::new(),
        met: None,
    })
}

/// Compares 10,000 Applications of 50 sets with 1,000 of 5.
fn large() -> Result<Vec<Row>> {
    const EACH: usize = 200;
    let home = Home::new()?;
    let mut repositories = Vec::new();
    for sets in [50, 5] {
        let repository = home.path(&format!("sets-{sets}"));
        fs::create_dir(&repository)?;
        home::write_sets(&repository, sets, EACH)?;
        let (found, expected) = (home.found(&repository)?, sets * EACH);
        if found < expected {
            println!("skipped the rows of large sets: `list` finds {found} of their {expected} Applications");
            return Ok(Vec::new());
        }
        repositories.push(repository);
    }
    let mut rows = Vec::new();
    for (name, arguments) in [
        ("sets: list 10,000 / 1,000 Applications", &["list", "-o", "name"][..]),
        (
            "sets: validate 10,000 / 1,000 Applications",
            &["validate", "--no-render"],
        ),
    ] {
        let run = |repository: &Path| time(&mut home.command(repository, arguments, "bin"));
        rows.push(take_turns(5, || run(&repositories[0]), || run(&repositories[1]))?.at_most(name, 11.5));
    }
    Ok(rows)
}

/// Returns the time of a command. Findings are no failure.
fn time(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let taken = start.elapsed();
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("{command:?} ended with {status}");
    }
    Ok(taken)
}

/// Returns the peak memory of a command, in kilobytes.
fn peak(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let (file, mut peak) = (format!("/proc/{}/status", child.id()), None);
    while child.try_wait()?.is_none() {
        // One that has ended has no line for it any more.
        let status = fs::read_to_string(&file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line
            .and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok())
            .or(peak);
        std::thread::sleep(Duration::from_millis(1));
    }
    peak.context("peak memory is read from /proc, which only Linux has")
}
