//! `kubectl homelab render`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::helm::{CacheArgs, HelmArgs};
use super::output::DocumentOutput;
use super::outside::OutsideArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::disk;
use crate::failure::{self, Exit, Failure, HintExt};
use crate::model::{Application, Object, Settings, Unavailable};
use crate::render::Output;
use crate::sources::{Network, Options, Sources, add_new};
use crate::yaml;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What the cluster would get of one Application
  kubectl homelab render jellyfin

  # Its source from a checkout, for the version of your cluster
  kubectl homelab render jellyfin --source-dir home-media=../home-media \\
    --kube-version 1.34

  # All Applications, each in a file of its own
  kubectl homelab render --all --output-dir rendered";

/// Print what the cluster would get
///
/// The same code that runs in Argo CD renders the Application's sources and applies the storage rules. Sources come from
/// checkouts beside the repository (as they are), the user's cache, or the network.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Applications
    #[arg(value_name = "APP", required_unless_present_any = ["all", "app_file"])]
    apps: Vec<String>,

    /// All Applications of the repository; those that do not render are left out, and the exit code is 1
    #[arg(long, conflicts_with = "apps")]
    all: bool,

    /// An Application from a file instead of the repository's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["apps", "all"])]
    app_file: Option<PathBuf>,

    #[command(flatten)]
    sources: SourceDirArgs,

    /// Use no network; without it, sources that are neither checked out here nor in the cache are fetched
    #[arg(long, conflicts_with = "fetch")]
    offline: bool,

    /// The revision to render, instead of `targetRevision`; for sources that are fetched
    #[arg(long, value_name = "REV")]
    revision: Option<String>,

    /// One more Helm value file, as in the Application; may be repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<String>,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cache: CacheArgs,

    /// Leave the storage rules out: print what Helm or the folder renders
    #[arg(long)]
    no_storage_rules: bool,

    /// Write each Application to DIR/APP.yaml instead
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,

    /// How to print it
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: DocumentOutput,

    #[command(flatten)]
    outside: OutsideArgs,
}

impl Args {
    fn options(&self, settings: &Settings) -> Options {
        let network = match self.offline {
            true => Network::Never,
            false => self.sources.network(Network::WhenMissing),
        };
        Options {
            network,
            helm: self.helm.clone().into_options(settings),
            revision: self.revision.clone(),
            values: self.values.clone(),
            without_storage_rules: self.no_storage_rules,
            charts: self.cache.charts(),
            ..Options::default()
        }
    }

    /// Returns the selected Applications as objects.
    fn objects(&self, session: &Session) -> Result<Vec<Object>> {
        if let Some(file) = &self.app_file {
            return from_file(file);
        }
        let repo = session.repo()?;
        if self.all {
            return Ok(repo.applications().map(|(_, app)| app.object().clone()).collect());
        }
        let one = |name: &String| Ok(repo.named_application(name)?.1.object().clone());
        self.apps.iter().map(one).collect()
    }
}

