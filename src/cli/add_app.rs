//! `kubectl homelab add-app`.

pub(super) mod planned;

use std::path::PathBuf;

use anyhow::Result;

use super::edit_args::EditArgs;
use super::helm::HelmArgs;
use super::pairs;
use super::session::Session;
use super::source_dirs;
use crate::disk;
use crate::edit;
use crate::edit::add_app::{Destination, Place, Request};
use crate::failure::{Exit, as_usage};
use crate::model::mount::Mount;
use crate::model::parameter::Parameter;
use crate::model::{AppName, Application, ClaimPath, NamespaceName};
use crate::repo::RepoPath;
use crate::sources::{Network, Options, SourceDirs, Sources};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # A chart in a Git repository; the claims that it renders become its own
  kubectl homelab add-app scanner -n radio \\
    --repo https://github.com/you/scanner --path helm/scanner --revision main

  # A chart from a Helm repository that mounts a claim of another Application
  kubectl homelab add-app jellyfin -n radio --fetch \\
    --repo https://jellyfin.github.io/jellyfin-helm --helm-chart jellyfin \\
    --revision 3.3.0 --mount pvc-audio:/media/audio

  # A chart whose values are in this repository: in apps/jellyfin/values.yaml
  kubectl homelab add-app jellyfin -n radio --fetch \\
    --repo https://jellyfin.github.io/jellyfin-helm --helm-chart jellyfin \\
    --revision 3.3.0 --values-dir apps/jellyfin

  # Into a new Namespace, which is added with it
  kubectl homelab add-app films -n films --create-namespace \\
    --repo https://github.com/you/films --path manifests

  # Change an Application that is there: what is named, and nothing else
  kubectl homelab add-app scanner --upsert --sync-wave 3

  # Print the change instead of making it
  kubectl homelab add-app scanner -n radio --dry-run=client -o diff \\
    --repo https://github.com/you/scanner --path helm/scanner";

/// Add an Application to the repository
///
/// Writes the Application, with `--create-namespace` its Namespace, too. Where the source can be rendered, the claims that
/// it renders are added to `--owns`. With `--upsert` it changes one that is there: what is named, and nothing else.
///
/// Where ApplicationSets make the Applications of folders, it makes the folder: a wrapper chart with `--helm-chart` or `--chart` as
/// its dependency, and the parameters in `.argocd-source.yaml`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The name of the Application
    pub(super) name: AppName,

    /// The destination namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE", required_unless_present = "upsert")]
    dest_namespace: Option<NamespaceName>,

    /// Add the Namespace, if no manifest has it
    #[arg(long)]
    create_namespace: bool,

    /// The cluster, by the URL of its API server; by default the one that Argo CD runs in
    #[arg(long, value_name = "URL", conflicts_with = "dest_name")]
    dest_server: Option<String>,

    /// The cluster, by its name in Argo CD
    #[arg(long, value_name = "NAME")]
    dest_name: Option<String>,

    /// The project in Argo CD; by default `default`
    #[arg(long)]
    project: Option<String>,

    #[command(flatten)]
    pub(super) checkouts: source_dirs::SourceDirArgs,

    #[command(flatten)]
    pub(super) helm: HelmArgs,

    /// A label of the Application; may be repeated
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = pairs::parse_label)]
    labels: Vec<pairs::Pair>,

    /// An annotation of the Application; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pairs::parse_annotation)]
    annotations: Vec<pairs::Pair>,

    /// The folder for the new manifest, or around the new folder of a set; by default where the others are
    #[arg(long, value_name = "DIR", conflicts_with = "upsert")]
    dir: Option<PathBuf>,

    /// Change the Application if it is already there: what is named here, and nothing else
    #[arg(long)]
    upsert: bool,

    /// With --upsert: let the Application leave its claims behind in another namespace or cluster, and get empty ones
    #[arg(long, requires = "upsert")]
    move_namespace: bool,

    #[command(flatten)]
    edit: EditArgs,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    plugin: PluginArgs,

    #[command(flatten)]
    sync: SyncArgs,
}

/// The source of the manifests.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Source")]
struct SourceArgs {
    /// The Git or Helm repository
    #[arg(long, value_name = "URL", required_unless_present_any = ["chart", "upsert"])]
    repo: Option<String>,

