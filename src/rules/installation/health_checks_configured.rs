//! HL514: two kinds whose health Argo CD gets wrong for a home.

use super::{Installation, InstallationRule};
use crate::model::sidecar::{HEALTH_CHECKS, HealthCheck, SETTINGS};
use crate::rules::{Finding, Meta, Severity};
use crate::yaml;

static META: Meta = Meta {
    id: "HL514",
    name: "health-checks-configured",
    severity: Severity::Warning,
    summary: "claims that wait for a pod, and Applications, have the right health in Argo CD",
    why: "A claim of local-path is Pending until a pod uses it, and Argo CD calls that Progressing: the Application of a CronJob is \
Progressing until its first run, and what waits for it in a later sync wave waits as long. And an Application has no health for \
its parent, so that the root is Healthy whatever becomes of the others. Two checks in `argocd-cm` mend both; \
`kubectl homelab cmp manifest` prints them.\n\n\
https://github.com/argoproj/argo-cd/issues/12840",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let Some(settings) = installation
        .config_map(SETTINGS)
        .filter(|_| installation.sidecar().is_some())
    else {
        return Vec::new();
    };
    let data = settings.get("data");
    let entry = |key: &str| data.as_ref().map_or("", |data| data.text(key));
    let older = yaml::value(entry("resource.customizations"))
        .ok()
        .flatten()
        .unwrap_or_default();
    let is_taught =
        |check: &HealthCheck| !entry(&check.key()).is_empty() || older[check.slashed()]["health.lua"].is_string();
    let missing = HEALTH_CHECKS.iter().filter(|check| !is_taught(check));
    let finding = |check: &HealthCheck| {
        let message = format!("`{SETTINGS}` has no health check for the kind `{}`", check.slashed());
        let finding = Finding::new(&META, message, settings.location_of("/data"));
        finding.hint("add the one that `kubectl homelab cmp manifest` prints")
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::installation::case::Case;

    #[test]
    fn fires() {
        let case = Case::sound().without("health.argoproj.io_Application");
        assert_eq!(
            case.messages(&RULE),
            ["`argocd-cm` has no health check for the kind `argoproj.io/Application`"]
        );
        assert_eq!(case.place(&RULE), "/data");
        assert_eq!(case.without("health.PersistentVolumeClaim").messages(&RULE).len(), 2);
    }

    #[test]
    fn stays_silent() {
        let older = Case::sound().with(
            "resource.customizations.health.argoproj.io_Application: \"return {}\"",
            "resource.customizations: |\n    argoproj.io/Application:\n      health.lua: return {}",
        );
        assert!(older.messages(&RULE).is_empty());
        let elsewhere = Case::sound().with("name: argocd-cm\n", "name: elsewhere\n");
        assert!(elsewhere.messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        let case = Case::sound().without("health.argoproj.io_Application");
        assert!(case.way_out(&RULE).contains("kubectl homelab cmp manifest"));
    }
}
