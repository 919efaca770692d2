//! Judgement: one rule per file, one list ([`ALL`]), and the storage law that the plugin applies ([`law`]).
//!
//! # How to add a rule
//!
//! 1. One file named after the rule, with a unit struct of that name and `impl Rule` (the doc comment says *why* the
//!    rule exists; `explain` prints [`Meta::why`]).
//! 2. One line in [`ALL`].
//! 3. Three tests in the file: it fires, it stays silent, its fix (if it has one) removes it.

#[cfg(test)]
pub(crate) mod case;
pub mod finding;
pub mod fixes;
pub mod installation;
pub mod judgement;
pub mod law;
pub mod scope;
pub mod subject;

mod application_name_is_unique;
mod chart_version_is_pinned;
mod child_has_finalizer;
mod claim_has_one_owner;
mod claim_has_one_writer;
mod claim_is_in_its_namespace;
mod claim_waits_for_no_later_wave;
mod claims_are_not_replaced;
mod consumer_does_not_render_claim;
mod consumer_mounts_read_only;
mod cron_job_producer_forbids_overlap;
mod directory_has_one_writer;
mod empty_render_is_refused;
mod foreign_claim_stands_in_a_pod_template;
mod mount_is_not_nested;
mod mounted_claim_has_owner;
mod namespace_has_pod_security;
mod namespace_is_guarded;
mod namespace_is_made_one_way;
mod namespace_with_claims_is_declared;
mod owned_claim_ignores_extraneous;
mod owned_claim_is_guarded;
mod parameters_are_valid;
mod plugin_stands_alone;
mod rendered_claim_is_in_owns;
mod repo_url_is_filled_in;
mod resource_policy_is_not_enough;
mod retry_refreshes;
mod root_application_exists;
mod secret_is_encrypted;
mod shared_claim_allows_many_pods;
mod stateful_set_keeps_claims;
mod sync_option_is_known;
mod value_files_need_no_ref;
mod volume_is_read_only;

pub use finding::{Finding, Fix, Location, Severity};
pub use judgement::{Judgement, Selection, Unjudged};
pub use scope::{Rendered, Rendering, Scope};
pub use subject::{Item, Subject};

/// What is said of a rule everywhere: `validate`, `explain`, the documentation.
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

/// One judgement on a repository and what it renders.
pub trait Rule: Sync {
    /// Id, name and explanation.
    fn meta(&self) -> &'static Meta;
    /// Everything that breaks the rule.
    fn check(&self, scope: &Scope<'_>) -> Vec<Finding>;
}

/// Every rule, in the order of the ids.
pub static ALL: &[&dyn Rule] = &[
    &owned_claim_is_guarded::OwnedClaimIsGuarded,
    &owned_claim_ignores_extraneous::OwnedClaimIgnoresExtraneous,
    &resource_policy_is_not_enough::ResourcePolicyIsNotEnough,
    &claim_has_one_owner::ClaimHasOneOwner,
    &mounted_claim_has_owner::MountedClaimHasOwner,
    &consumer_does_not_render_claim::ConsumerDoesNotRenderClaim,
    &consumer_mounts_read_only::ConsumerMountsReadOnly,
    &volume_is_read_only::VolumeIsReadOnly,
    &claim_is_in_its_namespace::ClaimIsInItsNamespace,
    &shared_claim_allows_many_pods::SharedClaimAllowsManyPods,
    &cron_job_producer_forbids_overlap::CronJobProducerForbidsOverlap,
    &claim_waits_for_no_later_wave::ClaimWaitsForNoLaterWave,
    &mount_is_not_nested::MountIsNotNested,
    &claim_has_one_writer::ClaimHasOneWriter,
    &rendered_claim_is_in_owns::RenderedClaimIsInOwns,
    &directory_has_one_writer::DirectoryHasOneWriter,
    &foreign_claim_stands_in_a_pod_template::ForeignClaimStandsInAPodTemplate,
    &stateful_set_keeps_claims::StatefulSetKeepsClaims,
    &namespace_is_guarded::NamespaceIsGuarded,
    &namespace_is_made_one_way::NamespaceIsMadeOneWay,
    &namespace_has_pod_security::NamespaceHasPodSecurity,
    &namespace_with_claims_is_declared::NamespaceWithClaimsIsDeclared,
    &sync_option_is_known::SyncOptionIsKnown,
    &claims_are_not_replaced::ClaimsAreNotReplaced,
    &empty_render_is_refused::EmptyRenderIsRefused,
    &plugin_stands_alone::PluginStandsAlone,
    &value_files_need_no_ref::ValueFilesNeedNoRef,
    &retry_refreshes::RetryRefreshes,
    &child_has_finalizer::ChildHasFinalizer,
    &chart_version_is_pinned::ChartVersionIsPinned,
    &parameters_are_valid::ParametersAreValid,
    &secret_is_encrypted::SecretIsEncrypted,
    &root_application_exists::RootApplicationExists,
    &application_name_is_unique::ApplicationNameIsUnique,
    &repo_url_is_filled_in::RepoUrlIsFilledIn,
];

/// What is said of every rule: of those on the repository, then of those on an installation of Argo CD.
pub fn metas() -> impl Iterator<Item = &'static Meta> {
    let installation = installation::ALL.iter().map(|rule| rule.meta());
    ALL.iter().map(|rule| rule.meta()).chain(installation)
}

/// All findings of all rules on the repository, sorted by place and id.
pub fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ALL.iter().flat_map(|rule| rule.check(scope)).collect();
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    findings
}
