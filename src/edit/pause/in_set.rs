//! Pauses an Application that a set generates: in the set's template where it is the only one, else in its `templatePatch`. Whatever
//! else is changed, the set would put it back.

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::{Change, difference};
use crate::edit::convert::template;
use crate::edit::{Edit, Renders, RuleGate};
use crate::failure::HintExt;
use crate::model::pause::REASON;
use crate::model::{Object, Pointer};
use crate::repo::{ChangeSet, Manifest, Repo};
use crate::rules::fixes;
use crate::yaml;

const PATCH: &Pointer = Pointer::from_static("/spec/templatePatch");
/// How each condition of this program in a patch begins and ends.
const BEGIN: &str = "{{- if eq (printf ";
const END: &str = "{{- end }}\n";

pub(super) fn changed(
    repo: &Repo,
    renders: &dyn Renders,
    manifest: &Manifest,
    change: &Change<'_>,
) -> Result<(Edit, RuleGate)> {
    let Some(set) = template::set_of(repo, manifest) else {
        manifest.check_editable()?;
        return Err(anyhow!("its set is not known"));
    };
    set.check_editable()?;
    check_policy(set, manifest)?;
    let apps = template::generated_by(repo, set);
    let wanted = Object::new(change(manifest.object.tree()));
    let changes = match apps.as_slice() {
        [_] if !is_patched(set) => {
            let written = template::of_set(set).context("it has no template")?;
            difference(&written, change)
        }
        _ => by_patch(set, manifest, &wanted)?,
    };
    let after = repo.with(&changes)?;
    let changed = after.manifest(&set.file, set.document).context("the set is gone")?;
    let generated = renders.generate(&changed.object, &[])?;
    let is_it = |other: &&Manifest| std::ptr::eq(*other, manifest);
    let expected = apps
        .iter()
        .map(|app| if is_it(app) { wanted.tree() } else { app.object.tree() });
    if !expected.eq(generated.iter().map(Object::tree)) {
        return Err(put_back(set, manifest, "its template gives no other place for it"));
    }
    let derived = apps.into_iter().zip(generated).map(|(manifest, object)| Manifest {
        object,
        ..manifest.clone()
    });
    let gate = RuleGate {
        generated: derived.collect(),
        ..RuleGate::default()
    };
    let edit = Edit {
        changes,
        notes: vec![format!(
            "it is written in ApplicationSet `{}`, which would put anything else back",
            set.object.name()
        )],
        ..Edit::default()
    };
    Ok((edit, gate))
}

/// Returns the error of a set in which nothing can keep the sync of one Application off.
fn put_back(set: &Manifest, manifest: &Manifest, why: &str) -> anyhow::Error {
    let (name, app) = (set.object.name(), manifest.object.name());
    anyhow!("ApplicationSet `{name}` would put the automated sync of `{app}` back: {why}").hint(format!(
        "make `syncPolicy.automated` depend on a parameter of its generators in `{}`",
        set.file
    ))
}

/// Refuses a set from which no change of the sync reaches its Applications.
fn check_policy(set: &Manifest, manifest: &Manifest) -> Result<()> {
    let (name, app) = (set.object.name(), manifest.object.name());
    let in_cluster = || {
        let namespace = set.object.namespace().unwrap_or("argocd");
        let patch = r#"{"spec":{"syncPolicy":{"automated":{"enabled":false}}}}"#;
        format!(
            "change it in the cluster, where the set leaves it: `kubectl patch application {app} -n {namespace} --type merge -p '{patch}'`"
        )
    };
    let policy = set
        .object
        .at("/spec/syncPolicy/applicationsSync")
        .and_then(Value::as_str);
    if let Some(policy @ ("create-only" | "create-delete")) = policy {
        return Err(
            anyhow!("ApplicationSet `{name}` is `{policy}`: no change of it reaches `{app}`").hint(in_cluster()),
        );
    }
    let ignored = set
        .object
        .at("/spec/ignoreApplicationDifferences")
        .and_then(Value::as_array);
    let is_of = |entry: &&Value| {
        entry
            .get("name")
            .and_then(Value::as_str)
            .is_none_or(|name| name.is_empty() || name == app)
    };
    let places = |entry: &'_ Value| -> Vec<String> {
        let list = |key: &str| entry.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let all = list("jsonPointers").into_iter().chain(list("jqPathExpressions"));
        all.filter_map(|place| Some(place.as_str()?.replace('.', "/")))
            .collect()
    };
    let entries = ignored.into_iter().flatten().filter(is_of);
    if entries.flat_map(places).any(|place| hides(&place)) {
        return Err(anyhow!(
            "ApplicationSet `{name}` has `ignoreApplicationDifferences` for the automated sync: no change of it reaches `{app}`"
        )
        .hint(in_cluster()));
    }
    Ok(())
}

