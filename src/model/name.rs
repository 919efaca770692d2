//! Names, checked on construction, so that nothing further in has to check them again.
//!
//! Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};

/// Longest value of a label; an owner's name has to fit.
pub const LABEL_VALUE_MAX: usize = 63;

/// Checks an RFC 1123 label: at most 63 characters, lower-case alphanumerics and `-`, alphanumeric at both ends.
fn check_label(kind: &str, name: &str) -> Result<()> {
    check(kind, name, 63, false)
}

/// Checks an RFC 1123 subdomain: labels joined by dots, at most 253 characters.
pub(super) fn check_subdomain(kind: &str, name: &str) -> Result<()> {
    check(kind, name, 253, true)
}

fn check(kind: &str, name: &str, max: usize, dots: bool) -> Result<()> {
    if name.is_empty() {
        bail!("{kind} is empty");
    }
    if name.len() > max {
        bail!(
            "{kind} `{name}` has {} characters, at most {max} are allowed",
            name.len()
        );
    }
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = |label: &str| {
        let bytes = label.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(&a), Some(&z)) if alphanumeric(a) && alphanumeric(z))
            && bytes.iter().all(|&c| alphanumeric(c) || c == b'-')
    };
    let valid = if dots { name.split('.').all(fits) } else { fits(name) };
    if !valid {
        let dot = if dots { ", `-` and `.`" } else { " and `-`" };
        bail!(
            "{kind} `{name}` is not a Kubernetes name: lower-case letters, digits{dot}, a letter or digit at both ends"
        );
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Checks and takes a name.
            ///
            /// # Errors
            /// When the name breaks Kubernetes' rules; the message names the kind and the rule.
            pub fn new(name: impl Into<String>) -> Result<Self> {
                let name = name.into();
                $check($kind, &name)?;
                Ok(Self(name))
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = anyhow::Error;
            fn from_str(name: &str) -> Result<Self> {
                Self::new(name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of an Argo CD Application.
    AppName, "Application name", check_subdomain
);
name!(
    /// The name of a Namespace.
    NamespaceName, "Namespace name", check_label
);
name!(
    /// The name of a PersistentVolumeClaim.
    ClaimName, "claim name", check_subdomain
);

impl AppName {
    /// Returns the name from an instance name, which Argo CD writes as `<namespace>_<name>` for an Application outside
    /// its own namespace ([source](https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/)).
    ///
    /// # Errors
    /// When what is left breaks Kubernetes' rules.
    pub fn from_instance(instance: &str) -> Result<Self> {
        Self::new(instance.split_once('_').map_or(instance, |(_, name)| name))
    }

    /// Returns the name of one of several instances, as `ROOT/APP`: each belongs to what another root brings.
    #[must_use]
    pub fn of_root(&self, root: &str) -> Self {
        Self(format!("{root}/{self}"))
    }

    /// Returns the root of [`Self::of_root`].
    pub fn root(&self) -> Option<&str> {
        self.0.split_once('/').map(|(root, _)| root)
    }

    /// Returns the name without its root: that of the Application itself.
    #[must_use]
    pub fn without_root(&self) -> Self {
        Self(self.0.rsplit('/').next().unwrap_or_default().to_owned())
    }

    /// Checks that the name can be the value of the owner label: at most 63 characters.
    ///
    /// # Errors
    /// When it is longer.
    pub fn check_as_owner(&self) -> Result<()> {
        if self.0.len() > LABEL_VALUE_MAX {
            bail!(
                "Application name `{self}` has {} characters; an owner label holds at most {LABEL_VALUE_MAX}",
                self.0.len()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_and_refuses_as_kubernetes_does() {
        for good in ["a", "jellyfin", "pvc-pe-audio", "a1", "1a"] {
            assert!(NamespaceName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "{{ x }}", "ä", &"a".repeat(64)] {
            assert!(NamespaceName::new(bad).is_err(), "{bad}");
        }
        assert!(ClaimName::new("data.app-0").is_ok());
        assert!(ClaimName::new("data..app").is_err());
        assert!(ClaimName::new("a".repeat(254)).is_err());
    }

    #[test]
    fn an_instance_name_loses_its_namespace() {
        assert_eq!(AppName::from_instance("team_jellyfin").unwrap().as_str(), "jellyfin");
        assert_eq!(AppName::from_instance("jellyfin").unwrap().as_str(), "jellyfin");
        assert!(AppName::new("a".repeat(64)).unwrap().check_as_owner().is_err());
    }
}
