//! The git repositories that the demo's Argo CD reads: copies of folders as they are on disk, each with one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use homelab::disk::{self, Checkout, Lock};
use homelab::git::WorkingTree;
use homelab::model::{Application, Pointer, PointerBuf, Source, repo_url};
use homelab::repo::{self, Change, ChangeSet, Manifest, Rendered, Repo, RepoPath, SourceType};
use homelab::settings;
use homelab::sources::{self, ChartRenders, HelmOptions, Options, SourceDirs};
use real_parts::repository::Repository;
use serde_json::{Value, json};

use super::SOURCES;
use super::addresses::{BRANCH, Pointed, replaced};
use super::copied::{copy_tree, files};
use crate::{repository, tools};

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
                    && SourceType::of(&Checkout::open(repository.work())?, &path)? == Some(SourceType::Kustomize)
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
        let mut own = remotes.unwrap_or_default();
        let repo = read(&staged, &own)?;
        if repo.applications().next().is_none() && repo.unexpanded_sets().next().is_none() {
            bail!("`{}` has no Applications", self.home.root().display());
        }
        own.push(home.url());
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
        self.point_texts(&repo, folder, &mut served)?;
        served.repo = read(&staged, &own)?;
        self.remark(folder, &mut served)?;
        served.home.commit("Copy of the folder")?;
        Ok(served)
    }

    /// Returns the changes with which this Argo CD reads everything from the served repositories.
    fn point(&self, repo: &Repo, folder: &Path, served: &mut Served) -> Result<ChangeSet> {
        let mut changes = ChangeSet::default();
        let written = repo.all_manifests().filter(|manifest| is_argo_cds(manifest));
        for manifest in written {
            let object = &manifest.object;
            let mut pointed = Pointed::default();
            let mut url = |address: &str| self.url(repo, address, folder, served);
            match object.kind() {
                "Application" => {
                    let app = Application::new(object);
                    let sources = app.iter().flat_map(Application::sources);
                    for source in sources {
                        let source = sources_own(&source, is_parent(repo, object.name()));
                        pointed.add(&source.0, &source.1, &mut url)?;
                    }
                }
                "ApplicationSet" => {
                    let spec = Pointer::from_static("/spec");
                    pointed.add(spec, object.at(spec).unwrap_or(&Value::Null), &mut url)?;
                }
                _ => {
                    let every = json!({"op": "add", "path": "/spec/sourceRepos", "value": ["*"]});
                    pointed.operations.push(every);
                }
            }
            if object.namespace() != Some(ARGOCD) {
                let namespace = json!({"op": "add", "path": "/metadata/namespace", "value": ARGOCD});
                pointed.operations.push(namespace);
            }
            let remarks = pointed.revisions.iter().map(|(revision, address)| {
                let repository = repo_url::repository_name(address);
                format!(
                    "`{}` asks for `{revision}` of {repository} and gets the checkout",
                    object.name()
                )
            });
            served.remarks.extend(remarks);
            changes.changes.extend(change(manifest, pointed.operations)?);
        }
        Ok(changes)
    }

    /// Points what comes from other texts at the served repositories: the addresses in charts of Applications, and in the files that
    /// sets take parameters from.
    fn point_texts(&self, repo: &Repo, folder: &Path, served: &mut Served) -> Result<()> {
        let work = served.home.work().to_owned();
        let mut texts: BTreeSet<PathBuf> = parameter_files(repo).map(|file| work.join(file.as_str())).collect();
        for chart in charts_of_applications(repo) {
            let chart = work.join(chart.as_str());
            texts.extend(files(&chart)?.iter().map(|file| chart.join(file)));
        }
        for file in texts {
            // A link leads to a file that is there, too, or out of the repository.
            let is_file = fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file());
            let Some(text) = is_file.then(|| fs::read_to_string(&file).ok()).flatten() else {
                continue;
            };
            let after = replaced(&text, &mut |address| self.url(repo, address, folder, served))?;
            if after != text {
                fs::write(&file, after).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
        Ok(())
    }

    /// Finds the sources that are not served, and those that are and that nothing pointed there.
    fn remark(&self, folder: &Path, served: &mut Served) -> Result<()> {
        let repo = served.repo.clone();
        for (_, app) in repo.applications() {
            for source in app.sources() {
                let address = source.repo_url();
                let is_there = [&served.home].into_iter().chain(served.sources.values());
                if is_there.into_iter().any(|repository| repository.url() == address) {
                    continue;
                }
                if !source.is_versioned() && self.url(&repo, address, folder, served)?.is_some() {
                    let name = app.name();
                    served
                        .remarks
                        .push(format!("`{name}` reads {address} itself: no manifest says so"));
                }
                served.elsewhere.insert(address.to_owned());
            }
        }
        let unknown = repo.unknown.iter();
        let unknown = unknown.map(|one| format!("what {} `{}` brings is not known: {}", one.kind, one.name, one.why));
        served.remarks.extend(unknown);
        Ok(())
    }

    /// Returns the URL at which the repository of an address is served; creates it on first use.
    fn url(&self, repo: &Repo, url: &str, folder: &Path, served: &mut Served) -> Result<Option<String>> {
        // A registry of charts.
        if url.starts_with("oci://") {
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

/// Reads a repository with all Applications that Argo CD would have.
fn read(staged: &Checkout, own: &[String]) -> Result<Repo> {
    let repo = read_with(staged, own, HelmOptions::default())?;
    if repo.unknown.iter().all(|unknown| unknown.kind == "ApplicationSet") {
        return Ok(repo);
    }
    // A chart of Applications, and perhaps no helm on this machine.
    let helm = HelmOptions {
        program: Some(tools::get("helm")?),
        ..HelmOptions::default()
    };
    read_with(staged, own, helm)
}

fn read_with(staged: &Checkout, own: &[String], helm: HelmOptions) -> Result<Repo> {
    let mut repo = Repo::read_with(staged, own, settings::read(staged)?)?;
    let options = Options {
        charts: ChartRenders::Kept,
        helm,
        ..Options::default()
    };
    sources::complete(&mut repo, staged, (&SourceDirs::default(), &options), &mut |_| {})?;
    Ok(repo)
}

/// Reports whether an Application renders others.
fn is_parent(repo: &Repo, name: &str) -> bool {
    renders(repo).any(|rendered| !rendered.is_chart && rendered.by == name)
}

/// Returns the folders of this repository whose charts render Applications.
fn charts_of_applications(repo: &Repo) -> BTreeSet<RepoPath> {
    let mut charts = BTreeSet::new();
    for rendered in renders(repo) {
        if rendered.is_chart {
            charts.extend(RepoPath::new(&rendered.by).ok());
            continue;
        }
        let parents = repo.applications().filter(|(_, app)| app.name() == rendered.by);
        let sources = parents.flat_map(|(_, app)| app.sources());
        let own = sources.filter(|source| !source.is_versioned() && repo.is_own(source.repo_url()));
        charts.extend(own.filter_map(|source| RepoPath::new(source.path()?).ok()));
    }
    charts
}

/// Returns the files and folders that sets take parameters from.
fn parameter_files(repo: &Repo) -> impl Iterator<Item = &RepoPath> {
    let origins = repo.derived.iter().map(|manifest| &manifest.origin);
    origins.flat_map(|origin| match origin {
        repo::Origin::Generated(generated) => generated.folders.as_slice(),
        _ => &[],
    })
}

/// Returns what renders each manifest that is rendered.
fn renders(repo: &Repo) -> impl Iterator<Item = &Rendered> {
    repo.derived.iter().filter_map(|manifest| match &manifest.origin {
        repo::Origin::Rendered(rendered) => Some(rendered),
        _ => None,
    })
}

/// Returns what of a source can point to a repository, with its place: all of it where it renders Applications, from values.
fn sources_own(source: &Source<'_>, is_parent: bool) -> (PointerBuf, Value) {
    let mut tree = source.tree().clone();
    if let Some(fields) = tree.as_object_mut()
        && !is_parent
    {
        fields.retain(|field, _| ["repoURL", "targetRevision", "chart"].contains(&field.as_str()));
    }
    (source.at(&[]), tree)
}

fn is_argo_cds(manifest: &Manifest) -> bool {
    let object = &manifest.object;
    manifest.is_written()
        && object.group() == "argoproj.io"
        && matches!(object.kind(), "Application" | "ApplicationSet" | "AppProject")
}

/// Returns the change of a manifest that is written: a document, or an item of the list in one.
fn change(manifest: &Manifest, mut operations: Vec<Value>) -> Result<Option<Change>> {
    let Some(base) = manifest.origin.base().filter(|_| !operations.is_empty()) else {
        return Ok(None);
    };
    for operation in &mut operations {
        let below = operation["path"].as_str().unwrap_or_default();
        operation["path"] = format!("{base}{below}").into();
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

#[cfg(test)]
mod tests {
    use std::process::Command;

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

    const SET: &str = r#"# apps
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: apps
  namespace: argo-cd
spec:
  goTemplate: true
  generators:
    - matrix:
        generators:
          - git:
              repoURL: git@git.example.org:me/home.git
              revision: production # what runs
              files:
                - path: apps/*/config.yaml
          - list:
              elements:
                - values: https://git.example.org/me/media
  template:
    metadata:
      name: '{{.path.basename}}'
    spec:
      project: default
      sources:
        - repoURL: '{{.home}}'
          targetRevision: HEAD
          path: '{{.path.path}}'
        - repoURL: '{{.values}}'
          path: chart
        - repoURL: https://charts.example.org
          chart: redis
          targetRevision: 1.0.0
      destination:
        server: https://kubernetes.default.svc
  templatePatch: |
    metadata:
      annotations:
        home: "https://git.example.org/me/home"
"#;

    #[test]
    fn sets_point_at_the_served_repositories_wherever_they_lie() {
        let (parent, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        clone(
            parent.path(),
            "media",
            "https://git.example.org/me/media",
            &[("chart/Chart.yaml", "name: media\n")],
        );
        let config = "home: https://git.example.org/me/home\n";
        let files = [("cluster/sets/apps.yaml", SET), ("apps/fetcher/config.yaml", config)];
        let home = clone(parent.path(), "home", "https://git.example.org/me/home", &files);
        let served = Origin::at(&home).unwrap().serve(target.path()).unwrap();

        let (home, media) = (served.home.url(), served.sources["media"].url());
        let (_, fetcher) = served.repo.application("fetcher").unwrap();
        let sources: Vec<(&str, &str)> = fetcher
            .sources()
            .iter()
            .map(|source| (source.tree()["repoURL"].as_str().unwrap(), source.target_revision()))
            .collect();
        assert_eq!(
            sources,
            [
                (home.as_str(), "HEAD"),
                (media.as_str(), "HEAD"),
                ("https://charts.example.org", "1.0.0")
            ]
        );
        assert_eq!(fetcher.object().annotation("home"), Some(home.as_str()));
        assert_eq!(fetcher.object().namespace(), Some("argocd"));
        let text = served.home.read("cluster/sets/apps.yaml").unwrap();
        assert!(
            text.starts_with("# apps\n") && text.contains("revision: main # what runs\n"),
            "{text}"
        );
        assert!(!text.contains("git.example.org"), "{text}");
        assert_eq!(
            served.remarks,
            ["`apps` asks for `production` of home and gets the checkout"]
        );
        assert_eq!(
            served.elsewhere,
            BTreeSet::from(["https://charts.example.org".to_owned()])
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
