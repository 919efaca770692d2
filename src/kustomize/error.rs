//! Why kustomize failed. It reports it as text only, and this file alone matches that text.

use std::fmt;
use std::time::Duration;

use super::TIMEOUT_VARIABLE;
use super::options::BUILD_OPTIONS_VARIABLE;
use crate::failure::HintExt;
use crate::masking::{MASK, without_logins};
use crate::process::RunError;

/// The maximum length of a message, in characters.
const LONGEST: usize = 600;

/// A failed run of kustomize.
#[derive(Debug)]
pub(super) struct KustomizeError {
    /// The program's name in messages.
    pub(super) program: &'static str,
    /// Its task, as `edit set image`.
    pub(super) verb: String,
    pub(super) cause: Cause,
}

/// The reason why a run of kustomize failed.
#[derive(Debug)]
pub(super) enum Cause {
    /// Kustomize failed: its message in one line that everybody may see, and the way out where one is known.
    Failed { message: String, hint: Option<String> },
    /// It was killed.
    Killed,
    /// It did not end in time.
    TimedOut(Duration),
    /// It printed something that is not UTF-8.
    NotUtf8,
    /// It did not run, or was stopped.
    NotRun(RunError),
}

impl Cause {
    /// Returns what standard error says. `private` are paths that nobody should see.
    pub(super) fn failed(stderr: &str, private: &[String]) -> Self {
        let message = cleaned(stderr, private);
        let hint = hint(&message);
        Self::Failed { message, hint }
    }
}

impl KustomizeError {
    /// Returns the error with its hint.
    pub(super) fn hinted(self) -> anyhow::Error {
        let hint = match &self.cause {
            Cause::TimedOut(_) => Some(format!(
                "give it more time with `{TIMEOUT_VARIABLE}`, below Argo CD's own limit of 60 s"
            )),
            Cause::Failed { hint, .. } => hint.clone(),
            _ => None,
        };
        let error = anyhow::Error::new(self);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl fmt::Display for KustomizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, verb, cause } = self;
        match cause {
            Cause::Failed { message, .. } => write!(f, "{program} {verb} failed: {message}"),
            Cause::Killed => write!(f, "{program} {verb} was killed before it ended"),
            Cause::TimedOut(timeout) => write!(f, "{program} {verb} did not end within {} s", timeout.as_secs_f64()),
            Cause::NotUtf8 => write!(f, "{program} {verb} printed something that is not UTF-8"),
            Cause::NotRun(RunError::System(error)) => write!(f, "cannot run {program}: {error}"),
            Cause::NotRun(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KustomizeError {}

/// Returns kustomize's message in one line.
fn cleaned(stderr: &str, private: &[String]) -> String {
    let start = stderr.rfind("Error: ").map_or(0, |at| at + "Error: ".len());
    let mut text = stderr[start..].to_owned();
    for path in private {
        text = text.replace(&format!("{path}/"), "").replace(path.as_str(), ".");
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = without_logins(&without_contents(innermost(&text)));
    if text.is_empty() {
        return "it printed no message".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{MASK}", &text[..end]),
        None => text,
    }
}

/// Returns the innermost cause: kustomize takes each resource for a file first, then for a folder, and reports both.
fn innermost(text: &str) -> &str {
    const FROM: &str = "accumulation err='accumulating resources from '";
    const IS_FOLDER: &str = " must resolve to a file': ";
    const IS_FILE: &str = "': must build at directory: ";
    let Some(at) = text.find(FROM) else { return text };
    let below = &text[at + FROM.len()..];
    if let Some(folder) = below.find(IS_FOLDER) {
        return innermost(&below[folder + IS_FOLDER.len()..]);
    }
    match (below.find("': "), below.rfind(IS_FILE)) {
        (Some(name), Some(end)) if name + 3 <= end => &below[name + 3..end],
        _ => text,
    }
}

/// Leaves out what kustomize quotes of the files: patches, literals, lines of `envs`.
fn without_contents(text: &str) -> String {
    const BEFORE: [&str; 5] = [
        "patch from [",
        "invalid literal source ",
        "invalid literal ",
        "invalid key name ",
        "cannot unmarshal ",
    ];
    let start = BEFORE
        .iter()
        .filter_map(|words| Some(text.find(words)? + words.len()))
        .min();
    match start {
        Some(start) => format!("{}{MASK}", &text[..start]),
        None => text.to_owned(),
    }
}

/// Returns the way out of a failure.
fn hint(message: &str) -> Option<String> {
    let has = |part: &str| message.contains(part);
    if has("external plugins disabled") || has("plugin") && has("not enabled") {
        return Some(format!(
            "the plugin runs no programs of the repository; its owner allows it with `{BUILD_OPTIONS_VARIABLE}`, as `--enable-helm --enable-alpha-plugins --enable-exec`"
        ));
    }
    if has("must specify --enable-helm") {
        return Some(format!("add `--enable-helm` to `{BUILD_OPTIONS_VARIABLE}`"));
    }
    let hint = if has("Found multiple kustomization file") {
        "keep one of `kustomization.yaml`, `kustomization.yml` and `Kustomization`"
    } else if has("is not in or below") {
        "move the file into the kustomization's folder, or make a base of its own folder"
    } else if has("already in kustomization file") || has("already exists") {
        "let it be replaced with `force-common-labels` or `force-common-annotations`"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
