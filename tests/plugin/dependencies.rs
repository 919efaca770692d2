//! Dependencies of charts: they are fetched as Argo CD fetches them, with the mounted logins, kept for the next render, and
//! every failure is one line. The chart repositories and registries are on loopback; helm is the real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::chart_repository::{ChartRepository, helm_with};
use crate::registry::Registry;
use crate::sent::{SECRET, Sent, text};

/// Returns a chart that depends on `lib` 1.x of a repository.
fn depends_on(repository: &str) -> Sent {
    let sent = Sent::new().real_helm();
    write_chart(&sent, &[("lib", "1.x", repository)]);
    sent
}

fn write_chart(sent: &Sent, dependencies: &[(&str, &str, &str)]) {
    let mut chart = "apiVersion: v2\nname: player\nversion: 0.1.0\ndependencies:\n".to_owned();
    for (name, version, repository) in dependencies {
        chart.push_str(&format!(
            "- {{name: {name}, version: {version}, repository: '{repository}'}}\n"
        ));
    }
    sent.write("Chart.yaml", &chart);
}

/// Writes the lock file as a chart's author does, and leaves nothing else.
fn lock(sent: &Sent, variables: &[(&str, &str)], flags: &[&str]) {
    let arguments = [&["dependency", "update"], flags].concat();
    helm_with(&arguments, &sent.source(), variables);
    fs::remove_dir_all(sent.source().join("charts")).unwrap();
}

/// Writes a read-only file with helm's repositories.
fn repositories(sent: &Sent, name: &str, url: &str, password: &str) -> PathBuf {
    let path = sent.place("repositories.yaml");
    fs::write(
        &path,
        format!("repositories:\n- name: {name}\n  url: {url}\n  username: player\n  password: {password}\n"),
    )
    .unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    path
}

/// Renders with a cache.
fn generate(sent: &Sent, variables: &[(&str, &str)]) -> Output {
    let cache = sent.place("cache");
    sent.command("generate")
        .env("HOMELAB_CACHE_DIR", cache)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// Asserts that `lib` was rendered with its text, and nothing was left behind.
fn assert_lib(sent: &Sent, output: &Output, wanted: &str) {
    assert!(
        text(&output.stdout).contains(&format!("# Source: player/charts/lib/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: lib\ndata:\n  text: {wanted}\n")),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(sent.left().is_empty(), "{:?}", sent.left());
}

fn cached(sent: &Sent) -> usize {
    fs::read_dir(sent.place("cache/dependencies")).map_or(0, Iterator::count)
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_a_lock_file_names_is_fetched_once() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    repository.add("1.1.0", "newer, but the lock file says 1.0.0");
    repository.asked();
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(repository.asked(), ["/index.yaml", "/lib-1.0.0.tgz"]);
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(repository.asked(), Vec::<String>::new());
    let mut files: Vec<_> = fs::read_dir(sent.source())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["Chart.lock", "Chart.yaml"], "the chart stays as it lay");
    drop(repository);
    assert_lib(&sent, &generate(&sent, &[]), "one");
    // Without a cache there is none.
    assert!(sent.failure(&sent.generate(&[])).contains("cannot be reached"));
}

#[test]
fn without_a_lock_file_the_newest_is_fetched_each_time() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    // The sidecar mounts a Secret that need not be there.
    let nowhere = [
        ("HELM_REPOSITORY_CONFIG", "/nowhere/repositories.yaml"),
        ("HELM_REGISTRY_CONFIG", "/nowhere/config.json"),
    ];
    assert_lib(&sent, &generate(&sent, &nowhere), "one");
    repository.add("1.1.0", "two");
    assert_lib(&sent, &generate(&sent, &[]), "two");
    assert_eq!(cached(&sent), 0);
}

