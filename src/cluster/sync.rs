//! A sync: writes the Application's `.operation`, as Argo CD's own API server does, and waits until the controller has
//! carried it out.
//!
//! There is no `force` and no `replace`: they delete and create objects again, and with a claim its data.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use super::applications::{AppStatus, Applications, Progress, Selection};
use super::{DryRun, Outcome, Patch, ProgressFn};
use crate::failure::HintExt;
use crate::model::LiveApplication;
use crate::model::live::INITIATOR;
use crate::model::sync::value;

/// The number of tries while somebody else keeps changing the Application.
const TRIES: usize = 20;

/// A request for a sync.
#[derive(Clone, Debug)]
pub struct Request {
    /// Deletes objects that Git no longer has.
    pub prune: bool,
    /// The revision, instead of `targetRevision`.
    pub revision: Option<String>,
    /// Waits for the end.
    pub wait: bool,
    /// Sends the request, or not.
    pub dry_run: DryRun,
}

/// Asks for the sync, and waits until it is over. Nothing is asked for when one of the Applications cannot be synced now.
///
/// # Errors
/// When an Application is missing or cannot be synced now, or the cluster does not answer or refuses.
pub fn run(
    applications: &Applications<'_>,
    selection: &Selection,
    request: &Request,
    show: ProgressFn<'_>,
) -> Result<Outcome> {
    let apps = applications.find(selection)?;
    let patches = apps.iter().map(|app| patch(app, request)).collect::<Result<Vec<_>>>()?;
    let mut statuses = Vec::new();
    for app in apps.iter().filter(|_| request.dry_run != DryRun::Client) {
        statuses.push(AppStatus {
            name: app.name().to_owned(),
            application: Some(start(applications, app, request)?),
            missing: None,
        });
    }
    if request.dry_run != DryRun::None {
        statuses.clear();
    } else if request.wait {
        let names: Vec<String> = apps.iter().map(|app| app.name().to_owned()).collect();
        let mut ended = BTreeMap::new();
        statuses = applications.wait_until(&names, &mut |name, app| remember(&mut ended, name, app), show)?;
        // What came after the end of our operation is not its result.
        for app in &mut statuses {
            if let Some(end) = ended.remove(&app.name) {
                app.application = Some(end);
            }
        }
    }
    Ok(Outcome {
        patches,
        apps: statuses,
    })
}

/// Writes the operation to the Application as it is now.
fn start(applications: &Applications<'_>, app: &LiveApplication, request: &Request) -> Result<LiveApplication> {
    let mut now = app.clone();
    for _ in 0..TRIES {
        let patch = patch(&now, request)?;
        if let Some(written) = applications.patch(app.name(), &patch.body, request.dry_run)? {
            return Ok(written);
        }
        let fresh = applications.find(&Selection::Named(vec![app.name().to_owned()]))?;
        now = fresh.into_iter().next().unwrap_or(now);
    }
    bail!(
        "the Application `{}` keeps changing, so that no sync can be started",
        app.name()
    )
}

/// Returns the patch that asks for a sync.
///
/// # Errors
/// When the Application cannot be synced now.
fn patch(app: &LiveApplication, request: &Request) -> Result<Patch> {
    let name = app.name();
    let Some(desired) = app.application() else {
        bail!("`{name}` is not an Application");
    };
    if app.is_being_deleted() {
        bail!("the Application `{name}` is being deleted");
    }
    if app.is_operating() {
        let running = app
            .requested_by()
            .or(app.operation().map(|operation| operation.initiator()));
        return Err(anyhow!(
            "an operation of {} is running on the Application `{name}`",
            running.unwrap_or("somebody")
        )
        .hint(format!("wait for it with `kubectl homelab wait {name} --for synced`")));
    }
    let options = desired.sync_options();
    for option in ["Replace", "Force"] {
        if value(options.iter().copied(), option) == Some("true") {
            return Err(anyhow!(
                "the Application `{name}` has the sync option {option}=true for all its objects, claims too"
            )
            .hint("put it on the objects that need it; `kubectl homelab explain HL302` says why"));
        }
    }
    if let Some(revision) = &request.revision {
        let sources = desired.sources();
        if sources.len() > 1 {
            return Err(anyhow!(
                "the Application `{name}` has {} sources, and one revision for all of them",
                sources.len()
            )
            .hint("leave out --revision, or change `targetRevision` in the repository"));
        }
        let is_another = sources.iter().any(|source| source.target_revision() != revision);
        if is_another && desired.automated().is_some() {
            return Err(anyhow!(
                "the Application `{name}` syncs automatically to its `targetRevision`, not to {revision}"
            )
            .hint("change `targetRevision` in the repository, or turn its automated sync off"));
        }
    }
    Ok(Patch {
        name: name.to_owned(),
        namespace: app.namespace().to_owned(),
        body: json!({
            // The API server refuses when the Application has changed since.
            "metadata": {"resourceVersion": app.resource_version()},
            "operation": operation(app, &options, request),
            // The last operation; the next one here is the one started by this program.
            "status": {"operationState": null},
        }),
    })
}

