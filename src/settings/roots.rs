//! The key `roots` of `.homelab.yaml`.

use std::collections::BTreeMap;

use super::entry::{Entry, Fault};
use crate::model::settings::Root;
use crate::model::{NamespaceName, Settings};
use crate::repo::RepoPath;

const FIELDS: [&str; 5] = ["path", "name", "namespace", "values", "parameters"];
const HINT: &str = "write a list of maps, as `[{path: bootstrap}]`";

pub(super) fn read(settings: &mut Settings, entry: &Entry<'_>) -> Vec<Fault> {
    let Some(items) = entry.items() else {
        return vec![entry.fault("`roots` is not a list", HINT)];
    };
    let mut faults = Vec::new();
    for item in items {
        match root(&item) {
            Ok(root) if settings.roots.contains(&root) => {
                faults.push(item.fault("this root stands here a second time", "write every root once"));
            }
            Ok(root) => settings.roots.push(root),
            Err(found) => faults.extend(found),
        }
    }
    faults
}

fn root(item: &Entry<'_>) -> Result<Root, Vec<Fault>> {
    let fields = item.fields(&FIELDS)?;
    let Some(path) = fields.get("path") else {
        return Err(vec![item.fault("a root has no `path`", HINT)]);
    };
    let folder = self::path(path).map_err(|fault| vec![fault])?;
    let name = match fields.get("name") {
        Some(name) => self::name(name).map_err(|fault| vec![fault])?,
        None if folder.is_root() => {
            let hint = "add `name`, that of the instance or release";
            return Err(vec![item.fault("the root at the repository's top has no name", hint)]);
        }
        None => folder.file_name().to_owned(),
    };
    let namespace = fields.get("namespace").map(|entry| match entry.value.as_str() {
        Some(text) if NamespaceName::new(text).is_ok() => Ok(text.to_owned()),
        _ => {
            Err(vec![entry.fault(
                "not the name of a namespace",
                "write that of Argo CD, as `argocd`",
            )])
        }
    });
    let parameters = fields.get("parameters").map(parameters);
    Ok(Root {
        path: folder.as_str().to_owned(),
        name,
        namespace: namespace.transpose()?,
        values: fields.get("values").map(values).transpose()?.unwrap_or_default(),
        parameters: parameters.transpose()?.unwrap_or_default(),
    })
}

fn path(entry: &Entry<'_>) -> Result<RepoPath, Fault> {
    let text = entry.value.as_str().filter(|text| !text.is_empty());
    let path = text.and_then(|text| RepoPath::new(text).ok());
    path.ok_or_else(|| {
        entry.fault(
            "not a path in the repository",
            "write it from the repository's top, as `apps/root`",
        )
    })
}

fn name(entry: &Entry<'_>) -> Result<String, Fault> {
    let name = entry.text().filter(|text| !text.is_empty());
    name.ok_or_else(|| entry.fault("not a name", "write that of the instance or release"))
}

fn values(entry: &Entry<'_>) -> Result<Vec<String>, Vec<Fault>> {
    let Some(items) = entry.items() else {
        let hint = "write a list of files from the repository's top";
        return Err(vec![entry.fault("`values` is not a list", hint)]);
    };
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for item in items {
        match path(&item) {
            Ok(file) => values.push(file.as_str().to_owned()),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

fn parameters(entry: &Entry<'_>) -> Result<BTreeMap<String, String>, Vec<Fault>> {
    entry.texts("write a map of texts, as `{cluster: home, ingress.host: home.lan}`")
}
