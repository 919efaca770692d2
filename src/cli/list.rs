//! `kubectl homelab list`.

use anyhow::Result;
use clap::ValueEnum;

use super::helm::{CacheArgs, HelmArgs};
use super::output::{DocumentOutput, ListOutput, TreeOutput};
use super::outside::OutsideArgs;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::failure::{Exit, usage};
use crate::model::{AppRenders, Application, NamespaceName};
use crate::repo::Repo;
use crate::report::app_tree;
use crate::report::claims;
use crate::report::graph::Graph;
use crate::report::list::{self, Columns, Listing, SetRow};
use crate::rules::Scope;
use crate::sources::{ExpandedSet, Options, expanded_sets};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # All Applications, with their claims
  kubectl homelab list

  # Where they come from: roots, ApplicationSets, charts
  kubectl homelab list -o tree

  # The claims of one namespace: who owns, writes and reads them
  kubectl homelab list volumes -n jellyfin

  # The ApplicationSets, with the Applications that they generate
  kubectl homelab list sets -o wide

  # Everything that is known, for scripts
  kubectl homelab list volumes -o json";

/// List Applications, ApplicationSets, Namespaces or claims of the repository
///
/// `list volumes` renders the Applications, to show who writes and who reads each claim. Without `--fetch` it uses no
/// network: for an Application that is not rendered, what it declares counts, and a line says so. The table fits 80
/// columns; `-o wide` has every row in one line, and more columns.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What to list
    #[arg(value_enum, default_value = "apps")]
    what: What,

    /// Only those of this namespace; all by default
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<NamespaceName>,

    /// Those of all namespaces, which is the default
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Show where each Application comes from: the root, an ApplicationSet, a chart, somebody's hand
    #[arg(long)]
    origin: bool,

    /// List instead what is written in the repository and not alive, with the reason
    #[arg(long)]
    inactive: bool,

    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    output: TreeOutput,

    #[command(flatten, next_help_heading = "For volumes")]
    renders: RenderArgs,

    #[command(flatten)]
    outside: OutsideArgs,
}

/// How Applications are rendered, to know who reads and writes the claims.
#[derive(clap::Args, Debug)]
pub(super) struct RenderArgs {
    /// Render nothing: show what the Applications declare
    #[arg(long, conflicts_with = "fetch")]
    no_render: bool,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    cache: CacheArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    #[value(aliases = ["app", "applications", "application"])]
    Apps,
    #[value(aliases = ["namespace", "ns"])]
    Namespaces,
    #[value(aliases = ["volume", "claims", "claim", "pvc"])]
    Volumes,
    #[value(aliases = ["set", "appsets", "appset", "applicationsets", "applicationset"])]
    Sets,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    args.check()?;
    args.renders.prepare(session);
    session.take_outside(&args.outside);
    let repo = session.repo()?;
    repo.check_found()?;
    let (text, remarks) = match args.output {
        TreeOutput::Tree => args.drawn(session, repo)?,
        TreeOutput::List(output) => {
            let (listing, remarks) = args.listing(session, repo)?;
            (formatted(&listing, output)?, remarks)
        }
    };
    for malformed in &repo.malformed {
        session.terminal.warn(&malformed.to_string());
    }
    match text {
        Some(text) => session.terminal.data(&text)?,
        None => session.terminal.say("nothing found"),
    }
    remarks.iter().for_each(|remark| session.terminal.say(remark));
    Ok(Exit::Done)
}

/// Returns a list in a format; `None` where there is nothing to put into a table.
fn formatted(listing: &Listing, output: ListOutput) -> Result<Option<String>> {
    Ok(Some(match output {
        ListOutput::Table | ListOutput::Wide if listing.names.is_empty() => return Ok(None),
        ListOutput::Table | ListOutput::Wide => listing.table(),
        ListOutput::Name => listing.names.iter().map(|name| format!("{name}\n")).collect(),
        ListOutput::Json => DocumentOutput::Json.render(&listing.tree())?,
        ListOutput::Yaml => DocumentOutput::Yaml.render(&listing.tree())?,
    }))
}

