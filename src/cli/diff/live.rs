//! The guards in a cluster.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};

use crate::cluster::{Cluster, Resource};
use crate::compare::Place;
use crate::failure::HintExt;
use crate::model::{Cluster as Destination, Object};

/// Reads the claims, volumes and Namespaces of the cluster that Argo CD runs in.
///
/// # Errors
/// When the cluster does not answer, or the user may not read them.
pub(super) fn read(cluster: &Cluster) -> Result<BTreeMap<Place, Object>> {
    let mut found = BTreeMap::new();
    for resource in [Resource::Claims, Resource::Namespaces, Resource::Volumes] {
        let objects = cluster.all(resource, None)?.map_err(|denied| {
            anyhow!("the guards in the cluster cannot be read: {denied}")
                .hint("ask for that right, or leave out `--live-guards`")
        })?;
        let placed = objects.into_iter().filter_map(|object| {
            let place = Place {
                cluster: Destination::Local,
                object: object.reference()?,
            };
            Some((place, object))
        });
        found.extend(placed);
    }
    Ok(found)
}
