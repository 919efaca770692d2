//! What `validate` and `doctor` share: which rules apply, how findings are printed, and the exit code.

use anyhow::Result;
use clap::ValueEnum;

use super::session::Session;
use crate::failure::Exit;
use crate::repo::Repo;
use crate::report::{findings, json};
use crate::rules::{CheckReport, Selection};

/// Which rules to apply, how to print their findings, and what counts as a failure.
#[derive(clap::Args, Debug)]
pub(super) struct CheckArgs {
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,

    /// Rules to apply: `-HL123` excludes one, `+HL1` includes all that start with it; several are separated by commas
    #[arg(
        long,
        value_name = "±HL…",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    rules: Selection,

    /// Output format; findings with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

impl CheckArgs {
    /// Returns the rules to apply.
    pub(super) fn rules(&self) -> &Selection {
        &self.rules
    }

    /// Prints a report on the manifests of `repo`.
    pub(super) fn print(&self, session: &Session, repo: &Repo, report: &CheckReport) -> Result<()> {
        let text = match self.output {
            None => findings::report(repo, report),
            Some(Output::Table) => findings::findings_table(repo, report),
            Some(Output::Json) => json::finding_list(repo, report)?,
        };
        session.terminal.data(&text)?;
        if self.output == Some(Output::Table) {
            session.terminal.say(findings::summary(report).trim_end());
        }
        Ok(())
    }

    /// Returns the exit code that the report leads to.
    pub(super) fn exit(&self, report: &CheckReport) -> Exit {
        let fails = report.errors() > 0 || self.strict && report.warnings() > 0;
        if fails { Exit::Findings } else { Exit::Done }
    }
}
