//! Target `stream`: rendered streams through `filter`.

use homelab::law::StorageRules;
use homelab::model::mount::Mount;
use homelab::model::parameter::Parameters;
use homelab::model::{AppName, ClaimName, ClaimPath, NamespaceName};
use homelab::render::storage_pass;
use serde_json::{Value, json};

use super::case::{Answer, Ran, Target, text};
use super::numbers::Numbers;
use super::objects;
use super::spelling::Speller;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "stream",
    oracle: "fuzz-oracle",
    make,
    run,
    verdict,
};

const APP: &str = "player";
const NAMESPACE: &str = "media";

const MOUNTS: &[&str] = &[
    "films:/films",
    "foreign/new:/media,workload=web",
    "own:/own,container=app,gid=1000",
    "shared:/data0",
    "a.b:/m,workload=Deployment/web",
    "films:/media0/,workload=x,container=main",
    "films:/films,namespace=radio",
    "own:/own,namespace=radio,workload=web",
    "a.b:/m,namespace=media,gid=1000",
];

/// What is put in anywhere.
const PIECES: &[&str] = &[
    "\n",
    "\n ",
    "\r",
    "\r\n",
    "\r\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "\0",
    "\t",
    " ",
    "  ",
    "#",
    " # ",
    "\"",
    "'",
    "''",
    "\\",
    "\\\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    ":",
    "? ",
    "- ",
    "-",
    "|",
    "|-\n",
    "|1\n",
    ">+\n",
    "&k ",
    "*k",
    "!!str ",
    "!",
    "<<: ",
    "%",
    "@",
    "`",
    "é",
    "x",
    "1",
    "~",
    "...\n",
    "---\n",
    "\n---\n",
    "\n--- # c\n",
    "\nkind: Deployment\n",
    "\"\n",
    "}\n",
    "\n...\n",
    "{\"a\": 1}",
    "\n\n",
    "items: []\n",
    "null",
];

/// What may stand between two documents.
const SEPARATORS: &[&str] = &[
    "---\n",
    "---\n",
    "---\n",
    "---\n",
    "---\n",
    "---\n",
    "--- # Source: x\n",
    "---\t\n",
    "---  \n",
    "---\r\n",
    "---\n---\n",
    "...\n---\n",
    "---\n# c\n",
    "--- |\n",
    "---#c\n",
    "...\n",
    "----\n",
    " ---\n",
    "---\n\u{feff}",
    "%YAML 1.1\n---\n",
    "",
    "---\n\n---\n",
    "---\u{85}\n",
    "---\u{2028}\n",
    "---\r",
    "--- \r\n",
];

fn make(numbers: &mut Numbers) -> Value {
    let mut stream = String::new();
    if numbers.one_in(12) {
        let start = numbers.pick(&[
            "---\n",
            "\u{feff}",
            "# c\n",
            "\n",
            "\u{feff}---\n",
            "%YAML 1.1\n---\n",
            "...\n",
        ]);
        stream.push_str(start);
    }
    let count = numbers.pick(&[1, 1, 2, 2, 3, 4]);
    let is_json = numbers.one_in(24);
    for number in 0..count {
        if number > 0 && !(is_json && numbers.one_in(2)) {
            if !stream.ends_with('\n') {
                stream.push('\n');
            }
            let most = if numbers.one_in(4) { SEPARATORS.len() } else { 6 };
            stream.push_str(SEPARATORS[numbers.below(most)]);
        }
        let document = objects::document(numbers);
        if is_json {
            stream.push_str(&spelled_as_json(numbers, &document));
        } else {
            stream.push_str(&Speller::new(numbers).document(&document));
        }
    }
    if numbers.one_in(8) {
        stream.truncate(stream.trim_end().len());
    }
    json!({"stream": mutated(numbers, stream), "mounts": mounts(numbers)})
}

fn spelled_as_json(numbers: &mut Numbers, document: &Value) -> String {
    let text = document.to_string();
    match numbers.below(6) {
        0 => text.replace("foreign", "f\\u006freign"),
        1 => text.replace('/', "\\/"),
        2 => text.replace(':', ":\n\t"),
        3 => format!("{text}\n"),
        _ => text,
    }
}

fn mounts(numbers: &mut Numbers) -> Vec<&'static str> {
    let count = if numbers.one_in(6) { 1 + numbers.below(2) } else { 0 };
    (0..count).map(|_| numbers.pick(MOUNTS)).collect()
}

/// Changes a text in few places.
fn mutated(numbers: &mut Numbers, mut text: String) -> String {
    match numbers.below(24) {
        0 => text = text.replace('\n', "\r\n"),
        1 => text = text.replace('\n', numbers.pick(&["\r", "\u{2028}", "\u{85}"])),
        _ => {}
    }
    for _ in 0..numbers.pick(&[0, 0, 0, 0, 1, 2]) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let place = numbers.below(places.len());
        let later = |count: usize| places[(place + count).min(places.len() - 1)];
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        match numbers.below(8) {
            0..3 => text.insert_str(places[place], numbers.pick(PIECES)),
            3 => text.replace_range(places[place]..later(1 + numbers.below(12)), ""),
            4 => text.replace_range(places[place]..later(1), numbers.pick(PIECES)),
            _ if lines.len() > 1 => {
                let (one, other) = (numbers.below(lines.len()), numbers.below(lines.len()));
                match numbers.below(4) {
                    0 => drop(lines.remove(one)),
                    1 => lines.insert(one, lines[other]),
                    2 => lines.swap(one, other),
                    _ => lines[one] = lines[one].trim_start(),
                }
                text = lines.concat();
            }
            _ => {}
        }
    }
    text
}

