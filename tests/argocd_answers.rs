//! Addresses, revisions and sources as Argo CD's own Go code understands them (`tests/tools/argocd/answers`).
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runs programs and fails loudly"
)]

mod argocd_code;

use homelab::model::{repo_url, version};
use serde::Deserialize;
use serde_json::{Value, json};

/// What Argo CD says.
#[derive(Debug, Deserialize)]
struct Answer {
    notified: bool,
    paired: bool,
    revision: String,
    constraint: bool,
    concurrent: bool,
}

fn answers(questions: &[Value]) -> Vec<Answer> {
    argocd_code::answers("HOMELAB_TEST_ARGOCD_ANSWERS", questions)
}

/// Returns the ways to write the address of one repository.
fn forms(host: &str, path: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for path in [path.to_owned(), format!("{path}.git")] {
        for scheme in ["https", "http", "ssh"] {
            for user in ["", "git@", "me.x@"] {
                for port in ["", ":22", ":443", ":8443"] {
                    forms.push(format!("{scheme}://{user}{host}{port}/{path}"));
                }
            }
        }
        forms.push(format!("git@{host}:{path}"));
        forms.push(format!("{host}:{path}"));
        forms.push(format!("ssh://git@ssh.{host}:443/{path}"));
        forms.push(format!("https://{}/{path}", host.to_uppercase()));
    }
    forms
}

#[test]
fn two_addresses_are_one_repository_as_for_a_webhook() {
    let repositories = [
        ("git.example.org", "me/home"),
        ("git.example.org", "me/homes"),
        ("git.example.org", "group/sub/home"),
        ("git.example.org", "home"),
        ("example.org", "me/home"),
        ("git.example.com", "me/home"),
        ("10.0.0.1", "me/home"),
    ];
    let mut questions = Vec::new();
    for (host, path) in repositories {
        let page = format!("https://{host}/{path}");
        let others = repositories.iter().flat_map(|(host, path)| forms(host, path));
        questions.extend(others.map(|other| [page.clone(), other]));
    }
    let asked: Vec<Value> = questions.iter().map(|pair| json!({"addresses": pair})).collect();
    let mut same = 0;
    for ([one, other], answer) in questions.iter().zip(answers(&asked)) {
        assert_eq!(repo_url::same(one, other), answer.notified, "`{one}` and `{other}`");
        assert_eq!(
            repo_url::paired_by_argo_cd(one, other),
            answer.paired,
            "`{one}` and `{other}`"
        );
        same += usize::from(answer.notified);
    }
    assert!(same > 500, "only {same} pairs are one repository");
}

#[test]
fn argo_cd_pairs_credentials_as_here() {
    let urls = [
        "https://git.example.org/me/home",
        "https://git.example.org/me/home.git",
        "https://GIT.example.org/Me/Home",
        " https://git.example.org/me/home ",
        "https://git.example.org/me/home/",
        "https://git.example.org:443/me/home",
        "https://me@git.example.org/me/home",
        "http://git.example.org/me/home",
        "git@git.example.org:me/home",
        "git@git.example.org:me/home.git",
        "git@git.example.org/me/home",
        "ssh://git@git.example.org/me/home",
        "ssh://git@git.example.org:22/me/home",
        "ssh://git.example.org/me/home",
        "git.example.org/me/home",
    ];
    let pairs: Vec<[&str; 2]> = urls.iter().flat_map(|one| urls.map(|other| [*one, other])).collect();
    // A page's address is asked for, too, and has to be one.
    let pages = pairs
        .iter()
        .filter(|pair| !pair[0].contains(char::is_whitespace) && pair[0].contains("://"));
    let pairs: Vec<[&str; 2]> = pages.copied().collect();
    let asked: Vec<Value> = pairs.iter().map(|pair| json!({"addresses": pair})).collect();
    for ([one, other], answer) in pairs.iter().zip(answers(&asked)) {
        assert_eq!(
            repo_url::paired_by_argo_cd(one, other),
            answer.paired,
            "`{one}` and `{other}`"
        );
    }
}