#[test]
fn what_is_vendored_is_not_fetched_unless_it_is_asked_for() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    helm_with(&["dependency", "update"], &sent.source(), &[]);
    repository.add("1.1.0", "two");
    repository.asked();
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(repository.asked(), Vec::<String>::new());
    let update = [(
        "ARGOCD_APP_PARAMETERS",
        r#"[{"name":"dependency-update","string":"true"}]"#,
    )];
    assert_lib(&sent, &generate(&sent, &update), "two");
    assert_eq!(cached(&sent), 0, "what changes by itself is not kept");
    let vendored: Vec<_> = fs::read_dir(sent.source().join("charts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(vendored, ["lib-1.0.0.tgz"], "the checkout stays as it lay");
    drop(repository);
    let message = sent.failure(&generate(&sent, &update));
    assert!(
        message.starts_with("the chart's dependencies cannot be updated: helm dependency update failed: "),
        "{message}"
    );
}

#[test]
fn a_login_is_found_by_url_and_by_alias_in_a_file_that_nobody_may_write() {
    let repository = ChartRepository::new().with_login();
    for named in [
        repository.url(),
        format!("{}/", repository.url()),
        "@own".to_owned(),
        "alias:own".to_owned(),
    ] {
        let sent = depends_on(&named);
        let configuration = repositories(&sent, "own", &repository.url(), SECRET);
        let before = fs::read(&configuration).unwrap();
        let variables = [("HELM_REPOSITORY_CONFIG", path(&configuration))];
        assert_lib(&sent, &generate(&sent, &variables), "one");
        assert_eq!(fs::read(&configuration).unwrap(), before);
    }
}

#[test]
fn without_the_right_login_one_message_is_shown() {
    let repository = ChartRepository::new().with_login();
    let sent = depends_on(&repository.url());
    let refused = format!(
        "the chart's dependencies are not vendored in its folder `charts/`: helm dependency build failed: the chart repository {0} cannot be reached: failed to fetch {0}/index.yaml : 401 Unauthorized (vendor them with `helm dependency build`, or let the plugin reach them: see \"Private charts\" in the README)",
        repository.url()
    );
    assert_eq!(sent.failure(&generate(&sent, &[])), refused);
    let wrong = repositories(&sent, "own", &repository.url(), &format!("not-{SECRET}"));
    assert_eq!(
        sent.failure(&generate(&sent, &[("HELM_REPOSITORY_CONFIG", path(&wrong))])),
        refused
    );
    let in_url = depends_on(&repository.url().replace("://", &format!("://player:not-{SECRET}@")));
    assert_eq!(in_url.failure(&generate(&in_url, &[])), refused);
    let unknown = depends_on("@own");
    let message = unknown.failure(&generate(&unknown, &[]));
    assert!(message.contains("no repository definition for @own"), "{message}");
    let broken = sent.place("broken.yaml");
    fs::write(&broken, format!("repositories: [{{password: '{SECRET}")).unwrap();
    let message = sent.failure(&generate(&sent, &[("HELM_REPOSITORY_CONFIG", path(&broken))]));
    assert!(
        message.starts_with("helm's repository configuration cannot be read: 1:"),
        "{message}"
    );
}

#[test]
fn a_missing_repository_is_named() {
    let url = ChartRepository::new().url();
    let sent = depends_on(&url);
    let message = sent.failure(&generate(&sent, &[]));
    assert!(
        message.contains(&format!("the chart repository {url} cannot be reached: "))
            && message.contains("connection refused"),
        "{message}"
    );
}

#[test]
fn a_lock_file_of_other_dependencies_is_refused() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    write_chart(&sent, &[("lib", "1.0.x", &repository.url())]);
    assert_eq!(
        sent.failure(&generate(&sent, &[])),
        "the chart's lock file is out of sync with the dependencies in `Chart.yaml` (run `helm dependency update` in the chart and commit the lock file)"
    );
}

#[test]
fn what_is_not_what_the_index_says_is_neither_rendered_nor_kept() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    let other = crate::chart_repository::pack_lib(tempfile::tempdir().unwrap().path(), "1.0.0", "other");
    repository.change("lib-1.0.0.tgz", |_| other);
    assert_eq!(
        sent.failure(&generate(&sent, &[])),
        "`lib-1.0.0.tgz` differs from the index of its chart repository: the digests are not equal (ask who runs the repository; the download or the index was changed)"
    );
    assert_eq!(cached(&sent), 0);
    // An index need not have digests.
    let without = |bytes: Vec<u8>| {
        let lines = String::from_utf8(bytes).unwrap();
        lines
            .lines()
            .filter(|line| !line.contains("digest:"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .into_bytes()
    };
    repository.change("index.yaml", without);
    assert_lib(&sent, &generate(&sent, &[]), "other");
}

#[test]
fn half_a_download_is_neither_rendered_nor_kept() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    for file in ["index.yaml", "lib-1.0.0.tgz"] {
        repository.cut(Some(file));
        let message = sent.failure(&generate(&sent, &[]));
        assert!(
            message.contains("helm dependency build failed: ") && message.contains("unexpected EOF"),
            "{message}"
        );
        assert_eq!(cached(&sent), 0);
    }
    repository.change("lib-1.0.0.tgz", |bytes| bytes[..bytes.len() / 2].to_vec());
    repository.cut(None);
    let message = sent.failure(&generate(&sent, &[]));
    assert!(
        message.contains("what was downloaded as `lib-1.0.0.tgz` is not a chart: "),
        "{message}"
    );
    assert_eq!(cached(&sent), 0);
    let again = ChartRepository::new();
    let sent = depends_on(&again.url());
    lock(&sent, &[], &[]);
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(cached(&sent), 1);
}

