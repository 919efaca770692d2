//! The binary: `kubectl homelab`, the Argo CD plugin, and what kustomize runs in helm's place.

use std::process::ExitCode;

use homelab::failure::{Exit, Failure};
use homelab::terminal::Terminal;
use homelab::{cli, helm, process};

fn main() -> ExitCode {
    cli::end_on_panic();
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let mut first = arguments.by_ref().peekable();
    if first.next_if(|first| first == process::WORD).is_some() {
        return process::supervised(first).map_or_else(failed, ExitCode::from);
    }
    process::supervise_with_this_program();
    if let Some(result) = helm::run_in_place(&program, first) {
        let printed = result.and_then(|text| Ok(Terminal.data(&text)?));
        return printed.map_or_else(failed, |()| Exit::Done.into());
    }
    cli::main().into()
}

fn failed(error: impl Into<Failure>) -> ExitCode {
    Terminal.failure(&error.into());
    Exit::Failed.into()
}
