//! `values.schema.json`: what helm loads for the schemas of a chart besides the schemas themselves.
//!
//! Helm would read a file of the server for a `$ref` that resolves to one, which is refused. What a schema refers to on the
//! network may itself refer to a file; whoever answers there is trusted, or the network is forbidden.
//!
//! ```text
//! loaded      the schemas of a chart and its subcharts      references  what a schema makes helm load
//! ignore      `.helmignore`                                 draft       the keywords of JSON Schema's versions
//!                                                           url         references, resolved as Go resolves them
//! ```

mod draft;
mod ignore;
mod loaded;
mod references;
mod url;

use anyhow::{Result, anyhow};
use serde_json::Value;

use self::draft::Draft;
use self::loaded::Schema;
use self::references::Load;
use crate::failure::HintExt;
use crate::repo::{Files, RepoPath};

pub use self::loaded::entry_name;

/// The way out of everything that is wrong with a schema.
pub const SKIP: &str = "validate without it: set the parameter `skip-schema-validation` to \"true\"";

/// A schema of a chart that refers to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteReference {
    /// The file with the schema.
    pub schema: String,
    /// The address, without a login.
    pub url: String,
}

/// Returns the first reference to the network of each schema that helm loads with a chart.
///
/// # Errors
/// When a schema refers to a file, or it cannot be read.
pub fn remote_references(files: &dyn Files, chart: &RepoPath) -> Result<Vec<RemoteReference>> {
    let schemas = loaded::schemas(files, chart)?;
    let references = schemas.iter().map(remote_reference);
    references.filter_map(Result::transpose).collect()
}

fn remote_reference(Schema { place, bytes }: &Schema) -> Result<Option<RemoteReference>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let schema: Value = serde_json::from_slice(bytes)
        .map_err(|error| anyhow!("{place}:{}:{}: not JSON", error.line(), error.column()).hint(SKIP))?;
    let loads = references::loads(&schema);
    if let Some(load) = loads.iter().find(|load| is_file(load)) {
        let shown = match load.reference.contains("://") {
            true => load.url.shown(),
            false => load.reference.clone(),
        };
        return Err(
            anyhow!("`{place}` refers to the file `{shown}`, which helm looks for outside the chart").hint(format!(
                "put it under `$defs` of the schema itself, give the schema the `$id` of the place where it is published, or {SKIP}"
            )),
        );
    }
    let remote = loads.iter().find(|load| is_remote(load));
    Ok(remote.map(|load| RemoteReference {
        schema: place.clone(),
        url: load.url.shown(),
    }))
}

/// Reports whether helm reads a file for a reference, or nobody knows what it does. It takes a `urn:` that it does not know
/// for a schema that allows everything.
fn is_file(load: &Load) -> bool {
    load.url.on_network().is_none() && load.url.scheme() != "urn"
}

/// Reports whether helm asks the network for a reference: the drafts of JSON Schema are built in.
fn is_remote(load: &Load) -> bool {
    let is_built_in =
        |(host, path): (&str, &str)| host == "json-schema.org" && Draft::is_built_in(path) && !load.url.has_query();
    load.url.on_network().is_some_and(|place| !is_built_in(place))
}

#[cfg(test)]
mod tests;