/// Reports whether a place that a set leaves alone, as a pointer or a path of jq with `/` for its dots, can be that of the switch.
fn hides(place: &str) -> bool {
    const OTHERS: [&str; 6] = [
        "/spec/syncPolicy/automated/prune",
        "/spec/syncPolicy/automated/selfHeal",
        "/spec/syncPolicy/automated/allowEmpty",
        "/spec/syncPolicy/syncOptions",
        "/spec/syncPolicy/retry",
        "/spec/syncPolicy/managedNamespaceMetadata",
    ];
    let is_other = || OTHERS.iter().any(|other| place.starts_with(other));
    ["", "/", "/spec"].contains(&place) || place.contains("syncPolicy") && !is_other()
}

fn is_patched(set: &Manifest) -> bool {
    set.object
        .at(PATCH)
        .and_then(Value::as_str)
        .is_some_and(|patch| !patch.trim().is_empty())
}

/// Returns the change of the set's `templatePatch`, with a condition on the name of the one Application.
fn by_patch(set: &Manifest, manifest: &Manifest, wanted: &Object) -> Result<ChangeSet> {
    if set.object.at("/spec/goTemplate") != Some(&Value::Bool(true)) {
        return Err(put_back(
            set,
            manifest,
            "its template is one for all, and only sets with `goTemplate: true` have a `templatePatch`",
        ));
    }
    let name = set
        .object
        .at("/spec/template/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some(condition) = condition(name, manifest.object.name()) else {
        return Err(put_back(
            set,
            manifest,
            "the name in its template is no simple expression",
        ));
    };
    let there = set.object.at(PATCH).and_then(Value::as_str).unwrap_or_default();
    let Some(mut blocks) = blocks(there) else {
        return Err(put_back(set, manifest, "it has a `templatePatch` of its own")
            .hint("add the condition to that `templatePatch` by hand"));
    };
    blocks.retain(|block| !block.starts_with(&condition));
    if let Some(text) = block(wanted)? {
        blocks.push(format!("{condition}\n{text}{END}"));
    }
    let operation = match (blocks.is_empty(), set.object.at(PATCH)) {
        (true, Some(_)) => fixes::remove(PATCH),
        (true, None) => return Ok(ChangeSet::default()),
        (false, _) => fixes::set(set.object.tree(), PATCH, json!(blocks.concat())),
    };
    Ok(fixes::patch(set, vec![operation]))
}

/// Returns what the patch says of a paused Application; nothing for one that is not.
fn block(wanted: &Object) -> Result<Option<String>> {
    let is_ours = |(key, _): &(&String, &Value)| key.starts_with(REASON);
    let annotations = wanted.at("/metadata/annotations").and_then(Value::as_object);
    let annotations: serde_json::Map<String, Value> = annotations
        .into_iter()
        .flatten()
        .filter(is_ours)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if annotations.is_empty() {
        return Ok(None);
    }
    let text = yaml::emit(&json!({
        "metadata": {"annotations": annotations},
        "spec": {"syncPolicy": {"automated": {"enabled": false}}},
    }))?;
    match text.contains("{{") {
        true => Err(
            anyhow!("the reason has `{{{{` in it, which begins an expression in a `templatePatch`")
                .hint("write it in other words"),
        ),
        false => Ok(Some(text)),
    }
}

