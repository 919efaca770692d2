//! Checks of an Argo CD as it is rendered for installation: what is missing or unsafe in the plugin's part of it. One rule
//! per file, one list ([`ALL`]); what they check is an [`Installation`].
//!
//! These rules exist beside those of the repository ([`super::ALL`]) and are added in the same way.

#[cfg(test)]
pub(crate) mod case;
mod node;
mod view;

mod discovery_disabled;
mod generate_paths_include_sources;
mod git_folder_excluded;
mod health_checks_configured;
mod helm_matches_argo_cd;
mod lock_holds;
mod plugin_has_sidecar;
mod plugin_name_matches;
mod sidecar_can_write;
mod sidecar_has_helm;
mod sidecar_has_kustomize;
mod sidecar_has_own_tmp;
mod sidecar_image_has_plugin;
mod sidecar_image_is_pinned;
mod sidecar_is_restricted;
mod sidecar_runs_as_argo_cd_user;
mod sidecar_runs_cmp_server;

use super::{CheckReport, Finding, Location, Meta, Outcome, Skipped, check_report, ignore};
use crate::model::Settings;
use crate::model::sidecar::SETTINGS;

pub use node::{Mount, Node};
pub use view::{Installation, PluginName, SettingState};

/// One check of an installation.
#[derive(Debug)]
pub struct InstallationRule {
    /// Id, name and explanation.
    pub meta: &'static Meta,
    /// Everything that breaks the rule.
    pub check: fn(&Installation<'_>) -> Vec<Finding>,
}

/// Every rule on installations, in the order of the ids.
pub static ALL: &[&InstallationRule] = &[
    &plugin_has_sidecar::RULE,
    &plugin_name_matches::RULE,
    &sidecar_runs_cmp_server::RULE,
    &sidecar_has_own_tmp::RULE,
    &sidecar_has_helm::RULE,
    &helm_matches_argo_cd::RULE,
    &sidecar_runs_as_argo_cd_user::RULE,
    &sidecar_is_restricted::RULE,
    &sidecar_image_is_pinned::RULE,
    &sidecar_image_has_plugin::RULE,
    &discovery_disabled::RULE,
    &git_folder_excluded::RULE,
    &generate_paths_include_sources::RULE,
    &health_checks_configured::RULE,
    &sidecar_can_write::RULE,
    &sidecar_has_kustomize::RULE,
    &lock_holds::RULE,
];

/// Checks an installation by all rules, with the levels of the repository's settings and the comments of the manifests, and
/// lists what had to be skipped.
pub fn check(installation: &Installation<'_>, settings: &Settings) -> CheckReport {
    let findings: Vec<Finding> = ALL.iter().flat_map(|rule| (rule.check)(installation)).collect();
    let mut ignores = ignore::of(installation.rendered());
    let (findings, ignored) = ignore::apply(installation.rendered(), &mut ignores, findings);
    let mut outcome = Outcome {
        findings,
        ignored,
        off: Vec::new(),
    };
    outcome.level(settings);
    outcome.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    CheckReport {
        baseline: None,
        findings: outcome.findings,
        ignored: outcome.ignored,
        off: outcome.off,
        levels: check_report::levels(settings, ALL.iter().map(|rule| rule.meta)),
        malformed: installation.rendered().malformed.clone(),
        skipped: skipped(installation),
        coverage: None,
    }
}

/// Returns the ConfigMaps that the rules read and that are not in what was rendered.
fn skipped(installation: &Installation<'_>) -> Vec<Skipped> {
    let mut missing: Vec<&str> = installation.missing_parameters().into_iter().collect();
    if installation.config_map(SETTINGS).is_none() {
        missing.push(SETTINGS);
    }
    let location: Location = installation.workload().location();
    let of = |name: &str| Skipped {
        kind: "ConfigMap".to_owned(),
        name: name.to_owned(),
        location: location.clone(),
        why: "it is not in what was rendered".to_owned(),
        hint: Some(format!("render the whole installation, `{name}` included")),
        reason: Some(("ConfigMap not rendered", "ConfigMaps not rendered")),
        failed: false,
    };
    missing.into_iter().map(of).collect()
}
