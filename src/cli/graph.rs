//! `kubectl homelab graph`.

use anyhow::Result;
use clap::ValueEnum;

use super::list::RenderArgs;
use super::outside::OutsideArgs;
use super::session::Session;
use crate::failure::Exit;
use crate::model::NamespaceName;
use crate::report::claims;
use crate::report::graph::Graph;
use crate::rules::Scope;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # Who owns, writes and reads each claim, and what guards it
  kubectl homelab graph

  # A picture of one namespace for a README
  kubectl homelab graph -n jellyfin -o mermaid

  # For scripts: the claims that a sync could delete
  kubectl homelab graph -o json | jq '.claims[] | select(.guard == \"unguarded\")'";

/// Draw the Applications and their claims: who owns, writes and reads each, and what guards it
///
/// The Applications are rendered, as by `list volumes`, of which this is the picture. Without `--fetch` it uses no network: for an
/// Application that is not rendered, what it declares counts, and a line says so.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Only the claims of this namespace; all by default
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "all_namespaces")]
    namespace: Option<NamespaceName>,

    /// Those of all namespaces, which is the default
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Output format
    #[arg(short, long, value_enum, default_value = "tree")]
    output: GraphOutput,

    #[command(flatten, next_help_heading = "Renders")]
    renders: RenderArgs,

    #[command(flatten)]
    outside: OutsideArgs,
}

/// Formats of a graph.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GraphOutput {
    /// Claims below namespaces, and who uses them
    Tree,
    /// A flowchart that GitHub, Forgejo and Gitea show in Markdown
    Mermaid,
    /// Everything, for programs
    Json,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    args.renders.prepare(session);
    session.take_outside(&args.outside);
    let repo = session.repo()?;
    repo.check_found()?;
    let renders = args.renders.render(session, repo)?;
    let scope = Scope::new(repo, &renders);
    let namespace = args.namespace.as_ref().map(NamespaceName::as_str);
    let graph = Graph::of(&scope, namespace);
    for malformed in &repo.malformed {
        session.terminal.warn(&malformed.to_string());
    }
    let text = match args.output {
        GraphOutput::Tree => graph.tree(),
        GraphOutput::Mermaid => Some(graph.mermaid()),
        GraphOutput::Json => Some(graph.json()?),
    };
    match text {
        Some(text) => session.terminal.data(&text)?,
        None => session.terminal.say("nothing found"),
    }
    let remarks = claims::remarks(&scope, namespace);
    remarks.iter().for_each(|remark| session.terminal.say(remark));
    Ok(Exit::Done)
}
