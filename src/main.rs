//! The binary: `kubectl homelab` and the Argo CD plugin.

use std::process::ExitCode;

use homelab::failure::{Exit, Failure};
use homelab::terminal::Terminal;
use homelab::{cli, process};

fn main() -> ExitCode {
    cli::end_on_panic();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == process::WORD) {
        return process::supervised(arguments).map_or_else(
            |error| {
                Terminal.failure(&Failure::from(error));
                Exit::Failed.into()
            },
            ExitCode::from,
        );
    }
    process::supervise_with_this_program();
    cli::main().into()
}
