//! Reads a folder of manifests as Argo CD does
//! ([source](https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go), `findManifests`):
//! files ending in `.yaml`, `.yml` and `.json`, sorted by name; sub-folders only with `recurse`.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::failure::HintExt;
use crate::model::Unavailable;
use crate::model::parameter::Parameters;
use crate::repo::overrides::is_override;
use crate::repo::own_file::is_own_file;
use crate::repo::{Files, FolderSource, RepoPath};
use crate::yaml;

/// The marker that makes Argo CD skip the file that contains it.
const SKIP: &str = "+argocd:skip-file-rendering";

/// Reads all manifests of a folder as one stream; `is_native` says that Argo CD's own tool renders it, which knows Jsonnet.
///
/// # Errors
/// When a file is Jsonnet, is neither UTF-8 nor UTF-16, or is no YAML or JSON: with its place. When `include` or `exclude`
/// is no glob: Argo CD would then take it for one that matches nothing.
pub fn read(files: &dyn Files, folder: &RepoPath, parameters: &Parameters, is_native: bool) -> Result<String> {
    let (include, exclude) = (parameters.include.as_deref(), parameters.exclude.as_deref());
    let mut reader = Reader {
        files,
        source: FolderSource::new(folder.clone(), parameters.recurse, include, exclude)?,
        is_native,
        stream: String::new(),
    };
    if !reader.folder(folder)? {
        return Err(super::no_path(folder));
    }
    Ok(reader.stream)
}

/// Returns why a file is not rendered that is Jsonnet.
pub fn jsonnet(path: &RepoPath) -> Unavailable {
    let what = vec![format!("`{path}` is Jsonnet, which only Argo CD renders")];
    Unavailable::UnsupportedOptions { what }
}

struct Reader<'f> {
    files: &'f dyn Files,
    source: FolderSource,
    is_native: bool,
    stream: String,
}

impl Reader<'_> {
    /// Reads a folder; whether it is there. A symbolic link to a folder is not followed.
    fn folder(&mut self, folder: &RepoPath) -> Result<bool> {
        let Some(entries) = self.files.listed(folder)? else {
            return Ok(false);
        };
        for entry in entries {
            let path = folder.join(&entry.name)?;
            if !entry.is_folder {
                self.file(&path)?;
            } else if self.source.recurses() && !entry.is_link {
                self.folder(&path)?;
            }
        }
        Ok(true)
    }

    fn file(&mut self, path: &RepoPath) -> Result<()> {
        let ends = |endings: &[&str]| endings.iter().any(|ending| path.as_str().ends_with(ending));
        if !ends(&[".yaml", ".yml", ".json", ".jsonnet"]) || !self.source.selects(path) {
            return Ok(());
        }
        let bytes = self.files.read(path)?.unwrap_or_default();
        let text = decode(&bytes).with_context(|| format!("cannot read `{path}`"))?;
        if text.contains(SKIP) || is_override(path, &text) || is_own_file(path, &text) {
            return Ok(());
        }
        if ends(&[".jsonnet"]) {
            if self.is_native {
                return Err(jsonnet(path).into_error());
            }
            return Err(anyhow!("`{path}` is Jsonnet, which this plugin does not render")
                .hint("leave `plugin` out of the source, or the file with the parameter `exclude`"));
        }
        let text = if ends(&[".json"]) {
            json(path, &text)?
        } else {
            checked(path, text)?
        };
        self.stream.push_str("---\n");
        self.stream.push_str(&text);
        if !self.stream.ends_with('\n') {
            self.stream.push('\n');
        }
        Ok(())
    }
}

/// Decodes the text of a file, which is UTF-8, or UTF-16 with a byte order mark.
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

/// Refuses a file that is not valid YAML. Argo CD silently skips such a file unless it resembles a manifest; its
/// objects would then be pruned.
fn checked(path: &RepoPath, text: String) -> Result<String> {
    let documents = yaml::documents(&text).map_err(|error| anyhow!("{path}:{error}"))?;
    for document in &documents {
        let tree = yaml::value(&text[document.range.clone()])
            .map_err(|error| anyhow!("{path}:{}", error.below(document.line - 1)))?;
        if tree.is_some_and(|tree| !tree.is_object()) {
            bail!("{path}:{}: the document is not a map", document.line);
        }
    }
    // Argo CD reads a file that starts with `{` as JSON, one object after another; after a `---` only the first one is
    // read.
    if documents.len() < 2 || !text.trim_start().starts_with('{') {
        return Ok(text);
    }
    let mut stream = String::with_capacity(text.len() + 8 * documents.len());
    for (index, document) in documents.into_iter().enumerate() {
        if index > 0 {
            stream.push_str("---\n");
        }
        let part = &text[document.range];
        match serde_json::from_str::<Value>(part) {
            Ok(tree) => stream.push_str(&carried_over(path, &tree)?),
            Err(_) => stream.push_str(part),
        }
        if !stream.ends_with('\n') {
            stream.push('\n');
        }
    }
    Ok(stream)
}

/// Parses the one object of a JSON file.
fn json(path: &RepoPath, text: &str) -> Result<String> {
    let tree: Value = serde_json::from_str(text)
        .map_err(|error| anyhow!("{path}:{}:{}: not JSON with one object", error.line(), error.column()))?;
    carried_over(path, &tree)
}

