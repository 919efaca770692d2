//! The git repositories that the demo's Argo CD reads: copies of folders as they are on disk, each with one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use homelab::disk::{self, Checkout, Lock};
use homelab::git::WorkingTree;
use homelab::model::{Source, repo_url};
use homelab::render;
use homelab::repo::{Change, ChangeSet, Manifest, Repo, RepoPath};
use real_parts::repository::Repository;
use serde_json::{Value, json};

use super::SOURCES;
use crate::repository;

/// The only branch of each of them.
const BRANCH: &str = "main";
/// The namespace of the demo's Argo CD.
const ARGOCD: &str = "argocd";

/// The folders that the repositories are copied from.
pub(super) struct Origin {
    name: String,
    home: Checkout,
    /// The subfolders that are copied; the whole folder if there are none.
    folders: &'static [&'static str],
    /// Checkouts of sources, each with its names in Applications: URLs, or last parts of URLs.
    checkouts: Vec<(PathBuf, Vec<String>)>,
}

/// The repositories that Argo CD can read.
pub(super) struct Served {
    /// The GitOps repository.
    pub(super) home: Repository,
    /// The repositories of sources, by name.
    pub(super) sources: BTreeMap<String, Repository>,
    /// The parsed GitOps repository, as it is served.
    pub(super) repo: Repo,
    /// The differences from the folder, one line each.
    pub(super) remarks: Vec<String>,
    /// URLs of sources that are not served.
    pub(super) elsewhere: BTreeSet<String>,
}

