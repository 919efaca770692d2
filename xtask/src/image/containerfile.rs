//! The subset of a Containerfile that the project uses: an image from scratch, with files copied into it. Anything else is an
//! error, so that crane builds exactly what the file describes.

use anyhow::{Context, Result, bail, ensure};

/// The image of one architecture that a Containerfile describes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// The files that are copied.
    pub(super) files: Vec<Copied>,
    /// Environment variables, as `NAME=VALUE`.
    pub(super) variables: Vec<String>,
    /// Labels, as `NAME=VALUE`.
    pub(super) labels: Vec<String>,
    /// The numeric user id.
    pub(super) user: String,
    /// The program of the entry point, which has no arguments.
    pub(super) entrypoint: String,
}

/// A file of the image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Its path in the build context.
    pub(super) from: String,
    /// Its absolute path in the image.
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
        ensure!(
            !rest.contains('$'),
            "unsupported variable: only ${{TARGETARCH}} is known"
        );
        match instruction {
            "FROM" => ensure!(rest == "scratch", "the base image is not `scratch`"),
            "ARG" => ensure!(rest == "TARGETARCH", "unsupported argument: only TARGETARCH is known"),
            "COPY" => self.files.push(copied(rest)?),
            "ENV" => self.variables.push(pair(rest)?),
            "LABEL" => self.labels.push(pair(rest)?),
            "USER" => rest.clone_into(&mut self.user),
            "ENTRYPOINT" => {
                let words: Vec<String> = serde_json::from_str(rest).context("the entry point is not a list")?;
                let [word] =
                    <[String; 1]>::try_from(words).map_err(|_| anyhow::anyhow!("the entry point has arguments"))?;
                self.entrypoint = word;
            }
            other => bail!("unsupported instruction `{other}`"),
        }
        Ok(())
    }
}

fn copied(rest: &str) -> Result<Copied> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [mode, from, to] = words[..] else {
        bail!("COPY needs permissions and exactly one file");
    };
    let mode = mode.strip_prefix("--chmod=").context("COPY has no permissions")?;
    ensure!(
        to.starts_with('/') && !to.ends_with('/'),
        "the target of COPY is not an absolute path of a file"
    );
    Ok(Copied {
        from: from.to_owned(),
        to: to.to_owned(),
        mode: u32::from_str_radix(mode, 8).context("the permissions are not an octal number")?,
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
    fn the_projects_containerfile_is_read_completely() {
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
    fn unsupported_instructions_are_errors_with_their_line() {
        for (text, message) in [
            ("FROM alpine", "plugin/Containerfile:1: the base image is not `scratch`"),
            (
                "FROM scratch\nRUN x",
                "plugin/Containerfile:2: unsupported instruction `RUN`",
            ),
            (
                "COPY a /b",
                "plugin/Containerfile:1: COPY needs permissions and exactly one file",
            ),
            (
                "COPY --chmod=0644 $X /b",
                "plugin/Containerfile:1: unsupported variable: only ${TARGETARCH} is known",
            ),
            ("USER 999", "plugin/Containerfile has no ENTRYPOINT"),
        ] {
            assert_eq!(format!("{:#}", Recipe::parse(text, "amd64").unwrap_err()), message);
        }
    }
}
