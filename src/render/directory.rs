//! A folder of manifests, as Argo CD reads one
//! ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `findManifests`): files
//! ending in `.yaml`, `.yml` and `.json`, in the order of their names, without what lies deeper.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::failure::HintExt;
use crate::repo::{Files, RepoPath};
use crate::yaml;

/// A file that says this anywhere is passed over.
const SKIP: &str = "+argocd:skip-file-rendering";

/// All manifests of a folder as one stream.
///
/// # Errors
/// When a file is Jsonnet, is neither UTF-8 nor UTF-16, or is no YAML or JSON: with its place.
pub fn read(files: &dyn Files, folder: &RepoPath) -> Result<String> {
    let entries = files
        .list(folder)?
        .with_context(|| format!("app path does not exist: `{folder}`"))?;
    let mut stream = String::new();
    for entry in entries.iter().filter(|entry| !entry.is_folder) {
        let ends = |endings: &[&str]| endings.iter().any(|ending| entry.name.ends_with(ending));
        let path = folder.join(&entry.name)?;
        if ends(&[".jsonnet"]) {
            return Err(anyhow!("`{path}` is Jsonnet, which this plugin does not render")
                .hint("leave `plugin` out of the source"));
        }
        if !ends(&[".yaml", ".yml", ".json"]) {
            continue;
        }
        let text = decode(&files.read(&path)?.unwrap_or_default()).with_context(|| format!("cannot read `{path}`"))?;
        if text.contains(SKIP) {
            continue;
        }
        let text = if ends(&[".json"]) {
            json(&path, &text)?
        } else {
            checked(&path, text)?
        };
        stream.push_str("---\n");
        stream.push_str(&text);
        if !stream.ends_with('\n') {
            stream.push('\n');
        }
    }
    Ok(stream)
}

/// The text of a file in UTF-8, or in UTF-16 with a byte order mark.
fn decode(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        if !bytes.len().is_multiple_of(2) {
            bail!("not UTF-16: half a character at the end");
        }
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).context("not UTF-16")
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).context("not UTF-8"),
        _ => String::from_utf8(bytes.to_vec()).context("not UTF-8"),
    }
}

/// Argo CD silently passes over a broken file that does not look like a manifest; what is not printed is pruned, so that
/// it is an error here.
fn checked(path: &RepoPath, text: String) -> Result<String> {
    let documents = yaml::documents(&text).map_err(|error| anyhow!("{path}:{error}"))?;
    for document in documents {
        let tree =
            yaml::value(&text[document.range]).map_err(|error| anyhow!("{path}:{}", error.below(document.line - 1)))?;
        if tree.is_some_and(|tree| !tree.is_object()) {
            bail!("{path}:{}: the document is not a map", document.line);
        }
    }
    Ok(text)
}

/// The one object of a JSON file, printed so that a YAML reader takes it as well.
fn json(path: &RepoPath, text: &str) -> Result<String> {
    let tree: Value = serde_json::from_str(text)
        .map_err(|error| anyhow!("{path}:{}:{}: not JSON with one object", error.line(), error.column()))?;
    let printed = serde_json::to_string(&tree)?;
    if yaml::value(&printed).ok().flatten().as_ref() != Some(&tree) {
        bail!("{path}: cannot be carried over into a stream of YAML without loss");
    }
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn read_all(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Result<String> {
        let files = files
            .into_iter()
            .map(|(path, bytes)| (RepoPath::new(path).unwrap(), bytes))
            .collect();
        read(&Memory(files), &RepoPath::new("m").unwrap())
    }

    #[test]
    fn takes_what_argo_cd_takes_in_its_order() {
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("kind: C\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let stream = read_all([
            ("m/b.yml", b"kind: B".to_vec()),
            ("m/.a.yaml", b"\xef\xbb\xbfkind: A\n".to_vec()),
            ("m/c.yaml", utf16),
            ("m/d.json", br#"{"kind": "D", "x": "a\/b"}"#.to_vec()),
            ("m/e.YAML", b"kind: E\n".to_vec()),
            ("m/f.yaml", b"# +argocd:skip-file-rendering\nkind: F\n".to_vec()),
            ("m/deeper/g.yaml", b"kind: G\n".to_vec()),
        ])
        .unwrap();
        assert_eq!(
            stream,
            "---\nkind: A\n---\nkind: B\n---\nkind: C\n---\n{\"kind\":\"D\",\"x\":\"a/b\"}\n"
        );
    }

    #[test]
    fn what_is_broken_is_said_with_its_place() {
        for (file, bytes, part) in [
            ("m/a.yaml", &b"a: 1\n---\nb: [\n"[..], "m/a.yaml:"),
            ("m/a.yaml", b"- a\n", "m/a.yaml:1: the document is not a map"),
            ("m/a.json", b"{} {}", "m/a.json:1:4"),
            ("m/a.jsonnet", b"{}", "Jsonnet"),
            ("m/a.yaml", b"\xff", "not UTF-8"),
        ] {
            let error = format!("{:#}", read_all([(file, bytes.to_vec())]).unwrap_err());
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}