impl Served {
    /// Reports whether Argo CD renders one of the sources with Kustomize.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub(super) fn has_kustomizations(&self) -> Result<bool> {
        let repositories = || [&self.home].into_iter().chain(self.sources.values());
        for (_, app) in self.repo.applications() {
            for source in app.sources() {
                let repository = repositories().find(|repository| repository.url() == source.repo_url());
                let path = source.path().and_then(|path| RepoPath::new(path).ok());
                if let (Some(repository), Some(path)) = (repository, path)
                    && render::is_kustomization(&Checkout::open(repository.work())?, &path)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

impl Origin {
    /// Returns the repository that the project ships, with its two sources.
    pub(super) fn shipped() -> Result<Self> {
        let sources = repository::root().join("tests/sources");
        Ok(Self {
            name: "home".to_owned(),
            home: Checkout::open(&repository::root())?,
            folders: &["applications", "namespaces"],
            checkouts: SOURCES.map(|name| (sources.join(name), vec![name.to_owned()])).to_vec(),
        })
    }

    /// Returns the repository of a folder, with the checkouts beside it.
    pub(super) fn at(folder: &Path) -> Result<Self> {
        let home = if disk::is_repository(folder) {
            Checkout::open(folder)?
        } else {
            Checkout::find(folder)?
        };
        let beside = disk::siblings(home.root())
            .into_iter()
            .filter(|sibling| sibling != home.root());
        Ok(Self {
            name: name_of(home.root()),
            folders: &[],
            checkouts: beside
                .filter_map(|sibling| Some((WorkingTree::at(&sibling)?.remotes(), sibling)))
                .map(|(remotes, sibling)| (sibling, remotes))
                .collect(),
            home,
        })
    }

    /// Creates the repositories in a folder, and points the Applications at them.
    ///
    /// # Errors
    /// When a file cannot be read or git fails.
    pub(super) fn serve(&self, folder: &Path) -> Result<Served> {
        let home = create_repository(folder, &self.name)?;
        match self.folders {
            [] => copy_tree(self.home.root(), home.work())?,
            some => some
                .iter()
                .try_for_each(|name| copy_tree(&self.home.root().join(name), &home.work().join(name)))?,
        }
        let staged = Checkout::open(home.work())?;
        let remotes = WorkingTree::at(self.home.root()).map(|tree| tree.remotes());
        let repo = Repo::read(&staged, &remotes.unwrap_or_default())?;
        if repo.applications().next().is_none() {
            bail!("`{}` has no Applications", self.home.root().display());
        }
        let mut served = Served {
            home,
            sources: BTreeMap::new(),
            repo: Repo::default(),
            remarks: Vec::new(),
            elsewhere: BTreeSet::new(),
        };
        let changes = self.point(&repo, folder, &mut served)?;
        let lock = Lock::take(staged.root(), &mut || {})?;
        staged.write(&lock, &repo.file_changes(&changes)?)?;
        served.repo = repo.with(&changes)?;
        served.home.commit("Copy of the folder")?;
        Ok(served)
    }

    /// Returns the changes with which this Argo CD reads everything from the served repositories.
    fn point(&self, repo: &Repo, folder: &Path, served: &mut Served) -> Result<ChangeSet> {
        let mut changes = ChangeSet::default();
        for (manifest, app) in repo.applications() {
            let mut operations = Vec::new();
            for source in app.sources() {
                let Some(url) = self.url(repo, &source, folder, served)? else {
                    served.elsewhere.insert(source.repo_url().to_owned());
                    continue;
                };
                operations.push(json!({"op": "replace", "path": source.at(&["repoURL"]), "value": url}));
                let revision = source.target_revision();
                if !["HEAD", BRANCH].contains(&revision) {
                    operations.push(json!({"op": "replace", "path": source.at(&["targetRevision"]), "value": BRANCH}));
                    served.remarks.push(format!(
                        "`{}` asks for `{revision}` of {} and gets the checkout",
                        app.name(),
                        repo_url::repository_name(source.repo_url()),
                    ));
                }
            }
            changes.changes.extend(change(manifest, operations)?);
        }
        for manifest in repo.manifests.iter().filter(|manifest| is_argo_cds(manifest)) {
            let mut operations = Vec::new();
            if manifest.object.namespace() != Some(ARGOCD) {
                operations.push(json!({"op": "add", "path": "/metadata/namespace", "value": ARGOCD}));
            }
            if manifest.object.kind() == "AppProject" {
                operations.push(json!({"op": "add", "path": "/spec/sourceRepos", "value": ["*"]}));
            }
            changes.changes.extend(change(manifest, operations)?);
        }
        Ok(changes)
    }

    /// Returns the URL at which a source is served; creates its repository on first use.
    fn url(&self, repo: &Repo, source: &Source<'_>, folder: &Path, served: &mut Served) -> Result<Option<String>> {
        let url = source.repo_url();
        if source.is_versioned() {
            return Ok(None);
        }
        if repo.is_own(url) {
            return Ok(Some(served.home.url()));
        }
        let is_meant = |name: &String| repo_url::same(name, url) || *name == repo_url::repository_name(url);
        let found = self.checkouts.iter().find(|(_, names)| names.iter().any(is_meant));
        let Some((checkout, _)) = found else {
            return Ok(None);
        };
        let name = name_of(checkout);
        if !served.sources.contains_key(&name) {
            let source = create_repository(folder, &name)?;
            copy_tree(checkout, source.work())?;
            source.commit("Copy of the folder")?;
            served.sources.insert(name.clone(), source);
        }
        Ok(served.sources.get(&name).map(Repository::url))
    }
}

fn is_argo_cds(manifest: &Manifest) -> bool {
    let object = &manifest.object;
    object.group() == "argoproj.io" && matches!(object.kind(), "Application" | "AppProject")
}

fn change(manifest: &Manifest, operations: Vec<Value>) -> Result<Option<Change>> {
    if operations.is_empty() {
        return Ok(None);
    }
    Ok(Some(Change::Patch {
        path: manifest.file.clone(),
        document: manifest.document,
        patch: serde_json::from_value(Value::Array(operations))?,
    }))
}

fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "home".to_owned())
}

/// Creates an empty repository whose working tree can be committed and pushed, whatever the user's git settings are.
fn create_repository(folder: &Path, name: &str) -> Result<Repository> {
    let repository = Repository::create(folder, name, None)?;
    let mut config = fs::File::options()
        .append(true)
        .open(repository.work().join(".git/config"))?;
    write!(
        config,
        "[user]\n\tname = demo\n\temail = demo@example.org\n[commit]\n\tgpgSign = false\n\
         [branch \"{BRANCH}\"]\n\tremote = origin\n\tmerge = refs/heads/{BRANCH}\n"
    )?;
    Ok(repository)
}

/// Copies a folder as it is: links stay links, and files that git ignores are left out.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let (source, target) = (from.join(&file), to.join(&file));
        // Deleted, but not committed.
        let Ok(metadata) = fs::symlink_metadata(&source) else {
            continue;
        };
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        if metadata.is_symlink() {
            symlink(fs::read_link(&source)?, &target)
        } else if metadata.is_dir() {
            // A submodule.
            copy_tree(&source, &target)?;
            Ok(())
        } else {
            fs::copy(&source, &target).map(drop)
        }
        .with_context(|| format!("cannot copy {}", source.display()))?;
    }
    Ok(())
}

/// Returns the files of a folder, relative to it: those that git tracks or does not ignore, or all without git.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    if WorkingTree::at(folder).is_none() {
        return all_files(folder);
    }
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("git ls-files failed in {}: {}", folder.display(), message.trim());
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect())
}

