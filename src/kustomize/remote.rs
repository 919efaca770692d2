//! Remote resources: fetches what kustomizations name elsewhere, puts it into the copy of the folders, and writes the paths of
//! the copy in the place of the URLs. What was fetched may name something elsewhere, too.
#![expect(clippy::disallowed_methods, reason = "the adapter to kustomize")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use base16ct::lower;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::download::{Downloads, NotFetched};
use crate::failure::{self, HintExt};
use crate::masking::without_logins;
use crate::model::Unavailable;
use crate::model::remote_base::{RemoteBase, is_url};
use crate::repo::kustomization::NAMES;
use crate::repo::kustomization::references::{Reference, Role, references};
use crate::yaml;

/// The folder of what was fetched: below the copy's root, and in the folders of kustomizations that read files.
const FOLDER: &str = ".homelab-remote";
/// The most kustomizations that are fetched for one build.
const MOST: usize = 500;
/// The settings of a build that write into the objects where they come from.
const ORIGINS: [&str; 2] = ["originAnnotations", "transformerAnnotations"];

/// A kustomization in the copy.
pub(super) struct Place {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its file.
    pub(super) file: PathBuf,
    /// The file as messages name it.
    pub(super) shown: String,
    /// The folder that it must not leave: that of a repository that was fetched.
    pub(super) within: Option<PathBuf>,
}

/// Fetches for one build.
pub(super) struct Remotes<'r> {
    downloads: Downloads,
    /// The root of the copy.
    root: &'r Path,
    /// What is there already: the folder of a repository.
    repositories: BTreeMap<String, PathBuf>,
    /// Fetched kustomizations whose own names are still to be read.
    open: Vec<Place>,
    seen: Vec<PathBuf>,
    pub(super) notes: Vec<String>,
    pub(super) is_settled: bool,
}

impl<'r> Remotes<'r> {
    pub(super) fn new(downloads: Downloads, root: &'r Path) -> Self {
        Self {
            downloads,
            root,
            repositories: BTreeMap::new(),
            open: Vec::new(),
            seen: Vec::new(),
            notes: Vec::new(),
            is_settled: true,
        }
    }

    /// Fetches what a kustomization of the copy names elsewhere, and what that names.
    ///
    /// # Errors
    /// [`Unavailable`] when the network is needed and may not be used; when something is not there.
    pub(super) fn of(&mut self, place: Place) -> Result<()> {
        self.open.push(place);
        self.rest()
    }

    /// Reads the kustomizations that were fetched.
    ///
    /// # Errors
    /// Those of [`Remotes::of`].
    pub(super) fn rest(&mut self) -> Result<()> {
        while let Some(place) = self.open.pop() {
            if self.seen.contains(&place.folder) {
                continue;
            }
            ensure!(
                self.seen.len() < MOST,
                "more than {MOST} kustomizations are named, one by another"
            );
            self.seen.push(place.folder.clone());
            self.read(&place)?;
        }
        Ok(())
    }

    fn read(&mut self, place: &Place) -> Result<()> {
        let shown = &place.shown;
        let text = fs::read_to_string(&place.file).with_context(|| format!("`{shown}` cannot be read"))?;
        // Kustomize says what is wrong with it.
        let Ok(Some(tree)) = yaml::value(&text) else {
            return Ok(());
        };
        let mut operations = Vec::new();
        for reference in references(&tree) {
            let Reference { pointer, path, .. } = &reference;
            let at = || match yaml::Tree::parse(&text)
                .ok()
                .and_then(|tree| Some(yaml::Locator::new(&tree).locate(pointer)?.value.start))
            {
                Some(start) => format!("{shown}:{}", yaml::position(&text, start).line),
                None => shown.clone(),
            };
            let Some(local) = self.local(place, &reference).with_context(at)? else {
                continue;
            };
            ensure!(
                !writes_origins(&tree),
                "{}: `{}` is fetched, and `buildMetadata` would write another origin into its objects than kustomize does",
                at(),
                without_logins(path)
            );
            let written = tree
                .pointer(pointer.as_str())
                .and_then(Value::as_str)
                .unwrap_or_default();
            // An entry of a generator has a key before the name.
            let before = written.strip_suffix(path.as_str()).unwrap_or_default();
            let value = format!("{before}{}", relative(&place.folder, &local)?);
            operations.push(json!({"op": "replace", "path": pointer.as_str(), "value": value}));
        }
        if operations.is_empty() {
            return Ok(());
        }
        let patch = serde_json::from_value(Value::Array(operations)).context("a patch is none")?;
        let spliced = yaml::splice(&text, &patch).map_err(|error| {
            anyhow!("{shown}: what it names elsewhere cannot be replaced: {error}")
                .hint("write the entry without an alias")
        })?;
        // It may be a link to a file that is not the copy's.
        let _ = fs::remove_file(&place.file);
        fs::write(&place.file, spliced.text).context("cannot write the copy of a kustomization")
    }

