//! HL128: a policy of the lock that is switched off, changed or old does not hold what it should.

use json_patch::PatchOperation;
use serde_json::Value;

use super::{Check, Finding, Fix, Location, Meta, Rule, Scope, Severity, fixes};
use crate::lock::{Part, Policy, PolicyState, VERSION, VERSION_ANNOTATION, state};
use crate::model::{Object, Pointer};
use crate::repo::{Change, ChangeSet, Manifest, Repo};

static META: Meta = Meta {
    id: "HL128",
    name: "lock-is-current",
    severity: Severity::Error,
    summary: "the policies of the lock are in force, and as this program writes them",
    why: "`kubectl homelab lock enable deletions` writes two policies, each with the binding that puts it into force: owned claims \
stay, and so do Namespaces with such claims. `lock enable writes` adds a third: foreign claims are read-only. Without its binding, \
with another action than Deny, or changed by hand, a policy \
lets through what it should hold, and nobody notices before data is lost: that is an error. One that an older version of this program \
has written is a warning. Run the command again that wrote it, or `kubectl homelab lock disable`.\n\n\
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
};

pub(super) static RULE: Rule = Rule {
    meta: &META,
    check: Check::Whole(check),
};

/// A policy of the lock in a repository.
#[derive(Debug)]
pub struct LockPart<'r> {
    /// The policy as this program writes it.
    pub expected: Policy,
    /// Its manifest.
    pub policy: Option<&'r Manifest>,
    /// The manifest of its binding.
    pub binding: Option<&'r Manifest>,
}

impl LockPart<'_> {
    /// Returns its state.
    pub fn state(&self) -> PolicyState {
        let object = |manifest: Option<&Manifest>| manifest.map(|manifest| manifest.object.clone());
        state(
            &self.expected,
            object(self.policy).as_ref(),
            object(self.binding).as_ref(),
        )
    }
}

/// Returns the policies of a part of the lock with their manifests.
pub fn lock_parts(repo: &Repo, part: Part) -> Vec<LockPart<'_>> {
    let find = |object: &Object| {
        let is_it = |manifest: &&Manifest| {
            manifest.object.is(object.group(), object.kind()) && manifest.object.name() == object.name()
        };
        repo.all_manifests().find(is_it)
    };
    let parts = part.policies().into_iter().map(|expected| LockPart {
        policy: find(&expected.policy),
        binding: find(&expected.binding),
        expected,
    });
    parts.collect()
}

/// Returns the policies of all parts of the lock with their manifests.
pub fn all_lock_parts(repo: &Repo) -> Vec<LockPart<'_>> {
    Part::ALL.into_iter().flat_map(|part| lock_parts(repo, part)).collect()
}

/// Reports whether the repository has a part of the lock, in force.
pub fn is_on(repo: &Repo, part: Part) -> bool {
    lock_parts(repo, part)
        .iter()
        .all(|part| !matches!(part.state(), PolicyState::Missing | PolicyState::Off(_)))
}

/// Returns the operations that make a manifest what it should be.
pub fn renewed(manifest: &Manifest, expected: &Object) -> Vec<PatchOperation> {
    let object = &manifest.object;
    let mut operations = Vec::new();
    let spec = Pointer::from_static("/spec");
    let wanted = expected.at(spec).cloned().unwrap_or(Value::Null);
    if object.at(spec) != Some(&wanted) {
        operations.push(fixes::set(object.tree(), spec, wanted));
    }
    let version = VERSION.to_string();
    if object.annotation(VERSION_ANNOTATION) != Some(&version) {
        operations.push(fixes::annotate(object, VERSION_ANNOTATION, &version));
    }
    operations
}

fn check(scope: &Scope<'_>) -> Vec<Finding> {
    let of_part = |part: Part| {
        let parts = lock_parts(scope.repo, part);
        // A part that was never enabled has nothing anywhere.
        let anywhere = parts.iter().find_map(|part| part.policy.or(part.binding));
        let finding = |part: &LockPart<'_>| finding(part, anywhere?);
        parts.iter().filter_map(finding).collect::<Vec<_>>()
    };
    Part::ALL.into_iter().flat_map(of_part).collect()
}

