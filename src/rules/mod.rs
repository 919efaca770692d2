//! Checks on the repository and on what it renders: one rule per file, one list ([`ALL`]).
//!
//! # How to add a rule
//!
//! 1. One file named after the rule, with its description (`META`; `explain` prints [`Meta::why`]) and the function
//!    that finds what breaks it, in each Application or once in the whole ([`Check`]), together its `RULE`.
//! 2. One line in [`ALL`].
//! 3. Three tests in the file: it fires, it stays silent, its fix (if it has one) removes it.

pub mod baseline;
#[cfg(test)]
pub(crate) mod case;
pub mod check_report;
mod doubt;
pub mod finding;
pub mod fixer;
pub mod fixes;
mod ignore;
pub mod installation;
pub mod outcome;
mod reference;
pub mod scope;
mod selection;
pub mod subject;

mod allow_empty_disabled;
mod annotation_is_known;
mod application_name_is_unique;
mod chart_version_is_pinned;
mod child_has_finalizer;
mod claim_has_one_owner;
mod claim_has_one_writer;
pub mod claim_keeps_fixed_fields;
mod claim_namespace_matches;
mod claim_sync_wave_matches_consumer;
mod claim_volume_is_mounted;
mod claims_are_not_replaced;
mod consumer_does_not_render_claim;
mod consumer_has_producer_group;
mod consumer_keeps_file_groups;
mod consumer_mounts_read_only;
mod cron_job_forbids_concurrent_runs;
mod declared;
mod declared_writer_is_there;
mod deployment_recreates_pods;
mod destination_is_one_cluster;
mod field_has_its_type;
mod field_is_known;
mod foreign_claim_only_in_pod_templates;
mod host_path_is_of_one_node;
mod ignore_comment_is_needed;
mod ignore_comment_names_rules;
mod keeper;
mod kept_claim_has_no_owner;
mod kind_is_known;
mod latest_image_is_pulled;
mod local_path_is_of_one_node;
pub mod lock_is_current;
mod mount_is_not_nested;
pub mod mounted_claim_has_owner;
mod moved_claim_has_new_owner;
mod moved_from_names_old_owner;
mod namespace_has_one_creator;
mod namespace_has_pod_security;
pub mod namespace_is_guarded;
mod namespace_is_synced;
pub mod namespace_with_claims_is_declared;
mod no_claim_is_released;
mod override_field_is_known;
mod override_lists_match;
mod owned_claim_ignores_extraneous;
pub mod owned_claim_is_guarded;
mod owned_claim_is_not_forgotten;
mod owned_claim_is_still_rendered;
mod parameters_are_valid;
mod pause_is_not_over;
mod plugin_name_is_known;
mod pod_fits_on_one_node;
mod programs_have_their_own_pods;
mod project_permits_application;
mod projects;
mod quoted;
mod reads_are_watched;
mod registry_reads_are_watched;
mod remote_resource_is_pinned;
mod rendered_claim_is_in_owns;
mod repo_url_has_no_placeholder;
mod repo_url_is_usable;
mod resource_policy_is_not_sole_guard;
mod retry_refreshes;
pub mod root_application_exists;
mod secret_is_encrypted;
mod shared_claim_allows_many_pods;
mod shared_directory_has_one_writer;
mod shared_objects;
mod source_has_one_tool;
mod source_is_complete;
mod source_or_sources;
mod stateful_set_retains_claims;
mod storage;
mod storage_class_exists;
mod sync_option_is_known;
mod unrendered;
mod value_files_have_no_ref;
mod value_is_known;
pub mod variable_is_known;
mod volume_is_read_only;
mod writing_template_is_stamped;

use crate::model::spelling::nearest;

