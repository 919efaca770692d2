//! Renders the answers of `explain`: one rule, one topic, or the list of both.

use textwrap::{Options, WordSplitter};

use super::table::table;
use crate::model::parameter::{Shape, TABLE};
use crate::rules::{self, Meta};
use crate::settings::TABLE as TABLE_OF_SETTINGS;

/// Columns of running text.
const WIDTH: usize = 100;
/// Columns of the list of rules and topics.
const OVERVIEW: usize = 80;

/// One subject besides the rules.
#[derive(Debug)]
pub struct Topic {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is about.
    pub summary: &'static str,
    body: fn() -> String,
}

/// All topics.
pub const TOPICS: &[Topic] = &[
    Topic {
        name: "storage-rules",
        summary: "who owns a claim, who may write it, and what the plugin changes in objects",
        body: storage_rules,
    },
    Topic {
        name: "parameters",
        summary: "the parameters of the plugin",
        body: parameters,
    },
    Topic {
        name: "settings",
        summary: "the keys of `.homelab.yaml`, and comments that ignore findings",
        body: settings,
    },
    Topic {
        name: "exit-codes",
        summary: "what the program's exit codes mean",
        body: exit_codes,
    },
];

/// Returns the explanation of a rule (by id or name) or of a topic; `None` when there is neither.
pub fn explain(subject: &str) -> Option<String> {
    let subject = subject.to_ascii_lowercase();
    let rule = rules::metas().find(|meta| meta.id.to_ascii_lowercase() == subject || meta.name == subject);
    if let Some(meta) = rule {
        return Some(of_rule(meta));
    }
    let topic = TOPICS.iter().find(|topic| topic.name == subject)?;
    Some((topic.body)())
}

fn of_rule(meta: &Meta) -> String {
    let lock = match rules::is_locked(meta.id) {
        true => ", cannot be switched off",
        false => "",
    };
    let head = format!("{} {} ({}{lock})\n", meta.id, meta.name, meta.severity);
    let mut out = format!("{head}\n{}", wrapped(&format!("Rule: {}.", meta.summary), ""));
    for paragraph in meta.why.split("\n\n") {
        out.push('\n');
        out.push_str(&wrapped(paragraph, ""));
    }
    out
}

/// Returns the list of all rules and topics, at most 80 columns wide.
pub fn overview() -> String {
    let topics = TOPICS.iter().map(|topic| {
        let summary = filled(topic.summary, OVERVIEW - 16);
        vec![topic.name.to_owned(), summary]
    });
    format!(
        "Rules on the repository, checked by `validate`:\n\n{}\nRules on an installation of Argo CD, checked by `doctor`:\n\n{}\nTopics:\n\n{}",
        rule_table(rules::ALL.iter().map(|rule| rule.meta)),
        rule_table(rules::installation::ALL.iter().map(|rule| rule.meta)),
        table(&["topic", "summary"], topics),
    )
}

/// Returns the columns of rules; the summary is below the name.
fn rule_table(metas: impl Iterator<Item = &'static Meta>) -> String {
    let rows = metas.map(|meta| {
        let summary = filled(meta.summary, OVERVIEW - 19);
        vec![
            meta.id.to_owned(),
            meta.severity.to_string(),
            format!("{}\n{summary}", meta.name),
        ]
    });
    table(&["rule", "severity", "name and summary"], rows)
}

fn filled(text: &str, width: usize) -> String {
    textwrap::fill(
        text,
        Options::new(width)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false),
    )
}

fn storage_rules() -> String {
    const PARAGRAPHS: [&str; 8] = [
        "A claim (PersistentVolumeClaim) is owned by the Application that produces its data. The owner's workloads write \
it; every other workload only reads it, whoever wrote its chart. Owners and consumers share a namespace, since a pod mounts \
claims of its own namespace only. An Application that has to write a claim of another one declares that (`writes`).",
        "An Application owns what its manifests render and what is in its parameters `owns` and `claims`. It consumes every other \
claim that one of its pod templates names, by itself or through the parameter `mounts`.",
        "Owned claims, the PersistentVolumes that are rendered with them, and Namespaces get `Prune=false,Delete=false`, \
merged into their sync options, and `IgnoreExtraneous`; claims also `helm.sh/resource-policy: keep`, and labels that name \
their owner. They stay until somebody deletes them.",
        "Pod templates that name a foreign claim get `readOnly: true` at the volume and at every mount of it, in \
containers, initContainers and ephemeralContainers. An entry of `mounts` adds volume and mount to a workload whose chart has \
no place for them, with a group of the files where `gid` sets one.",
        "Namespaces carry the registry: one label `owner.storage.home.arpa/CLAIM: APPLICATION` for each claim in an `owns`, \
one annotation `writers.storage.home.arpa/CLAIM` for each claim in another one's `writes`, or in `writers` of the source of the \
Namespaces.",
        "A claim that is a hook, or has `Replace=true` or `Force=true`, would be deleted and created again: that is an \
error. So is a StatefulSet that deletes an owned claim. Its `volumeClaimTemplates` stay untouched, since the API server \
lets nobody change them.",
        "The Application's own `patches` come first, the storage rules after them, so that no patch can undo one. Nothing else \
changes, not one byte.",
        "Guards are read from the live object: they protect from the first sync on that wrote them. Guard first, in a \
commit of its own; move or remove afterwards.",
    ];
    PARAGRAPHS.map(|paragraph| wrapped(paragraph, "")).join("\n")
}