/// Prints an object of JSON so that a YAML parser reads it as well.
fn carried_over(path: &RepoPath, tree: &Value) -> Result<String> {
    yaml::emit_line(tree).map_err(|_| anyhow!("{path}: cannot be carried over into a stream of YAML without loss"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::Memory;

    fn read_all(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Result<String> {
        read_with(files, &Parameters::default())
    }

    fn read_with(files: impl IntoIterator<Item = (&'static str, Vec<u8>)>, parameters: &Parameters) -> Result<String> {
        let files = files
            .into_iter()
            .map(|(path, bytes)| (RepoPath::new(path).unwrap(), bytes))
            .collect();
        read(&Memory(files), &RepoPath::new("m").unwrap(), parameters, false)
    }

    #[test]
    fn jsonnet_that_argo_cd_renders_itself_is_no_fault() {
        let files = [(RepoPath::new("m/a.jsonnet").unwrap(), b"{}".to_vec())];
        let files = Memory(files.into_iter().collect());
        let error = read(&files, &RepoPath::new("m").unwrap(), &Parameters::default(), true).unwrap_err();
        let why = crate::failure::find::<Unavailable>(&error).map(ToString::to_string);
        assert_eq!(
            why.as_deref(),
            Some("`m/a.jsonnet` is Jsonnet, which only Argo CD renders")
        );
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
            ("m/.homelab.yaml", b"kubeVersion: [\n".to_vec()),
            ("m/.homelab-baseline.yaml", b"a: 1\n".to_vec()),
            (
                "m/.homelab-a.yaml",
                b"apiVersion: v1\nkind: Z\nmetadata: {name: z}\n".to_vec(),
            ),
            ("m/deeper/g.yaml", b"kind: G\n".to_vec()),
        ])
        .unwrap();
        assert_eq!(
            stream,
            "---\nkind: A\n---\napiVersion: v1\nkind: Z\nmetadata: {name: z}\n---\nkind: B\n---\nkind: C\n---\n{\"kind\": \"D\", \"x\": \"a/b\"}\n"
        );
    }

    /// Returns the names of the files that are read; each file contains its own name.
    fn taken(recurse: bool, include: Option<&str>, exclude: Option<&str>) -> Result<Vec<String>> {
        let names = [
            "m/a.yaml",
            "m/b/c.yaml",
            "m/b/d.json",
            "m/b-c.yaml",
            "m/b/e/f.yml",
            "m/z.yaml",
        ];
        let files = names.map(|name| (name, serde_json::json!({"kind": name[2..]}).to_string().into_bytes()));
        let parameters = Parameters {
            recurse,
            include: include.map(str::to_owned),
            exclude: exclude.map(str::to_owned),
            ..Parameters::default()
        };
        let stream = read_with(files, &parameters)?;
        Ok(stream.split('"').skip(3).step_by(4).map(str::to_owned).collect())
    }

    #[test]
    fn folders_are_read_on_demand_in_the_order_of_all_names() {
        assert_eq!(taken(false, None, None).unwrap(), ["a.yaml", "b-c.yaml", "z.yaml"]);
        assert_eq!(
            taken(true, None, None).unwrap(),
            ["a.yaml", "b/c.yaml", "b/d.json", "b/e/f.yml", "b-c.yaml", "z.yaml"]
        );
        for (include, exclude, expected) in [
            (Some("b*"), None, &["b/c.yaml", "b/d.json", "b/e/f.yml", "b-c.yaml"][..]),
            (Some("{a,z}.yaml"), None, &["a.yaml", "z.yaml"]),
            (Some("*.yaml"), Some("b/*"), &["a.yaml", "b-c.yaml", "z.yaml"]),
            (None, Some("{*.yaml,*.yml}"), &["b/d.json"]),
            (Some("*"), Some("*"), &[]),
        ] {
            assert_eq!(
                taken(true, include, exclude).unwrap(),
                expected,
                "{include:?} {exclude:?}"
            );
        }
        let error = format!("{:#}", taken(true, None, Some("[")).unwrap_err());
        assert_eq!(error, "the parameter `exclude` is no glob: a `[` has no `]`");
    }

    #[test]
    fn every_object_of_a_stream_of_json_is_a_document() {
        let json = br#"{"kind": "A", "x": "a\/b"} {"kind": "B"}"#;
        let stream = read_all([("m/a.yaml", json.to_vec()), ("m/b.yaml", b"kind: E\n".to_vec())]).unwrap();
        assert_eq!(
            stream,
            "---\n{\"kind\": \"A\", \"x\": \"a/b\"}\n---\n{\"kind\": \"B\"}\n---\nkind: E\n"
        );
    }

    #[test]
    fn numbers_and_signs_of_json_are_carried_over() {
        let json = r#"{"a": 1.0, "b": 1e3, "c": 12345678901234567890, "d": "\u2028\u007f\u0085"}"#;
        let stream = read_all([("m/a.json", json.as_bytes().to_vec())]).unwrap();
        let tree = yaml::value(stream.trim_start_matches("---\n")).unwrap().unwrap();
        assert_eq!(tree["a"], 1);
        assert_eq!(tree["d"], "\u{2028}\u{7f}\u{85}");
    }

    #[test]
    fn argo_cds_own_overrides_are_no_manifest() {
        let stream = read_all([
            ("m/.argocd-source.yaml", b"plugin: {name: homelab-v1}\n".to_vec()),
            ("m/.argocd-source-a.yaml", b"helm: {}\n".to_vec()),
            ("m/a.yaml", b"kind: A\n".to_vec()),
        ]);
        assert_eq!(stream.unwrap(), "---\nkind: A\n");
    }

    #[test]
    fn jsonnet_that_is_excluded_or_skipped_does_no_harm() {
        let exclude = Parameters {
            exclude: Some("*.jsonnet".to_owned()),
            ..Parameters::default()
        };
        assert!(
            read_with([("m/a.jsonnet", b"{}".to_vec())], &exclude)
                .unwrap()
                .is_empty()
        );
        assert!(
            read_all([("m/a.jsonnet", b"// +argocd:skip-file-rendering".to_vec())])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_broken_file_is_reported_with_its_place() {
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
