//! Every reason that a prediction can have, for programs and for the documentation.

use super::prediction::Action;

/// The words of reasons, with an action that each goes with and what it means.
pub const REASONS: &[(&str, Action, &str)] = &[
    ("new-object", Action::Create, "no Application rendered it before"),
    (
        "generated",
        Action::Create,
        "an ApplicationSet generates it; with `change`, differently than before",
    ),
    (
        "moved-from-application",
        Action::Adopt,
        "another Application does not render it any more, and a guard keeps it until this one takes it over",
    ),
    (
        "moved",
        Action::Adopt,
        "the same of a claim, and `moved-from` of the new owner or `moves` of the old one says so",
    ),
    (
        "left-by-application",
        Action::Adopt,
        "another Application leaves it behind",
    ),
    (
        "moves-without-guard",
        Action::Adopt,
        "another Application may delete it first; it is created again then. What holds data is `prune`: it is lost then",
    ),
    (
        "moved-from-unknown",
        Action::Adopt,
        "another Application rendered it, and what becomes of that one is not known",
    ),
    (
        "rendered-by-two",
        Action::Adopt,
        "another Application still renders it: both take it from each other with every sync",
    ),
    (
        "kept-before",
        Action::Adopt,
        "the claim had an owner that did not render it: what is still there is used again",
    ),
    ("content-differs", Action::Change, "it differs"),
    (
        "ignored-difference",
        Action::Ignored,
        "`ignoreDifferences` covers all that differs",
    ),
    (
        "replaced-by-force",
        Action::Recreate,
        "`Replace=true` with `Force=true`: every sync deletes it and creates it again",
    ),
    (
        "forced-refusal",
        Action::Recreate,
        "the API server refuses the change, and `Force=true` deletes the object and creates it again",
    ),
    (
        "role-changes",
        Action::Recreate,
        "the `roleRef` of a binding changes, which Argo CD applies as `kubectl auth reconcile` does",
    ),
    (
        "hook-of-every-sync",
        Action::Recreate,
        "it holds data and is a hook, which every sync deletes before it creates it again",
    ),
    (
        "not-rendered",
        Action::Prune,
        "its Application does not render it any more, and automated prune is on",
    ),
    (
        "application-deleted",
        Action::Prune,
        "its Application is deleted, and the finalizer deletes its objects",
    ),
    (
        "application-made-again",
        Action::Prune,
        "what brought its Application deletes it before something else makes it again, as another ApplicationSet: what holds data is lost, all else is created again (`recreate`)",
    ),
    (
        "hash-of-content",
        Action::Prune,
        "kustomize writes a hash of the content into its name, and the object with the new name takes its place",
    ),
    (
        "namespace-deleted",
        Action::Prune,
        "its Namespace is deleted, and everything in it, whatever its annotations",
    ),
    (
        "not-generated",
        Action::Prune,
        "no ApplicationSet generates the Application any more",
    ),
    (
        "released",
        Action::Prune,
        "`releases` at the base has announced that the data of the claim is lost",
    ),
    (
        "guard-in-another-branch",
        Action::Prune,
        "its guard is in a commit that is not in the branch that `targetRevision` names",
    ),
    (
        "extraneous-without-guard",
        Action::PruneLater,
        "IgnoreExtraneous without `Prune=false`: the next sync of the Application deletes it; with `prune`, the sync of this change",
    ),
    ("prune-guard", Action::Keep, "`Prune=false`"),
    (
        "delete-guard",
        Action::Keep,
        "`Delete=false`, and its Application is deleted",
    ),
    (
        "resource-policy",
        Action::Keep,
        "`helm.sh/resource-policy: keep`, and its Application is deleted",
    ),
    (
        "remembered",
        Action::Keep,
        "what keeps the claim is said, and `keeps` remembers whose it was; with `orphan` and `left`, too",
    ),
    (
        "definition-stays",
        Action::Keep,
        "Argo CD deletes no CustomResourceDefinition with an Application",
    ),
    (
        "guard-in-same-change",
        Action::TooLate,
        "the guard comes with the change that removes it: Argo CD reads guards from the live object",
    ),
    (
        "settings-in-same-change",
        Action::TooLate,
        "the settings of its Application that keep it come with the change that removes it",
    ),
    (
        "preserve-in-same-change",
        Action::TooLate,
        "`preserveResourcesOnDeletion` comes with the change that removes the Application",
    ),
    (
        "no-finalizer",
        Action::Orphan,
        "its Application is deleted without the finalizer",
    ),
    (
        "cluster-changed",
        Action::Orphan,
        "its Application deploys to another cluster now",
    ),
    ("prune-off", Action::Left, "automated prune is off"),
    (
        "application-stays",
        Action::Left,
        "nothing deletes its Application, which the repository does not have any more",
    ),
    (
        "set-policy",
        Action::Left,
        "the policy of an ApplicationSet does not allow it",
    ),
    (
        "prune-confirm",
        Action::Blocked,
        "`Prune=confirm`: the sync waits until somebody confirms, and holds the other changes",
    ),
    (
        "delete-confirm",
        Action::Blocked,
        "`Delete=confirm`: the deletion of the Application waits until somebody confirms",
    ),
    (
        "waits-for-confirmation",
        Action::Blocked,
        "another object of the Application has `Prune=confirm`",
    ),
    (
        "all-objects-removed",
        Action::Blocked,
        "the Application renders nothing any more: automated sync refuses to delete everything",
    ),
    (
        "project-refuses",
        Action::Blocked,
        "the AppProject does not permit a source, the destination or an object of the Application: Argo CD syncs nothing of it",
    ),
    (
        "earlier-wave-stops",
        Action::Blocked,
        "an object of an earlier wave fails, or is waited for",
    ),
    (
        "generator-fails",
        Action::Blocked,
        "the ApplicationSet cannot be expanded: nothing of it is created, changed or deleted",
    ),
    ("not-automated", Action::Unsynced, "automated sync is off"),
    (
        "applied-by-hand",
        Action::Unsynced,
        "nothing in the repository applies it",
    ),
    (
        "no-consumer-yet",
        Action::Wait,
        "a claim is Pending until its first pod, which comes in a later wave; the health checks that come with the plugin do not wait for it",
    ),
    (
        "immutable-field",
        Action::Fail,
        "the API server refuses to change the field",
    ),
    ("claim-shrinks", Action::Fail, "a claim cannot shrink"),
    (
        "class-does-not-expand",
        Action::Fail,
        "the storage class of a claim that grows does not expand volumes",
    ),
    (
        "shared-resource",
        Action::Fail,
        "`FailOnSharedResource=true`, and it carries the name of another Application",
    ),
    (
        "replaced-claim",
        Action::Fail,
        "`Replace=true` on a claim: every sync sends it without what the API server added to it, which is refused",
    ),
    (
        "hook-waits",
        Action::Hook,
        "it is a hook, and nothing else of the change makes its Application sync: it runs with the next sync",
    ),
    ("hook", Action::Hook, "it is a hook"),
];
