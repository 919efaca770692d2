//! AppProjects as Argo CD's own Go code understands them (`tests/tools/argocd/answers`).
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod argocd_code;

use homelab::model::app_project::Named;
use homelab::model::clusters::Destination;
use homelab::model::{AppProject, Object};
use serde_json::{Value, json};

/// What projects answer to what is wanted: Argo CD's code, and this program.
struct Answers {
    /// The specification, what is wanted, and whether it is permitted there and here.
    all: Vec<(Value, Value, bool, bool)>,
}

/// Asks every project for everything of one field of the question.
fn asked(field: &str, specs: &[Value], wanted: &[Value], here: impl Fn(&AppProject<'_>, &Value) -> bool) -> Answers {
    let manifest = |spec: &Value| json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "home"}, "spec": spec});
    let questions = specs
        .iter()
        .map(|spec| json!({"project": manifest(spec), "wanted": {field: wanted}}));
    let answers: Vec<Value> = argocd_code::answers("HOMELAB_TEST_ARGOCD_ANSWERS", &questions.collect::<Vec<_>>());
    let mut all = Vec::new();
    for (spec, answer) in specs.iter().zip(answers) {
        let (object, there) = (Object::new(manifest(spec)), &answer["permitted"][field]);
        let project = AppProject::new(&object).unwrap();
        for (wanted, there) in wanted.iter().zip(there.as_array().unwrap()) {
            let here = here(&project, wanted);
            all.push((spec.clone(), wanted.clone(), there.as_bool().unwrap(), here));
        }
    }
    Answers { all }
}

impl Answers {
    /// Checks that this program refuses nothing that Argo CD permits, and permits nothing that it refuses but for what `is_unknown`
    /// says of; returns how much is refused in both, and how much is not known here.
    fn check(&self, is_unknown: impl Fn(&str) -> bool) -> (usize, usize) {
        let (mut refused, mut unknown) = (0, 0);
        for (spec, wanted, there, here) in &self.all {
            match (there, here) {
                (false, true) if is_unknown(&spec.to_string()) => unknown += 1,
                _ => assert_eq!(there, here, "{spec} and {wanted}"),
            }
            refused += usize::from(!here);
        }
        (refused, unknown)
    }
}

const URLS: [&str; 16] = [
    "https://git.example.org/me/home",
    "https://git.example.org/me/home.git",
    "https://GIT.example.org/Me/Home",
    "https://git.example.org/me/home/",
    "https://git.example.org/me/homes",
    "https://git.example.org/group/sub/home",
    "https://git.example.org",
    "https://git.example.org:8443/me/home",
    "https://me@git.example.org/me/home",
    "http://git.example.org/me/home",
    "git@git.example.org:me/home.git",
    "ssh://git@git.example.org/me/home",
    "ssh://git@git.example.org:22/me/home",
    "oci://charts.example.org/me/chart",
    "charts.example.org/me/chart",
    "https://charts.example.org",
];

const SOURCES: [&str; 34] = [
    "*",
    "**",
    "",
    "https://git.example.org/me/home",
    "https://git.example.org/me/home.git",
    " HTTPS://git.example.org/ME/home ",
    "https://git.example.org/me/*",
    "https://git.example.org/*",
    "https://git.example.org/**",
    "https://git.example.org/*/*",
    "https://git.example.org/me/hom?",
    "https://git.example.org/me/home*",
    "https://git.example.org/me*home",
    "https://git.example.org/me**home",
    "https://git.example.org/me/home**me/home",
    "https://*.example.org/**",
    "https://*/me/home",
    "https://**home",
    "*://git.example.org/**",
    "http*://git.example.org/me/home",
    "git@git.example.org:me/*",
    "git@git.example.org:*/home.git",
    "ssh://git@git.example.org/**",
    "oci://charts.example.org/*/chart",
    "charts.example.org/**",
    "*.example.org/me/chart",
    "**/home",
    "!*",
    "!**",
    "!https://git.example.org/me/home",
    "!https://git.example.org/me/*",
    "!git@git.example.org:me/home",
    "https://git.example.org/{me,you}/home",
    "https://git.example.org:*/me/home",
];

