//! Following Applications: a list, then a watch, then a list again whenever the watch breaks or falls silent.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::TryStreamExt;
use kube::api::{WatchEvent, WatchParams};

use super::connection::{Unanswered, list_params, live};
use super::{Cluster, Found, Progress, Selection, Tell};
use crate::model::LiveApplication;

/// How long one watch lasts.
const WATCH: u32 = 30;
/// How long a watch may say nothing before it counts as broken: a little longer than it lasts.
const SILENCE: Duration = Duration::from_secs(35);
/// How often the time is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Pause before the first new try, and longest pause between two.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The Applications that are followed, by name.
type Seen = BTreeMap<String, LiveApplication>;

impl Cluster {
    /// Follows Applications until nothing is open for any of them, or the time is over.
    pub(super) fn until(
        &self,
        names: &[String],
        progress: &mut dyn FnMut(&str, Option<&LiveApplication>) -> Progress,
        tell: Tell<'_>,
    ) -> Result<Vec<Found>> {
        let mut last: Vec<Found> = Vec::new();
        self.follow(&Selection::Named(names.to_vec()), &mut |seen| {
            let mut open = Vec::new();
            last.clear();
            for name in names {
                let application = seen.get(name);
                let missing = match progress(name, application) {
                    Progress::Reached => None,
                    Progress::Over(why) => Some(why),
                    Progress::Open(what) => {
                        open.push(format!("{name}: {what}"));
                        Some(what)
                    }
                };
                last.push(Found {
                    name: name.clone(),
                    application: application.cloned(),
                    missing,
                });
            }
            match open.as_slice() {
                [] => return ControlFlow::Break(()),
                [one] => tell(one),
                [first, more @ ..] => tell(&format!("{first}, and {} more", more.len())),
            }
            ControlFlow::Continue(())
        })?;
        Ok(last)
    }

    /// Looks at the Applications, again and again whenever they change and at every tick, until the judge has seen
    /// enough or the time is over. Says whether the judge had enough.
    fn follow(&self, selection: &Selection, judge: &mut dyn FnMut(&Seen) -> ControlFlow<()>) -> Result<bool> {
        self.block_on(self.follow_on(selection, judge))
    }

    async fn follow_on(&self, selection: &Selection, judge: &mut dyn FnMut(&Seen) -> ControlFlow<()>) -> Result<bool> {
        let mut pause = PAUSE;
        let mut was_answered = false;
        loop {
            match self.ask(self.api.list(&list_params(selection.only()))).await {
                Ok(list) => {
                    was_answered = true;
                    let version = list.metadata.resource_version.clone().unwrap_or_default();
                    let seen = list.into_iter().map(live);
                    let seen = seen.filter(|app| selection.means(app.name()));
                    let mut seen: Seen = seen.map(|app| (app.name().to_owned(), app)).collect();
                    if judge(&seen).is_break() {
                        return Ok(true);
                    }
                    let (is_reached, has_worked) = self.watch(selection, &mut seen, &version, judge).await?;
                    if is_reached {
                        return Ok(true);
                    }
                    if has_worked {
                        pause = PAUSE;
                    }
                }
                // Who has answered once comes back, as a rule: an API server that restarts, a network that changes.
                Err(Unanswered::Passing(_) | Unanswered::Silent) if was_answered => {}
                Err(error) => return Err(self.explain(error)),
            }
            if self.patience.is_over() {
                return Ok(false);
            }
            tokio::time::sleep(self.patience.left(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Watches from a version on. Says whether the judge had enough, and whether the watch said anything at all.
    async fn watch(
        &self,
        selection: &Selection,
        seen: &mut Seen,
        version: &str,
        judge: &mut dyn FnMut(&Seen) -> ControlFlow<()>,
    ) -> Result<(bool, bool)> {
        let params = WatchParams {
            field_selector: list_params(selection.only()).field_selector,
            timeout: Some(WATCH),
            ..WatchParams::default()
        };
        let stream = match self.ask(self.api.watch(&params, version)).await {
            Ok(stream) => stream,
            Err(Unanswered::Passing(_) | Unanswered::Silent) => return Ok((false, false)),
            Err(error) => return Err(self.explain(error)),
        };
        let mut stream = pin!(stream);
        let mut last = Instant::now();
        let mut has_worked = false;
        loop {
            match tokio::time::timeout(self.patience.left(TICK), stream.try_next()).await {
                Err(_) if last.elapsed() > SILENCE => break,
                Err(_) => {}
                Ok(Ok(Some(event))) => {
                    last = Instant::now();
                    if !take(seen, selection, event) {
                        break;
                    }
                    has_worked = true;
                }
                Ok(Ok(None) | Err(_)) => break,
            }
            if judge(seen).is_break() {
                return Ok((true, true));
            }
            if self.patience.is_over() {
                break;
            }
        }
        Ok((false, has_worked))
    }
}

/// Takes in what a watch says; `false` when it is of no more use.
fn take(seen: &mut Seen, selection: &Selection, event: WatchEvent<kube::api::DynamicObject>) -> bool {
    let (object, is_there) = match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, true),
        WatchEvent::Deleted(object) => (object, false),
        WatchEvent::Bookmark(_) => return true,
        WatchEvent::Error(_) => return false,
    };
    let app = live(object);
    if !selection.means(app.name()) {
        return true;
    }
    if is_there {
        seen.insert(app.name().to_owned(), app);
    } else {
        seen.remove(app.name());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::api::DynamicObject;
    use serde_json::json;

    fn object(name: &str, health: &str) -> DynamicObject {
        serde_json::from_value(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"}, "status": {"health": {"status": health}}}))
        .unwrap()
    }

    #[test]
    fn a_watch_adds_changes_and_takes_away_what_is_meant() {
        let selection = Selection::Named(vec!["a".to_owned(), "b".to_owned()]);
        let mut seen = Seen::new();
        assert!(take(&mut seen, &selection, WatchEvent::Added(object("a", "Missing"))));
        assert!(take(&mut seen, &selection, WatchEvent::Added(object("c", "Missing"))));
        assert!(take(
            &mut seen,
            &selection,
            WatchEvent::Modified(object("a", "Healthy"))
        ));
        assert_eq!(seen.len(), 1);
        assert_eq!((seen["a"].health(), seen["a"].namespace()), ("Healthy", "argocd"));
        assert!(take(&mut seen, &selection, WatchEvent::Deleted(object("a", "Healthy"))));
        assert!(seen.is_empty());
        assert!(!take(&mut seen, &selection, WatchEvent::Error(Box::default())));
    }
}
