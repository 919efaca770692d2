//! `kubectl homelab filter`.

use anyhow::Result;

use super::session::Session;
use crate::disk;
use crate::failure::Exit;
use crate::model::claim::Mount;
use crate::model::parameter::Parameters;
use crate::model::{AppName, ClaimName, NamespaceName};
use crate::render::storage_pass;
use crate::rules::law::Law;

/// Put objects on standard input under the storage law
///
/// For helmfile, kustomize and pipes: `helm template … | kubectl homelab filter --app NAME`. What the law does not
/// concern goes out byte by byte as it came. Namespaces get their guards; the ownership registry needs the repository.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The Application that the objects belong to
    #[arg(long, value_name = "NAME")]
    app: AppName,

    /// The namespace of objects that say none
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    namespace: NamespaceName,

    /// A claim that the Application owns; may be repeated. Rendered claims are owned without it
    #[arg(long, value_name = "CLAIM")]
    owns: Vec<ClaimName>,

    /// A claim to mount: CLAIM[/SUBPATH]:PATH[,workload=[Kind/]NAME][,container=NAME][,gid=N]; may be repeated
    #[arg(long = "mount", value_name = "SPEC", value_parser = super::add_app::parse_mount)]
    mounts: Vec<Mount>,

    /// A claim of another Application that this one may write; may be repeated
    #[arg(long, value_name = "CLAIM")]
    writes: Vec<ClaimName>,

    /// Let an empty input through
    #[arg(long)]
    allow_empty: bool,
}

pub(super) fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let Args {
        app,
        namespace,
        owns,
        mounts,
        writes,
        allow_empty,
    } = args;
    let parameters = Parameters {
        owns: owns.iter().cloned().collect(),
        mounts: mounts.clone(),
        writes: writes.iter().cloned().collect(),
        ..Parameters::default()
    };
    let law = Law::new(app.clone(), namespace.clone(), &parameters, None)?;
    let output = storage_pass::apply(disk::read_stdin()?, &law, *allow_empty)?;
    session.terminal.data_slices(output.pieces())?;
    output.notes.iter().for_each(|note| session.terminal.say(note));
    Ok(Exit::Done)
}
