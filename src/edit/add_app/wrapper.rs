//! A wrapper chart: a chart of this repository with one dependency, whose values stand below the name of that dependency.

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::folder::NewFolder;
use super::manifest::parameters;
use super::{Place, Request, namespace};
use crate::edit::source_override;
use crate::failure::HintExt;
use crate::model::application::PLUGIN_NAME;
use crate::model::parameter::Parameter;
use crate::model::{Application, repo_url};
use crate::repo::{Change, ChangeSet, Files, Repo};
use crate::yaml;

/// The chart that is wrapped.
struct Dependency {
    name: String,
    version: String,
    repository: String,
}

impl Dependency {
    /// Returns the chart that a request names.
    fn of(request: &Request, folder: &NewFolder<'_>) -> Result<Self> {
        let url = request.repo_url.clone().unwrap_or_default();
        let version = request.revision.clone().unwrap_or_default();
        let (name, repository) = match &request.place {
            Some(Place::Chart(name)) => (name.clone(), url),
            _ if url.starts_with("oci://") => {
                let (repository, name) = url.rsplit_once('/').context("the URL has no chart")?;
                (name.to_owned(), repository.to_owned())
            }
            _ => {
                let (set, path) = (folder.set.object.name(), &folder.folder);
                return Err(anyhow!(
                    "ApplicationSet `{set}` makes its Applications of folders of this repository, and `--path` names another one"
                )
                .hint(format!(
                    "name a chart with `--helm-chart`, or write the manifests into `{path}` by hand, and the parameters into `{path}/.argocd-source.yaml`"
                )));
            }
        };
        repo_url::usable(&repository, true)?;
        Ok(Self {
            name,
            version,
            repository,
        })
    }
}

/// Returns the changes that make the folder: a wrapper chart, and the file with the parameters; the Namespace first where that is asked
/// for.
///
/// # Errors
/// When the request names no chart, a parameter cannot be given to a wrapped one, or a file is there.
pub fn changes(repo: &Repo, files: &dyn Files, request: &Request, folder: &NewFolder<'_>) -> Result<ChangeSet> {
    let dependency = Dependency::of(request, folder)?;
    let mut changes = namespace::added(repo, request)?;
    let create = |name: &str, text: String| -> Result<Change> {
        Ok(Change::Create {
            path: folder.folder.join(name)?,
            text,
        })
    };
    let (list, values) = of_wrapper(&request.parameters, &dependency.name)?;
    let chart = json!({
        "apiVersion": "v2",
        "name": request.name.as_str(),
        "version": "0.1.0",
        "dependencies": [{"name": dependency.name, "version": dependency.version, "repository": dependency.repository}],
    });
    changes.changes.push(create("Chart.yaml", yaml::emit(&chart)?)?);
    changes.changes.push(create("values.yaml", values)?);
    let app = Application::new(&folder.app).context("not an Application")?;
    let plugin = plugin(folder, &list);
    let written = source_override::write(repo, files, &app, folder.position(), &plugin)?;
    changes.changes.extend(written.changes.changes);
    Ok(changes)
}

/// Refuses a request for which no folder can be made, before anything is rendered.
///
/// # Errors
/// Those of [`changes`] that are about the request and the set.
pub fn check(repo: &Repo, files: &dyn Files, request: &Request, folder: &NewFolder<'_>) -> Result<()> {
    folder.check(request)?;
    if !folder.makes_namespace() {
        namespace::check(repo, request)?;
    }
    changes(repo, files, request, folder).map(drop)
}

/// Returns the section `plugin` that the source shall have: that of the template, with the parameters behind.
fn plugin(folder: &NewFolder<'_>, list: &[Parameter]) -> Value {
    let mut plugin = folder.plugin().unwrap_or_else(|| json!({"name": PLUGIN_NAME}));
    let of_template = plugin
        .get("parameters")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let given = parameters(list);
    let given = given.as_array().cloned().unwrap_or_default();
    let mut all: Vec<Value> = of_template;
    for entry in given {
        match all.iter_mut().find(|known| known.get("name") == entry.get("name")) {
            Some(known) => *known = entry,
            None => all.push(entry),
        }
    }
    if !all.is_empty() {
        plugin["parameters"] = Value::Array(all);
    }
    plugin
}

/// Returns the parameters of the wrapper chart, and the text of its values: those of the wrapped chart stand below its name.
fn of_wrapper(list: &[Parameter], name: &str) -> Result<(Vec<Parameter>, String)> {
    let mut values = format!("{name}: {{}}\n");
    let mut kept = Vec::new();
    for parameter in list {
        match parameter.name.as_str() {
            "values" => values = below(name, parameter.string.as_deref().unwrap_or_default())?,
            "values-files" => {
                return Err(anyhow!(
                    "`--values` names a file of values of `{name}`, which would have to stand below `{name}:`"
                )
                .hint("give its values with `--values-literal-file`"));
            }
            "helm-parameters" => {
                let below =
                    |(key, value): (&String, &String)| (format!("{}.{key}", name.replace('.', "\\.")), value.clone());
                kept.push(Parameter {
                    map: parameter.map.as_ref().map(|map| map.iter().map(below).collect()),
                    ..parameter.clone()
                });
            }
            _ => kept.push(parameter.clone()),
        }
    }
    Ok((kept, values))
}

/// Returns values below a key, with their comments.
fn below(name: &str, text: &str) -> Result<String> {
    let Some(value) = yaml::value(text).map_err(|error| anyhow!("the values: {error}"))? else {
        return Ok(format!("{name}: {{}}\n"));
    };
    if !value.is_object() {
        bail!("the values are not a map");
    }
    let lines = text.lines().filter(|line| !line.starts_with("---"));
    let lines = lines.map(|line| match line.is_empty() {
        true => "\n".to_owned(),
        false => format!("  {line}\n"),
    });
    let indented = format!("{name}:\n{}", lines.collect::<String>());
    let wanted = json!({ name: value });
    match yaml::value(&indented).ok().flatten() == Some(wanted.clone()) {
        true => Ok(indented),
        false => yaml::emit(&wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_below_the_wrapped_chart() {
        for (text, expected) in [
            ("", "web: {}\n"),
            (
                "# about\na: 1\n\nb: |\n  text\n",
                "web:\n  # about\n  a: 1\n\n  b: |\n    text\n",
            ),
            ("---\na: 1\n", "web:\n  a: 1\n"),
            ("{a: 1}\n", "web:\n  {a: 1}\n"),
        ] {
            assert_eq!(below("web", text).unwrap(), expected, "{text}");
        }
        assert!(below("web", "- a\n").is_err());
        let set = Parameter {
            name: "helm-parameters".to_owned(),
            map: Some([("a.b".to_owned(), "c".to_owned())].into()),
            ..Parameter::default()
        };
        let (kept, _) = of_wrapper(&[set], "web").unwrap();
        assert_eq!(kept[0].map, Some([("web.a.b".to_owned(), "c".to_owned())].into()));
    }
}
