//! Where a program prints to: files in memory, which are read when it has ended. A pipe needs a thread that empties it; where the
//! other core is busy, Linux lets that thread wait for milliseconds, and this process with it.

use std::fs::File;
use std::io::{self, Read, Seek};

use duct::Expression;

/// The files that a program prints to.
#[derive(Debug)]
pub(super) struct Printed {
    stdout: File,
    stderr: File,
}

impl Printed {
    /// Returns empty files; `None` where the system has none in memory.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            stdout: in_memory()?,
            stderr: in_memory()?,
        })
    }

    /// Lets a program print to them.
    ///
    /// # Errors
    /// When the system refuses another handle.
    pub(super) fn of(&self, expression: &Expression) -> io::Result<Expression> {
        Ok(expression
            .stdout_file(self.stdout.try_clone()?)
            .stderr_file(self.stderr.try_clone()?))
    }

    /// Returns what was printed to standard output, and to standard error.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let whole = |mut file: File| {
            let mut bytes = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes)
        };
        Ok((whole(self.stdout)?, whole(self.stderr)?))
    }
}

/// Returns a file that is nowhere on disk, and gone with its last handle.
#[cfg(target_os = "linux")]
fn in_memory() -> Option<File> {
    use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
    let file = memfd_create("printed", MemfdFlags::CLOEXEC).ok()?;
    // Two who write, as a program and one that it starts, do not write over each other.
    fcntl_setfl(&file, OFlags::APPEND).ok()?;
    Some(file.into())
}

#[cfg(not(target_os = "linux"))]
fn in_memory() -> Option<File> {
    None
}
