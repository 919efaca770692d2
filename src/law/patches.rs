//! The user's own patches: the post-renderer that Argo CD lacks.

use anyhow::{Context, Result, anyhow, bail};
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

use super::operations::below;
use super::{Placed, describe};
use crate::failure::HintExt;
use crate::model::parameter::PatchTarget;

/// Returns the operations of each patch, with its target and the index of the document that they are for.
///
/// # Errors
/// When a patch is invalid, or its key matches no object.
pub(crate) fn operations<'a>(
    patches: &'a [(PatchTarget, Value)],
    objects: &[Placed],
    destination: &str,
) -> Result<Vec<(&'a PatchTarget, usize, Vec<PatchOperation>)>> {
    let mut all = Vec::new();
    for (target, tree) in patches {
        let patch: Patch = serde_json::from_value(tree.clone())
            .map_err(|_| anyhow!("it is not a list of operations"))
            .with_context(|| format!("parameter `patches`, key `{target}`"))
            .hint("write it as RFC 6902 has it, for example [{\"op\":\"add\",\"path\":\"/metadata/labels/a\",\"value\":\"b\"}]")?;
        let matching: Vec<&Placed> = objects
            .iter()
            .filter(|placed| target.matches(&placed.object, destination))
            .collect();
        if matching.is_empty() {
            let of_kind = objects.iter().filter(|placed| placed.object.kind() == target.kind);
            let names: Vec<String> = of_kind.map(|placed| describe(&placed.object)).collect();
            let rendered = if names.is_empty() {
                "none of this kind".to_owned()
            } else {
                names.join(", ")
            };
            bail!("parameter `patches`: key `{target}` matches no object; rendered: {rendered}");
        }
        for placed in matching {
            all.push((target, placed.document, below(&placed.pointer, patch.0.clone())));
        }
    }
    Ok(all)
}