fn finding(part: &LockPart<'_>, anywhere: &Manifest) -> Option<Finding> {
    let name = part.expected.name;
    let (message, severity) = match part.state() {
        PolicyState::Current => return None,
        PolicyState::Missing => (format!("the policy `{name}` of the lock is missing"), Severity::Error),
        PolicyState::Off(why) => (format!("the policy `{name}` is switched off: {why}"), Severity::Error),
        PolicyState::Changed => (
            format!("the policy `{name}` was changed: it may let through what it should hold"),
            Severity::Error,
        ),
        PolicyState::Older(Some(version)) => (
            format!("the policy `{name}` has the version {version}, this program writes {VERSION}"),
            Severity::Warning,
        ),
        PolicyState::Older(None) => (
            format!("the policy `{name}` has no version, this program writes {VERSION}"),
            Severity::Warning,
        ),
        PolicyState::Newer(version) => (
            format!("the policy `{name}` has the version {version}, this program knows {VERSION}"),
            Severity::Warning,
        ),
    };
    let hint = match part.state() {
        PolicyState::Newer(_) => "update this program".to_owned(),
        _ => format!("run `kubectl homelab lock enable {}`", part.expected.part.name()),
    };
    let place = part.policy.or(part.binding).unwrap_or(anywhere);
    let finding = Finding {
        severity,
        ..Finding::new(&META, message, Location::of(place, "/metadata/name"))
    };
    Some(finding.fix_or_hint(fix(part), hint))
}

/// Returns the fix where nothing is missing and both manifests can be edited.
fn fix(part: &LockPart<'_>) -> Option<Fix> {
    if matches!(part.state(), PolicyState::Newer(_)) {
        return None;
    }
    let both = [
        (part.policy?, &part.expected.policy),
        (part.binding?, &part.expected.binding),
    ];
    let mut changes = Vec::new();
    for (manifest, expected) in both {
        manifest.check_editable().ok()?;
        let operations = renewed(manifest, expected);
        if !operations.is_empty() {
            changes.push(Change::Patch {
                path: manifest.file.clone(),
                document: manifest.document,
                patch: json_patch::Patch(operations),
            });
        }
    }
    Some(Fix::needs_review(
        "write the policy as this program does",
        ChangeSet { changes },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::case::{Case, HOME};
    use serde_json::json;

    /// Returns a repository with the lock, whose objects were changed.
    fn case(change: impl Fn(&mut Value)) -> Case {
        let spec = json!({"destination": {}, "source": {"repoURL": HOME, "path": "lock"}});
        let mut case = Case::new().app("lock", spec);
        for (number, object) in crate::lock::policies().iter().flat_map(Policy::objects).enumerate() {
            let mut tree = object.tree().clone();
            change(&mut tree);
            if !tree.is_null() {
                case = case.manifest(&format!("lock/{number}.yaml"), tree);
            }
        }
        case
    }

    fn audits(tree: &mut Value) {
        if tree["kind"] == crate::lock::BINDING {
            tree["spec"]["validationActions"] = json!(["Audit"]);
        }
    }

    fn unversioned(tree: &mut Value) {
        tree["metadata"].as_object_mut().unwrap().shift_remove("annotations");
    }

    #[test]
    fn fires() {
        let off = "its binding does not have the action `Deny`";
        assert_eq!(
            case(audits).messages(&RULE),
            [
                format!("the policy `owned-claims-stay` is switched off: {off}"),
                format!("the policy `namespaces-with-claims-stay` is switched off: {off}"),
                format!("the policy `foreign-claims-read-only` is switched off: {off}"),
            ]
        );
        let older = case(unversioned).findings(&RULE);
        assert_eq!(older.len(), 3);
        assert_eq!(older[0].severity, Severity::Warning);
        assert_eq!(
            older[0].message,
            "the policy `owned-claims-stay` has no version, this program writes 1"
        );
        let half = case(|tree| {
            if tree["metadata"]["name"] == "namespaces-with-claims-stay" {
                *tree = Value::Null;
            }
        });
        assert_eq!(
            half.messages(&RULE),
            ["the policy `namespaces-with-claims-stay` of the lock is missing"]
        );
    }

    #[test]
    fn stays_silent() {
        assert!(case(|_| ()).messages(&RULE).is_empty());
        // Writes are chosen by themselves.
        let deletions = case(|tree| {
            if tree["metadata"]["name"] == "foreign-claims-read-only" {
                *tree = Value::Null;
            }
        });
        assert!(deletions.messages(&RULE).is_empty());
        assert!(Case::new().namespaces().messages(&RULE).is_empty());
    }

    #[test]
    fn fix_removes_it() {
        assert!(case(unversioned).fixed(&RULE).contains("lock-version: \"1\""));
        assert!(case(audits).fixed(&RULE).contains("- Deny"));
    }
}