#[test]
fn sources_are_permitted_as_by_argo_cd() {
    let single = SOURCES.iter().map(|one| json!([one]));
    let pairs = SOURCES.iter().flat_map(|one| SOURCES.map(|other| json!([one, other])));
    let lists = single.chain(pairs).chain([json!([]), Value::Null]);
    let mut specs: Vec<Value> = lists.map(|list| json!({"sourceRepos": list})).collect();
    specs.push(json!({}));
    let urls = URLS.map(Value::from);
    let answers = asked("sources", &specs, &urls, |project, url| {
        project.refuses_source(url.as_str().unwrap()).is_none()
    });
    let is_odd = |spec: &str| {
        ["{me,you}", "org:*", "\"*://", "http*"]
            .iter()
            .any(|odd| spec.contains(odd))
    };
    let (refused, unknown) = answers.check(is_odd);
    assert!(
        refused > 5_000 && unknown < 3_000,
        "{refused} refused, {unknown} not known"
    );
}

#[test]
fn destinations_are_permitted_as_by_argo_cd() {
    let local = "https://kubernetes.default.svc";
    let servers = [
        ("server", local),
        ("server", "https://nas.lan:6443"),
        ("server", "https://nas.lan"),
        ("server", "*"),
        ("server", "!https://nas.lan:6443"),
        ("server", "https://*.lan*"),
        ("name", "in-cluster"),
        ("name", "nas"),
        ("name", "*"),
        ("name", "n?s"),
        ("name", "!nas"),
        ("name", "!in-*"),
        ("name", ""),
    ];
    let namespaces = ["*", "media", "team-*", "!kube-*", "!media", "{media,kube-system}", ""];
    let entries = servers
        .iter()
        .flat_map(|(key, cluster)| namespaces.map(|namespace| json!({*key: cluster, "namespace": namespace})));
    let more = [
        json!({}),
        json!({"server": local}),
        json!({"server": local, "name": "!in-cluster", "namespace": "*"}),
        json!({"server": "!*", "name": "nas", "namespace": "*"}),
    ];
    let entries: Vec<Value> = entries.chain(more).collect();
    let pairs = entries
        .iter()
        .flat_map(|one| entries.iter().map(move |other| json!([one, other])));
    let single = entries.iter().map(|one| json!([one]));
    let lists = single.chain(pairs).chain([json!([]), Value::Null]);
    let specs: Vec<Value> = lists.map(|list| json!({"destinations": list})).collect();
    let clusters = [(local, "in-cluster"), ("https://nas.lan:6443", "nas"), (local, "home")];
    let wanted = clusters.iter().flat_map(|(server, name)| {
        ["media", "team-a", "kube-system", ""]
            .map(|namespace| json!({"server": server, "name": name, "namespace": namespace}))
    });
    let wanted: Vec<Value> = wanted.collect();
    let known = |wanted: &Value, keys: [bool; 2]| {
        let text = |key: &str| wanted[key].as_str().unwrap().to_owned();
        Destination {
            server: keys[0].then(|| text("server")),
            name: keys[1].then(|| text("name")),
            namespace: text("namespace"),
        }
    };
    let answers = asked("destinations", &specs, &wanted, |project, wanted| {
        project.refuses_destination(&known(wanted, [true, true])).is_none()
    });
    let (refused, unknown) = answers.check(|_| false);
    assert!(refused > 10_000 && unknown == 0, "{refused} refused");
    // Where only one of the two is known, nothing is refused that Argo CD may permit, and much is nevertheless.
    for keys in [[true, false], [false, true]] {
        let answers = asked("destinations", &specs, &wanted, |project, wanted| {
            project.refuses_destination(&known(wanted, keys)).is_none()
        });
        let (refused, unknown) = answers.check(|_| true);
        assert!(refused > 5_000 && unknown > 0, "{refused} refused, {unknown} not known");
    }
}

