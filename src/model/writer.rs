//! Who may write a claim besides its owner, as the registry and the parameter `writers` name it: `NAMESPACE/CLAIM=APP`, or
//! `NAMESPACE/CLAIM=serviceaccount:NAME`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow};

use super::kept_claim::claim_and;
use super::name::{AppName, ClaimName, NamespaceName};
use crate::failure::HintExt;

/// Label of a pod template: the Application that it is of.
pub const APP_LABEL: &str = "storage.home.arpa/app";
/// What stands before the name of a service account.
pub const SERVICE_ACCOUNT: &str = "serviceaccount:";
/// The service account of every pod that names none.
pub const DEFAULT_ACCOUNT: &str = "default";

/// Whose pods may write a claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    /// Those of an Application, by the label of their template.
    App(AppName),
    /// Those with a service account: of programs that make pods themselves, such as backups.
    ServiceAccount(String),
}

impl FromStr for Writer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(account) = text.strip_prefix(SERVICE_ACCOUNT) else {
            let app = AppName::new(text)?;
            app.check_as_owner()?;
            return Ok(Self::App(app));
        };
        if account == DEFAULT_ACCOUNT {
            return Err(
                anyhow!("every pod that names no service account has `{DEFAULT_ACCOUNT}`, and could write it")
                    .hint("give the program a service account of its own, and name that"),
            );
        }
        // Names of service accounts follow the rule of those of claims.
        let account =
            ClaimName::new(account).with_context(|| format!("`{account}` is no name of a service account"))?;
        Ok(Self::ServiceAccount(account.to_string()))
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(app) => write!(f, "{app}"),
            Self::ServiceAccount(name) => write!(f, "{SERVICE_ACCOUNT}{name}"),
        }
    }
}

/// One entry of the parameter `writers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimWriter {
    /// The namespace of the claim.
    pub namespace: NamespaceName,
    /// `metadata.name`.
    pub name: ClaimName,
    /// Whose pods may write it.
    pub writer: Writer,
}

impl FromStr for ClaimWriter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (namespace, name, writer) = claim_and(text, "writer")?;
            Ok(Self {
                namespace,
                name,
                writer: writer.parse()?,
            })
        };
        let result: Result<Self> = parse();
        result.with_context(|| {
            format!("entry `{text}` is neither NAMESPACE/CLAIM=APP nor NAMESPACE/CLAIM={SERVICE_ACCOUNT}NAME")
        })
    }
}

impl fmt::Display for ClaimWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}={}", self.namespace, self.name, self.writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_and_prints_alike() {
        for text in [
            "media/films=sonarr",
            "media/films=serviceaccount:volsync-src-films",
            "media/data-db-0=serviceaccount:pod-executor",
        ] {
            assert_eq!(text.parse::<ClaimWriter>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_entry_says_what_and_how() {
        for (text, why) in [
            ("media/films", "no `=`"),
            ("films=sonarr", "no `/`"),
            ("media/films=", "is empty"),
            ("media/films=serviceaccount:", "is empty"),
            (
                "media/films=serviceaccount:default",
                "every pod that names no service account",
            ),
            ("media/films=serviceaccount:a:b", "no name of a service account"),
            ("media/films=a,b", "not a Kubernetes name"),
        ] {
            let error = format!("{:#}", text.parse::<ClaimWriter>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("NAMESPACE/CLAIM=serviceaccount:NAME"), "{text}: {error}");
        }
    }
}
