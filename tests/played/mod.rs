//! Plays command lines as a reader types them: the real kubectl finds the program by its name, in a copy of the shipped
//! repository.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

pub(crate) mod stage;

use std::path::Path;

/// Runs all commands of one file, in their order, in one copy of the shipped repository.
pub(crate) fn play(file: &str) {
    play_in(file, stage::shipped);
}

/// Runs all commands of one file, in their order, in one copy of a repository, which `lay` lays down; with the program as
/// it was just built.
pub(crate) fn play_in(file: &str, lay: impl Fn(&Path)) {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("kubectl-homelab");
    std::fs::copy(env!("CARGO_BIN_EXE_kubectl-homelab"), program).unwrap();
    stage::play(file, programs.path(), lay);
}
