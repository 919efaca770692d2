//! The Containerfile as far as this project's own goes: an image from nothing, with files copied into it. Anything else is an
//! error, so that what crane builds is what the file says.

use anyhow::{Context, Result, bail, ensure};

/// What a Containerfile says of an image of one architecture.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// What is copied.
    pub(super) files: Vec<Copied>,
    /// `NAME=VALUE`.
    pub(super) variables: Vec<String>,
    /// `NAME=VALUE`.
    pub(super) labels: Vec<String>,
    /// The user, by number.
    pub(super) user: String,
    /// The one word of the entry point.
    pub(super) entrypoint: String,
}

/// One file of the image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Below the folder that the image is built from.
    pub(super) from: String,
    /// In the image, absolute.
    pub(super) to: String,
    /// Its permissions.
    pub(super) mode: u32,
}

impl Recipe {
    /// Reads a Containerfile for an architecture.
    pub(crate) fn parse(text: &str, architecture: &str) -> Result<Self> {
        let mut recipe = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (instruction, rest) = line.split_once(' ').unwrap_or((line, ""));
            recipe
                .take(instruction, &rest.replace("${TARGETARCH}", architecture))
                .with_context(|| format!("plugin/Containerfile:{}", index + 1))?;
        }
        ensure!(!recipe.user.is_empty(), "plugin/Containerfile has no USER");
        ensure!(!recipe.entrypoint.is_empty(), "plugin/Containerfile has no ENTRYPOINT");
        Ok(recipe)
    }

    fn take(&mut self, instruction: &str, rest: &str) -> Result<()> {
        ensure!(!rest.contains('$'), "a variable other than ${{TARGETARCH}}");
        match instruction {
            "FROM" => ensure!(rest == "scratch", "an image from something else than `scratch`"),
            "ARG" => ensure!(rest == "TARGETARCH", "an argument other than TARGETARCH"),
            "COPY" => self.files.push(copied(rest)?),
            "ENV" => self.variables.push(pair(rest)?),
            "LABEL" => self.labels.push(pair(rest)?),
            "USER" => rest.clone_into(&mut self.user),
            "ENTRYPOINT" => {
                let words: Vec<String> = serde_json::from_str(rest).context("an entry point that is no list")?;
                let [word] =
                    <[String; 1]>::try_from(words).map_err(|_| anyhow::anyhow!("an entry point of several words"))?;
                self.entrypoint = word;
            }
            other => bail!("`{other}`, which the project's own builder does not know"),
        }
        Ok(())
    }
}

fn copied(rest: &str) -> Result<Copied> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [mode, from, to] = words[..] else {
        bail!("a COPY without permissions, or of several files");
    };
    let mode = mode.strip_prefix("--chmod=").context("a COPY without permissions")?;
    ensure!(
        to.starts_with('/') && !to.ends_with('/'),
        "a target that is no absolute path of a file"
    );
    Ok(Copied {
        from: from.to_owned(),
        to: to.to_owned(),
        mode: u32::from_str_radix(mode, 8).context("permissions that are no octal number")?,
    })
}

fn pair(rest: &str) -> Result<String> {
    let (name, value) = rest.split_once('=').context("no `=`")?;
    Ok(format!("{name}={}", value.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_is_read_to_the_last_line() {
        let recipe = Recipe::parse(include_str!("../../../plugin/Containerfile"), "arm64").unwrap();
        assert_eq!(recipe.user, "999");
        assert_eq!(recipe.entrypoint, "/var/run/argocd/argocd-cmp-server");
        assert_eq!(recipe.variables, ["PATH=/usr/local/bin", "HOME=/tmp"]);
        assert_eq!(recipe.labels.len(), 3);
        let program = Copied {
            from: "arm64/kubectl-homelab".to_owned(),
            to: "/usr/local/bin/kubectl-homelab".to_owned(),
            mode: 0o755,
        };
        assert_eq!(recipe.files.last(), Some(&program));
    }

    #[test]
    fn what_it_does_not_know_is_an_error_with_its_line() {
        for (text, said) in [
            (
                "FROM alpine",
                "plugin/Containerfile:1: an image from something else than `scratch`",
            ),
            (
                "FROM scratch\nRUN x",
                "plugin/Containerfile:2: `RUN`, which the project's own builder does not know",
            ),
            (
                "COPY a /b",
                "plugin/Containerfile:1: a COPY without permissions, or of several files",
            ),
            (
                "COPY --chmod=0644 $X /b",
                "plugin/Containerfile:1: a variable other than ${TARGETARCH}",
            ),
            ("USER 999", "plugin/Containerfile has no ENTRYPOINT"),
        ] {
            assert_eq!(format!("{:#}", Recipe::parse(text, "amd64").unwrap_err()), said);
        }
    }
}
