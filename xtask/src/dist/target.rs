//! The platforms of a release.

use anyhow::{Context, Result};

/// One platform.
#[derive(Debug)]
pub(crate) struct Target {
    /// As rustc names it.
    pub(crate) triple: &'static str,
    /// The system, as Go and krew name it.
    pub(crate) os: &'static str,
    /// The processor, as Go and krew name it.
    pub(crate) arch: &'static str,
    /// What links it on a machine of another kind, and the Debian package that has it.
    pub(super) linker: Option<(&'static str, &'static str)>,
    /// rustc's flags.
    pub(super) flags: &'static [&'static str],
}

/// One file without any library: it runs in an image that has nothing else in it.
const STATIC: &[&str] = &["-Ctarget-feature=+crt-static"];

/// Every platform of a release.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        triple: "x86_64-unknown-linux-gnu",
        os: "linux",
        arch: "amd64",
        linker: Some(("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu")),
        flags: STATIC,
    },
    Target {
        triple: "aarch64-unknown-linux-gnu",
        os: "linux",
        arch: "arm64",
        linker: Some(("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")),
        flags: STATIC,
    },
    Target {
        triple: "x86_64-apple-darwin",
        os: "darwin",
        arch: "amd64",
        linker: None,
        flags: &[],
    },
    Target {
        triple: "aarch64-apple-darwin",
        os: "darwin",
        arch: "arm64",
        linker: None,
        flags: &[],
    },
    Target {
        triple: "x86_64-pc-windows-gnu",
        os: "windows",
        arch: "amd64",
        linker: Some(("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")),
        // Without it the hour of the build stands in the program.
        flags: &["-Clink-arg=-Wl,--no-insert-timestamp"],
    },
];

impl Target {
    /// The target of this name.
    pub(crate) fn of(triple: &str) -> Result<&'static Self> {
        let known = || {
            TARGETS
                .iter()
                .map(|target| target.triple)
                .collect::<Vec<_>>()
                .join(", ")
        };
        TARGETS
            .iter()
            .find(|target| target.triple == triple)
            .with_context(|| format!("`{triple}` is no target of a release; known are {}", known()))
    }

    /// Whether it is Windows.
    pub(crate) fn is_windows(&self) -> bool {
        self.os == "windows"
    }

    /// The program's file name.
    pub(crate) fn program(&self) -> &'static str {
        if self.is_windows() {
            "kubectl-homelab.exe"
        } else {
            "kubectl-homelab"
        }
    }

    /// The archive's file name. Without a version: `releases/latest/download/` finds it by its name.
    pub(crate) fn archive(&self) -> String {
        let ending = if self.is_windows() { "zip" } else { "tar.gz" };
        format!("kubectl-homelab-{}.{ending}", self.triple)
    }
}
