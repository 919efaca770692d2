//! A claim whose Application is gone and whose data is kept, as the parameter `keeps` names it: `NAMESPACE/CLAIM=OLD-OWNER`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};

use super::name::{AppName, ClaimName, NamespaceName};

/// One entry of the parameter `keeps`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptClaim {
    /// The namespace of the claim.
    pub namespace: NamespaceName,
    /// `metadata.name`.
    pub name: ClaimName,
    /// The Application that owned it last.
    pub owner: AppName,
}

impl FromStr for KeptClaim {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).with_context(|| format!("entry `{text}` is not NAMESPACE/CLAIM=OLD-OWNER"))
    }
}

fn parse(text: &str) -> Result<KeptClaim> {
    let (namespace, name, owner) = claim_and(text, "old owner")?;
    let owner = AppName::new(owner)?;
    owner.check_as_owner()?;
    Ok(KeptClaim { namespace, name, owner })
}

/// Splits `NAMESPACE/CLAIM=REST`; `what` is what the rest is.
///
/// # Errors
/// When there is no `=` or no `/`, or a name is none.
pub(super) fn claim_and<'t>(text: &'t str, what: &str) -> Result<(NamespaceName, ClaimName, &'t str)> {
    let (claim, rest) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("there is no `=` before the {what}"))?;
    let (namespace, name) = claim
        .split_once('/')
        .ok_or_else(|| anyhow!("there is no `/` between namespace and claim"))?;
    Ok((NamespaceName::new(namespace)?, ClaimName::new(name)?, rest))
}

impl fmt::Display for KeptClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}={}", self.namespace, self.name, self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_and_prints_alike() {
        for text in ["media/films=jellyfin", "media/data-db-0=db"] {
            assert_eq!(text.parse::<KeptClaim>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_entry_says_what_and_how() {
        let long = format!("media/films={}", "x".repeat(64));
        for (text, why) in [
            ("media/films", "no `=`"),
            ("films=jellyfin", "no `/`"),
            ("media/films=", "is empty"),
            ("/films=jellyfin", "is empty"),
            ("media/=jellyfin", "is empty"),
            ("media/Films=jellyfin", "not a Kubernetes name"),
            (long.as_str(), "63"),
        ] {
            let error = format!("{:#}", text.parse::<KeptClaim>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("NAMESPACE/CLAIM=OLD-OWNER"), "{text}: {error}");
        }
    }
}
