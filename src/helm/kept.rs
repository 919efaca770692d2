//! Keeps what helm and kustomize render for the next run of a command: a render is a function of its key
//! ([`super::fingerprint`]).
//!
//! The plugin never does: Argo CD has a cache of its own. Nor does what compares two renders to find random values.
#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use std::path::Path;

use anyhow::{Result, anyhow};

use super::entries::Entries;
use super::{LazyHelm, fingerprint};
use crate::disk::Fingerprint;
use crate::failure::HintExt;
use crate::model::Unavailable;
use crate::render::{HelmCall, Raw, Renderer};

/// Environment variable: whether renders are kept for the next command, `true` or `false`.
pub const KEEP_VARIABLE: &str = "HOMELAB_RENDER_CACHE";
/// The folder of the cache for renders.
const FOLDER: &str = "renders";

/// The renders that commands have kept.
#[derive(Debug)]
pub struct KeptRenders {
    /// `None` where there is no cache.
    entries: Option<Entries>,
    /// Whether nothing is started.
    alone: bool,
}

impl KeptRenders {
    /// Keeps renders in a folder of the cache, if there is one.
    pub fn below(cache: Option<&Path>) -> Self {
        Self {
            entries: cache.map(|cache| Entries::new(cache.join(FOLDER))),
            alone: false,
        }
    }

    /// Starts nothing for what is not here.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Returns the render of a key, where it is here, else what is rendered now; that is kept where the next one would be the same. Without
    /// a key nothing is kept.
    ///
    /// # Errors
    /// Those of the render, and when nothing may be started for what is not here.
    pub fn render(&self, key: &dyn Fn() -> Option<String>, render: &dyn Fn() -> Result<Raw>) -> Result<Raw> {
        let is_wanted = is_wanted()?;
        let render = || match self.alone {
            true => Err(Unavailable::NotRendered.into_error()),
            false => render(),
        };
        let entries = self.entries.as_ref().filter(|_| is_wanted);
        let Some((entries, before)) = entries.and_then(|entries| Some((entries, key()?))) else {
            return render();
        };
        if let Some(raw) = entries.take(&before) {
            return Ok(raw);
        }
        let raw = render()?;
        // A file that was changed meanwhile may have been read in its new form.
        if raw.is_settled && !holds_secrets(&raw.text) && key().as_ref() == Some(&before) {
            entries.keep(&before, &raw);
        }
        Ok(raw)
    }

    /// Takes what helm would render from here, where it is, and adds what helm renders.
    pub fn before<'k>(&'k self, helm: &'k LazyHelm) -> Kept<'k> {
        Kept { renders: self, helm }
    }
}

/// Helm, and what it has rendered before.
#[derive(Debug)]
pub struct Kept<'k> {
    renders: &'k KeptRenders,
    helm: &'k LazyHelm,
}

impl Renderer<HelmCall> for Kept<'_> {
    fn render(&self, call: &HelmCall) -> Result<Raw> {
        // What is wrong is said by the render itself.
        let key = || fingerprint::of(self.helm, call).ok();
        self.renders.render(&key, &|| self.helm.render(call))
    }
}

impl LazyHelm {
    /// Adds helm to the key of a render for which it may be started.
    ///
    /// # Errors
    /// When nobody knows which helm it is.
    pub fn add_to(&self, key: &mut Fingerprint) -> Result<()> {
        fingerprint::add_program(key, self)
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

    #[cfg(unix)]
    #[test]
    fn without_helm_only_what_is_kept_is_there() {
        use crate::disk::Checkout;
        use crate::failure::find;
        use crate::render::Tree;
        use crate::render::confidential::Confidential;
        use crate::repo::RepoPath;
        use std::fs;
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        fs::create_dir(folder.path().join("chart")).unwrap();
        fs::write(folder.path().join("chart/Chart.yaml"), "name: chart\n").unwrap();
        fs::write(&program, "#!/bin/sh\ncat Chart.yaml\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let helm = LazyHelm {
            checkouts: Checkout::open(folder.path()).unwrap().into(),
            program: Some(program),
            network: false,
            cache: None,
            bounded_in: None,
            deadline: None,
        };
        let call = HelmCall {
            tree: Tree::Source,
            chart: RepoPath::new("chart").unwrap(),
            arguments: Vec::new(),
            confidential: Confidential::default(),
            dependency_update: false,
            skip_schema_validation: false,
        };
        let cache = folder.path().join("cache");
        let render = |renders: KeptRenders| renders.before(&helm).render(&call).map(|raw| raw.text);
        let is_missing = |renders: KeptRenders| {
            let error = render(renders).unwrap_err();
            find::<Unavailable>(&error) == Some(&Unavailable::NotRendered)
        };
        let alone = || KeptRenders::below(Some(&cache)).alone();
        assert!(is_missing(KeptRenders::below(None).alone()) && is_missing(alone()));
        assert_eq!(render(KeptRenders::below(None)).unwrap(), "name: chart\n");
        assert!(is_missing(alone()));
        assert_eq!(render(KeptRenders::below(Some(&cache))).unwrap(), "name: chart\n");
        assert_eq!(render(alone()).unwrap(), "name: chart\n");
        fs::write(folder.path().join("chart/values.yaml"), "a: 1\n").unwrap();
        assert!(is_missing(alone()));
    }
}
