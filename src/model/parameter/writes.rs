//! What the lock on writes needs to know: whose templates are, and who else writes claims.

use super::each;
use super::spec::{Shape, Spec, spec};
use crate::model::writer::ClaimWriter;

/// How the templates of an Application are stamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// Not at all.
    #[default]
    None,
    /// Templates that mount a claim have a label with the Application's name.
    Templates,
    /// The same, and Jobs that have it not yet are deleted and created again at each sync: a Job's template cannot change.
    RecreatesJobs,
}

/// The parameter that stamps templates.
pub const STAMP_APP: &str = "stamp-app";
/// The value by which Jobs are created again.
pub const RECREATE_JOBS: &str = "recreate-jobs";

pub(super) const STAMPS: Spec = spec(
    STAMP_APP,
    Shape::String,
    "Stamp templates",
    "`true` gives pod templates that mount a claim, and no others, the label `storage.home.arpa/app` with the Application's name, by which the lock knows who writes; their pods restart once. `recreate-jobs` also has Argo CD delete such Jobs that are no hooks, and create them again, at each sync. `kubectl homelab lock enable writes` writes it.",
    |parameters, given| {
        parameters.stamp_app = match given.string.as_deref() {
            None | Some("" | "false") => Stamp::None,
            Some("true") => Stamp::Templates,
            Some(RECREATE_JOBS) => Stamp::RecreatesJobs,
            Some(_) => {
                return Err(vec![format!(
                    "it is neither \"true\", \"false\" nor \"{RECREATE_JOBS}\""
                )]);
            }
        };
        Ok(())
    },
);

pub(super) const WRITERS: Spec = spec(
    "writers",
    Shape::Array,
    "Other writers",
    "For the source of the Namespaces: who writes claims besides the Applications that have them in `owns` or `writes`, each as `NAMESPACE/CLAIM=APP`, or as `NAMESPACE/CLAIM=serviceaccount:NAME` for a program that makes its pods itself, such as a backup. They are in the ownership registry, and the lock lets them write.",
    |parameters, given| {
        parameters.writers = each(given.list(), str::parse::<ClaimWriter>)?;
        Ok(())
    },
);
