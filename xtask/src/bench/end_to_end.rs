//! Requests to a real repo-server, from `GenerateManifest` to the answer: one at a time, the plugin compared with Argo CD's
//! own Helm; and as many at once as a cold cache causes.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use real_parts::folder::Folder;
use real_parts::generate::{Answer, Generate, request};
use real_parts::measure::Watch;
use real_parts::repository::Repository;
use real_parts::{Options, RenderTools, RepoServers};
use serde_json::{Value, json};

use super::processes::write_chart;
use super::{Row, Times, take_turns};
use crate::{dist, tools};

const RUNS: usize = 21;
/// The number of files that the large repository has besides its charts.
const FILES: usize = 2_000;
/// The number of renders that a cold cache requests at once.
const AT_ONCE: usize = 64;
/// A limit of helm processes that is never reached.
const NO_LIMIT: &str = "1000";

/// Measures every row whose name is wanted.
pub(super) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if !wanted("end-to-end") {
        return Ok(rows);
    }
    let tools = render_tools()?;
    let home = Folder::new()?;
    let repositories = [("small", 0), ("large", FILES)].map(|(name, files)| {
        write_repository(&home.join("from").join(name), files)
            .and_then(|()| Repository::create(home.path(), name, Some(&home.join("from").join(name))))
    });
    let [small, large] = repositories;
    let (small, large) = (small?, large?);

    let mut setup = Setup::start(&tools, &Options::default(), 1)?;
    rows.push(
        setup
            .against_native(&small, "small", None)?
            .at_most("end-to-end: plugin / native, small chart", 1.5),
    );
    rows.push(
        setup
            .against_native(&small, "large", None)?
            .at_most("end-to-end: plugin / native, large chart", 1.5),
    );
    let times = setup.against_native(&large, "small", Some("."))?;
    rows.push(times.at_most("end-to-end: plugin / native, small chart among 2,000 files", 1.5));
    drop(setup);
    let bare = Options {
        shipped_parameters: false,
        ..Options::default()
    };
    let times = Setup::start(&tools, &bare, 1)?.against_native(&large, "small", None)?;
    rows.push(times.without_budget("end-to-end: the same without the shipped parameters"));
    rows.extend(at_once(&tools, &small)?);
    Ok(rows)
}

/// Returns the programs that render, with a released one of the project.
pub(super) fn render_tools() -> Result<RenderTools> {
    RenderTools::new(|name| match name {
        "program" => dist::released(),
        tool => tools::get(tool),
    })
}

/// A repo-server with the plugin, and a client.
pub(super) struct Setup {
    generate: Generate,
    pub(super) servers: RepoServers,
    #[expect(dead_code, reason = "the folder is removed when it is dropped")]
    folder: Folder,
}

impl Setup {
    pub(super) fn start(tools: &RenderTools, options: &Options, parallel: usize) -> Result<Self> {
        let folder = Folder::new()?;
        let servers = RepoServers::start(&folder, tools, options)?;
        servers.until_they_answer()?;
        let generate = Generate::connect(&tools::get("generate-manifest")?, servers.port()?, parallel)?;
        Ok(Self {
            generate,
            servers,
            folder,
        })
    }

    fn against_native(&mut self, repository: &Repository, chart: &str, paths: Option<&str>) -> Result<Times> {
        let ask = |plugin: bool| request_for(repository, chart, plugin, paths);
        let (plugin, native) = (ask(true)?, ask(false)?);
        let setup = std::cell::RefCell::new(self);
        let time = |request: &Value| {
            setup
                .borrow_mut()
                .time(std::slice::from_ref(request))
                .and_then(succeeded)
        };
        take_turns(RUNS, || time(&plugin), || time(&native))
    }

    /// Returns the time until all answers are there, and the number of errors among them.
    pub(super) fn time(&mut self, requests: &[Value]) -> Result<(Duration, usize)> {
        let start = Instant::now();
        let answers = self.generate.ask(requests)?;
        let failed = answers
            .iter()
            .filter(|answer| matches!(answer, Answer::Error(_)))
            .count();
        Ok((start.elapsed(), failed))
    }
}

pub(super) fn succeeded((taken, failed): (Duration, usize)) -> Result<Duration> {
    if failed > 0 {
        bail!("a render failed");
    }
    Ok(taken)
}

/// Measures as many renders at once as a home cluster has Applications, with the plugin's limit of helm processes and
/// without it.
fn at_once(tools: &RenderTools, repository: &Repository) -> Result<Vec<Row>> {
    let requests = vec![request_for(repository, "small", true, None)?; AT_ONCE];
    let unlimited = Options {
        plugin_variables: vec![("HOMELAB_MAX_HELM", NO_LIMIT.to_owned())],
        ..Options::default()
    };
    let mut setups = [Options::default(), unlimited]
        .into_iter()
        .map(|options| Setup::start(tools, &options, AT_ONCE))
        .collect::<Result<Vec<_>>>()?;
    let (mut times, mut peaks, mut failures) = ([const { Vec::new() }; 2], [0; 2], [0; 2]);
    for _ in 0..5 {
        for (side, setup) in setups.iter_mut().enumerate() {
            let watch = Watch::start(setup.servers.plugin_groups());
            let (taken, failed) = setup.time(&requests)?;
            times[side].push(taken);
            peaks[side] = watch.mebibytes().max(peaks[side]);
            failures[side] += failed;
        }
    }
    let [a, b] = times;
    let share = |failed: usize| failed as f64 / (a.len() * AT_ONCE) as f64;
    let (limited, free) = (share(failures[0]), share(failures[1]));
    let plain = |name, ratio, met: Option<bool>, budget: &str| Row {
        name,
        ratio,
        noise: 1.0,
        budget: budget.to_owned(),
        met,
    };
    Ok(vec![
        Times { a, b }.without_budget("end-to-end: 64 at once, time with the limit / without"),
        plain(
            "end-to-end: 64 at once, peak memory with the limit / without",
            peaks[0] as f64 / peaks[1] as f64,
            None,
            "",
        ),
        plain(
            "end-to-end: 64 at once, failed with the limit",
            limited,
            Some(failures[0] == 0),
            "0",
        ),
        plain("end-to-end: 64 at once, failed without", free, None, ""),
    ])
}

fn request_for(repository: &Repository, chart: &str, plugin: bool, paths: Option<&str>) -> Result<Value> {
    let mut source = json!({"repoURL": repository.url(), "path": format!("charts/{chart}"), "targetRevision": "main"});
    if plugin {
        source["plugin"] = json!({"name": "homelab-v1", "parameters": [{"name": "owns", "array": ["data"]}]});
    }
    let mut request = request("bench", "default", &source, &repository.head()?);
    if let Some(paths) = paths {
        request["annotationManifestGeneratePaths"] = json!(paths);
    }
    Ok(request)
}

/// Writes a repository with two charts and files that no render reads.
fn write_repository(folder: &Path, files: usize) -> Result<()> {
    write_chart(&folder.join("charts/small"), 4)?;
    write_chart(&folder.join("charts/large"), 1_000)?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for file in 0..files {
        let folder = folder.join(format!("files/{}", file % 50));
        fs::create_dir_all(&folder)?;
        let mut text = String::new();
        while text.len() < 2_700 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let _ = writeln!(text, "{state:x}");
        }
        fs::write(folder.join(format!("{file}.txt")), text)?;
    }
    Ok(())
}