    /// The folder in the Git repository: a chart, or manifests
    #[arg(long, value_name = "DIR", required_unless_present_any = ["helm_chart", "chart", "upsert"])]
    path: Option<String>,

    /// The chart in the Helm repository
    #[arg(long, value_name = "NAME", conflicts_with = "path")]
    helm_chart: Option<String>,

    /// The folder of this repository with the values of the chart: it becomes the source, and the plugin pulls the chart. A file
    /// that is named as `--values /DIR/FILE` does the same
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    values_dir: Option<PathBuf>,

    /// A chart in an OCI registry
    #[arg(long, value_name = "oci://…", conflicts_with_all = ["repo", "path", "helm_chart"], value_parser = parse_oci)]
    chart: Option<String>,

    /// Branch, tag or commit, `HEAD` by default; the chart's version
    #[arg(long, value_name = "REV", required_unless_present_any = ["path", "upsert"])]
    revision: Option<String>,
}

/// The options of the plugin.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Claims and values")]
struct PluginArgs {
    /// A claim that this Application owns; may be repeated
    #[arg(long, value_name = "CLAIM")]
    owns: Vec<ClaimPath>,

    /// A claim of another Application that this one may write; may be repeated
    #[arg(long, value_name = "CLAIM")]
    writes: Vec<ClaimPath>,

    /// A claim to mount, read-only unless owned or in --writes; may be repeated. Its options are workload=[Kind/]NAME,
    /// container=NAME and gid=N
    #[arg(long = "mount", value_name = MOUNT, value_parser = parse_mount)]
    mounts: Vec<Mount>,

    /// A Helm value file, relative to the chart or to --values-dir, or from the repository's root with a leading `/`; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<String>,

    /// A Helm value; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pairs::parse)]
    helm_set: Vec<pairs::Pair>,

    /// A file of Helm values whose text goes into the Application
    #[arg(long, value_name = "FILE")]
    values_literal_file: Option<PathBuf>,

    /// Helm's release name
    #[arg(long, value_name = "NAME")]
    release_name: Option<String>,
}

/// The options of the sync.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Sync")]
struct SyncArgs {
    /// Prune objects that Git no longer has; true by default
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    auto_prune: Option<bool>,

    /// Undo manual changes; true by default
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    self_heal: Option<bool>,

    /// A sync option, as `ServerSideApply=true`; may be repeated
    #[arg(long = "sync-option", value_name = "OPTION=VALUE")]
    sync_options: Vec<String>,

    /// The sync wave
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    sync_wave: Option<i64>,

    /// Delete the Application's objects with it, true by default; owned claims stay
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    set_finalizer: Option<bool>,
}

/// The syntax of a mount, in short.
pub(super) const MOUNT: &str = "CLAIM[/SUBPATH]:PATH[,OPTION…]";

pub(super) fn parse_mount(text: &str) -> Result<Mount, String> {
    text.parse::<Mount>().map_err(|error| format!("{error:#}"))
}

fn parse_oci(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("oci://").filter(|rest| rest.contains('/'));
    rest.map(|_| text.to_owned())
        .ok_or_else(|| "it is not oci://HOST/PATH/CHART".to_owned())
}

impl Args {
    /// Returns the folder of this repository with the values of the chart.
    pub(super) fn values_dir(&self) -> Result<Option<RepoPath>> {
        let dir = self.source.values_dir.as_deref();
        dir.map(|dir| RepoPath::new(&dir.to_string_lossy())).transpose()
    }

