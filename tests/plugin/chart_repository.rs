//! A chart repository on loopback: files over HTTP, with or without a login, and with broken downloads. It also answers as a
//! proxy.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// `player:hunter2` as a client sends it.
const LOGIN: &str = "Authorization: Basic cGxheWVyOmh1bnRlcjI=";

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    needs_login: bool,
    /// A file of which only half is sent before the connection is closed.
    cut: Option<String>,
    ended: bool,
}

pub(crate) struct ChartRepository {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: Option<JoinHandle<()>>,
}

impl ChartRepository {
    /// Creates a repository with the chart `lib` in version 1.0.0, packed and indexed by helm.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let served = Arc::clone(&state);
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.lock().unwrap().ended {
                    return;
                }
                // A client that goes away is no error.
                let _ = answer(stream.unwrap(), &served);
            }
        });
        let repository = Self {
            address,
            state,
            server: Some(server),
        };
        repository.add("1.0.0", "one");
        repository
    }

    pub(crate) fn with_login(self) -> Self {
        self.state.lock().unwrap().needs_login = true;
        self
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a version of `lib` whose only object contains `text`.
    pub(crate) fn add(&self, version: &str, text: &str) {
        let folder = tempfile::tempdir().unwrap();
        let packed = pack_lib(folder.path(), version, text);
        self.put_bytes(&format!("lib-{version}.tgz"), packed);
    }

    /// Adds a version of `lib` with these files.
    pub(crate) fn with_files(&self, version: &str, files: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        let metadata = format!("apiVersion: v2\nname: lib\nversion: {version}\n");
        for (path, text) in files.iter().copied().chain([("lib/Chart.yaml", metadata.as_str())]) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        helm(&["package", "lib"], folder.path());
        let name = format!("lib-{version}.tgz");
        self.put_bytes(&name, fs::read(folder.path().join(&name)).unwrap());
    }

    /// Adds a packed chart, and writes the index again.
    pub(crate) fn put_bytes(&self, name: &str, bytes: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let mut files = std::mem::take(&mut self.state.lock().unwrap().files);
        files.insert(name.to_owned(), bytes);
        for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".tgz")) {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        helm(&["repo", "index", "."], folder.path());
        let index = fs::read(folder.path().join("index.yaml")).unwrap();
        files.insert("index.yaml".to_owned(), index);
        self.state.lock().unwrap().files = files;
    }

    /// Returns a file.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        self.state.lock().unwrap().files[name].clone()
    }

    /// Changes a file.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let mut state = self.state.lock().unwrap();
        let bytes = state.files.remove(name).unwrap();
        state.files.insert(name.to_owned(), change(bytes));
    }

    /// Breaks the connection in the middle of a file, or of none.
    pub(crate) fn cut(&self, name: Option<&str>) {
        self.state.lock().unwrap().cut = name.map(str::to_owned);
    }

    /// Adds any file.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let bytes = text.as_bytes().to_vec();
        self.state.lock().unwrap().files.insert(name.to_owned(), bytes);
    }

    /// Returns the requests since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl Drop for ChartRepository {
    fn drop(&mut self) {
        self.state.lock().unwrap().ended = true;
        let _ = TcpStream::connect(self.address);
        let _ = self.server.take().unwrap().join();
    }
}

/// Packs the chart `lib` into a folder.
pub(crate) fn pack_lib(folder: &Path, version: &str, text: &str) -> Vec<u8> {
    fs::create_dir_all(folder.join("lib/templates")).unwrap();
    let metadata = format!("apiVersion: v2\nname: lib\nversion: {version}\n");
    fs::write(folder.join("lib/Chart.yaml"), metadata).unwrap();
    // kustomize refuses a chart without it.
    fs::write(folder.join("lib/values.yaml"), "{}\n").unwrap();
    let object = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: lib\ndata:\n  text: {text}\n");
    fs::write(folder.join("lib/templates/config.yaml"), object).unwrap();
    helm(&["package", "lib"], folder);
    fs::remove_dir_all(folder.join("lib")).unwrap();
    fs::read(folder.join(format!("lib-{version}.tgz"))).unwrap()
}

/// Runs the real helm with separate folders; returns its output.
pub(crate) fn helm(arguments: &[&str], folder: &Path) -> String {
    helm_with(arguments, folder, &[])
}

pub(crate) fn helm_with(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> String {
    let helm = std::env::var_os("HOMELAB_TEST_HELM").expect("HOMELAB_TEST_HELM is not set: run `cargo xtask test`");
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(helm)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {arguments:?}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let target = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default()
        .to_owned();
    let name = target.rsplit('/').next().unwrap_or_default();
    let (file, cut) = {
        let mut state = state.lock().unwrap();
        state.asked.push(target.clone());
        let is_let_in = !state.needs_login || head.iter().any(|line| line == LOGIN);
        (
            is_let_in.then(|| state.files.get(name).cloned()),
            state.cut.as_deref() == Some(name),
        )
    };
    let (status, body) = match file {
        None => ("401 Unauthorized", Vec::new()),
        Some(None) => ("404 Not Found", Vec::new()),
        Some(Some(bytes)) => ("200 OK", bytes),
    };
    let sent = if cut { body.len() / 2 } else { body.len() };
    write!(
        &stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    (&stream).write_all(&body[..sent])
}
