//! What `validate` and `doctor` share: which rules count, how findings are printed, and when they fail.

use anyhow::Result;
use clap::ValueEnum;

use super::session::Session;
use crate::failure::Exit;
use crate::repo::Repo;
use crate::report::{findings, json};
use crate::rules::{Judgement, Selection};

/// Which rules, how to print what they say, and what fails.
#[derive(clap::Args, Debug)]
pub(super) struct JudgedArgs {
    /// Let warnings fail, too
    #[arg(long)]
    strict: bool,

    /// Which rules to apply: `-HL123` leaves one out, `+HL1` takes all that start so; several with commas
    #[arg(
        long,
        value_name = "±HL…",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    rules: Selection,

    /// How to print the findings; with source excerpts by default
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

impl JudgedArgs {
    /// The rules that count.
    pub(super) fn rules(&self) -> &Selection {
        &self.rules
    }

    /// Prints a judgement on the manifests of `repo`.
    pub(super) fn print(&self, session: &Session, repo: &Repo, judgement: &Judgement) -> Result<()> {
        let text = match self.output {
            None => findings::judgement(repo, judgement),
            Some(Output::Table) => findings::findings_table(repo, judgement),
            Some(Output::Json) => json::finding_list(repo, judgement)?,
        };
        session.terminal.data(&text)?;
        if self.output == Some(Output::Table) {
            session.terminal.say(findings::summary(judgement).trim_end());
        }
        Ok(())
    }

    /// Whether the judgement lets the command fail.
    pub(super) fn exit(&self, judgement: &Judgement) -> Exit {
        let fails = judgement.errors() > 0 || self.strict && judgement.warnings() > 0;
        if fails { Exit::Findings } else { Exit::Done }
    }
}
