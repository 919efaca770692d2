//! Keeps what kustomize builds for the next run of a command, as helm's renders are kept.

use anyhow::{Result, ensure};

use super::Kustomize;
use super::options::Options;
use super::program::Program;
use crate::disk::{Checkout, Fingerprint};
use crate::helm::KeptRenders;
use crate::render::{KustomizeCall, Raw, Renderer};
use crate::repo::Files;
use crate::repo::kustomization::without_nested;

/// The version of what a key means; it changes whenever kustomize is called differently.
const GENERATION: &str = "kustomize 1";

/// Kustomize, and what it has built before.
#[derive(Debug)]
pub struct Kept<'k> {
    renders: &'k KeptRenders,
    kustomize: &'k Kustomize,
}

impl Kustomize {
    /// Takes what would be built from the renders that are kept, where it is there, and adds what is built.
    pub fn after<'k>(&'k self, renders: &'k KeptRenders) -> Kept<'k> {
        Kept {
            renders,
            kustomize: self,
        }
    }
}

impl Renderer<KustomizeCall> for Kept<'_> {
    fn render(&self, call: &KustomizeCall) -> Result<Raw> {
        // What is wrong is said by the build itself.
        let key = || key(self.kustomize, call).ok();
        self.renders.render(&key, &|| self.kustomize.render(call))
    }
}

/// Returns a digest of all that a build reads and is told. What comes from the network is not in it; a build that depends on it
/// says so ([`Raw::is_settled`]).
///
/// # Errors
/// When something cannot be read, or the repository may have programs run, which could read anything.
fn key(kustomize: &Kustomize, call: &KustomizeCall) -> Result<String> {
    let options = Options::of(kustomize.build_options.as_deref())?;
    ensure!(!options.runs_programs(), "programs may run");
    let mut key = Fingerprint::new(GENERATION);
    let program = Program::find(kustomize.program.as_deref(), call, &options)?;
    key.program(&program.path, if program.is_kubectl { "kubectl" } else { "kustomize" })?;
    if call.graph.may_inflate_charts() {
        kustomize.helm(kustomize.checkout.clone()).add_to(&mut key)?;
    }
    let told = format!("{:?} {:?} {:?}", options.build, call.edits, call.folder);
    key.named("told", told.as_bytes());
    let cluster = format!("{:?} {:?}", call.kube_version, call.api_versions);
    key.named("cluster", cluster.as_bytes());
    let files = &kustomize.checkout;
    // Of the folders of kustomizations everything counts, so that it does not matter what reads it.
    let folders = call.graph.kustomizations.iter().map(|one| one.folder.clone());
    let paths = folders.chain(call.graph.reads.iter().cloned());
    for path in &without_nested(paths.collect()) {
        key.add(path.as_str().as_bytes());
        match files.list(path)?.is_some() {
            true => key.folder(files, path, path.as_str())?,
            false => key.file(files, path)?,
        }
    }
    add_variables(&mut key, call, files)?;
    Ok(key.finish())
}

/// Adds the variables that a file names: a file of `envs` takes their values. The others, as the revision, would make each commit
/// a build of its own.
fn add_variables(key: &mut Fingerprint, call: &KustomizeCall, files: &Checkout) -> Result<()> {
    let mut texts = Vec::new();
    for path in &call.graph.reads {
        let bytes = files.read(path).ok().flatten();
        texts.extend(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    }
    let is_named = |name: &str| texts.iter().any(|text| text.contains(name));
    for (name, value) in call.variables.iter().filter(|(name, _)| is_named(name)) {
        key.named(name, value.as_bytes());
    }
    Ok(())
}
