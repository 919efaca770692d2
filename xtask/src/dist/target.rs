//! The platforms of a release.

use anyhow::{Context, Result};

/// A platform.
#[derive(Debug)]
pub(crate) struct Target {
    /// The target triple of rustc.
    pub(crate) triple: &'static str,
    /// The operating system, as Go and krew name it.
    pub(crate) os: &'static str,
    /// The processor, as Go and krew name it.
    pub(crate) arch: &'static str,
    /// The linker for it on another platform, and the Debian package of the linker.
    pub(super) linker: Option<(&'static str, &'static str)>,
    /// rustc's flags.
    pub(super) flags: &'static [&'static str],
}

/// Links everything statically: the program runs in an image that has nothing else in it. Its relocations are packed, which
/// glibc reads since 2.36; a linker that cannot do it ignores the option. The standard library starts programs with `posix_spawn`
/// where it finds these functions of glibc, which a static program has only when they are asked for; else it forks, which copies the
/// tables of this program's memory each time
/// ([source](https://github.com/rust-lang/rust/blob/1.95.0/library/std/src/sys/process/unix/unix.rs)).
const STATIC: &[&str] = &[
    "-Ctarget-feature=+crt-static",
    "-Clink-arg=-Wl,-z,pack-relative-relocs",
    "-Clink-arg=-Wl,-u,gnu_get_libc_version",
    "-Clink-arg=-Wl,-u,posix_spawn_file_actions_addchdir_np",
];

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
        // Without it the program contains the time of the build.
        flags: &["-Clink-arg=-Wl,--no-insert-timestamp"],
    },
];

impl Target {
    /// Returns the target of a triple.
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
            .with_context(|| format!("`{triple}` is not a release target; release targets are {}", known()))
    }

    /// Reports whether it is Windows.
    pub(crate) fn is_windows(&self) -> bool {
        self.os == "windows"
    }

    /// Returns the program's file name.
    pub(crate) fn program(&self) -> &'static str {
        if self.is_windows() {
            "kubectl-homelab.exe"
        } else {
            "kubectl-homelab"
        }
    }

    /// Returns the archive's file name. It has no version, so that `releases/latest/download/` finds it.
    pub(crate) fn archive(&self) -> String {
        let ending = if self.is_windows() { "zip" } else { "tar.gz" };
        format!("kubectl-homelab-{}.{ending}", self.triple)
    }
}
