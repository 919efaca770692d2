//! A server of git repositories on loopback, over HTTP: git's own `http-backend`, with or without a login.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::git::git;

/// `player:hunter2` as a client sends it.
const LOGIN: &str = "authorization: basic cgxhewvyomh1bnrlcji=";

#[derive(Default)]
struct State {
    asked: Vec<String>,
    needs_login: bool,
    ended: bool,
}

pub(crate) struct GitServer {
    address: SocketAddr,
    folder: tempfile::TempDir,
    state: Arc<Mutex<State>>,
    server: Option<JoinHandle<()>>,
}

impl GitServer {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (served, root, git) = (Arc::clone(&state), folder.path().to_owned(), which("git"));
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.lock().unwrap().ended {
                    return;
                }
                let _ = answer(stream.unwrap(), &served, &root, &git);
            }
        });
        Self {
            address,
            folder,
            state,
            server: Some(server),
        }
    }

    pub(crate) fn needs_login(&self) {
        self.state.lock().unwrap().needs_login = true;
    }

    /// Returns the URL of a repository.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Commits files to a repository, which is made where it is missing, and tags them; returns the commit.
    pub(crate) fn commit(&self, name: &str, files: &[(&str, &str)], tag: Option<&str>) -> String {
        let root = self.folder.path().join(name);
        if !root.exists() {
            fs::create_dir_all(&root).unwrap();
            git(&root, &["init", "--quiet", "--initial-branch=main"]);
        }
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--message=x", "--allow-empty"]);
        if let Some(tag) = tag {
            git(&root, &["tag", "--annotate", "--message=x", tag]);
        }
        git(&root, &["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Returns the requests since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.state.lock().unwrap().ended = true;
        let _ = TcpStream::connect(self.address);
        let _ = self.server.take().unwrap().join();
    }
}

fn which(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .chain(["/usr/bin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .unwrap()
}

fn answer(stream: TcpStream, state: &Mutex<State>, root: &Path, git: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(&stream);
    let (mut head, mut line) = (Vec::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head.push(std::mem::take(&mut line).trim().to_owned());
    }
    let header = |name: &str| {
        let found = head
            .iter()
            .find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")));
        found.map(|line| line[name.len() + 2..].to_owned()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut words = head.first().map_or("", String::as_str).split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_let_in = {
        let mut state = state.lock().unwrap();
        state.asked.push(format!("{method} {target}"));
        !state.needs_login || head.iter().any(|line| line.to_ascii_lowercase() == LOGIN)
    };
    if !is_let_in {
        let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return (&stream).write_all(head.as_bytes());
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut backend = Command::new(git)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    backend.stdin.take().unwrap().write_all(&body)?;
    let output = backend.wait_with_output()?.stdout;
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    let (headers, content) = (String::from_utf8_lossy(&output[..end]), &output[end + 4..]);
    let status = headers
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let rest: String = headers
        .lines()
        .filter(|line| !line.starts_with("Status:"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    write!(
        &stream,
        "HTTP/1.1 {status}\r\n{rest}Content-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    (&stream).write_all(content)
}
