//! `kubectl homelab list`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::ValueEnum;

use super::output::{DocumentOutput, ListOutput};
use super::session::Session;
use crate::failure::Exit;
use crate::model::NamespaceName;
use crate::repo::Repo;
use crate::report::list::{self, Listing};
use crate::rules::Scope;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # All Applications, with their claims
  kubectl homelab list

  # The claims of one namespace: who owns, writes and reads them
  kubectl homelab list volumes -n jellyfin

  # Everything that is known, for scripts
  kubectl homelab list volumes -o json";

/// List Applications, Namespaces or claims of the repository
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

    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    output: ListOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    #[value(aliases = ["app", "applications", "application"])]
    Apps,
    #[value(aliases = ["namespace", "ns"])]
    Namespaces,
    #[value(aliases = ["volume", "claims", "claim", "pvc"])]
    Volumes,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let repo = session.repo()?;
    let listing = args.listing(repo);
    for malformed in &repo.malformed {
        session.terminal.warn(&malformed.to_string());
    }
    let text = match args.output {
        ListOutput::Table | ListOutput::Wide if listing.names.is_empty() => {
            session.terminal.say("nothing found");
            return Ok(Exit::Done);
        }
        ListOutput::Table | ListOutput::Wide => listing.table,
        ListOutput::Name => listing.names.iter().map(|name| format!("{name}\n")).collect(),
        ListOutput::Json => DocumentOutput::Json.render(&listing.tree)?,
        ListOutput::Yaml => DocumentOutput::Yaml.render(&listing.tree)?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}

impl Args {
    fn listing(&self, repo: &Repo) -> Listing {
        let namespace = self.namespace.as_ref().map(NamespaceName::as_str);
        let wide = self.output == ListOutput::Wide;
        let renders = BTreeMap::new();
        let ownership = Scope::new(repo, &renders).ownership;
        match self.what {
            What::Apps => Listing::apps(&list::apps(repo, namespace), wide),
            What::Namespaces => Listing::namespaces(&list::namespaces(repo, &ownership, namespace), wide),
            What::Volumes => Listing::claims(&list::claims(&ownership, namespace)),
        }
    }
}
