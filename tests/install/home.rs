//! A user's home with kubectl, krew, helm and git, and the two parts of a release on the network: a git repository with the
//! manifest, and a server with the archives.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::{env, fs, thread};

use super::git::git;

/// The platforms of a manifest.
const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
];

pub(crate) struct Home {
    folder: tempfile::TempDir,
    /// The URL of the archives.
    address: String,
}

impl Home {
    /// Creates a home with the archive of this machine.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Creates a home with an archive for every platform. All have this machine's program: krew unpacks them and runs none.
    pub(crate) fn with_every_platform() -> Self {
        Self::with(&TARGETS)
    }

    fn with(targets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "bin",
            "home",
            "krew",
            "served",
            "index/krew",
            "media/.git",
            "media/applications",
        ] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for (name, variable) in [
            ("kubectl", "HOMELAB_TEST_KUBECTL"),
            ("kubectl-krew", "HOMELAB_TEST_KUBECTL_KREW"),
            ("helm", "HOMELAB_TEST_HELM"),
        ] {
            symlink(real(variable), at("bin").join(name)).unwrap();
        }
        symlink(which::which("git").unwrap(), at("bin/git")).unwrap();
        for entry in fs::read_dir(root().join("applications")).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), at("media/applications").join(entry.file_name())).unwrap();
        }
        let home = Self {
            address: serve(at("served")),
            folder,
        };
        home.pack(targets);
        git(&home.at("index"), &["init", "--quiet", "--initial-branch=main"]);
        symlink("krew", home.at("index/plugins")).unwrap();
        home
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Copies the archives to the server: the given ones, or ones that are built as for a release.
    fn pack(&self, targets: &[&str]) {
        let served = |archive: &Path| self.at("served").join(archive.file_name().unwrap());
        if targets.is_empty() {
            let archive = program_archive();
            fs::copy(archive, served(archive)).unwrap();
        } else {
            make(targets, &self.at("served"));
        }
    }

    /// Returns the folder of krew's links.
    pub(crate) fn bin(&self) -> PathBuf {
        self.at("krew/bin")
    }

    /// Returns krew's folder.
    pub(crate) fn krew(&self) -> PathBuf {
        self.at("krew")
    }

    /// Returns the folder of a GitOps repository.
    pub(crate) fn repository(&self) -> PathBuf {
        self.at("media")
    }

    /// Returns the archive of this machine.
    pub(crate) fn archive(&self) -> PathBuf {
        archive_in(&self.at("served"))
    }

    /// Returns the checksum of that archive, as in the manifest.
    pub(crate) fn sum(&self) -> String {
        let name = self.archive().file_name().unwrap().to_string_lossy().into_owned();
        let manifest = self.manifest();
        let mut lines = manifest.lines().skip_while(|line| !line.ends_with(&name));
        let sum = lines.find_map(|line| line.trim().strip_prefix("sha256: "));
        sum.unwrap().trim_matches('"').to_owned()
    }

    /// Returns the manifest as the release writes it, with this server's address.
    pub(crate) fn manifest(&self) -> String {
        let output = self.at("manifest.yaml");
        let mut command = Command::new(real("HOMELAB_TEST_XTASK"));
        command.args(["krew", "--archives"]).arg(self.at("served"));
        succeeds(command.arg("--output").arg(&output));
        let text = fs::read_to_string(output).unwrap();
        let uri = text.lines().find_map(|line| line.trim().strip_prefix("uri: ")).unwrap();
        text.replace(uri.rsplit_once('/').unwrap().0, &self.address)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Commits the manifest to the index.
    pub(crate) fn publish(&self, manifest: &str) {
        self.write("index/krew/homelab.yaml", manifest);
        git(&self.at("index"), &["add", "--all"]);
        git(&self.at("index"), &["commit", "--quiet", "--message=Release"]);
    }

    /// Returns the URL of the index.
    pub(crate) fn index(&self) -> String {
        format!("file://{}", self.at("index").display())
    }

    /// Installs the plugin from the index.
    pub(crate) fn install(&self) {
        self.publish(&self.manifest());
        self.runs(&["krew", "index", "add", "homelab", &self.index()]);
        self.runs(&["krew", "install", "homelab/homelab"]);
    }

    /// Installs another plugin, which usually is krew itself. Without any, krew takes a link that it did not create for the
    /// folder of a very old version, and refuses to work.
    pub(crate) fn install_neighbour(&self) {
        let manifest = self.manifest().replace("  name: homelab\n", "  name: neighbour\n");
        let manifest = self.write("neighbour.yaml", &manifest);
        let (manifest, archive) = (manifest.to_str().unwrap(), self.archive());
        self.runs(&[
            "krew",
            "install",
            "--manifest",
            manifest,
            "--archive",
            archive.to_str().unwrap(),
        ]);
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("PATH", env::join_paths([self.bin(), self.at("bin")]).unwrap());
        command.env("HOME", self.at("home")).env("KREW_ROOT", self.at("krew"));
        command
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// Returns a command that runs kubectl.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_in(self.folder.path(), arguments)
    }

    /// Returns a command that runs kubectl in a folder.
    pub(crate) fn kubectl_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = self.command(&self.at("bin/kubectl"));
        command.args(arguments).current_dir(folder).output().unwrap()
    }

    /// Returns the output of kubectl, which has to succeed.
    pub(crate) fn runs(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", all_output(&output));
        text(&output.stdout).to_owned()
    }

    /// Runs krew's validator of manifests.
    pub(crate) fn validates(&self, manifest: &Path) -> Output {
        let mut command = self.command(&real("HOMELAB_TEST_VALIDATE_KREW_MANIFEST"));
        command.arg("-manifest").arg(manifest).output().unwrap()
    }

    /// Returns kubectl, run by a user who cannot write here, and the path that the link for completion would have.
    pub(crate) fn as_unprivileged_user(&self, arguments: &[&str]) -> (Output, PathBuf) {
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [self.krew(), self.bin()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
        }
        // Permissions do not restrict root, which continuous integration often is. Other users cannot enter its home.
        let is_root = fs::write(self.bin().join("probe"), "").is_ok();
        let mut command = if is_root {
            fs::remove_file(self.bin().join("probe")).unwrap();
            for name in ["kubectl", "kubectl-krew"] {
                let (link, copy) = (self.at("bin").join(name), self.at("bin/copy"));
                fs::copy(&link, &copy).unwrap();
                fs::rename(copy, link).unwrap();
            }
            let mut command = self.command(&which::which("setpriv").expect("install util-linux"));
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(self.at("bin/kubectl"));
            command
        } else {
            self.command(&self.at("bin/kubectl"))
        };
        let output = command.args(arguments).output().unwrap();
        for folder in [self.krew(), self.bin()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        (output, self.bin().join("kubectl_complete-homelab"))
    }
}

