//! What `refresh`, `sync` and `wait` share: the choice of Applications, and their output; and what the first two share,
//! which request something of Argo CD.

use anyhow::Result;
use clap::ValueEnum;

use super::connection::ClusterArgs;
use super::output::{DocumentOutput, ListOutput};
use super::session::Session;
use crate::cluster::{self, AppStatus, Applications, Outcome, Patch, ProgressFn, Selection};
use crate::failure::Exit;
use crate::report::live::{self, LiveRow};
use crate::terminal::Progress;

/// Arguments that choose Applications.
#[derive(clap::Args, Debug)]
pub(super) struct AppsArgs {
    /// The Applications
    #[arg(value_name = "APP", required_unless_present = "all", value_parser = name)]
    apps: Vec<String>,

    /// All Applications in Argo CD's namespace
    #[arg(long, conflicts_with = "apps")]
    all: bool,
}

/// The flag for the output.
#[derive(clap::Args, Debug)]
pub(super) struct OutputArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value = "table")]
    output: ListOutput,
}

/// Flags of a request to Argo CD.
#[derive(clap::Args, Debug)]
pub(super) struct RequestArgs {
    /// Wait until it is done
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true",
        require_equals = true, action = clap::ArgAction::Set)]
    wait: bool,

    /// Print what would be written and change nothing; `server` has the cluster check it, too
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "client", default_value = "none", require_equals = true)]
    dry_run: DryRun,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// The values of kubectl's flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// Write.
    None,
    /// Print only.
    Client,
    /// Let the API server check, and print.
    Server,
}

/// The columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// The state of the Applications.
    States,
    /// The result of their operations.
    Operations,
}

/// Reads a name, as typed or as `-o name` prints it.
fn name(text: &str) -> Result<String, String> {
    let kinds = [
        "application.argoproj.io/",
        "applications.argoproj.io/",
        "application/",
        "app/",
    ];
    let name = kinds.iter().find_map(|kind| text.strip_prefix(kind)).unwrap_or(text);
    let checked = name.parse::<crate::model::AppName>();
    checked
        .map(|name| name.to_string())
        .map_err(|error| format!("{error:#}"))
}

impl AppsArgs {
    /// Returns the chosen Applications, each once.
    pub(super) fn selection(&self) -> Selection {
        if self.all {
            return Selection::All;
        }
        let mut names: Vec<String> = Vec::new();
        for name in &self.apps {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Selection::Named(names)
    }
}

impl RequestArgs {
    /// Reports whether the command waits for the end.
    pub(super) fn waits(&self) -> bool {
        self.wait
    }

    /// Reports whether anything is written.
    pub(super) fn dry_run(&self) -> cluster::DryRun {
        match self.dry_run {
            DryRun::None => cluster::DryRun::None,
            DryRun::Client => cluster::DryRun::Client,
            DryRun::Server => cluster::DryRun::Server,
        }
    }

    /// Sends a request, and prints its Applications, or in a dry run what would be written.
    pub(super) fn send(
        self,
        session: &Session,
        table: Table,
        request: impl FnOnce(&Applications<'_>, ProgressFn<'_>) -> Result<Outcome>,
        is_well: impl Fn(&LiveRow) -> bool,
    ) -> Result<Exit> {
        let progress = session.terminal.progress_later("asking Argo CD");
        let (cluster, namespace) = self.cluster.connect()?;
        let outcome = request(&Applications::of(&cluster, namespace), &mut progress_fn(&progress))?;
        drop(progress);
        if self.dry_run != DryRun::None {
            return self.output.print_patches(session, &outcome.patches);
        }
        let rows = self.output.print(session, &outcome.apps, table)?;
        let all_well = rows.iter().all(|row| row.missing.is_none() && is_well(row));
        Ok(if all_well { Exit::Done } else { Exit::Findings })
    }
}

/// Returns the function that shows the user what is waited for.
pub(super) fn progress_fn(progress: &Progress) -> impl FnMut(&str) {
    |what| progress.now(what)
}

impl OutputArgs {
    /// Prints the Applications, and below them their errors.
    pub(super) fn print(&self, session: &Session, statuses: &[AppStatus], table: Table) -> Result<Vec<LiveRow>> {
        let row = |app: &AppStatus| LiveRow::new(&app.name, app.application.as_ref(), app.missing.as_deref());
        let rows: Vec<LiveRow> = statuses.iter().map(row).collect();
        let wide = self.output == ListOutput::Wide;
        let text = match (self.output, table) {
            (ListOutput::Table | ListOutput::Wide, Table::States) => live::states_table(&rows, wide),
            (ListOutput::Table | ListOutput::Wide, Table::Operations) => live::operations_table(&rows, wide),
            (ListOutput::Name, _) => names(rows.iter().map(|row| row.name.as_str())),
            (ListOutput::Json, _) => DocumentOutput::Json.render(&live::tree(&rows))?,
            (ListOutput::Yaml, _) => DocumentOutput::Yaml.render(&live::tree(&rows))?,
        };
        session.terminal.data(&text)?;
        for line in live::remarks(&rows, table == Table::Operations) {
            session.terminal.say(&line);
        }
        Ok(rows)
    }

    /// Prints what a dry run would write.
    fn print_patches(&self, session: &Session, patches: &[Patch]) -> Result<Exit> {
        let tree = || {
            live::patch_tree(
                patches
                    .iter()
                    .map(|patch| (patch.name.as_str(), patch.namespace.as_str(), &patch.body)),
            )
        };
        let text = match self.output {
            ListOutput::Table | ListOutput::Wide => patches
                .iter()
                .map(|patch| {
                    format!(
                        "application.argoproj.io/{} would be patched: {}\n",
                        patch.name, patch.body
                    )
                })
                .collect(),
            ListOutput::Name => names(patches.iter().map(|patch| patch.name.as_str())),
            ListOutput::Json => DocumentOutput::Json.render(&tree())?,
            ListOutput::Yaml => DocumentOutput::Yaml.render(&tree())?,
        };
        session.terminal.data(&text)?;
        Ok(Exit::Done)
    }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("application.argoproj.io/{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_they_are_printed() {
        assert_eq!(name("application.argoproj.io/player").unwrap(), "player");
        assert_eq!(name("player").unwrap(), "player");
        assert!(name("Player").unwrap_err().contains("is not a Kubernetes name"));
        assert!(name("deployment/player").is_err());
    }

    #[test]
    fn an_application_is_chosen_once() {
        let args = AppsArgs {
            apps: ["a", "b", "a"].map(str::to_owned).to_vec(),
            all: false,
        };
        assert_eq!(args.selection(), Selection::Named(vec!["a".to_owned(), "b".to_owned()]));
    }
}
