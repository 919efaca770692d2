#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::failure::{Failure, find};
use crate::model::Unavailable;
use crate::render::kustomize_graph::{Graph, Kustomization};
use crate::repo::RepoPath;
use crate::repo::kustomization::references::{helm_charts, references};

/// A checkout with a base, and a program that replaces kustomize.
struct Case {
    folder: tempfile::TempDir,
    kustomize: Kustomize,
}

impl Case {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("repo/apps/player/kustomization.yaml", "resources: [../../base]\n");
        write("repo/apps/player/deep/a.txt", "text\n");
        write("repo/apps/other/b.yaml", "");
        write("repo/base/kustomization.yaml", "resources: []\n");
        write("kustomize", &format!("#!/bin/sh\n{script}"));
        fs::set_permissions(folder.path().join("kustomize"), fs::Permissions::from_mode(0o755)).unwrap();
        let kustomize = Kustomize {
            checkout: Checkout::open(&folder.path().join("repo")).unwrap(),
            program: Some(folder.path().join("kustomize")),
            helm: None,
            network: false,
            cache: None,
            bounded_in: None,
            build_options: None,
        };
        Self { folder, kustomize }
    }

    fn render(&self, call: &KustomizeCall) -> Result<String> {
        self.kustomize.render(call).map(|raw| raw.text)
    }

    fn failure(&self, call: &KustomizeCall) -> Failure {
        Failure::from(self.render(call).unwrap_err())
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join("repo").join(path)
    }
}

fn call(edits: &[&[&str]]) -> KustomizeCall {
    let edits = edits.iter().map(|arguments| Edit::Command {
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        parameter: "images",
    });
    KustomizeCall {
        folder: RepoPath::new("apps/player").unwrap(),
        edits: edits.collect(),
        graph: Graph::default(),
        version: None,
        kube_version: None,
        api_versions: Vec::new(),
        variables: [("ARGOCD_APP_NAME".to_owned(), "player".to_owned())].into(),
    }
}

#[test]
fn without_changes_the_checkout_is_built_from_its_root() {
    let case = Case::new("echo \"$1 $2 $3 $PWD\"\n");
    let root = case.at("").display().to_string();
    let root = root.trim_end_matches('/');
    assert_eq!(
        case.render(&call(&[])).unwrap(),
        format!("build {root}/apps/player --enable-helm {root}\n")
    );
}

#[test]
fn changes_are_made_in_a_copy() {
    let script = "if [ \"$1\" = edit ]; then echo changed >> kustomization.yaml; pwd >&2; exit 0; fi\n\
                  cat \"$2/kustomization.yaml\" \"$2/deep/a.txt\"; ls apps; test -L base && cat base/kustomization.yaml\n";
    let case = Case::new(script);
    symlink("../base/kustomization.yaml", case.at("apps/player/link")).unwrap_or(());
    symlink("nowhere", case.at("apps/player/broken")).unwrap();
    fs::create_dir(case.at(".git")).unwrap();
    let built = case
        .render(&call(&[&["set", "image", "a=b"], &["add", "label", "a:b"]]))
        .unwrap();
    assert_eq!(
        built,
        "resources: [../../base]\nchanged\nchanged\ntext\nother\nplayer\nresources: []\n"
    );
    let kept = fs::read_to_string(case.at("apps/player/kustomization.yaml")).unwrap();
    assert_eq!(kept, "resources: [../../base]\n");
}

#[test]
fn the_copy_has_nothing_that_is_not_read() {
    let script = "if [ \"$1\" = edit ]; then exit; fi\nfind . | sort | tr '\\n' ' '; test -L base && cat base/kustomization.yaml\n";
    let case = Case::new(script);
    fs::write(case.at("base/all.yaml"), "").unwrap();
    let reads = ["apps/player", "base"].map(|path| RepoPath::new(path).unwrap());
    let graph = Graph {
        reads: reads.into(),
        ..Graph::default()
    };
    let call = KustomizeCall {
        graph,
        ..call(&[&["set", "image", "a=b"]])
    };
    let known = ". ./apps ./apps/player ./apps/player/deep ./apps/player/deep/a.txt ./apps/player/kustomization.yaml ./base resources: []\n";
    assert_eq!(case.render(&call).unwrap(), known);
    // A symbolic link may lead anywhere.
    symlink("apps/player/deep", case.at("link")).unwrap();
    let all = case.render(&call).unwrap();
    assert!(all.contains("./apps/other ") && all.contains("./link "), "{all}");
}

