//! What `validate` and `doctor` share: which rules apply, how findings are printed, and the exit code.

use anyhow::Result;

use super::output::FindingsOutput;
use super::session::Session;
use crate::failure::Exit;
use crate::repo::Repo;
use crate::report::{findings, findings_table, github, json, sarif, summary};
use crate::rules::{CheckReport, Selection};

/// Which rules to apply, how to print their findings, and what counts as a failure.
#[derive(clap::Args, Debug)]
pub(super) struct CheckArgs {
    /// Treat warnings, and what was skipped, as errors
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
}

impl CheckArgs {
    /// Returns the rules to apply.
    pub(super) fn rules(&self) -> &Selection {
        &self.rules
    }

    /// Returns the exit code that the report leads to.
    pub(super) fn exit(&self, report: &CheckReport) -> Exit {
        let is_strict = report.warnings() > 0 || report.left_out().next().is_some();
        let fails = report.errors() > 0 || self.strict && is_strict;
        if fails { Exit::Findings } else { Exit::Done }
    }
}

/// Prints a report on the manifests of `repo`; with source excerpts where no format is given.
pub(super) fn print(
    session: &Session,
    repo: &Repo,
    report: &CheckReport,
    output: Option<FindingsOutput>,
) -> Result<()> {
    let text = match output {
        None => findings::report(repo, report),
        Some(FindingsOutput::Table) => findings_table::narrow(repo, report),
        Some(FindingsOutput::Wide) => findings_table::wide(repo, report),
        Some(FindingsOutput::Json) => json::finding_list(repo, report)?,
        Some(FindingsOutput::Github) => github::commands(repo, report),
        Some(FindingsOutput::Sarif) => sarif::log(repo, report)?,
    };
    session.terminal.data(&text)?;
    if matches!(output, Some(FindingsOutput::Table | FindingsOutput::Wide)) {
        session.terminal.say(summary::text(report).trim_end());
    }
    Ok(())
}
