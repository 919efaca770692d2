//! What this program in helm's place reports past kustomize: files beside it.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::failure::{self, Failure, HintExt};
use crate::model::Unavailable;

const NOTES: &str = "notes";
const UNSETTLED: &str = "unsettled";
const FAILURE: &str = "failure.json";

/// What was reported.
#[derive(Debug)]
pub struct Report {
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// Whether the same charts are taken the next time.
    pub is_settled: bool,
    /// Why the program failed, which kustomize shows in its own way.
    pub failure: Option<anyhow::Error>,
}

/// The files of the reports.
pub(super) struct Reports {
    folder: PathBuf,
}

impl Reports {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Adds a remark.
    pub(super) fn note(&self, note: &str) {
        let file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(self.folder.join(NOTES));
        let _ = file.and_then(|mut file| writeln!(file, "{}", note.replace('\n', " ")));
    }

    /// Says that the next render may give something else.
    pub(super) fn unsettled(&self) {
        let _ = std::fs::write(self.folder.join(UNSETTLED), "");
    }

    /// Says why it failed.
    pub(super) fn failed(&self, error: &anyhow::Error) {
        let reason = match failure::find::<Unavailable>(error) {
            Some(Unavailable::ChartNotDownloaded { chart, version, url }) => {
                json!({"chart": chart, "version": version, "url": url})
            }
            Some(Unavailable::ProgramMissing { message, hint }) => json!({"missing": message, "hint": hint}),
            _ => {
                let failure = Failure::of(error);
                json!({"message": failure.one_line(), "hints": failure.hints})
            }
        };
        let _ = std::fs::write(self.folder.join(FAILURE), reason.to_string());
    }

    /// Returns what was reported.
    pub(super) fn read(&self) -> Result<Report> {
        let path = |name: &str| self.folder.join(name);
        let read = |name: &str| match std::fs::read_to_string(path(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("cannot read a temporary file"),
        };
        let mut notes: Vec<String> = read(NOTES)?.unwrap_or_default().lines().map(str::to_owned).collect();
        notes.dedup();
        Ok(Report {
            notes,
            is_settled: !path(UNSETTLED).exists(),
            failure: read(FAILURE)?.map(|text| error(&text)),
        })
    }
}

fn error(text: &str) -> anyhow::Error {
    let reason: Value = serde_json::from_str(text).unwrap_or_default();
    let text = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
    if reason.get("chart").is_some() {
        let (chart, version, url) = (text("chart"), text("version"), text("url"));
        return Unavailable::ChartNotDownloaded { chart, version, url }.into_error();
    }
    if reason.get("missing").is_some() {
        let (message, hint) = (text("missing"), text("hint"));
        return Unavailable::ProgramMissing { message, hint }.into_error();
    }
    let hints = reason["hints"].as_array().into_iter().flatten();
    hints
        .filter_map(Value::as_str)
        .fold(anyhow!(text("message")), |error, hint| error.hint(hint))
}
