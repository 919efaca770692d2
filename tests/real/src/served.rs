//! A web server on 127.0.0.1 for a folder: files as they are, and the git repositories below its folder `git` as git serves
//! them. It ends with its process.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result, ensure};

/// A running server.
#[derive(Debug)]
pub struct Served {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What the server needs of a request.
#[derive(Default)]
struct Request {
    method: String,
    path: String,
    query: String,
    content_type: String,
    encoding: String,
    protocol: String,
    body: Vec<u8>,
}

impl Served {
    /// Serves a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (folder, seen) = (folder.to_owned(), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, seen) = (folder.clone(), Arc::clone(&seen));
                thread::spawn(move || {
                    // A client that goes away is no error.
                    let _ = answer(stream, &folder, &seen);
                });
            }
        });
        Ok(Self { url, asked })
    }

    /// Returns its URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the paths that were asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .map(|mut asked| std::mem::take(&mut *asked))
            .unwrap_or_default()
    }
}

/// Packs charts into a folder and indexes it, as a Helm repository is served. `versions` are charts with their versions.
pub fn chart_repository(helm: &Path, charts: &Path, versions: &[(&str, &str)], to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let helm = |arguments: &[&str]| -> Result<()> {
        let output = Command::new(helm).args(arguments).current_dir(to).output()?;
        let message = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "helm {arguments:?}: {message}");
        Ok(())
    };
    for (chart, version) in versions {
        let chart = charts.join(chart);
        let chart = chart.to_str().context("a chart's path is UTF-8")?;
        helm(&["package", chart, "--version", version])?;
    }
    helm(&["repo", "index", "."])
}

fn answer(stream: TcpStream, folder: &Path, asked: &Mutex<Vec<String>>) -> Result<()> {
    let request = read(&stream)?;
    if let Ok(mut asked) = asked.lock() {
        asked.push(request.path.clone());
    }
    if request.path.starts_with("/git/") {
        return by_git(&request, folder, stream);
    }
    let relative = Path::new(request.path.trim_start_matches('/'));
    let is_inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let body = is_inside.then(|| fs::read(folder.join(relative)).ok()).flatten();
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    respond(stream, status, &format!("Content-Length: {}", body.len()), &body)
}

fn respond(mut stream: TcpStream, status: &str, header: &str, body: &[u8]) -> Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\n{header}\r\nConnection: close\r\n\r\n")?;
    Ok(stream.write_all(body)?)
}

fn read(stream: &TcpStream) -> Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().context("no method")?.to_owned();
    let target = words.next().context("no path")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        let value = value.trim().to_owned();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse()?,
            "content-type" => request.content_type = value,
            "content-encoding" => request.encoding = value,
            "git-protocol" => request.protocol = value,
            _ => {}
        }
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(request)
}

/// Lets git answer, by the protocol of its `http-backend`: CGI.
fn by_git(request: &Request, folder: &Path, stream: TcpStream) -> Result<()> {
    let repositories: PathBuf = folder.join("git");
    let mut git = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", request.path.trim_start_matches("/git"))
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", &request.content_type)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", &request.encoding)
        .env("GIT_PROTOCOL", &request.protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run git")?;
    git.stdin.take().context("it has an input")?.write_all(&request.body)?;
    let output = git.wait_with_output()?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.context("git answers with headers")?;
    let headers = String::from_utf8_lossy(&output[..end]).into_owned();
    let is_status = |line: &&str| line.starts_with("Status: ");
    let status = headers.lines().find(is_status).map_or("200 OK", |line| &line[8..]);
    let others: Vec<&str> = headers.lines().filter(|line| !is_status(line)).collect();
    respond(stream, status, &others.join("\r\n"), &output[end + 4..])
}
