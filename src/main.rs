//! The binary: `kubectl homelab` and the Argo CD plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    homelab::cli::main().into()
}
