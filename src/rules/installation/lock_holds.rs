//! HL517: a lock that does not hold in the cluster is noticed when data is lost.

use super::{Installation, InstallationRule};
use crate::rules::{Finding, Meta, Severity};

static META: Meta = Meta {
    id: "HL517",
    name: "lock-holds",
    severity: Severity::Error,
    summary: "the lock refuses in the cluster what it should",
    why: "Once `kubectl homelab lock enable deletions` is in Git, the cluster itself refuses to delete claims that Applications own, and \
Namespaces with such claims. A policy that is not synced, switched off or changed in the cluster lets their deletion through. \
`doctor` reads the policies, and tries to delete a claim and a Namespace that are held: the API server checks that, and deletes \
nothing. One that another version of this program has written is a warning. `kubectl homelab lock status` shows more.\n\n\
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
};

pub(super) static RULE: InstallationRule = InstallationRule { meta: &META, check };

fn check(installation: &Installation<'_>) -> Vec<Finding> {
    let finding = |message: &str, is_error: bool| Finding {
        // It is about the cluster, not about a manifest of the installation.
        location: None,
        severity: if is_error { Severity::Error } else { Severity::Warning },
        ..Finding::new(&META, message, installation.workload().location())
            .hint("see `kubectl homelab lock status`, and run `kubectl homelab lock enable deletions` again")
    };
    let faults = installation.lock_faults().iter();
    faults.map(|fault| finding(&fault.message, fault.is_error)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Fault;
    use crate::rules::installation::case::Case;

    fn open() -> Case {
        let fault = |message: &str, is_error| Fault {
            message: message.to_owned(),
            is_error,
        };
        Case::sound().lock([
            fault("the policy `owned-claims-stay` is not in the cluster", true),
            fault("the policy `namespaces-with-claims-stay` is older", false),
        ])
    }

    #[test]
    fn fires() {
        let findings = open().findings(&RULE);
        let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Error, Severity::Warning]);
        assert_eq!(
            findings[0].message,
            "the policy `owned-claims-stay` is not in the cluster"
        );
    }

    #[test]
    fn stays_silent() {
        assert!(Case::sound().messages(&RULE).is_empty());
    }

    #[test]
    fn says_the_way_out() {
        assert!(open().way_out(&RULE).contains("lock status"));
    }
}