impl Args {
    /// Refuses flags that do not go with what is listed.
    fn check(&self) -> Result<()> {
        let is_about_apps = matches!(self.what, What::Apps);
        let flags = [(self.origin, "--origin"), (self.inactive, "--inactive")];
        if let Some((_, flag)) = flags.iter().find(|(is_given, _)| *is_given && !is_about_apps) {
            return Err(usage(format!("the argument '{flag}' is about Applications alone")));
        }
        match self.what {
            What::Namespaces | What::Sets if self.output == TreeOutput::Tree => Err(usage(
                "the argument '--output tree' is about Applications and volumes alone",
            )),
            _ => Ok(()),
        }
    }

    /// Draws the list, and returns remarks on what it does not show.
    fn drawn(&self, session: &Session, repo: &Repo) -> Result<(Option<String>, Vec<String>)> {
        if !matches!(self.what, What::Volumes) {
            return Ok((Some(app_tree::drawn(repo)), Vec::new()));
        }
        let namespace = self.namespace.as_ref().map(NamespaceName::as_str);
        let renders = self.renders.render(session, repo)?;
        let scope = Scope::new(repo, &renders);
        let graph = Graph::of(&scope, namespace);
        Ok((graph.tree(), claims::remarks(&scope, namespace)))
    }

    /// Returns the list, and remarks on what it does not show.
    fn listing(&self, session: &Session, repo: &Repo) -> Result<(Listing, Vec<String>)> {
        let namespace = self.namespace.as_ref().map(NamespaceName::as_str);
        let wide = self.output == TreeOutput::List(ListOutput::Wide);
        Ok(match self.what {
            What::Apps if self.inactive => (Listing::inactive(list::inactive(repo), wide), Vec::new()),
            What::Apps => {
                let columns = Columns {
                    origin: self.origin,
                    wide,
                };
                let rows = list::apps(repo, namespace);
                (Listing::apps(rows, columns), list::unknown(repo))
            }
            What::Namespaces => {
                let nothing = AppRenders::new();
                let scope = Scope::new(repo, &nothing);
                let rows = list::namespaces(repo, &scope.ownership, namespace);
                (Listing::namespaces(rows, wide), list::unknown(repo))
            }
            What::Volumes => {
                let renders = self.renders.render(session, repo)?;
                let scope = Scope::new(repo, &renders);
                let rows = claims::claims(&scope, namespace);
                (Listing::claims(rows, wide), claims::remarks(&scope, namespace))
            }
            What::Sets => {
                let dirs = self.renders.sources.clone().into_dirs();
                dirs.check(repo, repo.applications().map(|(_, app)| app))?;
                let sets = expanded_sets(repo, session.checkout()?, &dirs);
                let rows = sets.iter().filter_map(|expanded| set_row(expanded, namespace));
                (Listing::sets(rows.collect(), wide), Vec::new())
            }
        })
    }
}

impl RenderArgs {
    /// Says how the repository is read, before it is.
    pub(super) fn prepare(&self, session: &mut Session) {
        session.reads_with(&self.sources, &self.helm);
        session.takes_charts(self.cache.charts_of_applications(!self.no_render));
    }

    /// Renders all Applications, unless only what they declare is asked for.
    pub(super) fn render(&self, session: &Session, repo: &Repo) -> Result<AppRenders> {
        if self.no_render {
            return Ok(AppRenders::new());
        }
        let options = Options {
            charts: self.cache.charts(),
            ..self.sources.options(&self.helm, &repo.settings)
        };
        let (renders, notes) = session.render_all(&self.sources.clone().into_dirs(), &options)?;
        notes.iter().for_each(|note| session.terminal.say(note));
        Ok(renders)
    }
}

/// Returns the row of a set; of one namespace only its Applications count, and a set without any of them has no row.
fn set_row(expanded: &ExpandedSet<'_>, namespace: Option<&str>) -> Option<SetRow> {
    let (applications, reason) = match &expanded.applications {
        Ok(generated) => {
            let apps = generated
                .iter()
                .filter_map(|generated| Application::new(&generated.application));
            let wanted = |app: &Application<'_>| namespace.is_none_or(|name| app.destination_namespace() == Some(name));
            let names: Vec<String> = apps.filter(wanted).map(|app| app.name().to_owned()).collect();
            if names.is_empty() && namespace.is_some() {
                return None;
            }
            (Some(names), None)
        }
        Err(reason) => (None, Some(reason.to_string())),
    };
    Some(SetRow {
        name: expanded.set.name().to_owned(),
        generators: expanded.set.generators(),
        applications,
        reason,
        file: expanded.manifest.file.to_string(),
    })
}
