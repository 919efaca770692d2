//! The Application that renders a Namespace by the plugin: its parameter `keeps` remembers whose the claims there were.

use super::{Scope, Subject};
use crate::model::Cluster;
use crate::model::namespace::is_namespace;

/// Returns the Application that brings a Namespace to a cluster, if the plugin renders it.
pub fn keeper<'s, 'a>(scope: &'s Scope<'a>, cluster: &Cluster, namespace: &str) -> Option<&'s Subject<'a>> {
    let brings = |subject: &&Subject<'_>| {
        let mut objects = subject.notable_items().map(|item| item.object());
        subject.cluster.may_be(cluster) && objects.any(|object| is_namespace(object) && object.name() == namespace)
    };
    let is_of_plugin = |subject: &&Subject<'_>| subject.uses_homelab_plugin() && !subject.has_wrong_parameters();
    scope.subjects.iter().filter(brings).find(is_of_plugin)
}