fn operation(app: &LiveApplication, options: &[&str], request: &Request) -> Value {
    let mut sync = json!({"syncStrategy": {"hook": {}}});
    if request.prune {
        sync["prune"] = json!(true);
    }
    if let Some(revision) = &request.revision {
        sync["revision"] = json!(revision);
    }
    if !options.is_empty() {
        sync["syncOptions"] = json!(options);
    }
    let mut operation = json!({"initiatedBy": {"username": INITIATOR}, "sync": sync});
    if let Some(retry) = app.retry() {
        operation["retry"] = retry.clone();
    }
    operation
}

/// Reports how far the operation is; remembers the Application as it was at its end.
fn remember(ended: &mut BTreeMap<String, LiveApplication>, name: &str, app: Option<&LiveApplication>) -> Progress {
    if ended.contains_key(name) {
        return Progress::Reached;
    }
    let progress = progress(app);
    if let (Progress::Reached, Some(app)) = (&progress, app) {
        ended.insert(name.to_owned(), app.clone());
    }
    progress
}

/// Reports how far the operation of this program is.
fn progress(app: Option<&LiveApplication>) -> Progress {
    let Some(app) = app else {
        return Progress::Failed("it was deleted meanwhile".to_owned());
    };
    let is_own = |who: &str| who == INITIATOR;
    let operation = app.operation();
    match (app.requested_by(), operation) {
        (_, Some(operation)) if operation.is_final() && is_own(operation.initiator()) => Progress::Reached,
        (Some(who), _) if !is_own(who) => Progress::Failed(format!("an operation of {who} has replaced this one")),
        (Some(_), Some(operation)) if is_own(operation.initiator()) => {
            let message = operation.message();
            let colon = if message.is_empty() { "" } else { ": " };
            Progress::Pending(format!("{}{colon}{message}", operation.phase()))
        }
        (Some(_), _) => Progress::Pending("Argo CD's application controller has not started the operation".to_owned()),
        (None, Some(operation)) if !is_own(operation.initiator()) => Progress::Failed(format!(
            "an operation of {} has replaced this one",
            operation.initiator()
        )),
        (None, Some(operation)) => Progress::Pending(operation.phase().to_owned()),
        (None, None) => Progress::Failed("somebody has removed the operation".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    fn request() -> Request {
        Request {
            prune: false,
            revision: None,
            wait: true,
            dry_run: DryRun::None,
        }
    }

    fn app(spec: Value, rest: Value) -> LiveApplication {
        let mut tree = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": "player", "namespace": "argocd", "resourceVersion": "7"}, "spec": spec});
        for (key, value) in rest.as_object().unwrap() {
            tree[key] = value.clone();
        }
        LiveApplication::new(tree)
    }

    fn refused(app: &LiveApplication, request: &Request) -> String {
        Failure::from(patch(app, request).unwrap_err()).one_line()
    }

    #[test]
    fn the_operation_has_the_applications_own_settings() {
        let spec = json!({"source": {"repoURL": "u", "path": "p"}, "syncPolicy": {
            "syncOptions": ["ServerSideApply=true"], "retry": {"limit": 5, "refresh": true}}});
        let request = Request {
            prune: true,
            revision: Some("v1".to_owned()),
            ..request()
        };
        assert_eq!(
            patch(&app(spec, json!({})), &request).unwrap().body,
            json!({
                "metadata": {"resourceVersion": "7"},
                "operation": {
                    "initiatedBy": {"username": "kubectl-homelab"},
                    "sync": {"syncStrategy": {"hook": {}}, "prune": true, "revision": "v1", "syncOptions": ["ServerSideApply=true"]},
                    "retry": {"limit": 5, "refresh": true},
                },
                "status": {"operationState": null},
            })
        );
    }

    #[test]
    fn the_operation_has_nothing_that_was_not_asked_for() {
        let body = patch(&app(json!({}), json!({})), &request()).unwrap().body;
        assert_eq!(
            body["operation"],
            json!({"initiatedBy": {"username": "kubectl-homelab"}, "sync": {"syncStrategy": {"hook": {}}}})
        );
    }

    #[test]
    fn a_running_operation_is_left_alone() {
        let asked = app(json!({}), json!({"operation": {"initiatedBy": {"username": "admin"}}}));
        assert_eq!(
            refused(&asked, &request()),
            "an operation of admin is running on the Application `player`"
        );
        let running =
            json!({"operationState": {"phase": "Running", "operation": {"initiatedBy": {"automated": true}}}});
        assert_eq!(
            refused(&app(json!({}), json!({"status": running})), &request()),
            "an operation of Argo CD itself is running on the Application `player`"
        );
        let done = json!({"operationState": {"phase": "Failed"}});
        assert!(patch(&app(json!({}), json!({"status": done})), &request()).is_ok());
    }

    #[test]
    fn claims_are_never_replaced_or_forced() {
        for option in ["Replace=true", "Force=true"] {
            let spec = json!({"syncPolicy": {"syncOptions": [option]}});
            assert!(refused(&app(spec, json!({})), &request()).contains(option));
        }
        let spec = json!({"syncPolicy": {"syncOptions": ["Replace=false"]}});
        assert!(patch(&app(spec, json!({})), &request()).is_ok());
    }

    #[test]
    fn another_revision_needs_one_source_and_no_automation() {
        let to = |revision: &str| Request {
            revision: Some(revision.to_owned()),
            ..request()
        };
        let automated = |automated: Value| {
            app(
                json!({"source": {"repoURL": "u", "targetRevision": "main"}, "syncPolicy": {"automated": automated}}),
                json!({}),
            )
        };
        assert!(refused(&automated(json!({})), &to("v1")).contains("syncs automatically"));
        assert!(patch(&automated(json!({})), &to("main")).is_ok());
        assert!(patch(&automated(json!({"enabled": false})), &to("v1")).is_ok());
        let several = app(json!({"sources": [{"repoURL": "a"}, {"repoURL": "b"}]}), json!({}));
        assert!(refused(&several, &to("v1")).contains("has 2 sources"));
    }

    #[test]
    fn only_the_end_of_our_own_operation_counts() {
        let of = |rest: Value| progress(Some(&app(json!({}), rest)));
        let own = json!({"initiatedBy": {"username": INITIATOR}});
        let other = json!({"initiatedBy": {"username": "admin"}});
        let state =
            |phase: &str, operation: &Value| json!({"operationState": {"phase": phase, "operation": operation}});
        assert!(matches!(of(json!({"operation": own})), Progress::Pending(what) if what.contains("has not started")));
        assert_eq!(
            of(json!({"operation": own, "status": state("Running", &own)})),
            Progress::Pending("Running".to_owned())
        );
        assert_eq!(of(json!({"status": state("Succeeded", &own)})), Progress::Reached);
        assert_eq!(of(json!({"status": state("Failed", &own)})), Progress::Reached);
        for rest in [
            json!({}),
            json!({"operation": other}),
            json!({"status": state("Running", &other)}),
            json!({"status": state("Succeeded", &other)}),
        ] {
            assert!(matches!(of(rest.clone()), Progress::Failed(_)), "{rest}");
        }
        assert!(matches!(progress(None), Progress::Failed(_)));
    }

    #[test]
    fn the_end_is_kept_when_something_else_begins() {
        let own =
            json!({"operationState": {"phase": "Succeeded", "operation": {"initiatedBy": {"username": INITIATOR}}}});
        let mut ended = BTreeMap::new();
        let end = app(json!({}), json!({"status": own}));
        assert_eq!(remember(&mut ended, "player", Some(&end)), Progress::Reached);
        let next = app(json!({}), json!({"operation": {"initiatedBy": {"automated": true}}}));
        assert_eq!(remember(&mut ended, "player", Some(&next)), Progress::Reached);
        assert_eq!(ended["player"], end);
    }
}
