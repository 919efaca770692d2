//! `kubectl homelab list`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::Value;

use super::output::{DocumentOutput, ListOutput};
use super::session::Session;
use crate::failure::Exit;
use crate::model::NamespaceName;
use crate::report::list;
use crate::rules::Scope;

/// List Applications, Namespaces or claims of the repository
#[derive(clap::Args, Debug)]
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

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        what,
        namespace,
        all_namespaces: _,
        output,
    } = args;
    let repo = session.repo()?;
    let renders = BTreeMap::new();
    let ownership = Scope::new(repo, &renders).ownership;
    let namespace = namespace.as_ref().map(NamespaceName::as_str);
    let wide = *output == ListOutput::Wide;
    let (table, names, tree): (String, Vec<String>, Value) = match what {
        What::Apps => {
            let rows = list::apps(repo, namespace);
            let names = rows
                .iter()
                .map(|row| format!("application.argoproj.io/{}", row.name))
                .collect();
            (
                list::apps_table(&rows, wide),
                names,
                list::tree("ApplicationList", &rows),
            )
        }
        What::Namespaces => {
            let rows = list::namespaces(repo, &ownership, namespace);
            let names = rows.iter().map(|row| format!("namespace/{}", row.name)).collect();
            (
                list::namespaces_table(&rows, wide),
                names,
                list::tree("NamespaceList", &rows),
            )
        }
        What::Volumes => {
            let rows = list::claims(&ownership, namespace);
            let names = rows
                .iter()
                .map(|row| format!("persistentvolumeclaim/{}", row.name))
                .collect();
            (list::claims_table(&rows), names, list::tree("ClaimList", &rows))
        }
    };
    for malformed in &repo.malformed {
        session.terminal.warn(&malformed.to_string());
    }
    let text = match output {
        ListOutput::Table | ListOutput::Wide if names.is_empty() => {
            session.terminal.say("nothing found");
            return Ok(Exit::Done);
        }
        ListOutput::Table | ListOutput::Wide => table,
        ListOutput::Name => names.iter().map(|name| format!("{name}\n")).collect(),
        ListOutput::Json => DocumentOutput::Json.render(&tree)?,
        ListOutput::Yaml => DocumentOutput::Yaml.render(&tree)?,
    };
    session.terminal.data(&text)?;
    Ok(Exit::Done)
}
