//! `refresh`, `sync`, `wait` and `doctor` with an API server that misbehaves: broken watches, conflicts, refusals, silence. The tests
//! with a real API server are in `tests/real`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test plays with real files and programs, and may fail loudly"
)]

mod answers;
mod certificates;
mod doctor;
#[path = "../transcript/git.rs"]
mod git;
mod live_guards;
mod proxy;
mod server;

use serde_json::{Value, json};

use server::{Answer, Request, Server, application, homelab, kubeconfig, list};

#[test]
fn a_wait_outlives_broken_watches() {
    let server = Server::start(|request, before| {
        let event = |health| json!({"type": "MODIFIED", "object": application("player", "2", health)}).to_string();
        if !request.is_watch() {
            // The first list is for the name, the second for the wait.
            return match before {
                2 => Answer::status(500, "etcd is away"),
                _ => list(&[application("player", "1", "Progressing")]),
            };
        }
        match before {
            0 => Answer::Is(200, event("Progressing") + "\n"),
            1 => Answer::Is(
                200,
                json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old", "reason": "Expired"}}).to_string() + "\n",
            ),
            2 => Answer::Is(200, event("Healthy")[..40].to_owned()),
            3 => Answer::status(503, "not now"),
            _ => Answer::Is(200, event("Healthy") + "\n"),
        }
    });
    let (code, message) = server.homelab(&["wait", "player", "--timeout", "60s"]);
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("player   Synced   Healthy   abc"), "{message}");
    assert!(server.asked().iter().filter(|request| request.is_watch()).count() >= 5);
}

#[test]
fn a_sync_never_overwrites_a_concurrent_change() {
    let server = Server::start(|request, before| match (request.method.as_str(), before) {
        ("get", 0) => list(&[application("player", "1", "Healthy")]),
        ("get", _) => list(&[application("player", "2", "Healthy")]),
        (_, 0) => Answer::status(409, "the object has been modified"),
        _ => Answer::json(200, &application("player", "3", "Healthy")),
    });
    let (code, message) = server.homelab(&["sync", "player", "--wait=false"]);
    assert_eq!(code, Some(0), "{message}");
    let asked = server.asked();
    let patches: Vec<&Request> = asked.iter().filter(|request| request.method == "patch").collect();
    let versions = patches.iter().map(|patch| &patch.body["metadata"]["resourceVersion"]);
    assert_eq!(versions.collect::<Vec<_>>(), ["1", "2"]);
    assert!(
        patches[0]
            .path
            .starts_with("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/player?")
    );
    assert_eq!(
        patches[1].body["operation"]["initiatedBy"]["username"],
        "kubectl-homelab"
    );
}

