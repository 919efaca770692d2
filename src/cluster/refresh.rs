//! A refresh: Argo CD compares with Git again, and with `hard` renders again, too.

use anyhow::{Result, bail};
use serde_json::json;

use super::applications::{AppStatus, Applications, Progress, Selection};
use super::{DryRun, Outcome, Patch, ProgressFn};
use crate::model::LiveApplication;
use crate::model::live::REFRESH;

/// The number of tries while somebody else keeps changing the Application.
const TRIES: usize = 20;

/// A request for a refresh.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Lets Argo CD forget the manifests that it has rendered.
    pub hard: bool,
    /// Waits until it has compared.
    pub wait: bool,
    /// Sends the request, or not.
    pub dry_run: DryRun,
}

/// Asks for the refresh, and waits until Argo CD has done it.
///
/// # Errors
/// When an Application is missing, or the cluster does not answer or refuses.
pub fn run(
    applications: &Applications<'_>,
    selection: &Selection,
    request: Request,
    show: ProgressFn<'_>,
) -> Result<Outcome> {
    let apps = applications.find(selection)?;
    let patches: Vec<Patch> = apps.iter().map(|app| patch(app, request)).collect();
    let names: Vec<String> = apps.iter().map(|app| app.name().to_owned()).collect();
    let is_real = request.dry_run == DryRun::None;
    let is_pending = apps.iter().any(|app| app.pending_refresh().is_some());
    if is_real && request.wait && is_pending {
        // The comparison for an older request may have read Git already; only a later one sees all of it.
        let statuses = applications.wait_until(&names, &mut |_, app| progress(app), show)?;
        if statuses.iter().any(|app| app.missing.is_some()) {
            return Ok(Outcome {
                patches: Vec::new(),
                apps: statuses,
            });
        }
    }
    let mut statuses = Vec::new();
    for patch in patches.iter().filter(|_| request.dry_run != DryRun::Client) {
        statuses.push(AppStatus {
            name: patch.name.clone(),
            application: Some(send(applications, patch, request.dry_run)?),
            missing: None,
        });
    }
    if is_real && request.wait {
        statuses = applications.wait_until(&names, &mut |_, app| progress(app), show)?;
    }
    if !is_real {
        statuses.clear();
    }
    Ok(Outcome {
        patches,
        apps: statuses,
    })
}

/// Sends a patch, again while others change the Application at the same time.
fn send(applications: &Applications<'_>, patch: &Patch, dry_run: DryRun) -> Result<LiveApplication> {
    for _ in 0..TRIES {
        if let Some(written) = applications.patch(&patch.name, &patch.body, dry_run)? {
            return Ok(written);
        }
    }
    bail!(
        "the Application `{}` keeps changing, so that no refresh can be started",
        patch.name
    )
}

fn patch(app: &LiveApplication, request: Request) -> Patch {
    // A request without a wait must not replace somebody else's hard refresh.
    let is_hard = request.hard || !request.wait && app.pending_refresh() == Some("hard");
    let kind = if is_hard { "hard" } else { "normal" };
    Patch {
        name: app.name().to_owned(),
        namespace: app.namespace().to_owned(),
        body: json!({"metadata": {"annotations": {REFRESH: kind}}}),
    }
}

/// Reports how far the refresh is: Argo CD removes the annotation with the same write that has the result in it.
fn progress(app: Option<&LiveApplication>) -> Progress {
    match app {
        None => Progress::Failed("it was deleted meanwhile".to_owned()),
        Some(app) if app.pending_refresh().is_some() => {
            Progress::Pending("Argo CD's application controller has not done the refresh".to_owned())
        }
        Some(_) => Progress::Reached,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(annotations: serde_json::Value) -> LiveApplication {
        LiveApplication::new(json!({"metadata": {"name": "a", "namespace": "argocd", "annotations": annotations}}))
    }

    #[test]
    fn a_hard_refresh_stays_hard() {
        let written = |hard, wait, pending: serde_json::Value| {
            let request = Request {
                hard,
                wait,
                dry_run: DryRun::None,
            };
            let patch = patch(&app(pending), request);
            patch.body["metadata"]["annotations"][REFRESH]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let hard = || json!({REFRESH: "hard"});
        assert_eq!(written(false, true, json!({})), "normal");
        assert_eq!(written(true, true, json!({})), "hard");
        assert_eq!(written(false, false, hard()), "hard");
        // It was waited for before.
        assert_eq!(written(false, true, hard()), "normal");
    }

    #[test]
    fn it_is_done_when_the_annotation_is_gone() {
        assert_eq!(progress(Some(&app(json!({})))), Progress::Reached);
        assert!(matches!(
            progress(Some(&app(json!({REFRESH: "normal"})))),
            Progress::Pending(_)
        ));
        assert!(matches!(progress(None), Progress::Failed(_)));
    }
}
