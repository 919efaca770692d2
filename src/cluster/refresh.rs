//! A refresh: Argo CD looks at Git again, and with `hard` renders again, too.

use anyhow::Result;
use serde_json::json;

use super::{Cluster, Done, DryRun, Found, Patch, Progress, Selection, Tell};
use crate::model::LiveApplication;
use crate::model::live::REFRESH;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Whether Argo CD forgets the manifests that it has rendered.
    pub hard: bool,
    /// Whether to wait until it has looked.
    pub wait: bool,
    /// Whether it is asked at all.
    pub dry_run: DryRun,
}

/// Asks for the refresh, and waits until Argo CD has done it.
///
/// # Errors
/// When an Application is not there, or the cluster does not answer or refuses.
pub fn run(cluster: &Cluster, selection: &Selection, request: Request, tell: Tell<'_>) -> Result<Done> {
    let apps = cluster.find(selection)?;
    let patches: Vec<Patch> = apps.iter().map(|app| patch(app, request)).collect();
    let names: Vec<String> = apps.iter().map(|app| app.name().to_owned()).collect();
    let is_real = request.dry_run == DryRun::None;
    let is_pending = apps.iter().any(|app| app.pending_refresh().is_some());
    if is_real && request.wait && is_pending {
        // The comparison for an older request may have read Git already; only a later one sees all of it.
        let found = cluster.until(&names, &mut |_, app| progress(app), tell)?;
        if found.iter().any(|app| app.missing.is_some()) {
            return Ok(Done {
                patches: Vec::new(),
                found,
            });
        }
    }
    let mut found = Vec::new();
    for patch in patches.iter().filter(|_| request.dry_run != DryRun::Client) {
        found.push(Found {
            name: patch.name.clone(),
            application: cluster.patch(&patch.name, &patch.body, request.dry_run)?,
            missing: None,
        });
    }
    if is_real && request.wait {
        found = cluster.until(&names, &mut |_, app| progress(app), tell)?;
    }
    if !is_real {
        found.clear();
    }
    Ok(Done { patches, found })
}

fn patch(app: &LiveApplication, request: Request) -> Patch {
    // Who does not wait must not take somebody else's hard refresh away.
    let is_hard = request.hard || !request.wait && app.pending_refresh() == Some("hard");
    let kind = if is_hard { "hard" } else { "normal" };
    Patch {
        name: app.name().to_owned(),
        namespace: app.namespace().to_owned(),
        body: json!({"metadata": {"annotations": {REFRESH: kind}}}),
    }
}

/// Argo CD takes the annotation away with the same write that has the result in it.
fn progress(app: Option<&LiveApplication>) -> Progress {
    match app {
        None => Progress::Over("it was deleted meanwhile".to_owned()),
        Some(app) if app.pending_refresh().is_some() => {
            Progress::Open("Argo CD's application controller has not done the refresh".to_owned())
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
            Progress::Open(_)
        ));
        assert!(matches!(progress(None), Progress::Over(_)));
    }
}