    /// Returns what stands in the copy for a name; `None` where the name is a path and may stay.
    fn local(&mut self, place: &Place, reference: &Reference) -> Result<Option<PathBuf>> {
        let name = &reference.path;
        match reference.role {
            Role::File | Role::ValueFile if is_url(name) => self.file(place, name).map(Some),
            Role::File | Role::ValueFile => Ok(None),
            Role::Resource | Role::Component | Role::Plugin if self.is_path(place, name) => {
                self.below(place, name)?;
                Ok(None)
            }
            Role::Component => match RemoteBase::parse(name) {
                Some(base) => self.repository(&base).map(Some),
                None => Ok(None),
            },
            Role::Resource | Role::Plugin => self.resource(place, name).map(Some),
        }
    }

    /// Reports whether a name is a path: kustomize takes a file for one, and a folder unless it is named as a repository.
    fn is_path(&self, place: &Place, name: &str) -> bool {
        !is_url(name) && (RemoteBase::parse(name).is_none() || place.folder.join(name).is_file())
    }

    /// Reads a folder of a repository that was fetched.
    fn below(&mut self, place: &Place, name: &str) -> Result<()> {
        let (Some(within), Ok(path)) = (&place.within, place.folder.join(name).canonicalize()) else {
            return Ok(());
        };
        ensure!(path.starts_with(within), "`{name}` leads out of its repository");
        if path.is_dir() {
            self.open.extend(kustomization(&path, within, self.root));
        }
        Ok(())
    }

    /// Fetches a manifest, or a folder of a repository: kustomize asks HTTP first where it can.
    fn resource(&mut self, place: &Place, name: &str) -> Result<PathBuf> {
        let base = RemoteBase::parse(name);
        let Some(base) = base.filter(|base| is_url(name) || base.is_explicit) else {
            return self.file(place, name);
        };
        if base.is_explicit {
            return self.repository(&base);
        }
        match self.file(place, name) {
            Err(error) if is_no_file(&error) => self.repository(&base),
            file => file,
        }
    }

    /// Fetches a file into the folder of a kustomization, which alone it may read.
    fn file(&mut self, place: &Place, url: &str) -> Result<PathBuf> {
        let file = self.downloads.file(url)?;
        if file.is_page {
            return Err(anyhow::Error::new(IsPage).context(format!("`{}` is a page, and no file", without_logins(url))));
        }
        self.is_settled = false;
        if file.is_stale {
            self.stale(url);
        }
        let folder = self.folder(&place.folder)?.join(digest(url));
        fs::create_dir_all(&folder).context("cannot make a temporary folder")?;
        let path = folder.join(file_name(url));
        fs::write(&path, &file.bytes).context("cannot write a temporary file")?;
        Ok(path)
    }

    /// Fetches a repository, and returns the folder in it.
    fn repository(&mut self, base: &RemoteBase) -> Result<PathBuf> {
        let shown = without_logins(&base.url);
        let key = format!("{}\n{}", base.url, base.reference);
        let at = match self.repositories.get(&key) {
            Some(at) => at.clone(),
            None => {
                let name = format!("{}-{}", file_name(&base.url), digest(&key));
                let at = self.folder(self.root)?.join(name);
                let fetched = self.downloads.repository(base, &at)?;
                self.is_settled &= base.is_commit();
                if fetched.is_stale {
                    self.stale(&base.url);
                }
                if !fetched.submodules.is_empty() && base.submodules {
                    let names = fetched.submodules.join("`, `");
                    self.notes
                        .push(format!("the submodules `{names}` of `{shown}` are not fetched"));
                }
                let at = at.canonicalize().context("cannot open a temporary folder")?;
                self.repositories.insert(key, at.clone());
                at
            }
        };
        let folder = at
            .join(&base.path)
            .canonicalize()
            .ok()
            .filter(|folder| folder.starts_with(&at) && folder.is_dir());
        let folder = folder.ok_or_else(|| {
            anyhow!("`{shown}` has no folder `{}`", base.path).hint("correct the path behind the repository's URL")
        })?;
        self.open.extend(kustomization(&folder, &at, self.root));
        Ok(folder)
    }

