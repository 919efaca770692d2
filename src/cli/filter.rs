//! `kubectl homelab filter`.

use anyhow::{Result, anyhow};

use super::session::Session;
use crate::disk;
use crate::failure::{Exit, HintExt};
use crate::law::StorageRules;
use crate::model::mount::Mount;
use crate::model::parameter::Parameters;
use crate::model::{AppName, ClaimPath, NamespaceName};
use crate::render::{Input, Stream, storage_pass};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  helm template jellyfin ./chart | kubectl homelab filter --app jellyfin
  kubectl kustomize . | kubectl homelab filter --app player -n radio \\
    --mount pvc-audio:/media/audio";

/// Apply the storage rules to objects on standard input
///
/// For helmfile, kustomize and pipes: `helm template … | kubectl homelab filter --app NAME`. What the rules do not
/// change goes out byte by byte as it came. Namespaces get their guards; the ownership registry needs the repository.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The Application that the objects belong to
    #[arg(long, value_name = "APP")]
    app: AppName,

    /// The Application's namespace; by default the one that its claims and workloads name, else `default`
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<NamespaceName>,

    /// A claim that the Application owns; may be repeated. Rendered claims are owned without it
    #[arg(long, value_name = "CLAIM")]
    owns: Vec<ClaimPath>,

    /// A claim to mount, read-only unless owned or in --writes; may be repeated. Its options are workload=[Kind/]NAME,
    /// container=NAME and gid=N
    #[arg(long = "mount", value_name = super::add_app::MOUNT, value_parser = super::add_app::parse_mount)]
    mounts: Vec<Mount>,

    /// A claim of another Application that this one may write; may be repeated
    #[arg(long, value_name = "CLAIM")]
    writes: Vec<ClaimPath>,

    /// Let an empty input through
    #[arg(long)]
    allow_empty: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let Args {
        app,
        namespace,
        owns,
        mounts,
        writes,
        allow_empty,
    } = args;
    let parameters = Parameters {
        owns: owns.into_iter().collect(),
        mounts,
        writes: writes.into_iter().collect(),
        ..Parameters::default()
    };
    let rules = |stream: &Stream<'_>| {
        let namespace = match namespace {
            Some(namespace) => namespace,
            None => only_namespace(stream)?,
        };
        StorageRules::new(app, namespace, &parameters, None)
    };
    let input = Input {
        raw: disk::read_stdin()?,
        claims: &[],
        patches: &parameters.patches,
        allow_empty,
    };
    let output = storage_pass::apply_with(input, rules)?;
    session.terminal.data_slices(output.pieces())?;
    output.notes.iter().for_each(|note| session.terminal.say(note));
    Ok(Exit::Done)
}

/// Returns the namespace that the objects agree on. Claims in flags are claims of it: a wrong guess would take the
/// Application's own claims for foreign ones.
fn only_namespace(stream: &Stream<'_>) -> Result<NamespaceName> {
    let found: Vec<String> = stream.namespaces().into_iter().collect();
    match found.as_slice() {
        [] => NamespaceName::new("default"),
        [only] => NamespaceName::new(only),
        several => Err(anyhow!("the objects are in several namespaces: {}", several.join(", "))
            .hint("name the Application's with `--namespace`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_the_one_that_claims_and_workloads_agree_on() {
        let claim = |namespace: &str| {
            format!("---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: c\n  {namespace}\n")
        };
        let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: kube-system}\n";
        let media = claim("namespace: media");
        let only = |text: &str| {
            let stream = Stream::read(text, &[]).unwrap();
            only_namespace(&stream).map(|name| name.to_string())
        };
        assert_eq!(only(&format!("{service}{media}{}", claim(""))).unwrap(), "media");
        assert_eq!(only(service).unwrap(), "default");
        let error = only(&format!("{media}{}", claim("namespace: radio"))).unwrap_err();
        assert_eq!(error.to_string(), "the objects are in several namespaces: media, radio");
    }
}
