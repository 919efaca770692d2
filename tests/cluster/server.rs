//! A server that answers as a test wants, and the program with it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// In lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn is_watch(&self) -> bool {
        self.path.contains("watch=true")
    }
}

/// The answer of the server: a status and a body, or nothing at all.
pub(crate) enum Answer {
    Is(u16, String),
    Never,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Is(status, body.to_string())
    }

    pub(crate) fn status(code: u16, message: &str) -> Self {
        Self::json(
            code,
            &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}),
        )
    }
}

/// Returns an answer that is no JSON.
pub(crate) fn other(status: u16, text: &str) -> Answer {
    Answer::Is(status, text.to_owned())
}

/// A server whose answers depend on earlier requests; every connection takes one request.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

/// A connection with TLS that says when it ends.
struct Ending(StreamOwned<ServerConnection, TcpStream>);

impl Read for Ending {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for Ending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.conn.send_close_notify();
        let _ = self.0.flush();
    }
}

impl Server {
    /// Starts a server; `answer` gets the request, and the number of earlier requests of the same kind.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", answer, |stream| stream)
    }

    /// Starts a server with TLS.
    pub(crate) fn start_secured(
        config: ServerConfig,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config);
        Self::listen("https", answer, move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            Ending(StreamOwned::new(connection, stream))
        })
    }

    fn listen<S: Read + Write>(
        scheme: &str,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
        accept: impl Fn(TcpStream) -> S + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::<Request>::new()));
        let (log, answer, accept) = (Arc::clone(&asked), Arc::new(answer), Arc::new(accept));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer, accept) = (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&accept));
                thread::spawn(move || serve(accept(stream), &log, &*answer));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// Runs the program with this server; returns its exit code and all its output.
    pub(crate) fn homelab(&self, arguments: &[&str]) -> (Option<i32>, String) {
        homelab(Some(&kubeconfig(&self.url, &json!({"token": "s3cret"}))), arguments)
    }
}

/// Returns a kubeconfig with the cluster `c`, its user `u`, and the context `c` of both.
pub(crate) fn kubeconfig(server: &str, user: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
    })
}

/// Runs the program with a kubeconfig, or without one; returns its exit code and all its output.
pub(crate) fn homelab(kubeconfig: Option<&Value>, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    if let Some(config) = kubeconfig {
        fs::write(&path, config.to_string()).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        // One that is missing does not count, as with kubectl.
        .env("KUBECONFIG", std::env::join_paths(["missing".into(), path]).unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let message = out + &err;
    assert!(!message.contains("s3cret"), "{message}");
    (output.status.code(), message)
}

fn serve(stream: impl Read + Write, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request, usize) -> Answer) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|length| length > 0) && !line.trim().is_empty() {
            head.push(line.trim().to_lowercase());
        } else {
            break;
        }
    }
    let Some(first) = head.first() else { return };
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let request = Request {
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        headers: head[1..].to_vec(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let before = {
        let mut log = log.lock().unwrap();
        let same = |other: &&Request| other.method == request.method && other.is_watch() == request.is_watch();
        let before = log.iter().filter(same).count();
        log.push(request.clone());
        before
    };
    match answer(&request, before) {
        Answer::Never => thread::sleep(std::time::Duration::from_secs(60)),
        // Without a length the body ends with the connection, as a watch that breaks.
        Answer::Is(status, body) => {
            let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
            let _ = reader.get_mut().write_all((head + &body).as_bytes());
            let _ = reader.get_mut().flush();
        }
    }
}

pub(crate) fn application(name: &str, version: &str, health: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "resourceVersion": version},
        "spec": {"source": {"repoURL": "u", "path": "p"}},
        "status": {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": health}},
    })
}

pub(crate) fn list(applications: &[Value]) -> Answer {
    let body = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationList",
        "metadata": {"resourceVersion": "1"}, "items": applications});
    Answer::json(200, &body)
}
