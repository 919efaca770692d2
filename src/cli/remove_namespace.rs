//! `kubectl homelab remove-namespace`.

use anyhow::Result;

use super::edit_args::EditArgs;
use super::helm::HelmArgs;
use super::output::EditOutput;
use super::session::Session;
use super::source_dirs::SourceDirArgs;
use crate::edit::remove_namespace::remove_namespace;
use crate::failure::Exit;
use crate::model::NamespaceName;
use crate::rules::Scope;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  kubectl homelab remove-namespace radio --dry-run=client -o diff
  kubectl homelab remove-namespace radio --commit";

/// Take a Namespace out of the repository, once nothing is in it any more
///
/// It refuses while Applications are destined to the Namespace, or claims in it are owned or kept. The Namespace itself stays in the
/// cluster where its guards keep it: the command says how to end it.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Its name
    #[arg(value_name = "NAMESPACE")]
    name: NamespaceName,

    #[command(flatten)]
    sources: SourceDirArgs,

    #[command(flatten)]
    helm: HelmArgs,

    #[command(flatten)]
    edit: EditArgs,
}

pub(super) fn run(mut args: Args, session: &mut Session) -> Result<Exit> {
    session.reads_with(&args.sources, &args.helm);
    session.edit(&args.edit.write)?;
    let options = args.sources.options(&args.helm, &session.repo()?.settings);
    let (renders, notes) = session.render_all(&args.sources.into_dirs(), &options)?;
    notes.iter().for_each(|note| session.terminal.say(note));
    let (edit, gate) = remove_namespace(&Scope::new(session.repo()?, &renders), &args.name)?;
    if !args.edit.is_written() {
        // What goes is in no new text.
        args.edit.output.get_or_insert(EditOutput::Diff);
    }
    session.finish(&args.edit, &edit, &gate)
}
