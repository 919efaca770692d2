//! What is known of a claim that a command names for an Application.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::model::{AppName, ClaimPath, ClaimRef, spelling};
use crate::rules::Scope;

/// A claim that an Application has, or that may be there.
#[derive(Debug)]
pub struct KnownClaim {
    /// The claim.
    pub claim: ClaimRef,
    /// The Applications that own it; none where that is not known.
    pub owners: BTreeSet<AppName>,
    /// A remark where it is not known whose it is.
    pub doubt: Option<String>,
}

impl KnownClaim {
    /// Finds a claim that an Application is to use.
    ///
    /// # Errors
    /// When nobody owns it, or it is where the Application cannot use it.
    pub fn find(scope: &Scope<'_>, app: &AppName, path: &ClaimPath) -> Result<Self> {
        let claim = reference(scope, app, path)?;
        let owners = scope.claim(&claim).owners.clone();
        let Some(missing) = scope.missing(&claim) else {
            return Ok(Self {
                claim,
                owners,
                doubt: None,
            });
        };
        // Who names the namespace knows of the others.
        let is_named = path.namespace.is_some() && !missing.doubts.is_empty();
        if let Some(other) = missing.namesakes.first().filter(|_| !is_named) {
            let owners = scope.claim(other).owners.clone();
            let owners: Vec<String> = owners.iter().map(|owner| format!("`{owner}`")).collect();
            return Err(anyhow!(
                "no Application owns a claim `{claim}`; claim `{other}` belongs to {}",
                owners.join(", ")
            )
            .hint(format!(
                "name `{other}`, if that is meant, which only a pod of namespace `{}` can mount, or `{claim}`, if that is there",
                other.namespace
            )));
        }
        if let Some(doubt) = missing.doubts.first() {
            let doubt = format!("no known Application owns claim `{claim}`; it may belong to {doubt}");
            if path.namespace.is_none() {
                let correct = match nearest(scope, &claim) {
                    Some(nearest) => format!("name `{nearest}`, if that is meant"),
                    None => "correct the name".to_owned(),
                };
                return Err(anyhow!(doubt).hint(format!(
                    "{correct}, get what is missing with `--fetch`, or name it as `{claim}`, if you know that it is there"
                )));
            }
            return Ok(Self {
                claim,
                owners,
                doubt: Some(doubt),
            });
        }
        Err(unknown(scope, &claim))
    }
}

/// Returns the claim that a name means for an Application.
///
/// # Errors
/// When neither it nor the Application says a namespace.
pub fn reference(scope: &Scope<'_>, app: &AppName, path: &ClaimPath) -> Result<ClaimRef> {
    let claim = scope.subject(app).and_then(|subject| subject.claim(path));
    claim.ok_or_else(|| {
        anyhow!("Application `{app}` has no usable `spec.destination.namespace`")
            .hint("set it, since a claim is always one of a namespace")
    })
}

/// Returns the claim of the namespace whose name is most like that of a claim.
fn nearest(scope: &Scope<'_>, claim: &ClaimRef) -> Option<String> {
    let owned = scope.owned_in(&claim.cluster, claim.namespace.as_str());
    let names: BTreeSet<&str> = owned.map(|(other, _)| other.name.as_str()).collect();
    spelling::nearest(claim.name.as_str(), names.iter().copied()).map(str::to_owned)
}

/// Returns the error of a claim that nobody owns.
fn unknown(scope: &Scope<'_>, claim: &ClaimRef) -> anyhow::Error {
    anyhow!("no Application owns a claim `{claim}`").hint(match nearest(scope, claim) {
        Some(nearest) => format!("name `{nearest}`, if that is meant"),
        None => format!(
            "add it to the parameter `owns` of the Application that produces the data, or have one render it with `kubectl homelab add-volume {} --owner APP --size SIZE`",
            claim.name
        ),
    })
}
