//! What is not the program itself: `cargo xtask tools|test|install-test|demo|corpus|bench|dist|image|krew`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask speaks to the person who runs it"
)]

mod bench;
mod cargo;
mod corpus;
mod demo;
mod dist;
mod image;
mod krew;
mod oracle;
mod repository;
mod test;
mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// What is not the program itself
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the real programs that tests need, where they are missing
    Tools {
        /// Which; those that the tests need by default
        names: Vec<String>,
    },
    /// Get what the tests need and run all of them; what follows `--` goes to `cargo test`
    Test {
        /// Arguments of `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Test the way from an archive to a command that completes, with the real krew and kubectl
    InstallTest {
        /// The archive to install; one of the dev profile by default
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,
    },
    /// Make release archives and their sums
    Dist(dist::Request),
    /// Make the plugin's image, without root and without a container engine
    Image(image::Request),
    /// Write krew's manifest from the archives
    Krew(krew::Request),
    /// Play the main job on a copy of the shipped repository
    Demo {
        /// Let a real Argo CD on a Kubernetes API of its own have the repository, until Ctrl-C
        #[arg(long)]
        argocd: bool,
        /// Somebody's own GitOps repository instead; sources are looked for in the checkouts beside it
        #[arg(long, value_name = "DIR", requires = "argocd")]
        repo: Option<PathBuf>,
        /// Whose default StorageClass the cluster has
        #[arg(long, value_enum, default_value = "k3s", requires = "argocd")]
        flavour: Flavour,
    },
    /// Patch every object of rendered streams and let kubectl judge the result
    Corpus {
        /// A folder of streams, one a file
        dir: PathBuf,
    },
    /// Measure ratios, side by side in one run
    Bench {
        /// A folder of streams with kube-prometheus-stack among them; a generated stream without it
        #[arg(long)]
        corpus: Option<PathBuf>,
        /// Only the rows whose name holds this
        #[arg(long)]
        only: Option<String>,
    },
    /// Read all and write once: what `bench` compares `filter` with
    #[command(hide = true)]
    Cat,
}

/// A distribution of Kubernetes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flavour {
    /// `local-path`
    K3s,
    /// `standard`
    Kind,
}

fn main() -> ExitCode {
    match dispatch(Task::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> Result<ExitCode> {
    match task {
        Task::Tools { names } => tools::get_all(&names).map(|()| ExitCode::SUCCESS),
        Task::Test { arguments } => test::all(&arguments),
        Task::InstallTest { archive } => test::installation(archive.as_deref()),
        Task::Dist(request) => dist::dist(&request).map(|()| ExitCode::SUCCESS),
        Task::Image(request) => image::make(&request).map(|()| ExitCode::SUCCESS),
        Task::Krew(request) => krew::write(&request).map(|()| ExitCode::SUCCESS),
        Task::Demo { argocd: false, .. } => demo::play().map(|()| ExitCode::SUCCESS),
        Task::Demo { repo, flavour, .. } => demo_on_argocd(repo.as_deref(), flavour).map(|()| ExitCode::SUCCESS),
        Task::Corpus { dir } => corpus::check(&dir),
        Task::Bench { corpus, only } => bench::measure(corpus.as_deref(), only.as_deref()).map(|()| ExitCode::SUCCESS),
        Task::Cat => bench::cat().map(|()| ExitCode::SUCCESS),
    }
}

#[cfg(unix)]
fn demo_on_argocd(repo: Option<&Path>, flavour: Flavour) -> Result<()> {
    let flavour = match flavour {
        Flavour::K3s => real_parts::Flavour::K3s,
        Flavour::Kind => real_parts::Flavour::Kind,
    };
    demo::argocd::play(repo, flavour)
}

#[cfg(not(unix))]
fn demo_on_argocd(_: Option<&Path>, _: Flavour) -> Result<()> {
    anyhow::bail!("the servers run on Linux and macOS only")
}