#[test]
fn a_damaged_cache_is_fetched_again() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    assert_lib(&sent, &generate(&sent, &[]), "one");
    let entry = fs::read_dir(sent.place("cache/dependencies"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(entry.join("lib-1.0.0.tgz"), "half").unwrap();
    repository.asked();
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(repository.asked().len(), 2);
    assert_lib(&sent, &generate(&sent, &[]), "one");
    assert_eq!(repository.asked().len(), 0);
}

#[test]
fn a_user_renders_with_their_own_login_and_cache() {
    let repository = ChartRepository::new().with_login();
    let sent = depends_on("@own");
    let configuration = repositories(&sent, "own", &repository.url(), SECRET);
    lock(&sent, &[("HELM_REPOSITORY_CONFIG", path(&configuration))], &[]);
    // Where helm keeps it on Linux.
    let home = sent.place("home");
    fs::create_dir_all(home.join(".config/helm")).unwrap();
    fs::copy(&configuration, home.join(".config/helm/repositories.yaml")).unwrap();
    let root = sent.source().join("../..");
    fs::create_dir_all(root.join("applications")).unwrap();
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: player\n  namespace: argocd\nspec:\n  project: default\n  source:\n    repoURL: https://git.example.org/me/player\n    path: helm/player\n    targetRevision: main\n  destination:\n    server: https://kubernetes.default.svc\n    namespace: media\n";
    fs::write(root.join("applications/player.yaml"), application).unwrap();
    let render = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-homelab"));
        command
            .args(["render", "player", "--source-dir", "player=."])
            .args(flags);
        let program = format!("{}:/usr/bin:/bin", sent.place("bin").display());
        command
            .current_dir(&root)
            .env_clear()
            .env("PATH", program)
            .env("HOME", &home);
        command.env("TMPDIR", sent.place("tmp")).output().unwrap()
    };
    let offline = render(&["--offline"]);
    assert!(
        text(&offline.stderr).contains("the chart's dependencies from `@own` are not in its folder `charts/`"),
        "{}",
        text(&offline.stderr)
    );
    assert_lib(&sent, &render(&[]), "one");
    drop(repository);
    assert_lib(&sent, &render(&["--offline"]), "one");
    assert_eq!(
        fs::read_dir(home.join(".cache/kubectl-homelab/dependencies"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn many_renders_share_a_cache() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    lock(&sent, &[], &[]);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| generate(&sent, &[]))).collect();
        for run in runs {
            let output = run.join().unwrap();
            assert!(text(&output.stdout).contains("text: one"), "{}", text(&output.stderr));
        }
    });
    assert_eq!(cached(&sent), 1);
    assert_eq!(sent.left(), Vec::<String>::new());
}

#[test]
fn a_chart_of_the_same_repository_is_kept_by_its_content() {
    let repository = ChartRepository::new();
    let sent = depends_on(&repository.url());
    let own = |text: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: own\ndata:\n  text: {text}\n");
    sent.write("../own/Chart.yaml", "apiVersion: v2\nname: own\nversion: 1.0.0\n");
    sent.write("../own/templates/a.yaml", &own("first"));
    write_chart(
        &sent,
        &[("lib", "1.x", &repository.url()), ("own", "1.x", "file://../own")],
    );
    lock(&sent, &[], &[]);
    repository.asked();
    for (says, asked) in [("first", 2), ("first", 0), ("second", 2), ("first", 0)] {
        sent.write("../own/templates/a.yaml", &own(says));
        let output = generate(&sent, &[]);
        assert_lib(&sent, &output, "one");
        assert!(text(&output.stdout).contains(&own(says)));
        assert_eq!(repository.asked().len(), asked, "{says}");
    }
}

