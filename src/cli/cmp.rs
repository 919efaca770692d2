//! `kubectl homelab cmp`: what the sidecar in Argo CD's repo-server runs, and what adds that sidecar to an Argo CD.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use super::session::Session;
use crate::cmp;
use crate::failure::{Exit, Failure};
use crate::install::{self, Images};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # What adds the plugin to an Argo CD
  kubectl homelab cmp manifest --image ghcr.io/you/kubectl-homelab:v0.1.0";

/// What Argo CD calls in the plugin's sidecar
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Render the source in the working directory, as the `ARGOCD_*` variables say
    #[command(
        after_help = "Examples:\n  ARGOCD_APP_NAME=player ARGOCD_APP_NAMESPACE=radio kubectl homelab cmp generate"
    )]
    Generate,
    /// Announce the parameters for Argo CD's form
    #[command(after_help = "Examples:\n  kubectl homelab cmp parameters")]
    Parameters,
    Manifest(Manifest),
}

/// Examples for `--help` of `manifest`.
const MANIFEST_EXAMPLES: &str = "\
Examples:
  # For an Argo CD of `kubectl apply -f install.yaml`, or of kustomize
  kubectl homelab cmp manifest --image ghcr.io/you/kubectl-homelab:v0.1.0 \\
    > homelab/kustomization.yaml

  # For an Argo CD of the Helm chart `argo-cd`
  kubectl homelab cmp manifest -o helm-values > homelab.yaml";

/// Print what adds the plugin to an existing Argo CD
///
/// The sidecar with helm and kustomize from Argo CD's own image, the parameters of the repo-server, and the health checks of claims and
/// Applications. Its first lines describe how to apply, upgrade and remove it.
#[derive(Clone, clap::Args, Debug)]
#[command(after_help = MANIFEST_EXAMPLES)]
struct Manifest {
    /// How Argo CD is installed
    #[arg(short, long, value_enum, default_value = "kustomize")]
    output: Form,

    /// The plugin's image
    #[arg(long, value_name = "IMAGE", value_parser = parse_word)]
    image: Option<String>,

    /// The version of Argo CD whose image brings helm and kustomize; that of the repo-server by default
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    argocd_version: Option<String>,

    /// The Secret whose key `credentials` has logins for git: a URL with user and token in each line
    #[arg(long, value_name = "SECRET", default_value = install::GIT_CREDENTIALS, value_parser = parse_name)]
    git_credentials: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// With its own manifests, by kustomize or `kubectl apply`: a kustomize component
    Kustomize,
    /// With the Helm chart `argo-cd`: values
    HelmValues,
    /// With the Argo CD operator: fields of the ArgoCD
    Operator,
    /// In another way: only plugin.yaml, which is in the plugin's image, too
    Plugin,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    match &args.verb {
        Verb::Generate => generate(session),
        Verb::Parameters => {
            let announcement = cmp::folder().map(|folder| cmp::announcement(&folder))?;
            session.terminal.data(&format!("{announcement}\n"))?;
            Ok(Exit::Done)
        }
        Verb::Manifest(args) => manifest(args, session),
    }
}

fn manifest(args: &Manifest, session: &mut Session) -> Result<Exit> {
    let Manifest {
        output,
        image,
        argocd_version,
        git_credentials,
    } = args;
    let placeholder = Images::default().plugin;
    let images = Images {
        plugin: image.clone().unwrap_or(placeholder),
        argo_cd: argocd_version.clone(),
        git_credentials: git_credentials.clone(),
    };
    let text = match output {
        Form::Kustomize => install::kustomize(&images)?,
        Form::HelmValues => install::helm_values(&images)?,
        Form::Operator => install::operator(&images)?,
        Form::Plugin => install::plugin()?,
    };
    session.terminal.data(&text)?;
    if *output != Form::Plugin && image.is_none() {
        session.terminal.hint(&format!(
            "there is no released image yet: put yours in the place of `{}`, with `--image`",
            images.plugin
        ));
    }
    if *output == Form::Operator && argocd_version.is_none() {
        session.terminal.hint(&format!(
            "helm and kustomize come from Argo CD {}; name the version that you run with `--argocd-version`",
            install::ARGO_CD
        ));
    }
    Ok(Exit::Done)
}

/// Checks an image's reference: it has no blanks, and nothing that the chart would take for a template.
fn parse_word(text: &str) -> Result<String, String> {
    let is_word = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "{}".contains(c));
    is_word
        .then(|| text.to_owned())
        .ok_or_else(|| "not the reference of an image, as `ghcr.io/you/kubectl-homelab:v0.1.0`".to_owned())
}

/// Checks the name of a Secret.
fn parse_name(text: &str) -> Result<String, String> {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
    let is_name = text.len() <= 253
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        && text.split('.').all(is_part);
    is_name
        .then(|| text.to_owned())
        .ok_or_else(|| format!("not the name of a Secret, as `{}`", install::GIT_CREDENTIALS))
}

/// Reads the tag of Argo CD's image; the `v` may be left out.
fn parse_version(text: &str) -> Result<String, String> {
    let number = text.strip_prefix('v').unwrap_or(text);
    let is_tag = number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    is_tag
        .then(|| format!("v{number}"))
        .ok_or_else(|| format!("not a version of Argo CD, as `{}`", install::ARGO_CD))
}

/// Renders all or nothing: one write at the end, or one line on standard error.
fn generate(session: &mut Session) -> Result<Exit> {
    let folder = cmp::folder()?;
    let output = match cmp::generate(&cmp::environment(), &folder) {
        Ok(output) => output,
        Err(error) => {
            let failure = Failure::from(error);
            session.terminal.say(&cmp::complaint(&failure, &folder));
            return Ok(failure.exit);
        }
    };
    // Argo CD that hears half of it must not take that for all: a closed pipe is a failure here.
    if let Err(error) = session.terminal.data_slices(output.pieces()) {
        session.terminal.say(&format!("cannot write the render: {error}"));
        return Ok(Exit::Failed);
    }
    output.notes.iter().for_each(|note| session.terminal.say(note));
    Ok(Exit::Done)
}
