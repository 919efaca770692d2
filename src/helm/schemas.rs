//! Decides whether helm holds the values against the schemas of a chart: it would ask the network for what they refer to
//! there.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::render::HelmCall;
use crate::render::schema::{RemoteReference, SKIP, remote_references};
use crate::repo::Files;

/// Environment variable: whether the schema of a chart may refer to the network, `true` or `false`.
pub const REMOTE_SCHEMAS_VARIABLE: &str = "HOMELAB_REMOTE_SCHEMAS";

/// The use of the network for schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RemoteSchemas {
    /// Helm asks for them.
    Followed,
    /// A schema that refers to one is an error.
    Forbidden,
}

impl RemoteSchemas {
    /// Reads the environment variable.
    ///
    /// # Errors
    /// When it is neither `true` nor `false`.
    pub(super) fn configured() -> Result<Self> {
        std::env::var(REMOTE_SCHEMAS_VARIABLE).map_or(Ok(Self::Followed), |text| Self::read(&text))
    }

    fn read(text: &str) -> Result<Self> {
        match text {
            "true" => Ok(Self::Followed),
            "false" => Ok(Self::Forbidden),
            _ => Err(
                anyhow!("`{REMOTE_SCHEMAS_VARIABLE}` is `{text}`, which is neither `true` nor `false`")
                    .hint("write `false` to forbid schemas that refer to the network"),
            ),
        }
    }
}

/// Checks the schemas that helm loads with a chart, and returns why it must not hold the values against them: the reasons
/// are remarks for the user.
///
/// # Errors
/// When a schema refers to a file, or to the network where that is forbidden.
pub(super) fn unchecked(
    call: &HelmCall,
    files: &dyn Files,
    network: bool,
    remote: RemoteSchemas,
) -> Result<Vec<String>> {
    if call.skip_schema_validation {
        return Ok(Vec::new());
    }
    let references = remote_references(files, &call.chart)?;
    if let (Some(RemoteReference { schema, url }), RemoteSchemas::Forbidden) = (references.first(), remote) {
        return Err(anyhow!(
            "`{schema}` refers to `{url}`, and `{REMOTE_SCHEMAS_VARIABLE}` forbids the network for schemas"
        )
        .hint(format!("put it under `$defs` of the schema itself, or {SKIP}")));
    }
    let remark = |RemoteReference { schema, url }: &RemoteReference| {
        format!("the values are not held against `{schema}`: it refers to `{url}`, and the network is not used")
    };
    Ok(references.iter().filter(|_| !network).map(remark).collect())
}

/// Reports whether helm asks the network for a part of a schema.
///
/// # Errors
/// Those of [`unchecked`].
pub(super) fn are_fetched(call: &HelmCall, files: &dyn Files, network: bool) -> Result<bool> {
    Ok(network && !call.skip_schema_validation && !remote_references(files, &call.chart)?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Tree;
    use crate::render::confidential::Confidential;
    use crate::repo::{Memory, RepoPath};

    fn of(schema: &str, skip_schema_validation: bool, network: bool, remote: RemoteSchemas) -> Result<Vec<String>> {
        let call = HelmCall {
            tree: Tree::Source,
            chart: RepoPath::new("player")?,
            arguments: Vec::new(),
            confidential: Confidential::default(),
            dependency_update: false,
            skip_schema_validation,
        };
        let files = Memory::new([("player/values.schema.json", schema)])?;
        unchecked(&call, &files, network, remote)
    }

    #[test]
    fn the_network_is_used_where_it_may_be() {
        use RemoteSchemas::{Followed, Forbidden};
        let remote = r#"{"$ref": "https://a.example/s.json"}"#;
        let nothing = Vec::<String>::new();
        assert_eq!(of(remote, false, true, Followed).unwrap(), nothing);
        assert_eq!(
            of(remote, false, false, Followed).unwrap(),
            [
                "the values are not held against `player/values.schema.json`: it refers to `https://a.example/s.json`, and the network is not used"
            ]
        );
        for network in [true, false] {
            assert_eq!(
                of(remote, false, network, Forbidden).unwrap_err().to_string(),
                "`player/values.schema.json` refers to `https://a.example/s.json`, and `HOMELAB_REMOTE_SCHEMAS` forbids the network for schemas"
            );
        }
        assert_eq!(of("{}", false, false, Forbidden).unwrap(), nothing);
        for unread in [remote, r#"{"$ref": "file:///etc/passwd"}"#, "{"] {
            assert_eq!(
                of(unread, true, false, Forbidden).unwrap(),
                nothing,
                "nothing is validated"
            );
        }
        assert!(of(r#"{"$ref": "file:///etc/passwd"}"#, false, true, Followed).is_err());
    }

    #[test]
    fn the_variable_is_true_or_false() {
        assert_eq!(RemoteSchemas::read("true").unwrap(), RemoteSchemas::Followed);
        assert_eq!(RemoteSchemas::read("false").unwrap(), RemoteSchemas::Forbidden);
        for text in ["", "no", "False"] {
            let error = RemoteSchemas::read(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("`HOMELAB_REMOTE_SCHEMAS` is `{text}`, which is neither `true` nor `false`")
            );
        }
    }
}