#[test]
fn nothing_outside_the_checkout_is_depended_on() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(
        outside.path().join("Chart.yaml"),
        "apiVersion: v2\nname: lib\nversion: 1.0.0\n",
    )
    .unwrap();
    let absolute = format!("file://{}", path(outside.path()));
    for (repository, part) in [
        (absolute.as_str(), "is outside the repository"),
        ("file://../../../../lib", "is outside the repository"),
        ("file://../linked", "leads out of the repository"),
        ("file://../with-link", "leads out of the repository"),
        ("file://../nowhere", "does not exist"),
    ] {
        let sent = depends_on(repository);
        std::os::unix::fs::symlink(outside.path(), sent.source().join("../linked")).unwrap();
        sent.write("../with-link/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n");
        std::os::unix::fs::symlink(
            outside.path().join("Chart.yaml"),
            sent.source().join("../with-link/a.yaml"),
        )
        .unwrap();
        let output = generate(&sent, &[]);
        assert!(
            text(&output.stderr).contains(part),
            "{repository}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stdout), "");
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn a_proxy_is_asked() {
    let proxy = ChartRepository::new();
    let sent = depends_on("http://charts.example/stable");
    assert_lib(&sent, &generate(&sent, &[("HTTP_PROXY", &proxy.url())]), "one");
    assert_eq!(
        proxy.asked(),
        [
            "http://charts.example/stable/index.yaml",
            "http://charts.example/stable/lib-1.0.0.tgz"
        ]
    );
    let around = [("HTTP_PROXY", proxy.url()), ("NO_PROXY", "charts.example".to_owned())];
    let around: Vec<_> = around.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(sent.failure(&generate(&sent, &around)).contains("cannot be reached"));
}

#[test]
fn a_registry_without_tls_is_named_and_asked_with_the_mounted_login() {
    let mut registry = Registry::new(true, false);
    let address = registry.address().to_owned();
    let sent = depends_on(&registry.url());
    let logins = registry.logins();
    let variables = [
        ("HELM_REGISTRY_CONFIG", path(&logins)),
        ("HOMELAB_PLAIN_HTTP_REGISTRIES", address.as_str()),
    ];
    lock(&sent, &variables[..1], &["--plain-http"]);
    assert_lib(&sent, &generate(&sent, &variables), "one");
    let message = sent.failure(&sent.generate(&variables[1..]));
    assert!(
        message.contains("basic credential not found") && message.contains("see \"Private charts\""),
        "{message}"
    );
    let message = sent.failure(&sent.generate(&variables[..1]));
    assert!(
        message.contains("server gave HTTP response to HTTPS client"),
        "{message}"
    );
    let wrong = sent.place("wrong.json");
    let login = fs::read_to_string(&logins).unwrap();
    // `player:hunter2` and `player:hunter3`, as Docker writes them.
    fs::write(&wrong, login.replace("cGxheWVyOmh1bnRlcjI=", "cGxheWVyOmh1bnRlcjM=")).unwrap();
    let message = sent.failure(&sent.generate(&[("HELM_REGISTRY_CONFIG", path(&wrong)), variables[1]]));
    assert!(message.contains("401") && !message.contains("cGxheWVy"), "{message}");
    assert_eq!(fs::read_to_string(&logins).unwrap(), login);
    registry.stop();
    assert_lib(&sent, &generate(&sent, &variables), "one");
    let message = sent.failure(&sent.generate(&variables));
    assert!(message.contains("connection refused"), "{message}");
}

#[test]
fn a_registry_with_a_private_certificate_is_trusted_if_it_is_mounted() {
    for needs_login in [false, true] {
        let registry = Registry::new(needs_login, true);
        let sent = depends_on(&registry.url());
        let (certificate, logins) = (registry.certificate(), registry.logins());
        let variables = [
            ("HELM_REGISTRY_CONFIG", path(&logins)),
            ("SSL_CERT_FILE", path(&certificate)),
        ];
        assert_lib(&sent, &generate(&sent, &variables), "one");
        let message = sent.failure(&generate(&sent, &variables[..1]));
        assert!(message.contains("certificate signed by unknown authority"), "{message}");
    }
}
