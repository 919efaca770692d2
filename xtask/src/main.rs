//! The development tasks: `cargo xtask tools|test|stories|fuzz|install-test|demo|corpus|bench|ecosystem|dist|image|krew|schema`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "xtask prints for the developer who runs it"
)]

mod bench;
mod cargo;
mod corpus;
mod demo;
mod dist;
mod ecosystem;
mod fuzz;
mod image;
mod krew;
mod oracle;
mod repository;
mod schema;
mod test;
mod tools;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Development tasks of kubectl-homelab
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Build the real programs that the tests need, if they are missing
    Tools {
        /// Programs to build; by default those that the tests need
        names: Vec<String>,
    },
    /// Build what the tests need and run all tests; arguments after `--` go to `cargo test`
    Test {
        /// Arguments for `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run the stories with all their sequences; arguments after `--` go to `cargo test`
    Stories {
        /// Arguments for `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Generate inputs and hold what the program makes of them against Argo CD's own code
    Fuzz(fuzz::Request),
    /// Test the installation, from an archive to a command that completes, with the real krew and kubectl
    InstallTest {
        /// Archive to install; by default one of the dev profile
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,
    },
    /// Build release archives and their checksums
    Dist(dist::Request),
    /// Build the plugin's image, without root and without a container engine
    Image(image::Request),
    /// Write the krew manifest from the archives
    Krew(krew::Request),
    /// Write the table of the fields of Argo CD's kinds from its custom resource definitions
    Schema(schema::Request),
    /// Show the main workflow on a copy of the shipped repository
    Demo {
        /// Serve the repository to a real Argo CD on its own Kubernetes API, until Ctrl-C
        #[arg(long)]
        argocd: bool,
        /// Use this GitOps repository instead; sources are taken from the checkouts beside it
        #[arg(long, value_name = "DIR", requires = "argocd")]
        repo: Option<PathBuf>,
        /// Kubernetes distribution whose default StorageClass the cluster has
        #[arg(long, value_enum, default_value = "k3s", requires = "argocd")]
        flavour: Flavour,
    },
    /// Patch every object of rendered streams and check the result with kubectl
    Corpus {
        /// Folder of streams, one per file
        dir: PathBuf,
    },
    /// Measure the ratios of the benchmark
    Bench {
        /// Folder of streams that includes kube-prometheus-stack; by default a stream is generated
        #[arg(long)]
        corpus: Option<PathBuf>,
        /// Measure only the rows whose name contains this text
        #[arg(long)]
        only: Option<String>,
    },
    /// Report what the program makes of repositories that other people keep
    Ecosystem(ecosystem::Request),
    /// Read everything and write it once: the baseline of `filter` in `bench`
    #[command(hide = true)]
    Cat,
}

/// A Kubernetes distribution.
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
        Task::Stories { arguments } => test::stories(&arguments),
        Task::Fuzz(request) => fuzz::run(&request),
        Task::InstallTest { archive } => test::installation(archive.as_deref()),
        Task::Dist(request) => dist::dist(&request).map(|()| ExitCode::SUCCESS),
        Task::Image(request) => image::image(&request).map(|()| ExitCode::SUCCESS),
        Task::Krew(request) => krew::write(&request).map(|()| ExitCode::SUCCESS),
        Task::Schema(request) => schema::write(&request).map(|()| ExitCode::SUCCESS),
        Task::Demo { argocd: false, .. } => demo::run().map(|()| ExitCode::SUCCESS),
        Task::Demo { repo, flavour, .. } => demo_on_argocd(repo.as_deref(), flavour).map(|()| ExitCode::SUCCESS),
        Task::Corpus { dir } => corpus::check(&dir),
        Task::Bench { corpus, only } => bench::measure(corpus.as_deref(), only.as_deref()).map(|()| ExitCode::SUCCESS),
        Task::Ecosystem(request) => ecosystem::report(&request),
        Task::Cat => bench::cat().map(|()| ExitCode::SUCCESS),
    }
}

#[cfg(unix)]
fn demo_on_argocd(repo: Option<&Path>, flavour: Flavour) -> Result<()> {
    let flavour = match flavour {
        Flavour::K3s => real_parts::Flavour::K3s,
        Flavour::Kind => real_parts::Flavour::Kind,
    };
    demo::argocd::run(repo, flavour)
}

#[cfg(not(unix))]
fn demo_on_argocd(_: Option<&Path>, _: Flavour) -> Result<()> {
    anyhow::bail!("the servers run on Linux and macOS only")
}