fn parameters() -> String {
    let mut out = wrapped(
        "They stand under `spec.source.plugin.parameters` of an Application, each with `name` and one of `string`, `array` \
or `map`. All values are strings: quote numbers and booleans.",
        "",
    );
    for spec in TABLE {
        let field = spec.shape.field();
        let shape = if spec.shape == Shape::Boolean {
            "string, \"true\" or \"false\""
        } else {
            field
        };
        out.push_str(&format!("\n{} ({shape})\n", spec.name));
        out.push_str(&wrapped(spec.doc, "  "));
    }
    out
}

fn settings() -> String {
    const INTRODUCTION: &str = "`.homelab.yaml` at the repository's root says what command lines would have to repeat. It is \
optional, and so is every key. Flags win over it. What it does not know is an error; `filter` and the plugin in Argo CD do not \
read it.";
    const COMMENTS: [&str; 3] = [
        "In a manifest, a comment ignores findings of one place:",
        "It stands at the end of the line that `validate` shows for the finding, or on a line of its own above it, with other \
comments between them at most. It names one rule or more, separated by commas; the reason is optional. A finding on an object \
that a chart or another repository brings is at `source` of its Application.",
        "`validate` counts what was ignored. It warns about a comment that ignores nothing (HL409), which `--fix` takes out, \
and about one that names no rule (HL410).",
    ];
    let mut out = wrapped(INTRODUCTION, "");
    for key in TABLE_OF_SETTINGS {
        out.push_str(&format!("\n{} ({})\n", key.name, key.takes));
        out.push_str(&wrapped(key.doc, "  "));
    }
    let example = "  # homelab: ignore HL123 both programs lock the files\n".to_owned();
    let [before, comments @ ..] = COMMENTS.map(|paragraph| wrapped(paragraph, ""));
    out + "\n"
        + &[before + "\n" + &example]
            .into_iter()
            .chain(comments)
            .collect::<Vec<_>>()
            .join("\n")
}

fn exit_codes() -> String {
    let rows = [
        (
            "0",
            "done, nothing to report; warnings alone are nothing to report, unless --strict",
        ),
        ("1", "findings, differences or drift were reported"),
        ("2", "the command line is wrong"),
        (
            "3",
            "it could not be done: repository, helm, cluster, permission; with a hint",
        ),
        ("70", "a bug in this program"),
    ];
    table(
        &["code", "meaning"],
        rows.map(|(code, meaning)| vec![code.to_owned(), meaning.to_owned()]),
    )
}

/// Wraps words into lines of at most [`WIDTH`] columns; a word that is longer (a link) has a line of its own.
fn wrapped(text: &str, indent: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let options = Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(&words.join(" "), options) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_by_id_or_name() {
        let text = explain("hl105").unwrap();
        insta::assert_snapshot!(text, @r#"
    HL105 mounted-claim-has-owner (error)

    Rule: every claim that is mounted or written has an owner.

    A pod that mounts a claim which does not exist stays Pending, without a limit and without an error
    that Argo CD would show. In a repository that is nearly always a typing error, a claim that was
    renamed, or one that only ever existed because somebody made it by hand: then a rebuilt cluster
    comes up without it.

    Say whose the claim is: put it into `owns` of the Application that produces the data. That also
    takes care of claims that no chart renders.

    It is a warning as long as something that is not known may own the claim: an Application whose
    source is not available locally or whose parameters are wrong, an ApplicationSet, a repository or a
    chart that may contain Applications, a file that cannot be read. The warning names it.

    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes
    "#);
        assert_eq!(explain("mounted-claim-has-owner").unwrap(), text);
        assert_eq!(explain("HL999"), None);
    }

    #[test]
    fn topics_name_what_the_code_has() {
        let text = explain("parameters").unwrap();
        for spec in TABLE {
            assert!(text.contains(&format!("\n{} (", spec.name)), "{}", spec.name);
        }
        assert!(explain("storage-rules").unwrap().contains("owner.storage.home.arpa"));
        insta::assert_snapshot!(explain("exit-codes").unwrap(), @r#"
    CODE   MEANING
    0      done, nothing to report; warnings alone are nothing to report, unless --strict
    1      findings, differences or drift were reported
    2      the command line is wrong
    3      it could not be done: repository, helm, cluster, permission; with a hint
    70     a bug in this program
    "#);
    }

    #[test]
    fn the_overview_lists_every_rule_and_topic_in_80_columns() {
        let text = overview();
        for meta in rules::metas() {
            let row = format!("{}   {:<8}   {}\n", meta.id, meta.severity, meta.name);
            assert!(text.contains(&row), "{row}");
        }
        assert!(TOPICS.iter().all(|topic| text.contains(topic.name)));
        let long = text.lines().find(|line| line.chars().count() > OVERVIEW);
        assert_eq!(long, None);
    }

    #[test]
    fn lines_are_not_too_long() {
        for meta in rules::metas() {
            let text = explain(meta.id).unwrap();
            let long = text
                .lines()
                .find(|line| line.chars().count() > WIDTH && line.contains(' '));
            assert_eq!(long, None, "{}", meta.id);
        }
    }
}
