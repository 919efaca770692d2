//! Target `mounts`: the grammar of a mount, `CLAIM[/SUBPATH]:PATH[,option…]`.

use homelab::model::mount::Mount;
use serde_json::{Value, json};

use super::case::{Ran, Target, text};
use super::numbers::Numbers;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "mounts",
    oracle: "fuzz-oracle",
    make,
    run,
    verdict: |ran, _| Ok(ran.class.clone()),
};

const FORM: &str = "CLAIM[/SUBPATH]:PATH[,namespace=NAME][,workload=[Kind/]NAME][,container=NAME][,gid=N]";

const PIECES: &[&str] = &[
    "media",
    "a.b",
    "x-1",
    ":",
    "/",
    "/m",
    ",",
    "=",
    "namespace=",
    "workload=",
    "container=",
    "gid=",
    "Deployment/",
    "web",
    "1000",
    "-1",
    "4294967295",
    "4294967296",
    "+7",
    "007",
    "..",
    ".",
    "/../",
    " ",
    "\n",
    "\t",
    "é",
    "\u{2028}",
    "'",
    "\"",
    "{{ x }}",
    "Media",
    "-",
    "a:b",
    "//",
    "gid=1,gid=2",
    "",
    "\\",
    "0x1",
    "\0",
    "workload=a/b/c",
    "x/",
];

fn make(numbers: &mut Numbers) -> Value {
    let mut parts = vec![numbers.pick(&["media", "films", "a.b", "x", "media", "films", "Bad", ""])];
    if numbers.one_in(3) {
        parts.extend([
            "/",
            numbers.pick(&["new", "a/b", "new", "a/b/", "", "..", "/x", ".", "a/../b"]),
        ]);
    }
    parts.extend([
        ":",
        numbers.pick(&[
            "/media", "/m", "/", "/a/b/", "/media", "media", "", "/a/../b", "/a:b", "/ü",
        ]),
    ]);
    for _ in 0..numbers.pick(&[0, 0, 1, 2, 3]) {
        let options = [
            "namespace=attic",
            "namespace=Attic",
            "namespace=a.b",
            "workload=web",
            "workload=Deployment/web",
            "container=app",
            "gid=1000",
            "gid=x",
            "rw",
            "=",
            "gid=",
            "workload=/x",
        ];
        parts.extend([",", numbers.pick(&options)]);
    }
    for _ in 0..numbers.pick(&[0, 0, 0, 1, 2, 4]) {
        let place = numbers.below(parts.len() + 1);
        parts.insert(place, numbers.pick(PIECES));
        if numbers.one_in(3) {
            parts.remove(numbers.below(parts.len()));
        }
    }
    json!({"mount": parts.concat()})
}

fn run(case: &Value) -> Ran {
    let written = text(case, "mount");
    match (written.parse::<Mount>(), reading(written)) {
        (Ok(mount), Some(expected)) => {
            let printed = mount.to_string();
            match printed.parse::<Mount>() {
                Ok(again) if again == mount && again.to_string() == printed => {}
                _ => return Ran::wrong(format!("it is printed as `{printed}`, which reads otherwise")),
            }
            let found = (mount.claim.to_string(), mount.sub_path, mount.path, mount.gid);
            if found == expected {
                Ran::fine("read")
            } else {
                Ran::wrong(format!("it reads as {found:?}, not as {expected:?}"))
            }
        }
        (Ok(_), None) => Ran::wrong("it is read, and must not be"),
        (Err(error), Some(_)) => Ran::wrong(format!("it is refused: {error:#}")),
        (Err(error), None) => {
            let message = format!("{error:#}");
            let cause = message.split_once(&format!(" is not {FORM}: ")).map(|(_, cause)| cause);
            match cause.filter(|cause| !cause.is_empty()) {
                Some(_) if message.contains(written) => Ran::fine("refused, with the form and the cause"),
                _ => Ran::wrong(format!("the refusal has no form or no cause: {message}")),
            }
        }
    }
}

/// Reads a mount a second time: claim, folder, path and group.
fn reading(written: &str) -> Option<(String, Option<String>, String, Option<i64>)> {
    let mut parts = written.split(',');
    let (volume, path) = parts.next()?.split_once(':')?;
    let (claim, folder) = volume
        .split_once('/')
        .map_or((volume, None), |(claim, folder)| (claim, Some(folder)));
    let is_label = |label: &str| {
        let end = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit());
        end(label.chars().next())
            && end(label.chars().last())
            && label.chars().all(|sign| end(Some(sign)) || sign == '-')
    };
    let leads_up = |path: &str| path.split('/').any(|part| part == "..");
    let is_folder = folder.is_none_or(|folder| !folder.is_empty() && !folder.starts_with('/') && !leads_up(folder));
    let is_path = path.starts_with('/') && !path.contains(':') && !leads_up(path);
    if !claim.split('.').all(is_label) || claim.len() > 253 || !is_folder || !is_path {
        return None;
    }
    let (mut gid, mut seen) = (None, Vec::new());
    for option in parts {
        let (key, value) = option.split_once('=')?;
        if !["namespace", "workload", "container", "gid"].contains(&key) || value.is_empty() || seen.contains(&key) {
            return None;
        }
        seen.push(key);
        // A namespace is one label.
        if key == "namespace" && (!is_label(value) || value.len() > 63) {
            return None;
        }
        if key == "gid" {
            gid = Some(value.parse::<u32>().ok()?.into());
        }
    }
    Some((claim.to_owned(), folder.map(str::to_owned), path.to_owned(), gid))
}
