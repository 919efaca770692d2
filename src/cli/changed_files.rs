//! How the files that a command changes are printed.

use super::output::EditOutput;
use crate::repo::change::FileChange;
use crate::report;

/// Returns one line for each file, as kubectl writes them.
pub(super) fn summary(files: &[FileChange]) -> String {
    let verb = |file: &FileChange| match (&file.before, &file.after) {
        (None, _) => "created",
        (_, None) => "removed",
        _ => "changed",
    };
    files
        .iter()
        .map(|file| format!("{} {}\n", file.path, verb(file)))
        .collect()
}

/// Returns the new files in a format.
pub(super) fn printed(files: &[FileChange], output: EditOutput, coloured: bool) -> String {
    match output {
        EditOutput::Name => files.iter().map(|file| format!("{}\n", file.path)).collect(),
        EditOutput::Diff => files.iter().map(|file| report::diff::unified(file, coloured)).collect(),
        EditOutput::Yaml => {
            let texts: Vec<&str> = files.iter().filter_map(|file| file.after.as_deref()).collect();
            let (last, others) = texts.split_last().unwrap_or((&"", &[]));
            let ended = others.iter().map(|text| match text.ends_with('\n') {
                true => format!("{text}---\n"),
                false => format!("{text}\n---\n"),
            });
            ended.collect::<String>() + last
        }
    }
}
