//! Watches the objects of one kind until a caller has seen enough: kube's watcher lists, watches, and lists again when that
//! breaks; this file adds the deadline and decides which errors end the wait.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{Stream, StreamExt};
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::{Backoff, ResetTimerBackoff};
use kube::runtime::watcher::{self, Config, Event, watcher};
use serde_json::Value;

use super::connection::WATCH_SECONDS;
use super::error::RequestError;
use super::objects::{Objects, only, tree};

/// The interval at which the deadline is checked, and progress is shown.
const TICK: Duration = Duration::from_millis(500);
/// Pause before the first new try, and longest pause between two.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this time without an error, pauses are short again.
const RESET_AFTER: Duration = Duration::from_secs(20);

/// The objects that were seen, by name.
pub(super) type Seen<T> = BTreeMap<String, T>;

/// Pauses that double.
struct Pauses(Duration);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = FIRST_PAUSE;
    }
}

impl Objects<'_> {
    /// Calls a function with the objects, again whenever they change and at every tick, until it has seen enough or the
    /// deadline comes.
    ///
    /// # Errors
    /// When the cluster refuses, or does not answer the first request.
    pub(super) fn watch<T>(
        &self,
        name: Option<&str>,
        read: impl Fn(Value) -> T,
        on_change: &mut dyn FnMut(&Seen<T>) -> ControlFlow<()>,
    ) -> Result<()> {
        let watch = self.watch_until(name, read, on_change);
        let result = self.cluster.block_on(watch);
        result.map_err(|error| self.explain(error))
    }

    async fn watch_until<T>(
        &self,
        name: Option<&str>,
        read: impl Fn(Value) -> T,
        on_change: &mut dyn FnMut(&Seen<T>) -> ControlFlow<()>,
    ) -> Result<(), RequestError> {
        let deadline = self.cluster.deadline();
        let start = Instant::now();
        let mut stream = pin!(self.events(name));
        let mut objects = Watched::default();
        loop {
            match tokio::time::timeout(deadline.left(TICK), stream.next()).await {
                Ok(Some(Ok(event))) => objects.apply(event, &read),
                Ok(Some(Err(error))) if is_expired(&error) => stream.set(self.events(name)),
                Ok(Some(Err(error))) => permit(error, objects.is_complete)?,
                // A watcher does not end; a tick has gone by.
                Ok(None) | Err(_) => {}
            }
            if objects.is_complete {
                if on_change(&objects.seen).is_break() || deadline.is_over() {
                    return Ok(());
                }
            } else if deadline.is_over() || start.elapsed() > self.cluster.request_timeout() {
                return Err(RequestError::TimedOut);
            }
        }
    }

    fn events(&self, name: Option<&str>) -> impl Stream<Item = watcher::Result<Event<DynamicObject>>> + use<> {
        let config = Config {
            field_selector: name.map(only),
            timeout: Some(WATCH_SECONDS),
            ..Config::default()
        };
        watcher(self.api.clone(), config).backoff(ResetTimerBackoff::new(Pauses(FIRST_PAUSE), RESET_AFTER))
    }
}

/// Reports whether the API server no longer has the version to watch from, so that only a new list helps.
fn is_expired(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

/// Lets errors pass after which the watcher goes on. A server that has answered once comes back, as a rule: it restarts, or
/// the network changes.
fn permit(error: watcher::Error, has_answered: bool) -> Result<(), RequestError> {
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            match RequestError::of(error) {
                RequestError::Transient(_) if has_answered => Ok(()),
                error => Err(error),
            }
        }
        _ => Ok(()),
    }
}

/// The objects as the events so far give them.
struct Watched<T> {
    /// The objects of the last whole list, with what changed since.
    seen: Seen<T>,
    /// The objects of a list that is not whole yet.
    listed: Seen<T>,
    /// Set when there was a whole list.
    is_complete: bool,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self {
            seen: Seen::new(),
            listed: Seen::new(),
            is_complete: false,
        }
    }
}

impl<T> Watched<T> {
    fn apply(&mut self, event: Event<DynamicObject>, read: impl Fn(Value) -> T) {
        let entry = |object: DynamicObject| (object.metadata.name.clone().unwrap_or_default(), read(tree(object)));
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => self.listed.extend([entry(object)]),
            Event::InitDone => {
                self.seen = std::mem::take(&mut self.listed);
                self.is_complete = true;
            }
            Event::Apply(object) => self.seen.extend([entry(object)]),
            Event::Delete(object) => {
                self.seen.remove(&object.metadata.name.unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str, health: &str) -> DynamicObject {
        serde_json::from_value(json!({"apiVersion": "v1", "kind": "Any",
            "metadata": {"name": name, "namespace": "argocd"}, "health": health}))
        .unwrap()
    }

    #[test]
    fn a_list_replaces_what_was_seen_once_it_is_whole() {
        let mut objects = Watched::default();
        let mut see = |events: Vec<Event<DynamicObject>>| {
            for event in events {
                objects.apply(event, |tree| tree["health"].clone());
            }
            let seen: Vec<String> = objects
                .seen
                .iter()
                .map(|(name, health)| format!("{name} {health}"))
                .collect();
            (objects.is_complete, seen.join(", ").replace('"', ""))
        };
        assert_eq!(
            see(vec![Event::Init, Event::InitApply(object("a", "x"))]),
            (false, String::new())
        );
        assert_eq!(
            see(vec![Event::InitApply(object("b", "x")), Event::InitDone]),
            (true, "a x, b x".to_owned())
        );
        assert_eq!(see(vec![Event::Apply(object("a", "y"))]), (true, "a y, b x".to_owned()));
        assert_eq!(see(vec![Event::Delete(object("b", "x"))]), (true, "a y".to_owned()));
        assert_eq!(
            see(vec![Event::Init, Event::InitApply(object("c", "x"))]),
            (true, "a y".to_owned())
        );
        assert_eq!(see(vec![Event::InitDone]), (true, "c x".to_owned()));
    }

    #[test]
    fn pauses_double_up_to_a_longest_one() {
        let mut pauses = Pauses(FIRST_PAUSE);
        let seconds: Vec<f32> = pauses.by_ref().take(6).map(|pause| pause.as_secs_f32()).collect();
        assert_eq!(seconds, [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]);
        pauses.reset();
        assert_eq!(pauses.next(), Some(FIRST_PAUSE));
    }

    #[test]
    fn only_what_may_pass_is_waited_for_and_only_after_an_answer() {
        let failed = |code: u16| {
            let status = kube::core::Status {
                code,
                ..kube::core::Status::default()
            };
            watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
        };
        assert!(permit(failed(503), true).is_ok());
        assert!(permit(failed(503), false).is_err());
        assert!(permit(failed(403), true).is_err());
    }
}