pub use baseline::Baseline;
pub use check_report::{CheckReport, Skipped};
pub use declared::Declared;
pub use finding::{Finding, Fix, Location, Severity};
pub use ignore::{Ignore, Ignored};
pub use keeper::keeper;
pub use outcome::{Outcome, check_all};
pub use projects::Refused;
pub use scope::{Base, Scope};
pub use selection::Selection;
pub use subject::{Item, Subject};

/// The description of a rule, for `validate`, `explain` and the documentation.
#[derive(Debug, PartialEq, Eq)]
pub struct Meta {
    /// Stable id, as `HL101`.
    pub id: &'static str,
    /// Stable name, as the file: `owned-claim-is-guarded`.
    pub name: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    /// What must hold, in a sentence.
    pub summary: &'static str,
    /// Why, and what to do: a paragraph for `explain`, with a link to the rule's source where there is one.
    pub why: &'static str,
}

/// One check of a repository and what it renders.
#[derive(Debug)]
pub struct Rule {
    /// Id, name and explanation.
    pub meta: &'static Meta,
    /// Finds what breaks the rule.
    pub check: Check,
}

/// The function that finds everything that breaks a rule.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Called for each Application: with all that is known, and the Application whose findings are asked for.
    Each(fn(&Scope<'_>, &Subject<'_>) -> Vec<Finding>),
    /// Called for each object that the repository declares or only renders.
    Object(fn(&Declared<'_>) -> Vec<Finding>),
    /// Called once.
    Whole(fn(&Scope<'_>) -> Vec<Finding>),
    /// Called once, after all others: with the comments that ignore findings, and what they did.
    Comments(fn(&Scope<'_>, &[Ignore]) -> Vec<Finding>),
}

impl Rule {
    /// Finds what breaks the rule in one Application; nothing for a rule on the whole.
    fn on_each(&self, scope: &Scope<'_>, subject: &Subject<'_>) -> Vec<Finding> {
        match self.check {
            Check::Each(check) => {
                let findings = check(scope, subject).into_iter();
                findings.map(|finding| subject.fitted(finding)).collect()
            }
            Check::Object(_) | Check::Whole(_) | Check::Comments(_) => Vec::new(),
        }
    }

    /// Finds what breaks the rule in one object; nothing for a rule on something else.
    fn on_object(&self, declared: &Declared<'_>) -> Vec<Finding> {
        match self.check {
            Check::Object(check) => check(declared),
            Check::Each(_) | Check::Whole(_) | Check::Comments(_) => Vec::new(),
        }
    }

    /// Finds what is wrong with comments; nothing for a rule on something else.
    fn on_comments(&self, scope: &Scope<'_>, ignores: &[Ignore]) -> Vec<Finding> {
        match self.check {
            Check::Comments(check) => check(scope, ignores),
            Check::Each(_) | Check::Object(_) | Check::Whole(_) => Vec::new(),
        }
    }

    /// Finds what breaks a rule on the whole; nothing for a rule on each Application.
    fn on_whole(&self, scope: &Scope<'_>) -> Vec<Finding> {
        match self.check {
            Check::Each(_) | Check::Object(_) | Check::Comments(_) => Vec::new(),
            Check::Whole(check) => check(scope),
        }
    }
}

/// Every rule, in the order of the ids.
pub static ALL: &[&Rule] = &[
    &owned_claim_is_guarded::RULE,
    &owned_claim_ignores_extraneous::RULE,
    &resource_policy_is_not_sole_guard::RULE,
    &claim_has_one_owner::RULE,
    &mounted_claim_has_owner::RULE,
    &consumer_does_not_render_claim::RULE,
    &consumer_mounts_read_only::RULE,
    &volume_is_read_only::RULE,
    &claim_namespace_matches::RULE,
    &shared_claim_allows_many_pods::RULE,
    &consumer_has_producer_group::RULE,
    &consumer_keeps_file_groups::RULE,
    &deployment_recreates_pods::RULE,
    &cron_job_forbids_concurrent_runs::RULE,
    &local_path_is_of_one_node::RULE,
    &pod_fits_on_one_node::RULE,
    &host_path_is_of_one_node::RULE,
    &claim_keeps_fixed_fields::RULE,
    &owned_claim_is_still_rendered::RULE,
    &storage_class_exists::RULE,
    &claim_sync_wave_matches_consumer::RULE,
    &mount_is_not_nested::RULE,
    &claim_has_one_writer::RULE,
    &rendered_claim_is_in_owns::RULE,
    &shared_directory_has_one_writer::RULE,
    &foreign_claim_only_in_pod_templates::RULE,
    &stateful_set_retains_claims::RULE,
    &lock_is_current::RULE,
    &owned_claim_is_not_forgotten::RULE,
    &kept_claim_has_no_owner::RULE,
    &moved_claim_has_new_owner::RULE,
    &moved_from_names_old_owner::RULE,
    &no_claim_is_released::RULE,
    &writing_template_is_stamped::RULE,
    &claim_volume_is_mounted::RULE,
    &programs_have_their_own_pods::RULE,
    &declared_writer_is_there::RULE,
    &namespace_is_guarded::RULE,
    &namespace_has_one_creator::RULE,
    &namespace_has_pod_security::RULE,
    &namespace_with_claims_is_declared::RULE,
    &namespace_is_synced::RULE,
    &registry_reads_are_watched::RULE,
    &reads_are_watched::RULE,
    &sync_option_is_known::RULE,
    &claims_are_not_replaced::RULE,
    &allow_empty_disabled::RULE,
    &source_has_one_tool::RULE,
    &value_files_have_no_ref::RULE,
    &retry_refreshes::RULE,
    &child_has_finalizer::RULE,
    &chart_version_is_pinned::RULE,
    &parameters_are_valid::RULE,
    &field_is_known::RULE,
    &field_has_its_type::RULE,
    &kind_is_known::RULE,
    &destination_is_one_cluster::RULE,
    &source_is_complete::RULE,
    &source_or_sources::RULE,
    &plugin_name_is_known::RULE,
    &annotation_is_known::RULE,
    &variable_is_known::RULE,
    &override_lists_match::RULE,
    &override_field_is_known::RULE,
    &remote_resource_is_pinned::RULE,
    &pause_is_not_over::RULE,
    &project_permits_application::RULE,
    &value_is_known::RULE,
    &secret_is_encrypted::RULE,
    &latest_image_is_pulled::RULE,
    &root_application_exists::RULE,
    &application_name_is_unique::RULE,
    &repo_url_has_no_placeholder::RULE,
    &repo_url_is_usable::RULE,
    &ignore_comment_is_needed::RULE,
    &ignore_comment_names_rules::RULE,
];

/// Returns the description of every rule: of those on the repository, then of those on an installation of Argo CD.
pub fn metas() -> impl Iterator<Item = &'static Meta> {
    let installation = installation::ALL.iter().map(|rule| rule.meta);
    ALL.iter().map(|rule| rule.meta).chain(installation)
}

/// The rules that cannot be switched off, nor ignored: what they find makes the answers of others uncertain.
const LOCKED: [&str; 2] = ["HL309", "HL406"];

/// Reports whether a rule cannot be switched off.
pub fn is_locked(id: &str) -> bool {
    LOCKED.contains(&id)
}

/// Returns the rule that a text most likely means: by its id or name, or by what is spelled nearly so.
pub fn meant(text: &str) -> Option<&'static Meta> {
    let by_id = nearest(text, metas().map(|meta| meta.id));
    let by_name = || nearest(text, metas().map(|meta| meta.name));
    let id = by_id.or_else(by_name).unwrap_or(text);
    metas().find(|meta| meta.id == id || meta.name == id)
}

/// Checks the repository by all rules; the findings are sorted by place and id.
pub fn check(scope: &Scope<'_>) -> Vec<Finding> {
    check_all(scope).findings
}