#[test]
fn patches_go_into_the_copy() {
    let case = Case::new("cat \"$2/kustomization.yaml\"\n");
    let patches = Edit::Patches(vec![serde_json::json!({"path": "p.yaml"})]);
    let call = KustomizeCall {
        edits: vec![patches],
        ..call(&[])
    };
    let built = case.render(&call).unwrap();
    assert!(built.contains("patches:\n- path: p.yaml\n"), "{built}");
}

#[test]
fn the_environment_is_the_applications_and_no_more() {
    let case = Case::new("env | sort | grep -v -e ^PWD -e ^SHLVL -e ^_= -e ^OLDPWD | cut -d= -f1 | tr '\\n' ' '\n");
    let built = case.render(&call(&[])).unwrap();
    for name in built.split_whitespace() {
        let is_known = name.starts_with("ARGOCD_APP_")
            || name.starts_with("XDG_")
            || name == "HOME"
            || name.ends_with("_PROXY")
            || name.ends_with("_proxy")
            || ["PATH", "GOGC", "TMPDIR", "TEMP", "TMP", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains(&name);
        assert!(is_known, "{name} in {built}");
    }
    assert!(built.contains("ARGOCD_APP_NAME ") && built.contains("GOGC "), "{built}");
}

#[test]
fn what_a_run_leaves_in_the_temporary_folder_goes_with_it() {
    let case = Case::new("left=\"${TMPDIR:-/tmp}/homelab-left-$$\"; mkdir \"$left\"; echo \"$left\"\n");
    let left = case.render(&call(&[])).unwrap();
    assert!(!std::path::Path::new(left.trim()).exists(), "{left}");
}

#[test]
fn messages_show_no_temporary_paths() {
    let script = "if [ \"$1\" = edit ]; then exit 0; fi\n\
                  echo \"# Warning: x\" >&2; echo \"Error: accumulating resources: accumulation err='accumulating resources from '../../base': '$PWD/base' must resolve to a file': recursed accumulation of path '$PWD/base': accumulating resources: accumulation err='accumulating resources from 'x.yaml': bad YAML in ${HOME}y': must build at directory: '$PWD/base/x.yaml': file is not directory\" >&2; exit 1\n";
    let case = Case::new(script);
    for edits in [&[][..], &[&["set", "image", "a=b"][..]]] {
        let failure = case.failure(&call(edits));
        assert_eq!(failure.one_line(), "kustomize build failed: bad YAML in y", "{edits:?}");
    }
}

#[test]
fn an_edit_that_fails_names_its_parameter() {
    let case = Case::new("echo 'Error: label app already in kustomization file' >&2; exit 1\n");
    let failure = case.failure(&call(&[&["add", "label", "app:x"]]));
    assert_eq!(
        failure.one_line(),
        "`images` cannot be set in the kustomization of `apps/player`: kustomize edit add label failed: label app already in kustomization file"
    );
    assert!(failure.hints[0].contains("force-common-labels"), "{:?}", failure.hints);
}

#[test]
fn what_has_to_be_fetched_needs_the_network() {
    let with = |text: &str| {
        let tree = crate::yaml::value(text).unwrap().unwrap();
        let one = Kustomization {
            folder: RepoPath::new("apps/player").unwrap(),
            file: RepoPath::new("apps/player/kustomization.yaml").unwrap(),
            text: text.to_owned(),
            references: references(&tree),
            charts: helm_charts(&tree),
        };
        let graph = Graph {
            kustomizations: vec![one],
            ..Graph::default()
        };
        KustomizeCall { graph, ..call(&[]) }
    };
    let mut case = Case::new("if [ \"$1\" = version ]; then echo v5.8.1; exit 0; fi\necho built\n");
    // There need be no helm where the tests run.
    case.kustomize.helm = case.kustomize.program.clone();
    let text = "resources: [https://x.example/a.yaml]\n";
    fs::write(case.at("apps/player/kustomization.yaml"), text).unwrap();
    let error = case.kustomize.render(&with(text));
    let error = error.unwrap_err();
    assert!(
        find::<Unavailable>(&error).is_some_and(Unavailable::needs_network),
        "{error:#}"
    );
    // Which version of a chart is there, the program in helm's place knows.
    let chart = with("helmCharts: [{name: a, repo: https://x.example}]\n");
    assert_eq!(case.render(&chart).unwrap(), "built\n");
}

/// A kustomize that counts how often it is started, without the network.
struct Counted(Case);

impl Counted {
    fn new() -> Self {
        let mut case = Case::new(
            "echo started >> \"${0%/*}/starts\"\nif [ \"$1\" = version ]; then echo v5.8.1; exit 0; fi\necho built\n",
        );
        case.kustomize.helm = case.kustomize.program.clone();
        case.kustomize.cache = Some(case.folder.path().join("cache"));
        Self(case)
    }

    /// Renders the folder with these kustomizations; returns how often kustomize was started, and the error if there is one.
    fn render(&self, kustomizations: &[(&str, &str)]) -> (usize, Option<anyhow::Error>) {
        self.render_with(kustomizations, &[])
    }

    fn render_with(&self, kustomizations: &[(&str, &str)], edits: &[&[&str]]) -> (usize, Option<anyhow::Error>) {
        let read = |(folder, text): &(&str, &str)| {
            let tree = crate::yaml::value(text).unwrap().unwrap();
            fs::create_dir_all(self.0.at(folder)).unwrap();
            fs::write(self.0.at(folder).join("kustomization.yaml"), text).unwrap();
            Kustomization {
                folder: RepoPath::new(folder).unwrap(),
                file: RepoPath::new(&format!("{folder}/kustomization.yaml")).unwrap(),
                text: (*text).to_owned(),
                references: references(&tree),
                charts: helm_charts(&tree),
            }
        };
        let graph = Graph {
            kustomizations: kustomizations.iter().map(read).collect(),
            ..Graph::default()
        };
        let starts = self.0.folder.path().join("starts");
        let _ = fs::remove_file(&starts);
        let error = self.0.kustomize.render(&KustomizeCall { graph, ..call(edits) }).err();
        let started = fs::read_to_string(&starts).unwrap_or_default();
        (started.lines().count(), error)
    }
}

const PLAYER: &str = "apps/player";
const CHART: &str = "helmCharts: [{name: a, repo: 'https://x.example', version: 1.0.0}]\n";

#[test]
fn kustomize_is_not_started_for_a_chart_that_is_not_kept() {
    let counted = Counted::new();
    let base = (
        "base",
        "helmCharts: [{name: b, repo: 'oci://r.example/charts', version: 2.0.0}]\n",
    );
    let above = "resources: [../../base]\nhelmCharts: [{name: a, repo: 'https://x.example', version: 1.0.0}]\n";
    for (kustomizations, (chart, version, url)) in [
        (&[(PLAYER, CHART)][..], ("a", "1.0.0", "https://x.example")),
        // What is taken in comes first.
        (&[(PLAYER, above), base], ("b", "2.0.0", "oci://r.example/charts")),
        (
            &[(PLAYER, "components: [../../base]\n"), base],
            ("b", "2.0.0", "oci://r.example/charts"),
        ),
    ] {
        let (starts, error) = counted.render(kustomizations);
        let error = error.unwrap();
        let missing = Unavailable::ChartNotDownloaded {
            chart: chart.to_owned(),
            version: version.to_owned(),
            url: url.to_owned(),
        };
        assert_eq!(find::<Unavailable>(&error), Some(&missing));
        assert_eq!(Failure::from(error).hints, [missing.hint()]);
        assert_eq!(starts, 0, "{kustomizations:?}");
    }
}

#[test]
fn kustomize_is_started_where_a_chart_is_kept_or_it_alone_knows() {
    let mut counted = Counted::new();
    let is_started = |counted: &Counted, kustomizations: &[(&str, &str)], edits: &[&[&str]]| {
        let (starts, error) = counted.render_with(kustomizations, edits);
        assert!(error.is_none(), "{kustomizations:?}: {error:?}");
        starts > 0
    };
    let components = (
        "base",
        "helmCharts: [{name: b, repo: 'https://x.example', version: 1.0.0}]\n",
    );
    for text in [
        "helmCharts: [{name: a, repo: 'https://x.example'}]\n",
        "helmCharts: [{name: a, repo: 'https://x.example', version: '^1.0.0'}]\n",
        "helmCharts: [{name: a, repo: 'https://x.example', version: 1.0.0, devel: true}]\n",
        "helmCharts: [{name: a}]\n",
        "generators: [g.yaml]\nhelmCharts: [{name: a, repo: 'https://x.example', version: 1.0.0}]\n",
        "components: [../../base]\nhelmCharts: [{name: a, repo: 'https://x.example', version: 1.0.0}]\n",
    ] {
        assert!(is_started(&counted, &[(PLAYER, text), components], &[]), "{text}");
    }
    let edits = [&["set", "image", "x=y"][..]];
    assert!(
        is_started(&counted, &[(PLAYER, CHART)], &edits),
        "the edit may fail first"
    );
    counted.0.kustomize.build_options = Some("--load-restrictor LoadRestrictionsNone".to_owned());
    assert!(is_started(&counted, &[(PLAYER, CHART)], &[]), "charts are refused");
    counted.0.kustomize.build_options = None;
    for local in ["charts/a-1.0.0/a", "charts/a"] {
        let folder = counted.0.at(PLAYER).join(local);
        fs::create_dir_all(&folder).unwrap();
        assert!(is_started(&counted, &[(PLAYER, CHART)], &[]), "{local}");
        fs::remove_dir(&folder).unwrap();
    }
    assert_eq!(counted.render(&[(PLAYER, CHART)]).0, 0);
    let cache = counted.0.folder.path().join("cache");
    fs::create_dir_all(crate::helm::Substitute::kept_in(
        &cache,
        ("https://x.example", "a", "1.0.0"),
    ))
    .unwrap();
    assert!(is_started(&counted, &[(PLAYER, CHART)], &[]));
}

#[test]
fn nothing_is_written_through_a_link() {
    let case = Case::new(
        "if [ \"$1\" = edit ]; then echo edited >> kustomization.yaml; exit; fi\ncat \"$2/kustomization.yaml\"\n",
    );
    let file = case.at("apps/player/kustomization.yaml");
    let edited = call(&[&["set", "image", "a=b"]]);
    fs::rename(&file, case.at("apps/player/own.yaml")).unwrap();
    symlink("own.yaml", &file).unwrap();
    assert_eq!(case.render(&edited).unwrap(), "resources: [../../base]\nedited\n");
    fs::remove_file(&file).unwrap();
    symlink("../../base/kustomization.yaml", &file).unwrap();
    let failure = case.failure(&edited).one_line();
    assert!(failure.contains("leads out of its folder"), "{failure}");
    for (path, text) in [
        ("apps/player/own.yaml", "resources: [../../base]\n"),
        ("base/kustomization.yaml", "resources: []\n"),
    ] {
        assert_eq!(fs::read_to_string(case.at(path)).unwrap(), text);
    }
}

#[test]
fn a_version_is_registered_or_an_error() {
    let case = Case::new("");
    let call = KustomizeCall {
        version: Some("v4".to_owned()),
        ..call(&[])
    };
    let failure = case.failure(&call);
    assert_eq!(failure.one_line(), "kustomize version `v4` is not registered");
    assert!(failure.hints[0].contains(VERSIONS_VARIABLE));
}

#[test]
fn a_build_is_kept_until_something_changes_that_it_reads() {
    use crate::helm::KeptRenders;

    let case = Case::new("cat \"$2/../../base/config.env\"\n");
    fs::write(case.at("base/config.env"), "A=1\n").unwrap();
    let kustomization = |folder: &str| Kustomization {
        folder: RepoPath::new(folder).unwrap(),
        file: RepoPath::new(&format!("{folder}/kustomization.yaml")).unwrap(),
        text: String::new(),
        references: Vec::new(),
        charts: Vec::new(),
    };
    let call = |name: &str| KustomizeCall {
        graph: Graph {
            kustomizations: vec![kustomization("apps/player")],
            reads: [RepoPath::new("base/config.env").unwrap()].into(),
        },
        variables: [("ARGOCD_APP_NAME".to_owned(), name.to_owned())].into(),
        ..call(&[])
    };
    let cache = case.folder.path().join("cache");
    let built = |call: &KustomizeCall| {
        let renders = KeptRenders::below(Some(&cache));
        case.kustomize.after(&renders).render(call).map(|raw| raw.text)
    };
    let is_kept = |call: &KustomizeCall| {
        let renders = KeptRenders::below(Some(&cache)).alone();
        case.kustomize.after(&renders).render(call).is_ok()
    };
    assert!(!is_kept(&call("player")));
    assert_eq!(built(&call("player")).unwrap(), "A=1\n");
    assert!(is_kept(&call("player")));
    assert!(is_kept(&call("other")), "no file names the variable");
    let with_edits = KustomizeCall {
        edits: vec![Edit::Patches(Vec::new())],
        ..call("player")
    };
    assert!(!is_kept(&with_edits));
    fs::write(case.at("apps/player/new.txt"), "").unwrap();
    assert!(!is_kept(&call("player")));
    fs::write(case.at("base/config.env"), "ARGOCD_APP_NAME\n").unwrap();
    assert_eq!(built(&call("player")).unwrap(), "ARGOCD_APP_NAME\n");
    assert!(is_kept(&call("player")) && !is_kept(&call("other")));
}