/// Returns the first line of the block of one Application, from the template of all names.
fn condition(template: &str, name: &str) -> Option<String> {
    let (mut format, mut expressions, mut rest) = (String::new(), String::new(), template);
    while let Some((text, behind)) = rest.split_once("{{") {
        let (expression, behind) = behind.split_once("}}")?;
        let expression = expression.trim();
        let is_simple =
            !expression.is_empty() && !expression.starts_with(['-', '/', '$']) && !expression.ends_with('-');
        let keyword = expression.split(' ').next()?;
        if !is_simple || ["if", "range", "with", "end", "else", "define", "template", "block"].contains(&keyword) {
            return None;
        }
        format.push_str(&text.replace('%', "%%"));
        format.push_str("%v");
        expressions.push_str(&format!(" ({expression})"));
        rest = behind;
    }
    format.push_str(&rest.replace('%', "%%"));
    let quoted = |text: &str| json!(text).to_string();
    (!expressions.is_empty()).then(|| format!("{BEGIN}{}{expressions}) {} }}}}", quoted(&format), quoted(name)))
}

/// Returns the blocks of a patch in which there is nothing else.
fn blocks(patch: &str) -> Option<Vec<String>> {
    let mut blocks = Vec::new();
    let mut rest = patch;
    while !rest.trim().is_empty() {
        let end = rest.find(END.trim_end())? + END.trim_end().len();
        let (block, behind) = rest.split_at(end);
        if !block.starts_with(BEGIN) || !block.contains(REASON) {
            return None;
        }
        blocks.push(format!("{}\n", block.trim_end()));
        rest = behind.trim_start_matches(['\r', '\n']);
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_is_on_the_name() {
        for (template, expected) in [
            (
                "{{.path.basename}}",
                Some(r#"{{- if eq (printf "%v" (.path.basename)) "a" }}"#),
            ),
            (
                "home-{{ .path.basename | lower }}-100%",
                Some(r#"{{- if eq (printf "home-%v-100%%" (.path.basename | lower)) "a" }}"#),
            ),
            (
                "{{ index .path.segments 1 }}-{{ .x }}",
                Some(r#"{{- if eq (printf "%v-%v" (index .path.segments 1) (.x)) "a" }}"#),
            ),
            ("fixed", None),
            ("{{ if .x }}a{{ end }}", None),
            ("{{- .x -}}", None),
            ("{{ .x", None),
        ] {
            assert_eq!(condition(template, "a").as_deref(), expected, "{template}");
        }
    }

    #[test]
    fn what_a_set_leaves_alone_can_be_the_switch() {
        for place in [
            "/spec",
            "/spec/syncPolicy",
            "/spec/syncPolicy/automated",
            "/spec/syncPolicy/automated/enabled",
            "/spec/syncPolicy | /automated",
        ] {
            assert!(hides(place), "{place}");
        }
        for place in [
            "/spec/source/targetRevision",
            "/spec/syncPolicy/automated/prune",
            "/spec/syncPolicy/retry/limit",
            "/metadata/annotations",
        ] {
            assert!(!hides(place), "{place}");
        }
    }

    #[test]
    fn blocks_of_others_are_left_alone() {
        let one = "{{- if eq (printf \"%v\" (.x)) \"a\" }}\nmetadata: {annotations: {sync.home.arpa/paused: y}}\n{{- end }}\n";
        assert_eq!(blocks(""), Some(vec![]));
        assert_eq!(blocks(&one.repeat(2)), Some(vec![one.to_owned(), one.to_owned()]));
        assert_eq!(blocks("spec: {}\n"), None);
        assert_eq!(blocks(&format!("spec: {{}}\n{one}")), None);
        assert_eq!(blocks(&format!("{one}spec: {{}}\n")), None);
    }
}
