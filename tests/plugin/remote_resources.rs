//! What kustomizations name elsewhere: files by HTTP and folders of git repositories, fetched by git or by the program itself,
//! and kept for the next render. All servers are on loopback; git's is the real one.

use std::fs;

use crate::chart_repository::ChartRepository;
use crate::git_server::GitServer;
use crate::kustomize_charts::{folder, generate, rendered};
use crate::sent::{SECRET, Sent, text};

/// A PATH without git.
fn bare_path(sent: &Sent) -> String {
    sent.place("bin").display().to_string()
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

#[test]
fn files_by_http_are_read_wherever_kustomize_reads_them() {
    let server = ChartRepository::new();
    server.put("remote.yaml", &config("remote"));
    server.put("patch.yaml", &format!("{}data:\n  patched: by-url\n", config("remote")));
    server.put("note.txt", "text of a note");
    let url = server.url();
    let sent = folder(&format!(
        "resources:\n- {url}/deep/remote.yaml # kept\npatches:\n- path: {url}/patch.yaml\nconfigMapGenerator:\n- name: made\n  files: ['{url}/note.txt', 'key={url}/note.txt']\n  options: {{disableNameSuffixHash: true}}\n"
    ));
    let first = rendered(&sent, &[]);
    for part in ["patched: by-url", "note.txt: text of a note", "key: text of a note"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    let kept = fs::read_to_string(sent.source().join("kustomization.yaml")).unwrap();
    assert!(kept.contains(&url), "the checkout stays as it is");
    drop(server);
    let output = generate(&sent, &[]);
    assert_eq!(text(&output.stdout), first);
    let remark = format!("`{url}/deep/remote.yaml` cannot be asked: what it gave the last time is taken");
    assert!(text(&output.stderr).contains(&remark), "{}", text(&output.stderr));
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let server = ChartRepository::new();
    let url = server.url();
    let sent = folder(&format!("resources:\n- {url}/none.yaml\n"));
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(failure.starts_with("helm/player/kustomization.yaml:2: "), "{failure}");
    assert!(failure.contains("404 Not Found"), "{failure}");
    let sent = folder("resources: ['https://u:hunter2@127.0.0.1:9/a.yaml']\n");
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(
        failure.contains("cannot fetch `https://127.0.0.1:9/a.yaml`"),
        "{failure}"
    );
}

/// Two repositories: a base with a file beside its folder, and one that names the first.
fn bases(server: &GitServer) -> String {
    let of = |text: &str| format!("{}data:\n  text: {text}\n", config("base"));
    let files = |text: &str| {
        [
            (
                "deploy/base/kustomization.yaml",
                "resources: [a.yaml, ../more]\n".to_owned(),
            ),
            ("deploy/base/a.yaml", of(text)),
            ("deploy/more/kustomization.yaml", "resources: [b.yaml]\n".to_owned()),
            ("deploy/more/b.yaml", config("more")),
        ]
    };
    let commit = |text: &str, tag: Option<&str>| {
        let files = files(text);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        server.commit("base.git", &files, tag)
    };
    commit("one", Some("v1.0.0"));
    let overlay = format!(
        "resources: ['{}//deploy/base?ref=v1.0.0']\nnamePrefix: far-\n",
        server.url("base.git")
    );
    server.commit("overlay.git", &[("kustomization.yaml", &overlay)], None);
    commit("two", None)
}

#[test]
fn folders_of_repositories_are_fetched_by_git_and_without_it() {
    let server = GitServer::new();
    let commit = bases(&server);
    let base = server.url("base.git");
    for without_git in [false, true] {
        let render = |reference: &str| {
            let sent = folder(&format!("resources: ['{base}//deploy/base{reference}']\n"));
            let path = bare_path(&sent);
            let variables = [("PATH", path.as_str())];
            rendered(&sent, if without_git { &variables } else { &[] })
        };
        for (reference, wanted) in [
            ("", "two"),
            ("?ref=main", "two"),
            ("?ref=v1.0.0", "one"),
            (&format!("?ref={commit}"), "two"),
        ] {
            let objects = render(reference);
            assert!(
                objects.contains(&format!("text: {wanted}")) && objects.contains("name: more"),
                "{reference}: {objects}"
            );
        }
        let sent = folder(&format!("resources: ['{}']\n", server.url("overlay.git")));
        let path = bare_path(&sent);
        let variables = [("PATH", path.as_str())];
        let objects = rendered(&sent, if without_git { &variables } else { &[] });
        assert!(
            objects.contains("name: far-base") && objects.contains("text: one"),
            "{objects}"
        );
        let sent = folder(&format!("resources: ['{base}//deploy/base?ref=v9']\n"));
        let failure = sent.failure(&generate(&sent, if without_git { &variables } else { &[] }));
        assert!(failure.contains("has no branch or tag `v9`"), "{failure}");
        let sent = folder(&format!("resources: ['{base}//none?ref=v1.0.0']\n"));
        let failure = sent.failure(&generate(&sent, if without_git { &variables } else { &[] }));
        assert!(failure.contains("has no folder `none`"), "{failure}");
    }
}

#[test]
fn a_commit_is_fetched_once_and_a_branch_is_asked_for() {
    let server = GitServer::new();
    let commit = bases(&server);
    let sent = folder(&format!(
        "resources: ['{}//deploy/base?ref={commit}']\n",
        server.url("base.git")
    ));
    let path = bare_path(&sent);
    let variables = [("PATH", path.as_str())];
    let first = rendered(&sent, &variables);
    server.asked();
    assert_eq!(rendered(&sent, &variables), first);
    assert_eq!(server.asked(), Vec::<String>::new());

    sent.write(
        "kustomization.yaml",
        &format!("resources: ['{}//deploy/base?ref=main']\n", server.url("base.git")),
    );
    assert_eq!(rendered(&sent, &variables), first, "it is the same commit");
    server.commit("base.git", &[("deploy/base/a.yaml", &config("changed"))], None);
    assert!(rendered(&sent, &variables).contains("name: changed"));
    drop(server);
    let output = generate(&sent, &variables);
    assert!(
        text(&output.stdout).contains("name: changed"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("cannot be asked"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_private_repository_is_read_with_the_mounted_login() {
    let server = GitServer::new();
    bases(&server);
    server.needs_login();
    let base = server.url("base.git");
    let sent = folder(&format!("resources: ['{base}//deploy/base?ref=v1.0.0']\n"));
    let (path, logins) = (bare_path(&sent), sent.place("credentials"));
    let variables = [
        ("PATH", path.as_str()),
        ("HOMELAB_GIT_CREDENTIALS", logins.to_str().unwrap()),
    ];
    let failure = sent.failure(&generate(&sent, &variables));
    assert!(failure.contains("401 Unauthorized"), "{failure}");
    fs::write(&logins, base.replace("http://", &format!("http://player:{SECRET}@"))).unwrap();
    assert!(rendered(&sent, &variables).contains("text: one"));
}

#[test]
fn nothing_remote_leads_out_of_its_repository() {
    let server = GitServer::new();
    server.commit(
        "bad.git",
        &[("a/kustomization.yaml", "resources: [../../../helm/player/own]\n")],
        Some("v1"),
    );
    let sent = folder(&format!("resources: ['{}//a?ref=v1']\n", server.url("bad.git")));
    sent.write("own/kustomization.yaml", "resources: [a.yaml]\n");
    sent.write("own/a.yaml", &config("own"));
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(failure.contains("leads out of its repository"), "{failure}");
    let sent = folder("resources: ['file:///srv/r.git//a']\n");
    let failure = sent.failure(&generate(&sent, &[]));
    assert!(failure.contains("on this machine's own disk"), "{failure}");
}

#[test]
fn a_remote_component_may_be_a_parameter() {
    let server = GitServer::new();
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: with-\n";
    server.commit("part.git", &[("c/kustomization.yaml", component)], Some("v1"));
    let sent = folder("resources: [a.yaml]\n");
    sent.write("a.yaml", &config("a"));
    let url = format!("{}//c?ref=v1", server.url("part.git"));
    let parameters = format!(r#"[{{"name":"components","array":["{url}"]}}]"#);
    assert!(rendered(&sent, &[("ARGOCD_APP_PARAMETERS", &parameters)]).contains("name: with-a"));
}
