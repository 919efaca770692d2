//! A chart of a Helm repository or a registry whose values are in this repository: the folder with the values is the source, and
//! the chart stands in the parameters.

use anyhow::{Context, Result, anyhow};

use super::{Place, Request};
use crate::failure::HintExt;
use crate::model::chart_reference::OF_CHART;
use crate::model::parameter::Parameter;
use crate::model::version::is_exact;
use crate::model::{ChartReference, Source};
use crate::repo::{Repo, RepoPath};

/// The value file that is taken where none is named.
const VALUES: &str = "values.yaml";
const FILES: &str = "values-files";
/// The parameters that stand before those of the chart.
const FIRST: [&str; 3] = ["owns", "mounts", "writes"];

/// Turns a request for a chart round that has its values in this repository: in a folder that is named, or in a file that is
/// named from the root. Any other request stays as it is.
///
/// # Errors
/// When it is about no chart, the chart has no exact version, a file or the folder is not there, or nobody knows the URL of
/// this repository.
pub fn turn_round(repo: &Repo, request: &mut Request, folder: Option<&RepoPath>) -> Result<()> {
    let position = request.parameters.iter().position(|parameter| parameter.name == FILES);
    let named = position.and_then(|position| request.parameters[position].array.clone());
    let named = named.unwrap_or_default();
    let of_chart = is_of_chart(request);
    let rooted = named.iter().rev().find_map(|file| file.strip_prefix('/'));
    let rooted = rooted.map(str::to_owned);
    let folder = match (folder, rooted.as_deref().filter(|_| of_chart)) {
        (Some(folder), _) => folder.clone(),
        (None, Some(file)) => RepoPath::new(file)?.parent(),
        (None, None) => return Ok(()),
    };
    if !of_chart {
        return Err(
            anyhow!("`--values-dir` is for a chart of a Helm repository or a registry")
                .hint("name one with `--repo URL --helm-chart NAME` or `--chart oci://…`, or leave `--values-dir` out"),
        );
    }
    let chart = chart(request)?;
    let files = files(repo, &folder, named, rooted.is_some())?;
    let (url, revision) = own(repo)?;
    if let Some(position) = position {
        request.parameters.remove(position);
    }
    let at = request
        .parameters
        .iter()
        .position(|parameter| !FIRST.contains(&parameter.name.as_str()));
    let at = at.unwrap_or(request.parameters.len());
    let text = |name: &str, text: String| Parameter {
        name: name.to_owned(),
        string: Some(text),
        ..Parameter::default()
    };
    let array = Parameter {
        name: FILES.to_owned(),
        array: Some(files.iter().map(|(name, _)| name.clone()).collect()),
        ..Parameter::default()
    };
    let added = [
        text("chart", chart.name),
        text("chart-repo", chart.repository),
        text("chart-version", chart.version),
        array,
    ];
    request.parameters.splice(at..at, added);
    request
        .reads
        .extend(files.into_iter().filter_map(|(_, outside)| outside));
    request.repo_url = Some(url);
    request.place = Some(Place::Path(folder.to_string()));
    request.revision = Some(revision);
    Ok(())
}

fn is_of_chart(request: &Request) -> bool {
    let is_registry = request.repo_url.as_deref().is_some_and(|url| url.starts_with("oci://"));
    matches!(request.place, Some(Place::Chart(_))) || is_registry
}

fn chart(request: &Request) -> Result<ChartReference> {
    let name = match &request.place {
        Some(Place::Chart(name)) => Some(name.as_str()),
        _ => None,
    };
    let url = request.repo_url.as_deref();
    let url = url.ok_or_else(|| anyhow!("the chart has no repository").hint("name it with `--repo URL`"))?;
    let version = request.revision.as_deref().filter(|version| is_exact(version));
    let version = version.ok_or_else(|| {
        anyhow!("a chart whose values are in this repository needs one version").hint("name it as `--revision 1.2.3`")
    })?;
    ChartReference::of_source(url, name, version).context("the address has no chart in it")
}

/// Returns the value files as parameters name them, each with its path where it is outside of the folder.
fn files(
    repo: &Repo,
    folder: &RepoPath,
    named: Vec<String>,
    is_by_root: bool,
) -> Result<Vec<(String, Option<RepoPath>)>> {
    if !folder.is_root() && !repo.has_folder(folder) {
        return Err(anyhow!("there is no folder `{folder}` in this repository")
            .hint("write the values there first, or name another folder with `--values-dir`"));
    }
    if named.is_empty() {
        let file = folder.join(VALUES)?;
        return match repo.has_file(&file) {
            true => Ok(vec![(VALUES.to_owned(), None)]),
            false => Err(anyhow!("there is no `{file}` in this repository")
                .hint("write the values there first, or name value files with `--values FILE`")),
        };
    }
    named
        .into_iter()
        .map(|name| file(repo, folder, name, is_by_root))
        .collect()
}