/// Tags of a repository, also such that are no versions.
const TAGS: &str = "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.11 1.0.0-beta.2 \
1.0.0-rc.1 v1.2.3 1.2.4+build.5 v1.2 2 2.0.0 2.1.0-rc.1 2.1.0-rc.10 v3.0.0 10.0.0 release-1 main 01.2.3 1.2.3.4 2024-05-01 x 1.x \
4.0.0-0 4.0.0- 5.0.0+ v";
/// What may stand behind an operator.
const VERSIONS: &str = "0 0.0 0.0.0 0.0.3 0.1 0.2.3 1 1.0.0 1.0.0-alpha 1.0.0-rc.1 v1.2 1.2.3 1.2.x 1.x 1.X.3 1.* * x 2 2.1.0-0 \
2.1.0-rc.2 3.0.0+x 01 1.0.0-01 1x 99999999999999999999 1..2";
const OPERATORS: [&str; 16] = [
    "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "==", "!", "> ", "^ ",
];
/// What may stand between two conditions.
const JOINTS: [&str; 12] = [" ", ",", ", ", " , ", "||", " || ", " - ", "-", " -", "|", "\t", ",,"];
const PAIRS: [(&str, &str); 7] = [
    (">=1.0.0", "<2.0.0"),
    ("1.0", "2.1"),
    ("^1", "^3"),
    (">0", "!=10.0.0"),
    ("1.0.0-0", "2.1.0-rc.1"),
    ("~1.2", ""),
    ("", "2"),
];
/// Names of revisions, and what is nearly a constraint.
const OTHERS: [&str; 9] = [
    "",
    "HEAD",
    "main",
    "feature/x",
    "0123456",
    "0123456789abcdef0123456789abcdef01234567",
    "latest",
    "v1.x - v3",
    ">= 1 - 2",
];

fn revisions() -> Vec<String> {
    let single = OPERATORS
        .iter()
        .flat_map(|operator| VERSIONS.split(' ').map(move |version| format!("{operator}{version}")));
    let joined = JOINTS.iter().flat_map(|joint| {
        PAIRS.iter().flat_map(move |(lower, upper)| {
            [
                format!("{lower}{joint}{upper}"),
                format!(" {lower}{joint}{upper} "),
                format!("{lower}{joint}{upper}{joint}<=3"),
            ]
        })
    });
    single.chain(joined).chain(OTHERS.map(str::to_owned)).collect()
}

#[test]
fn a_constraint_means_the_tag_that_argo_cd_takes() {
    let (tags, revisions) = (Vec::from_iter(TAGS.split(' ')), revisions());
    let asked: Vec<Value> = revisions
        .iter()
        .map(|revision| json!({"revision": revision, "tags": tags}))
        .collect();
    let mut constraints = 0;
    for (revision, answer) in revisions.iter().zip(answers(&asked)) {
        assert_eq!(version::is_constraint(revision), answer.constraint, "`{revision}`");
        let found = version::newest(revision, tags.iter().copied()).unwrap_or(revision);
        assert_eq!(found, answer.revision, "`{revision}`");
        constraints += usize::from(answer.constraint);
    }
    assert!(constraints > 300, "only {constraints} constraints");
    // A tag that has the form of a version and is none makes Argo CD give up.
    let broken = ["1.0.0", "1.1.0-01"];
    let answer = &answers(&[json!({"revision": "^1", "tags": broken})])[0];
    assert_eq!(version::newest("^1", broken).unwrap_or("^1"), answer.revision);
}

/// Argo CD renders Kustomize sources of a repository one after another if they have options that it writes into its checkout:
/// all but `replicas`, which it forgets, so that two such renders write into one file. The plugin renders in a copy. Where
/// this test fails, Argo CD has repaired that; the parity test need not render `replicas` alone any more.
#[test]
fn replicas_are_rendered_at_the_same_time_as_others() {
    let options = [
        (json!({}), true),
        (json!({"namePrefix": "a-"}), false),
        (json!({"images": ["a:1"]}), false),
        (json!({"patches": [{"patch": "[]"}]}), false),
        (json!({"components": ["a"]}), false),
        (json!({"replicas": [{"name": "a", "count": 2}]}), true),
    ];
    let questions = options
        .iter()
        .map(|(kustomize, _)| json!({"source": {"repoURL": "a", "kustomize": kustomize}}));
    let answers = answers(&questions.collect::<Vec<_>>());
    for ((kustomize, concurrent), answer) in options.iter().zip(answers) {
        assert_eq!(answer.concurrent, *concurrent, "{kustomize}");
    }
}
