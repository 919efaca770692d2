//! Keeps what helm renders for the next run of a command: a render is a function of its key ([`super::fingerprint`]).
//!
//! The plugin never does: Argo CD has a cache of its own. Nor does what compares two renders to find random values.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::path::Path;

use anyhow::{Result, anyhow};

use super::entries::Entries;
use super::{LazyHelm, fingerprint};
use crate::failure::HintExt;
use crate::render::{HelmCall, Raw, Renderer};

/// Environment variable: whether renders are kept for the next command, `true` or `false`.
pub const KEEP_VARIABLE: &str = "HOMELAB_RENDER_CACHE";
/// The folder of the cache for renders.
const FOLDER: &str = "renders";

/// The renders that commands have kept.
#[derive(Debug)]
pub struct KeptRenders(Entries);

impl KeptRenders {
    /// Keeps renders in a folder of the cache.
    pub fn below(cache: &Path) -> Self {
        Self(Entries::new(cache.join(FOLDER)))
    }

    /// Takes what helm would render from here, where it is, and adds what helm renders.
    pub fn before<'k>(&'k self, helm: &'k LazyHelm) -> Kept<'k> {
        Kept { entries: &self.0, helm }
    }
}

/// Helm, and what it has rendered before.
#[derive(Debug)]
pub struct Kept<'k> {
    entries: &'k Entries,
    helm: &'k LazyHelm,
}

impl Renderer<HelmCall> for Kept<'_> {
    fn render(&self, call: &HelmCall) -> Result<Raw> {
        if !is_wanted()? {
            return self.helm.render(call);
        }
        // What is wrong is said by the render itself.
        let key = || fingerprint::of(self.helm, call).ok();
        let Some(before) = key() else {
            return self.helm.render(call);
        };
        if let Some(raw) = self.entries.take(&before) {
            return Ok(raw);
        }
        let raw = self.helm.render(call)?;
        // A file that was changed meanwhile may have been read in its new form.
        if raw.is_settled && !holds_secrets(&raw.text) && key().as_ref() == Some(&before) {
            self.entries.keep(&before, &raw);
        }
        Ok(raw)
    }
}

/// Reads the environment variable.
fn is_wanted() -> Result<bool> {
    std::env::var(KEEP_VARIABLE).map_or(Ok(true), |text| read(&text))
}

fn read(text: &str) -> Result<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(
            anyhow!("`{KEEP_VARIABLE}` is `{text}`, which is neither `true` nor `false`")
                .hint("write `false` to keep no renders"),
        ),
    }
}

/// Reports whether there may be data of a Secret in a stream.
fn holds_secrets(text: &str) -> bool {
    let mut kinds = text.match_indices("Secret").filter(|(at, word)| {
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        let before = before.trim_end_matches(['"', '\'', ' ', '\t']);
        ends(after.chars().next())
            && before.ends_with(':')
            && before.trim_end_matches([':', '"', '\'']).ends_with("kind")
    });
    kinds.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_true_or_false() {
        assert!(read("true").unwrap() && !read("false").unwrap());
        for text in ["", "no", "False", "0"] {
            let error = read(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("`HOMELAB_RENDER_CACHE` is `{text}`, which is neither `true` nor `false`")
            );
        }
    }

    #[test]
    fn secrets_are_found_in_every_spelling() {
        for text in [
            "kind: Secret",
            "---\napiVersion: v1\nkind: Secret\ndata:\n  a: b\n",
            "kind:   \"Secret\"\n",
            "kind: 'Secret' # x\n",
            "items:\n- kind: Secret\n",
            "{\"kind\": \"Secret\", \"data\": {}}",
            "{\"kind\":\"Secret\"}",
        ] {
            assert!(holds_secrets(text), "{text}");
        }
        for text in [
            "",
            "kind: SecretStore\n",
            "kind: ExternalSecret\n",
            "# Secret\nkind: ConfigMap\n",
            "kind: SealedSecret\n",
            "secretName: Secret\n",
        ] {
            assert!(!holds_secrets(text), "{text}");
        }
    }
}
