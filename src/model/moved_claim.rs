//! Claims that move from one Application to another, as the parameters `moves` and `moved-from` name them.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result};

use super::claim_path::ClaimPath;
use super::name::AppName;

/// An entry of `moves`, `[NAMESPACE/]CLAIM=APP`: a claim that the source renders, and the Application that owns it now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovedTo {
    /// The claim.
    pub claim: ClaimPath,
    /// The Application that owns it now.
    pub to: AppName,
}

/// An entry of `moved-from`, `APP/[NAMESPACE/]CLAIM`: a claim that the Application owns, and the one that owned it before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MovedFrom {
    /// The Application that owned it before.
    pub from: AppName,
    /// The claim.
    pub claim: ClaimPath,
}

impl FromStr for MovedTo {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || format!("`{text}` is not [NAMESPACE/]CLAIM=APP");
        let (claim, to) = text.split_once('=').with_context(wrong)?;
        Ok(Self {
            claim: claim.parse().with_context(wrong)?,
            to: to.parse().with_context(wrong)?,
        })
    }
}

impl fmt::Display for MovedTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.claim, self.to)
    }
}

impl FromStr for MovedFrom {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || format!("`{text}` is not APP/[NAMESPACE/]CLAIM");
        let (from, claim) = text.split_once('/').with_context(wrong)?;
        Ok(Self {
            from: from.parse().with_context(wrong)?,
            claim: claim.parse().with_context(wrong)?,
        })
    }
}

impl fmt::Display for MovedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.from, self.claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_reads_and_prints_alike() {
        for text in ["audio=recorder", "radio/audio=recorder", "a.b=c.d"] {
            assert_eq!(text.parse::<MovedTo>().unwrap().to_string(), text);
        }
        for text in ["fetcher/audio", "fetcher/radio/audio", "a.b/c"] {
            assert_eq!(text.parse::<MovedFrom>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_move_is_refused_with_its_form() {
        for (text, why) in [
            ("", "is not [NAMESPACE/]CLAIM=APP"),
            ("audio", "is not [NAMESPACE/]CLAIM=APP"),
            ("=recorder", "claim name is empty"),
            ("audio=", "Application name is empty"),
            ("audio=a=b", "not a Kubernetes name"),
        ] {
            let error = format!("{:#}", text.parse::<MovedTo>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
        for (text, why) in [
            ("audio", "is not APP/[NAMESPACE/]CLAIM"),
            ("/audio", "Application name is empty"),
            ("a/b/c/d", "not a Kubernetes name"),
        ] {
            let error = format!("{:#}", text.parse::<MovedFrom>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
