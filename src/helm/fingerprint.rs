//! The key of a render: a digest of all that helm reads and is told, so that equal keys mean equal renders.
//!
//! Helm runs in an environment of its own ([`super::sandbox`]), so that nothing else counts: not the user's folders, plugins
//! and repositories, not the place of the chart. What comes from the network is not in the key; a render that depends on it
//! says so ([`crate::render::Raw::is_settled`]).

use anyhow::Result;

use super::{Checkouts, LazyHelm, REMOTE_SCHEMAS_VARIABLE, dependencies, find_program};
use crate::disk::Fingerprint;
use crate::render::{Argument, HelmCall};

/// The version of what a key means; it changes whenever helm is called differently, or entries are made differently.
const GENERATION: &str = "2";
/// The variables that change what is printed.
const VARIABLES: [&str; 3] = ["TZ", "GODEBUG", REMOTE_SCHEMAS_VARIABLE];

/// Returns the key of a call.
///
/// # Errors
/// When something cannot be read, or nobody knows which helm it is; the render itself says more.
pub(super) fn of(helm: &LazyHelm, call: &HelmCall) -> Result<String> {
    let files = helm.checkouts.get(&call.tree)?;
    let mut key = Fingerprint::new(GENERATION);
    add_program(&mut key, helm)?;
    for argument in &call.arguments {
        add_argument(&mut key, &helm.checkouts, argument)?;
    }
    key.add(b"chart");
    key.folder(files, &call.chart, "")?;
    for text in dependencies::places(files, &call.chart)? {
        key.add(text.as_bytes());
    }
    for folder in dependencies::folders(files, &call.chart)? {
        key.folder(files, &folder, folder.as_str())?;
    }
    Ok(key.finish())
}

/// Adds helm itself, and what it gets besides its arguments.
///
/// # Errors
/// When nobody knows which helm it is.
pub(super) fn add_program(key: &mut Fingerprint, helm: &LazyHelm) -> Result<()> {
    key.program(&find_program(helm.program.as_deref())?, "helm")?;
    key.variables(&VARIABLES);
    // Values are not held against some schemas without it.
    key.add(&[u8::from(helm.network)]);
    Ok(())
}

fn add_argument(key: &mut Fingerprint, checkouts: &Checkouts, argument: &Argument) -> Result<()> {
    match argument {
        Argument::Text(text) => key.named("text", text.as_bytes()),
        Argument::Temporary(text) => key.named("values", text.as_bytes()),
        Argument::File(tree, path) => {
            key.add(b"file");
            key.file(checkouts.get(tree)?, path)?;
        }
        Argument::SetFile(name, tree, path) => {
            key.named("value", name.as_bytes());
            key.file(checkouts.get(tree)?, path)?;
        }
    }
    Ok(())
}