fn run(case: &Value) -> Ran {
    let before = text(case, "stream");
    let mounts: Option<Vec<Mount>> = case["mounts"].as_array().map(|list| {
        let mounts = list.iter().filter_map(|mount| mount.as_str()?.parse().ok());
        mounts.collect()
    });
    let parameters = Parameters {
        owns: ["own", "data-db-0"]
            .into_iter()
            .filter_map(|name| ClaimName::new(name).ok().map(ClaimPath::from))
            .collect(),
        writes: ["shared"]
            .into_iter()
            .filter_map(|name| ClaimName::new(name).ok().map(ClaimPath::from))
            .collect(),
        mounts: mounts.unwrap_or_default(),
        ..Parameters::default()
    };
    let names = (AppName::new(APP), NamespaceName::new(NAMESPACE));
    let (Ok(app), Ok(namespace)) = names else {
        return Ran::wrong("the names of the target are refused");
    };
    let rules = match StorageRules::new(app, namespace, &parameters, None) {
        Ok(rules) => rules,
        Err(error) => return Ran::wrong(format!("the rules of the target are refused: {error:#}")),
    };
    let (refused, after) = match storage_pass::apply(before.to_owned(), &rules, false) {
        Ok(output) => (None, Some(output.text())),
        Err(error) => (Some(format!("{error:#}")), None),
    };
    let wrong = after.as_ref().and_then(|after| unstable(after, &rules));
    Ran {
        class: match &after {
            Some(after) if after == before => "untouched".to_owned(),
            Some(_) => "changed".to_owned(),
            None => "refused".to_owned(),
        },
        request: Some(json!({"application": application(&parameters), "before": before, "after": after})),
        refused,
        wrong,
    }
}

/// Returns what is wrong about a stream that the rules change a second time.
fn unstable(after: &str, rules: &StorageRules) -> Option<String> {
    match storage_pass::apply(after.to_owned(), rules, false) {
        Ok(again) if again.text() == after => None,
        Ok(_) => Some("a second run changes the output".to_owned()),
        Err(error) => Some(format!("a second run refuses the output: {error:#}")),
    }
}

/// Returns the parameters as the oracle reads them.
fn application(parameters: &Parameters) -> Value {
    let mount = |mount: &Mount| {
        let workload = mount.workload.as_ref();
        json!({
            "claim": mount.claim.as_str(),
            "namespace": mount.namespace.as_ref().map(NamespaceName::as_str),
            "subPath": mount.sub_path,
            "path": mount.path,
            "kind": workload.and_then(|workload| workload.kind.clone()),
            "workload": workload.map(|workload| workload.name.clone()),
            "container": mount.container,
            "gid": mount.gid,
        })
    };
    json!({
        "name": APP,
        "namespace": NAMESPACE,
        "owns": parameters.owns.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "writes": parameters.writes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "mounts": parameters.mounts.iter().map(mount).collect::<Vec<_>>(),
    })
}

/// Why a stream that Argo CD reads may be refused although no rule asks for it: readers disagree on its text.
const READ_OTHERWISE: &[&str] = &[
    "readers disagree on it",
    "a scalar in brackets that readers disagree on",
    "a BOM must not appear inside a document",
    "a byte order mark stands behind the start of the document",
    "a key stands twice, as a string and as something else that reads alike",
    "a line that starts with `---` may go on with blanks or a comment only",
    "comments must be separated from other tokens by whitespace",
    // Go reads some texts that YAML does not have.
    "found unknown escape character",
    "misplaced bracket",
    "mismatched bracket",
    "plain scalar cannot start with '-' followed by",
    "simple key expected ':'",
    "tabs disallowed within this context",
    "while parsing a tag, did not find",
    "while scanning a tag, did not find",
    "YAML directives are disallowed",
    "a block scalar that keeps its last lines ends in blanks without a line end",
    // `...` behind a line that ends with a carriage return alone.
    "stands behind a document's end, and Argo CD would drop it",
    // Behind JSON, Go drops a document that is nothing but `...`.
    "the document ends before it starts",
    // The parser takes a comment below a text with a given indentation, and less deep than that, for one of its lines.
    "wrongly indented line in block scalar",
    // Go looks for it only in the last value of a key that stands twice.
    "a key is null",
];

fn verdict(ran: &Ran, answer: &Answer) -> Result<String, String> {
    let Some(refused) = &ran.refused else {
        let what = if answer.readable {
            ""
        } else {
            ", and Argo CD refuses it"
        };
        return Ok(format!("{}{what}", ran.class));
    };
    if !answer.readable {
        return Ok("refused, as Argo CD does".to_owned());
    }
    if answer.must_refuse.is_some() {
        return Ok("refused by the storage rules".to_owned());
    }
    if let Some(reason) = &answer.may_refuse {
        return Ok(format!("refused, as {reason}"));
    }
    let reason = READ_OTHERWISE.iter().find(|reason| refused.contains(**reason));
    match reason {
        Some(reason) => Ok(format!("refused, as readers disagree: {reason}")),
        None => Err(format!("Argo CD reads it, and it is refused: {refused}")),
    }
}