#[test]
fn kinds_are_permitted_as_by_argo_cd() {
    let entries = [
        json!({"group": "*", "kind": "*"}),
        json!({"group": "", "kind": "*"}),
        json!({"group": "", "kind": "Namespace"}),
        json!({"group": "", "kind": "Namespace", "name": "media"}),
        json!({"group": "", "kind": "Namespace", "name": "team-*"}),
        json!({"group": "", "kind": "Names*", "name": ""}),
        json!({"group": "rbac.*", "kind": "ClusterRole*"}),
        json!({"group": "*.k8s.io", "kind": "*Role"}),
        json!({"group": "apps", "kind": "?eployment"}),
        json!({"group": "apps", "kind": "**ment"}),
        json!({"group": "apps", "kind": "[A-D]*"}),
        json!({"kind": "Secret"}),
        json!({"group": "*"}),
        json!({}),
    ];
    let lists = entries.iter().map(|entry| json!([entry]));
    let lists: Vec<Value> = lists
        .chain([json!([]), Value::Null, json!([entries[2], entries[8]])])
        .collect();
    let specs = ["cluster", "namespace"].iter().flat_map(|scope| {
        // Only kinds in no namespace can have a name there.
        let fits = |list: &&Value| *scope == "cluster" || !list.to_string().contains("name\"");
        let lists: Vec<&Value> = lists.iter().filter(fits).collect();
        let pairs = lists.iter().flat_map(|white| lists.iter().map(move |black| (white, black)));
        let spec = move |(white, black): (&&Value, &&Value)| {
            json!({format!("{scope}ResourceWhitelist"): white, format!("{scope}ResourceBlacklist"): black})
        };
        pairs.map(spec).collect::<Vec<_>>()
    });
    let mut specs: Vec<Value> = specs.collect();
    specs.push(json!({}));
    let kinds = [
        ("", "Namespace", "media"),
        ("", "Namespace", "team-a"),
        ("", "Secret", "a"),
        ("rbac.authorization.k8s.io", "ClusterRole", "media"),
        ("rbac.authorization.k8s.io", "Role", "media"),
        ("apps", "Deployment", "media"),
    ];
    let wanted = kinds.iter().flat_map(|(group, kind, name)| {
        [true, false].map(|namespaced| json!({"Group": group, "Kind": kind, "Name": name, "Namespaced": namespaced}))
    });
    let wanted: Vec<Value> = wanted.collect();
    let answers = asked("kinds", &specs, &wanted, |project, wanted| {
        let text = |key: &str| wanted[key].as_str().unwrap();
        let named = Named {
            group: text("Group"),
            kind: text("Kind"),
            name: text("Name"),
        };
        project.refuses_kind(named, wanted["Namespaced"] == true).is_none()
    });
    let (refused, unknown) = answers.check(|spec| spec.contains("[A-D]"));
    assert!(
        refused > 2_000 && unknown < 500,
        "{refused} refused, {unknown} not known"
    );
}

#[test]
fn namespaces_of_applications_are_permitted_as_by_argo_cd() {
    let patterns = ["team-*", "media", "*", "/^me/", "/media", "!media", "{a,media}", ""];
    let pairs = patterns
        .iter()
        .flat_map(|one| patterns.map(|other| json!([one, other])));
    let lists = pairs.chain([json!([]), Value::Null]);
    let specs: Vec<Value> = lists.map(|list| json!({"sourceNamespaces": list})).collect();
    let wanted = ["argocd", "media", "team-a", "kube-system", "!media"].map(Value::from);
    let answers = asked("namespaces", &specs, &wanted, |project, namespace| {
        !project.refuses_namespace(namespace.as_str().unwrap(), "argocd")
    });
    let (refused, unknown) = answers.check(|spec| spec.contains("/^me/"));
    assert!(refused > 50 && unknown < 40, "{refused} refused, {unknown} not known");
}