fn file(repo: &Repo, folder: &RepoPath, name: String, is_by_root: bool) -> Result<(String, Option<RepoPath>)> {
    if name.starts_with(OF_CHART) || name.contains("://") {
        return Ok((name, None));
    }
    let path = match name.strip_prefix('/') {
        Some(from_root) => RepoPath::new(from_root)?,
        // Without a folder, a name that starts nowhere is one of the chart, as it is without values in Git.
        None if is_by_root && !repo.has_file(&folder.join(&name)?) => return Ok((format!("{OF_CHART}{name}"), None)),
        None => folder.join(&name)?,
    };
    let is_pattern = name.contains(['*', '?', '[', '$']);
    if !is_pattern && !repo.has_file(&path) {
        return Err(
            anyhow!("there is no value file `{path}` in this repository").hint(format!(
                "write it first; a file of the chart itself is `{OF_CHART}{name}`"
            )),
        );
    }
    let below = path
        .as_str()
        .strip_prefix(folder.as_str())
        .map(|rest| rest.trim_start_matches('/'));
    match below.filter(|_| path.is_in(folder)) {
        Some(below) => Ok((below.to_owned(), None)),
        None => Ok((format!("/{}", path.as_str()), (!is_pattern).then_some(path))),
    }
}

/// Returns the URL of this repository, and the revision that its Applications are synced at.
fn own(repo: &Repo) -> Result<(String, String)> {
    let root = repo.root_application();
    let sources = root.map(|(_, app)| app.sources()).unwrap_or_default();
    let source = sources.iter().find(|source| repo.is_own(source.repo_url()));
    let url = source
        .map(Source::repo_url)
        .or(repo.own_urls.first().map(String::as_str));
    let url = url.ok_or_else(|| {
        anyhow!("nobody knows the URL of this repository, where the values are")
            .hint("add a remote with `git remote add origin URL`, or a root Application with `kubectl homelab init`")
    })?;
    let revision = source.map_or("HEAD", Source::target_revision);
    Ok((url.to_owned(), revision.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::add_app::tests::request as any;
    use crate::repo::Memory;

    const ROOT: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root}\nspec:\n  source: {repoURL: https://git.example.org/home, path: applications, targetRevision: main}\n";

    fn repo() -> Repo {
        let files = [
            ("applications/root.yaml", ROOT),
            ("apps/web/values.yaml", "a: 1\n"),
            ("shared/values.yaml", "a: 0\n"),
        ];
        Repo::read(&Memory::new(files).unwrap(), &[]).unwrap()
    }

    fn request(values: &[&str]) -> Request {
        let array = values.iter().map(|file| (*file).to_owned()).collect();
        let files = Parameter {
            name: FILES.to_owned(),
            array: Some(array),
            ..Parameter::default()
        };
        Request {
            repo_url: Some("https://charts.example.org".to_owned()),
            place: Some(Place::Chart("web".to_owned())),
            revision: Some("1.2.3".to_owned()),
            parameters: if values.is_empty() { Vec::new() } else { vec![files] },
            ..any()
        }
    }

    fn turned(mut request: Request, folder: Option<&str>) -> Result<Request> {
        let folder = folder.map(|folder| RepoPath::new(folder).unwrap());
        turn_round(&repo(), &mut request, folder.as_ref()).map(|()| request)
    }

    #[test]
    fn the_folder_with_the_values_becomes_the_source() {
        for (values, folder, files, reads) in [
            (&[][..], Some("apps/web"), &["values.yaml"][..], &[][..]),
            (&["/apps/web/values.yaml"], None, &["values.yaml"], &[]),
            (
                &["chart:prod.yaml", "/shared/values.yaml", "values.yaml"],
                Some("apps/web"),
                &["chart:prod.yaml", "/shared/values.yaml", "values.yaml"],
                &["shared/values.yaml"],
            ),
            (
                &["prod.yaml", "/shared/values.yaml", "/apps/web/values.yaml"],
                None,
                &["chart:prod.yaml", "/shared/values.yaml", "values.yaml"],
                &["shared/values.yaml"],
            ),
        ] {
            let request = turned(request(values), folder).unwrap();
            assert_eq!(request.place, Some(Place::Path("apps/web".to_owned())));
            assert_eq!(request.repo_url.as_deref(), Some("https://git.example.org/home"));
            assert_eq!(request.revision.as_deref(), Some("main"));
            let names: Vec<&str> = request
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str())
                .collect();
            assert_eq!(names, ["chart", "chart-repo", "chart-version", "values-files"]);
            assert_eq!(request.parameters[3].array.as_deref().unwrap(), files);
            let paths: Vec<&str> = request.reads.iter().map(RepoPath::as_str).collect();
            assert_eq!(paths, reads);
        }
        let registry = Request {
            repo_url: Some("oci://r.example.org/charts/web".to_owned()),
            place: Some(Place::Path(".".to_owned())),
            ..request(&[])
        };
        let registry = turned(registry, Some("apps/web")).unwrap();
        assert_eq!(
            registry.parameters[1].string.as_deref(),
            Some("oci://r.example.org/charts")
        );
        let unchanged = turned(request(&["prod.yaml"]), None).unwrap();
        assert_eq!(unchanged.place, Some(Place::Chart("web".to_owned())));
    }

    #[test]
    fn what_is_missing_is_said() {
        let range = Request {
            revision: Some("1.x".to_owned()),
            ..request(&[])
        };
        let folder = Request {
            place: Some(Place::Path("x".to_owned())),
            ..request(&[])
        };
        for (request, at, part) in [
            (range, "apps/web", "needs one version"),
            (folder, "apps/web", "`--values-dir` is for a chart"),
            (request(&[]), "apps/gone", "there is no folder `apps/gone`"),
            (request(&[]), "apps", "there is no `apps/values.yaml`"),
            (
                request(&["gone.yaml"]),
                "apps/web",
                "there is no value file `apps/web/gone.yaml`",
            ),
        ] {
            let error = turned(request, Some(at)).unwrap_err().to_string();
            assert!(error.contains(part), "{part} in {error}");
        }
    }
}
