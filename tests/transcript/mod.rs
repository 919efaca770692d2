//! Files of commands and their output, run as a reader would: the real kubectl finds the program by its name, in a copy of
//! the shipped repository.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test works on real files with real programs, and fails loudly"
)]

pub(crate) mod sandbox;

use std::path::Path;

/// Runs all commands of one file, in their order, in one copy of the shipped repository.
pub(crate) fn check(file: &str) {
    check_in(file, sandbox::shipped);
}

/// Runs all commands of one file, in their order, in a repository that `lay_out` writes, with the program as it was just
/// built.
pub(crate) fn check_in(file: &str, lay_out: impl Fn(&Path)) {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("kubectl-homelab");
    std::fs::copy(env!("CARGO_BIN_EXE_kubectl-homelab"), program).unwrap();
    sandbox::check(file, programs.path(), lay_out);
}