fn all_files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(all_files(&entry.path())?.iter().map(|file| name.join(file)));
        } else {
            files.insert(name);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let mut command = Command::new("git");
        let status = command.args(identity).args(arguments).current_dir(folder).status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    }

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Creates a clone of a user's repository.
    fn clone(parent: &Path, name: &str, url: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = parent.join(name);
        fs::create_dir_all(&folder).unwrap();
        git(&folder, &["init", "--quiet", "--initial-branch=main"]);
        git(&folder, &["remote", "add", "origin", url]);
        for (path, text) in files {
            write(&folder, path, text);
        }
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message=Start"]);
        folder
    }

    fn application(name: &str, source: &str) -> String {
        format!(
            "# {name}\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argo-cd\nspec:\n  source: {source}\n"
        )
    }

    fn user_repository(parent: &Path) -> PathBuf {
        let app = |name: &str, source: &str| (format!("applications/{name}.yaml"), application(name, source));
        let files = [
            app("root", "{repoURL: https://git.example.org/me/home, path: applications}"),
            app(
                "media",
                "{repoURL: 'git@git.example.org:me/media.git', path: chart, targetRevision: v1.2.0}",
            ),
            app(
                "chart",
                "{repoURL: https://charts.example.org, chart: redis, targetRevision: 1.0.0}",
            ),
            (
                "applications/project.yaml".to_owned(),
                "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata:\n  name: mine\nspec:\n  sourceRepos:\n    - https://git.example.org/me/*\n".to_owned(),
            ),
        ];
        let files = files.each_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        clone(
            parent,
            "media",
            "https://git.example.org/me/media",
            &[("chart/Chart.yaml", "name: media\n"), (".gitignore", "*.log\n")],
        );
        clone(parent, "other", "https://git.example.org/me/other", &[("a", "")]);
        clone(parent, "my-home", "https://git.example.org/me/home", &files)
    }

    #[test]
    fn checkouts_beside_the_repository_are_served_as_they_are() {
        let (parent, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let home = user_repository(parent.path());
        let media = parent.path().join("media");
        write(&media, "chart/Chart.yaml", "name: changed\n");
        write(&media, "chart/values.yaml", "new: true\n");
        write(&media, "noise.log", "ignored\n");
        let served = Origin::at(&home).unwrap().serve(target.path()).unwrap();

        assert_eq!(
            served.sources.keys().collect::<Vec<_>>(),
            ["media"],
            "a checkout that no Application uses is not served"
        );
        let media = &served.sources["media"];
        assert_eq!(media.read("chart/Chart.yaml").unwrap(), "name: changed\n");
        assert_eq!(media.read("chart/values.yaml").unwrap(), "new: true\n");
        assert!(media.read("noise.log").is_err());
        assert_eq!(
            served.elsewhere,
            BTreeSet::from(["https://charts.example.org".to_owned()])
        );
        assert_eq!(
            served.remarks,
            ["`media` asks for `v1.2.0` of media and gets the checkout"]
        );
    }

    #[test]
    fn applications_point_at_the_served_repositories_and_are_otherwise_unchanged() {
        let (parent, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let home = user_repository(parent.path());
        let served = Origin::at(&home).unwrap().serve(target.path()).unwrap();
        let text = served.home.read("applications/media.yaml").unwrap();
        assert!(text.starts_with("# media\n"), "{text}");
        let (_, media) = served.repo.application("media").unwrap();
        let source = &media.sources()[0];
        assert_eq!(
            (source.repo_url(), source.target_revision()),
            (served.sources["media"].url().as_str(), "main")
        );
        let (manifest, root) = served.repo.root_application().unwrap();
        assert_eq!(
            (root.name(), root.sources()[0].repo_url()),
            ("root", served.home.url().as_str())
        );
        assert_eq!(manifest.object.namespace(), Some("argocd"));
        let project = served.home.read("applications/project.yaml").unwrap();
        assert!(project.contains("*") && !project.contains("example.org"), "{project}");
        let original = fs::read_to_string(home.join("applications/media.yaml")).unwrap();
        assert!(
            original.contains("git@git.example.org:me/media.git"),
            "the folder itself stays: {original}"
        );
    }

    #[test]
    fn a_user_can_commit_and_push() {
        let target = tempfile::tempdir().unwrap();
        let served = Origin::shipped().unwrap().serve(target.path()).unwrap();
        assert_eq!(served.sources.keys().collect::<Vec<_>>(), SOURCES);
        assert!(served.elsewhere.is_empty() && served.remarks.is_empty());
        write(served.home.work(), "new", "");
        for arguments in [
            &["add", "new"][..],
            &["commit", "--quiet", "--message=New"],
            &["push", "--quiet"],
        ] {
            let mut command = Command::new("git");
            command.args(arguments).current_dir(served.home.work());
            // No settings of the user who runs the tests.
            command
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1");
            assert!(command.status().unwrap().success(), "git {arguments:?}");
        }
    }

    #[test]
    fn a_folder_without_applications_is_refused() {
        let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let home = clone(folder.path(), "home", "https://git.example.org/me/home", &[("a", "")]);
        let error = Origin::at(&home).unwrap().serve(target.path()).err().unwrap();
        assert!(error.to_string().contains("has no Applications"), "{error:#}");
    }
}
