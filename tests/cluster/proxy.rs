//! A proxy between the program and the API server.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::json;

use crate::server::{Server, application, homelab, kubeconfig, list};

/// Starts a proxy that connects to what it is asked for; the lines of each request are sent.
fn proxy() -> (String, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let target = lines[0].split(' ').nth(1).unwrap().to_owned();
            sender.send(lines).unwrap();
            thread::spawn(move || pass(stream, &target));
        }
    });
    (address, receiver)
}

fn pass(mut from: TcpStream, target: &str) {
    let mut to = TcpStream::connect(target).unwrap();
    from.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    let (mut from_again, mut to_again) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || io::copy(&mut from_again, &mut to_again));
    let _ = io::copy(&mut to, &mut from);
    let _ = from.shutdown(Shutdown::Both);
}

#[test]
fn a_proxy_of_the_kubeconfig_is_used_with_its_login() {
    let server = Server::start(|_, _| list(&[application("player", "1", "Healthy")]));
    let (address, requests) = proxy();
    let mut config = kubeconfig(&server.url, &json!({"token": "s3cret"}));
    config["clusters"][0]["cluster"]["proxy-url"] = json!(format!("http://me:s3cr%40t@{address}"));
    let (exit, message) = homelab(Some(&config), &["wait", "player"]);
    assert_eq!(exit, Some(0), "{message}");
    let lines = requests.recv().unwrap();
    let host = server.url.trim_start_matches("http://");
    assert_eq!(lines[0], format!("CONNECT {host} HTTP/1.1"));
    // `me:s3cr@t`
    assert!(
        lines
            .iter()
            .any(|line| line.eq_ignore_ascii_case("proxy-authorization: Basic bWU6czNjckB0")),
        "{lines:?}"
    );
    config["clusters"][0]["cluster"]["proxy-url"] = json!("ftp://127.0.0.1:1");
    let (exit, message) = homelab(Some(&config), &["wait", "player"]);
    assert_eq!(exit, Some(3), "{message}");
}
