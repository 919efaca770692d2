//! A folder that never outlives its owner, except for its logs after a failure.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Waits for the owner, then removes the folder `$0`, or everything except its logs if the owner wrote `keep`. Programs that
/// are just ending may still write: it tries until nothing is left, for ten seconds at most. A folder without logs is always
/// removed.
const KEEPER: &str = r#"
word=; read -r word
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  chmod -R u+rwX "$0" 2>/dev/null
  if [ "$word" = keep ]; then
    find "$0" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf {} + 2>/dev/null && {
      rmdir "$0/log" "$0" 2>/dev/null
      exit
    }
  else
    rm -rf "$0" 2>/dev/null && exit
  fi
  sleep 1
done"#;

/// The longest path of a Unix socket, minus the part below the folder.
const LONGEST: usize = 60;

/// The temporary folder of a world.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    /// Creates a folder below the system's temporary folder.
    pub fn new() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("homelab.").tempdir()?.keep();
        let path = path.canonicalize()?;
        if path.as_os_str().len() > LONGEST {
            fs::remove_dir_all(&path)?;
            bail!(
                "{} is too long for the sockets that will lie in it; set TMPDIR to a folder with a shorter path",
                path.display()
            );
        }
        for name in ["log", "bin", "home"] {
            fs::create_dir_all(path.join(name))?;
        }
        let keeper = Command::new("sh")
            .arg("-c")
            .arg(KEEPER)
            .arg(&path)
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        Ok(Self { path, keeper })
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a path in it.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path.join(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.stdin.take()
            && std::thread::panicking()
        {
            let _ = writeln!(keeper, "keep");
        }
        let _ = self.keeper.wait();
    }
}

/// Copies a folder with all its contents; links stay links.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