fn from_file(file: &std::path::Path) -> Result<Vec<Object>> {
    let text = disk::read_text(file)?;
    let place = |error: yaml::YamlError| anyhow!("{}:{error}", file.display());
    let mut objects = Vec::new();
    for document in yaml::documents(&text).map_err(place)? {
        let tree = yaml::value(&text[document.range.clone()]).map_err(|error| place(error.below(document.line - 1)))?;
        objects.extend(
            tree.map(Object::new)
                .filter(|object| Application::new(object).is_some()),
        );
    }
    if objects.is_empty() {
        return Err(anyhow!("`{}` holds no Application", file.display()));
    }
    Ok(objects)
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.take_outside(&args.outside);
    session.takes_charts(args.cache.charts());
    let options = args.options(&session.repo()?.settings);
    let dirs = args.sources.clone().into_dirs();
    let sources = Sources::new(session.repo()?, session.checkout()?, &dirs, &options);
    let objects = args.objects(session)?;
    let apps: Vec<Application<'_>> = objects.iter().filter_map(Application::new).collect();
    let others = session.repo()?.applications().map(|(_, app)| app);
    dirs.check(session.repo()?, apps.iter().copied().chain(others))?;
    let progress = session.terminal.progress("rendering");
    let renders = sources.render_each(&apps, |name| progress.now(&format!("rendering {name}")));
    drop(progress);
    let (mut rendered, mut notes) = (Vec::new(), Vec::<String>::new());
    for (app, render) in apps.iter().zip(renders) {
        let render = match render.map_err(|error| cannot_render(app.name(), error)) {
            Ok(render) => render,
            Err(error) if args.all => {
                session.terminal.failure(&Failure::from(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        let before = notes.len();
        add_new(&mut notes, render.notes);
        notes[before..].iter().for_each(|note| session.terminal.say(note));
        rendered.push((app.name().to_owned(), render.outputs));
    }
    remark_on_versions(session, &options, &rendered);
    print(&args, session, &rendered)?;
    let unread = session.repo()?.check_all_read().err().filter(|_| args.all);
    Ok(end(session, apps.len() - rendered.len(), apps.len(), unread))
}

/// Says where the versions come from that charts see, where nobody sets them.
fn remark_on_versions(session: &Session, options: &Options, rendered: &[(String, Vec<Output>)]) {
    if options.helm.kube_version.is_none()
        && rendered
            .iter()
            .any(|(_, outputs)| outputs.iter().any(|output| output.raw().contains("# Source: ")))
    {
        session.terminal.say(
            "Kubernetes and API versions are helm's own; set those of your cluster as `kubeVersion` and `apiVersions` in `.homelab.yaml`, or with `--kube-version` and `--api-versions`",
        );
    }
}

/// Returns the exit code, and says what is missing in what was printed, if anything is: Applications that do not render, and
/// those that may be in files that cannot be read.
fn end(session: &Session, left_out: usize, wanted: usize, unread: Option<anyhow::Error>) -> Exit {
    if wanted == 0 {
        session.terminal.say("there are no Applications to render");
    }
    if left_out == 0 && unread.is_none() {
        return Exit::Done;
    }
    let files = match unread {
        Some(error) => {
            session.terminal.failure(&Failure::from(error));
            ", and not all files can be read"
        }
        None => "",
    };
    session.terminal.say(&format!(
        "not complete: {left_out} of {wanted} Applications left out{files}; see the errors above"
    ));
    Exit::Findings
}

/// Returns the error of an Application that was asked for and has no render.
fn cannot_render(name: &str, error: anyhow::Error) -> anyhow::Error {
    match failure::find::<Unavailable>(&error).cloned() {
        Some(unavailable) => {
            // The network is used, unless it was forbidden.
            let error = match unavailable.needs_network() {
                true => anyhow::Error::new(unavailable).hint("let it be fetched: leave out `--offline`"),
                false => error,
            };
            error.context(format!("cannot render Application `{name}`"))
        }
        None => error.context(format!("Application `{name}`")),
    }
}

fn print(args: &Args, session: &Session, rendered: &[(String, Vec<Output>)]) -> Result<()> {
    if let Some(folder) = &args.output_dir {
        let names: BTreeSet<&String> = rendered.iter().map(|(name, _)| name).collect();
        if names.len() < rendered.len() {
            return Err(
                anyhow!("two Applications have the same name, and would be written to the same file")
                    .hint("see which with `kubectl homelab validate`, or render them one by one"),
            );
        }
        disk::make_folder(folder)?;
        for (name, outputs) in rendered {
            let ending = if args.output == DocumentOutput::Json {
                "json"
            } else {
                "yaml"
            };
            let text = match args.output {
                DocumentOutput::Yaml => stream(outputs).concat(),
                DocumentOutput::Json => json_list(outputs)?,
            };
            let file = folder.join(format!("{name}.{ending}"));
            disk::write_text(&file, &text)?;
            session.terminal.say(&format!("{} written", file.display()));
        }
        return Ok(());
    }
    match args.output {
        DocumentOutput::Yaml => {
            let outputs: Vec<Output> = rendered.iter().flat_map(|(_, outputs)| outputs.clone()).collect();
            session.terminal.data_slices(stream(&outputs))?;
        }
        DocumentOutput::Json => {
            let outputs: Vec<Output> = rendered.iter().flat_map(|(_, outputs)| outputs.clone()).collect();
            session.terminal.data(&json_list(&outputs)?)?;
        }
    }
    Ok(())
}

/// Returns the pieces of all outputs, with a separator where a stream starts without one.
fn stream(outputs: &[Output]) -> Vec<&str> {
    let mut pieces = Vec::new();
    for (index, output) in outputs.iter().enumerate() {
        if index > 0 {
            let ends = pieces
                .last()
                .is_none_or(|last: &&str| last.is_empty() || last.ends_with('\n'));
            pieces.extend((!ends).then_some("\n"));
            pieces.extend((!output.raw().starts_with("---")).then_some("---\n"));
        }
        pieces.extend(output.pieces());
    }
    pieces
}

fn json_list(outputs: &[Output]) -> Result<String> {
    let mut items: Vec<Value> = Vec::new();
    for output in outputs {
        items.extend(output.objects()?.iter().map(|object| object.tree().clone()));
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    Ok(format!("{}\n", serde_json::to_string_pretty(&list)?))
}