#[test]
fn a_refresh_that_conflicts_is_sent_again_and_then_fails() {
    for (conflicts, exit, said) in [(2, Some(0), "Synced"), (usize::MAX, Some(3), "keeps changing")] {
        let server = Server::start(move |request, before| match request.method.as_str() {
            "get" => list(&[application("player", "1", "Healthy")]),
            _ if before < conflicts => Answer::status(409, "the object has been modified"),
            _ => Answer::json(200, &application("player", "2", "Healthy")),
        });
        let (code, message) = server.homelab(&["refresh", "player", "--wait=false"]);
        assert_eq!(code, exit, "{message}");
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn a_dry_run_for_the_server_is_marked_as_one() {
    let server = Server::start(|request, _| match request.method.as_str() {
        "get" => list(&[application("player", "1", "Healthy")]),
        _ => Answer::json(200, &application("player", "1", "Healthy")),
    });
    let (code, message) = server.homelab(&["refresh", "player", "--hard", "--dry-run=server", "-o", "json"]);
    assert_eq!(code, Some(0), "{message}");
    let patches: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(
        patches["items"][0]["patch"]["metadata"]["annotations"]["argocd.argoproj.io/refresh"],
        "hard"
    );
    assert!(server.asked()[1].path.contains("dryrun=all"), "{:?}", server.asked());
    let (_, message) = server.homelab(&["refresh", "player", "--dry-run"]);
    assert!(message.contains("would be patched"), "{message}");
    assert_eq!(
        server
            .asked()
            .iter()
            .filter(|request| request.method == "patch")
            .count(),
        1
    );
}

#[test]
fn refusals_have_hints() {
    for (code, message) in [
        (401, "does not accept your credentials"),
        (403, "the cluster does not allow it: User `a` may not list"),
        (404, "has no Applications of Argo CD"),
        (500, "the cluster refuses: User `a` may not list"),
    ] {
        let server = Server::start(move |_, _| Answer::status(code, "User `a`\nmay not list"));
        let (exit, answer) = server.homelab(&["refresh", "player"]);
        assert_eq!(exit, Some(3), "{answer}");
        assert!(answer.contains(message), "{answer}");
        assert_eq!(answer.contains("\nhint: "), code != 500, "{answer}");
    }
}

#[test]
fn a_silent_server_times_out() {
    let server = Server::start(|_, _| Answer::Never);
    for limit in ["--request-timeout=1s", "--timeout=1s"] {
        let (exit, message) = server.homelab(&["wait", "player", limit]);
        assert_eq!(exit, Some(3), "{message}");
        assert!(message.contains("does not answer in time"), "{message}");
    }
}

#[test]
fn a_wait_that_times_out_reports_what_is_missing() {
    let server = Server::start(|request, _| {
        if request.is_watch() {
            return Answer::Never;
        }
        list(&[
            application("player", "1", "Degraded"),
            application("other", "1", "Healthy"),
        ])
    });
    let (exit, message) = server.homelab(&["wait", "player", "other", "--timeout=1s"]);
    assert_eq!(exit, Some(1), "{message}");
    assert!(message.ends_with("\nplayer: not Healthy but Degraded\n"), "{message}");
}

fn healthy() -> Server {
    Server::start(|_, _| list(&[application("player", "1", "Healthy")]))
}

#[test]
fn kubectls_flags_select_server_and_user() {
    let server = healthy();
    let elsewhere = kubeconfig("http://127.0.0.1:1", &json!({"username": "me", "password": "s3cret"}));
    let arguments = [
        "wait",
        "player",
        "--server",
        &server.url,
        "--token=s3cret-flag",
        "--as=alice",
    ];
    let more = [
        "--as-group=a",
        "--as-group=b",
        "--as-uid=7",
        "--as-user-extra=scopes=x",
        "--as-user-extra=scopes=y",
    ];
    let (code, message) = homelab(Some(&elsewhere), &[&arguments[..], &more].concat());
    assert_eq!(code, Some(0), "{message}");
    let headers = &server.asked()[0].headers;
    for header in [
        "authorization: bearer s3cret-flag",
        "impersonate-user: alice",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 7",
        "impersonate-extra-scopes: x",
        "impersonate-extra-scopes: y",
    ] {
        assert!(
            headers.iter().any(|line| line == header),
            "no `{header}` in {headers:?}"
        );
    }
}

#[test]
fn a_server_needs_no_kubeconfig() {
    let server = healthy();
    let no_context = json!({"apiVersion": "v1", "kind": "Config", "current-context": "",
        "users": [{"name": "u", "user": {"token": "s3cret"}}]});
    for (kubeconfig, arguments, is_known) in [
        (None, &["--server", &server.url][..], false),
        (Some(&no_context), &["-s", &server.url], false),
        (Some(&no_context), &["-s", &server.url, "--user=u"], true),
    ] {
        let (code, message) = homelab(kubeconfig, &[&["wait", "player"], arguments].concat());
        assert_eq!(code, Some(0), "{message}");
        let asked = server.asked();
        let headers = &asked.last().unwrap().headers;
        assert_eq!(
            headers.iter().any(|line| line == "authorization: bearer s3cret"),
            is_known,
            "{arguments:?}: {headers:?}"
        );
    }
    let (code, message) = homelab(Some(&no_context), &["wait", "player"]);
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("the kubeconfig has no current context"), "{message}");
}

#[test]
fn what_the_flags_name_must_exist() {
    let server = healthy();
    for (flags, code, part) in [
        (
            &["--user=w"][..],
            3,
            "the kubeconfig has no user `w`\nhint: choose one of u\n",
        ),
        (
            &["--cluster=d"],
            3,
            "the kubeconfig has no cluster `d`\nhint: choose one of c\n",
        ),
        (
            &["--certificate-authority=no.crt"],
            3,
            "cannot read `no.crt` of --certificate-authority: ",
        ),
        (
            &["--client-certificate=no.crt", "--client-key=no.key"],
            3,
            "cannot read `no.crt` of --client-certificate: ",
        ),
        (&["--client-certificate=no.crt"], 2, "--client-key <FILE>"),
        (&["--as-group=a"], 2, "--as <USER>"),
        (&["--as=a", "--as-user-extra=x"], 2, "it is not KEY=VALUE"),
        (&["--server=ftp://home"], 2, "only http and https lead to an API server"),
        (
            &["--certificate-authority=no.crt", "--insecure-skip-tls-verify"],
            2,
            "cannot be used with",
        ),
    ] {
        let (exit, message) = server.homelab(&[&["wait", "player"], flags].concat());
        assert_eq!(exit, Some(code), "{message}");
        assert!(message.contains(part), "{message}");
    }
    assert!(server.asked().is_empty());
}