    /// Returns the request, and what is about this run and not about the Application.
    pub(super) fn into_request(self) -> Result<(Request, SourceDirs, Options, HelmArgs, EditArgs)> {
        let Args {
            name,
            source,
            dest_namespace,
            create_namespace,
            dest_server,
            dest_name,
            project,
            plugin,
            sync,
            checkouts,
            helm,
            labels,
            annotations,
            dir,
            upsert,
            move_namespace,
            edit,
        } = self;
        let (repo_url, place, revision) = source.into_place();
        let server = dest_server.map(Destination::Server);
        let request = Request {
            name,
            namespace: dest_namespace,
            repo_url,
            place,
            revision,
            destination: dest_name.map(Destination::Name).or(server),
            project,
            parameters: plugin.into_parameters()?,
            reads: Vec::new(),
            auto_prune: sync.auto_prune,
            self_heal: sync.self_heal,
            sync_options: sync.sync_options,
            sync_wave: sync.sync_wave,
            finalizer: sync.set_finalizer,
            labels: pairs::map(labels),
            annotations: pairs::map(annotations),
            folder: dir
                .as_deref()
                .map(|dir| RepoPath::new(&dir.to_string_lossy()))
                .transpose()?,
            upsert,
            create_namespace,
            move_namespace,
        };
        let options = Options {
            network: checkouts.network(Network::Never),
            ..Options::default()
        };
        Ok((request, checkouts.into_dirs(), options, helm, edit))
    }
}

impl SourceArgs {
    /// Returns the repository, the place in it, and the revision, as far as they are named.
    fn into_place(self) -> (Option<String>, Option<Place>, Option<String>) {
        let SourceArgs {
            repo,
            path,
            helm_chart,
            chart,
            revision,
            values_dir: _,
        } = self;
        if let Some(chart) = chart {
            return (Some(chart), Some(Place::Path(".".to_owned())), revision);
        }
        (repo, helm_chart.map(Place::Chart).or(path.map(Place::Path)), revision)
    }
}

impl PluginArgs {
    fn into_parameters(self) -> Result<Vec<Parameter>> {
        let PluginArgs {
            owns,
            writes,
            mounts,
            values,
            helm_set,
            values_literal_file,
            release_name,
        } = self;
        let literal = values_literal_file.as_deref().map(disk::read_text).transpose()?;
        let array = |name: &str, entries: Vec<String>| {
            let array = (!entries.is_empty()).then_some(entries)?;
            Some(Parameter {
                name: name.to_owned(),
                array: Some(array),
                ..Parameter::default()
            })
        };
        let string = |name: &str, text: Option<String>| {
            Some(Parameter {
                name: name.to_owned(),
                string: Some(text?),
                ..Parameter::default()
            })
        };
        let set = (!helm_set.is_empty()).then(|| pairs::map(helm_set));
        let set = set.map(|map| Parameter {
            name: "helm-parameters".to_owned(),
            map: Some(map),
            ..Parameter::default()
        });
        let list = [
            array("owns", owns.iter().map(ToString::to_string).collect()),
            array("mounts", mounts.iter().map(ToString::to_string).collect()),
            array("writes", writes.iter().map(ToString::to_string).collect()),
            array("values-files", values),
            string("values", literal),
            set,
            string("release-name", release_name),
        ];
        Ok(list.into_iter().flatten().collect())
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.checkouts, &args.helm);
    let values_dir = args.values_dir()?;
    let (mut request, dirs, options, helm, edit_args) = args.into_request()?;
    edit::add_app::check(&request).map_err(as_usage)?;
    session.edit(&edit_args.write)?;
    let (edit, gate) = {
        let repo = session.repo()?;
        let options = Options {
            helm: helm.into_options(&repo.settings),
            ..options
        };
        repo.check_one(request.name.as_str())?;
        edit::add_app::values_in_git::turn_round(repo, &mut request, values_dir.as_ref())?;
        edit::add_app::stamp(repo, &mut request);
        let preview = edit::add_app::preview(repo, &request);
        let apps = repo.applications().map(|(_, app)| app);
        let sources = Sources::new(repo, session.checkout()?, &dirs, &options);
        let folder = edit::add_app::folder::find(repo, &request, &sources)?;
        let unwritten = edit::add_app::unwritten::existing(repo, &request);
        if folder.is_none() && unwritten.is_none() {
            edit::add_app::check_against(repo, &request)?;
        }
        dirs.check(repo, apps.chain(Application::new(&preview)))?;
        match folder {
            _ if unwritten.is_some() => planned::unwritten(repo, &request, &sources)?,
            Some(folder) => planned::in_folder(repo, request, &sources, &folder)?,
            None => planned::beside_others(repo, request, &sources)?,
        }
    };
    session.finish(&edit_args, &edit, &gate)
}
