//! The automated sync of an Application, switched off for a while: what stands in its manifest then.

use serde_json::{Map, Value, json};

use super::object::Object;

/// Annotation: why the automated sync is off; its presence says that `pause` has switched it off.
pub const REASON: &str = "sync.home.arpa/paused";
/// Annotation: the date or the moment until which it is off.
pub const UNTIL: &str = "sync.home.arpa/paused-until";
/// Annotation: what `automated.enabled` was before, where it was written.
const ENABLED: &str = "sync.home.arpa/paused-enabled";

/// How an Application is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Automatically.
    Automated,
    /// By hand: it has no automated sync, or one that is off.
    Manual,
    /// By hand until `resume`.
    Paused,
}

impl SyncMode {
    /// Returns how an Application is synced.
    pub fn of(app: &Object) -> Self {
        let automated = app
            .at("/spec/syncPolicy/automated")
            .filter(|automated| automated.is_object());
        let is_off = automated.is_none_or(|automated| automated.get("enabled") == Some(&Value::Bool(false)));
        match (is_off, app.annotation(REASON)) {
            (false, _) => Self::Automated,
            (true, Some(_)) => Self::Paused,
            (true, None) => Self::Manual,
        }
    }
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: String,
    /// The date or the moment until which it lasts.
    pub until: Option<String>,
}

impl Pause {
    /// Returns an Application, or the template of a set, without its automated sync: `enabled: false` leaves what else is said of
    /// it. One that is paused gets this reason.
    pub fn begun(&self, tree: &Value) -> Value {
        let mut paused = tree.clone();
        let automated = paused
            .pointer_mut("/spec/syncPolicy/automated")
            .and_then(Value::as_object_mut);
        let was = automated.and_then(|automated| automated.insert("enabled".to_owned(), json!(false)));
        let mut annotations = Map::from_iter([(REASON.to_owned(), json!(self.reason))]);
        annotations.extend(self.until.as_ref().map(|until| (UNTIL.to_owned(), json!(until))));
        annotations.extend(
            was.filter(|was| was == true)
                .map(|_| (ENABLED.to_owned(), json!("true"))),
        );
        if let Some(metadata) = map_at(&mut paused, "metadata") {
            let there = metadata.entry("annotations").or_insert_with(|| json!({}));
            if !there.is_object() {
                *there = json!({});
            }
            if let Some(there) = there.as_object_mut() {
                if self.until.is_none() {
                    there.shift_remove(UNTIL);
                }
                there.extend(annotations);
            }
        }
        paused
    }
}

/// Returns an Application, or the template of a set, with its automated sync as it was before the pause.
pub fn resumed(tree: &Value) -> Value {
    let mut resumed = tree.clone();
    let mut was_enabled = false;
    if let Some(metadata) = map_at(&mut resumed, "metadata")
        && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
    {
        was_enabled = annotations.shift_remove(ENABLED).is_some();
        annotations.shift_remove(REASON);
        annotations.shift_remove(UNTIL);
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
    let automated = resumed
        .pointer_mut("/spec/syncPolicy/automated")
        .and_then(Value::as_object_mut);
    if let Some(automated) = automated {
        match was_enabled {
            true => automated.insert("enabled".to_owned(), json!(true)),
            false => automated.shift_remove("enabled"),
        };
    }
    resumed
}

fn map_at<'t>(tree: &'t mut Value, key: &str) -> Option<&'t mut Map<String, Value>> {
    let map = tree.as_object_mut()?.entry(key).or_insert_with(|| json!({}));
    map.as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(metadata: Value, automated: Value) -> Value {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": {"syncPolicy": {"automated": automated}}})
    }

    #[test]
    fn what_was_there_comes_back() {
        let pause = Pause {
            reason: "the disk is full".to_owned(),
            until: Some("2030-01-01".to_owned()),
        };
        for automated in [
            json!({}),
            json!({"prune": true, "selfHeal": true}),
            json!({"enabled": true, "prune": false}),
        ] {
            for metadata in [json!({"name": "a"}), json!({"name": "a", "annotations": {"x": "y"}})] {
                let before = app(metadata, automated.clone());
                let paused = pause.begun(&before);
                assert_eq!(SyncMode::of(&Object::new(before.clone())), SyncMode::Automated);
                assert_eq!(SyncMode::of(&Object::new(paused.clone())), SyncMode::Paused);
                assert_eq!(resumed(&paused), before);
                let forever = Pause {
                    until: None,
                    ..pause.clone()
                };
                let again = forever.begun(&paused);
                assert_eq!(Object::new(again.clone()).annotation(UNTIL), None);
                assert_eq!(resumed(&again), before);
            }
        }
    }

    #[test]
    fn what_is_synced_by_hand_is_not_paused() {
        for automated in [Value::Null, json!({"enabled": false, "prune": true})] {
            let app = Object::new(app(json!({"name": "a"}), automated));
            assert_eq!(SyncMode::of(&app), SyncMode::Manual);
        }
    }
}