/// Returns the archive of this machine; builds it once.
fn program_archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        if let Some(archive) = env::var_os("HOMELAB_TEST_ARCHIVE") {
            return PathBuf::from(archive);
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive");
        make(&[], &folder);
        archive_in(&folder)
    })
}

/// Builds archives of the static program, for these targets or for this machine.
fn make(targets: &[&str], folder: &Path) {
    let mut command = Command::new(real("HOMELAB_TEST_XTASK"));
    command.args(["dist", "--program"]).arg(real("HOMELAB_TEST_STATIC"));
    command.arg("--output").arg(folder);
    for target in targets {
        command.args(["--target", target]);
    }
    succeeds(&mut command);
}

fn archive_in(folder: &Path) -> PathBuf {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut archives = paths.filter(|path| path.to_string_lossy().ends_with(".tar.gz"));
    archives.next().unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path of a program that `cargo xtask test` builds.
fn real(variable: &str) -> PathBuf {
    let path = env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask install-test`"));
    PathBuf::from(path)
}

fn succeeds(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", all_output(&output));
}

/// Serves the files of a folder until the process ends.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &folder);
        }
    });
    address
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let (status, bytes) = match fs::read(folder.join(name)) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    )?;
    stream.write_all(&bytes)
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Returns all output of a program.
pub(crate) fn all_output(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