    fn stale(&mut self, url: &str) {
        let url = without_logins(url);
        self.notes
            .push(format!("`{url}` cannot be asked: what it gave the last time is taken"));
    }

    /// Returns the folder of what was fetched, inside another one.
    fn folder(&self, inside: &Path) -> Result<PathBuf> {
        let folder = inside.join(FOLDER);
        match folder.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => bail!("the repository has a `{FOLDER}` of its own"),
            Err(_) => fs::create_dir(&folder).context("cannot make a temporary folder")?,
        }
        Ok(folder)
    }

    /// Fetches what is named in a parameter, and returns the path that stands for it in the folder.
    pub(super) fn named(&mut self, place: &Place, role: Role, name: &str) -> Result<Option<String>> {
        let reference = Reference {
            role,
            pointer: Default::default(),
            path: name.to_owned(),
        };
        let local = self.local(place, &reference)?;
        local.map(|local| relative(&place.folder, &local)).transpose()
    }
}

/// A page stands where a file was asked for.
#[derive(Debug)]
struct IsPage;

impl std::fmt::Display for IsPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server sends HTML")
    }
}

impl std::error::Error for IsPage {}

/// Reports whether there is no such file by HTTP, so that it may be a repository.
fn is_no_file(error: &anyhow::Error) -> bool {
    let is_missing = failure::find::<NotFetched>(error).is_some() || failure::find::<IsPage>(error).is_some();
    is_missing || failure::find::<Unavailable>(error).is_some()
}

/// Returns the kustomization of a folder of a repository that was fetched.
fn kustomization(folder: &Path, within: &Path, root: &Path) -> Option<Place> {
    let file = NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file())?;
    let shown = file
        .strip_prefix(root.join(FOLDER))
        .unwrap_or(&file)
        .display()
        .to_string();
    Some(Place {
        folder: folder.to_owned(),
        file,
        shown,
        within: Some(within.to_owned()),
    })
}

/// Reports whether a build writes into the objects where they come from.
fn writes_origins(tree: &Value) -> bool {
    let words = tree["buildMetadata"].as_array().into_iter().flatten();
    words.filter_map(Value::as_str).any(|word| ORIGINS.contains(&word))
}

/// Returns a path as a kustomization in a folder writes it. Both are in the copy.
fn relative(folder: &Path, path: &Path) -> Result<String> {
    let common = folder
        .components()
        .zip(path.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder.components().skip(common).map(|_| Some(".."));
    let down = path.components().skip(common).map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = up.chain(down).collect();
    Ok(parts.context("the path of a temporary folder is not UTF-8")?.join("/"))
}

fn digest(text: &str) -> String {
    lower::encode_string(&Sha256::digest(text)[..4])
}

/// Returns the last part of a URL as the name of a file: a generator makes a key of it.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.starts_with('.') || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name() {
        for (url, name) in [
            ("https://x.example/a/b.conf?c=d", "b.conf"),
            ("https://x.example/a/%20b", "_20b"),
            ("https://x.example/a/..", "_.."),
            ("git@git.example:r.git", "git_git.example_r.git"),
        ] {
            assert_eq!(file_name(url), name);
        }
    }

    #[test]
    fn paths_are_written_from_the_kustomization() {
        let of = |folder: &str, path: &str| relative(Path::new(folder), Path::new(path)).unwrap();
        assert_eq!(of("/r/apps/player", "/r/.x/base"), "../../.x/base");
        assert_eq!(of("/r/apps", "/r/apps/.x/a.yaml"), ".x/a.yaml");
    }
}
