//! What is said about an API server that is busy or broken, and about what is none.

use crate::server::{Answer, Server, application, list, other};

#[test]
fn the_servers_own_message_is_shown() {
    for (code, body, expected) in [
        (
            429,
            "Too many requests, please try again later.",
            "with the code 429: Too many requests, please",
        ),
        (
            500,
            "This request caused apiserver to panic.",
            "refuses: This request caused apiserver to panic.",
        ),
        (502, "", "with the code 502: it answers 502 without a reason"),
        (
            503,
            r#"{"kind": "Status", "status": "Failure", "message": "etcd is away"}"#,
            "with the code 503: etcd is away",
        ),
        (
            504,
            r#"{"kind": "Status", "status": "Failure", "reason": "Timeout", "code": 504}"#,
            "with the code 504: Timeout",
        ),
    ] {
        let server = Server::start(move |_, _| other(code, body));
        let (exit, message) = server.homelab(&["wait", "player"]);
        assert_eq!(exit, Some(3), "{message}");
        assert!(message.contains(expected), "{code}: {message}");
        // The same for what is written.
        let server = Server::start(move |request, _| match request.method.as_str() {
            "get" => list(&[application("player", "1", "Healthy")]),
            _ => other(code, body),
        });
        for verb in ["refresh", "sync"] {
            let (exit, message) = server.homelab(&[verb, "player"]);
            assert_eq!(exit, Some(3), "{message}");
            assert!(message.contains(expected), "{code}: {message}");
        }
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    let server = Server::start(|request, before| match (request.method.as_str(), before) {
        (_, 0) => other(429, "Too many requests, please try again later."),
        ("get", 1) => Answer::status(503, "apiserver is shutting down"),
        ("get", _) => list(&[application("player", "1", "Healthy")]),
        _ => Answer::json(200, &application("player", "2", "Healthy")),
    });
    let (exit, message) = server.homelab(&["refresh", "player", "--wait=false"]);
    assert_eq!(exit, Some(0), "{message}");
}

#[test]
fn what_is_no_answer_of_kubernetes_is_called_that() {
    let page = "<!DOCTYPE html>\n<html><head><title>Sign\n in</title></head><body><form></form></body></html>";
    for (code, body, expected) in [
        (200, page, "the answer is text that is not JSON"),
        (200, "welcome", "the answer is text that is not JSON"),
        (200, "", "the answer breaks off"),
        (200, r#"{"ok": true}"#, "the answer is JSON of another kind"),
        (401, page, "the answer is 401 with a web page, `Sign in`"),
        (403, page, "the answer is 403 with a web page, `Sign in`"),
        (502, "<html><body>no</body></html>", "the answer is 502 with a web page"),
        (
            401,
            r#"{"type": "error", "status": "401", "message": "must authenticate"}"#,
            "no error of Kubernetes: must authenticate",
        ),
        (302, "", "the answer is 302 with no object"),
    ] {
        for verb in ["refresh", "sync", "wait"] {
            let server = Server::start(move |_, _| other(code, body));
            let (exit, message) = server.homelab(&[verb, "player"]);
            assert_eq!(exit, Some(3), "{message}");
            let is_named = message.contains("is no Kubernetes API server: ") && message.contains(expected);
            assert!(is_named, "{code} {body}: {message}");
            assert!(message.contains("\nhint: "), "{message}");
        }
    }
}
