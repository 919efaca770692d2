//! Waiting in a world until a condition holds, or while it keeps holding.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::World;

/// The longest time that a story waits for anything. Only a story that fails waits that long.
pub(super) const DEADLINE: Duration = Duration::from_secs(90);

impl World {
    /// Waits until an Application is Synced to a revision.
    ///
    /// # Panics
    ///
    /// If that does not happen in time.
    pub fn until_synced(&self, name: &str, revision: &str) {
        self.until(&format!("{name} is Synced at {}", &revision[..7]), || {
            self.is_synced(name, revision)
        });
    }

    /// Waits until an Application is Healthy.
    ///
    /// # Panics
    ///
    /// If that does not happen in time.
    pub fn until_healthy(&self, name: &str) {
        self.until(&format!("{name} is Healthy"), || self.is_healthy(name));
    }

    /// Waits until a condition holds, and returns how long that took.
    ///
    /// # Panics
    ///
    /// If it does not hold in time, with the state of every Application, or if a server has ended.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) -> Duration {
        self.until_within(DEADLINE, what, holds)
    }

    /// Waits until a condition holds, for at most a given time, and returns how long that took.
    ///
    /// # Panics
    ///
    /// As [`Self::until`].
    pub fn until_within(&self, patience: Duration, what: &str, holds: impl Fn() -> bool) -> Duration {
        let start = Instant::now();
        while !holds() {
            let failed = if start.elapsed() > patience {
                format!("not within {} s", patience.as_secs())
            } else {
                match self.cluster.alive().and_then(|()| self.argocd.alive()) {
                    Ok(()) => {
                        // Often in the beginning: most things are there at once.
                        let pause = (start.elapsed() / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
                        std::thread::sleep(pause);
                        continue;
                    }
                    Err(error) => format!("{error:#}"),
                }
            };
            panic!("until {what}: {failed}\n{}", self.describe());
        }
        start.elapsed()
    }

    /// Checks for a while that a condition keeps holding.
    ///
    /// # Panics
    ///
    /// As soon as it does not hold.
    pub fn stays(&self, what: &str, seconds: u64, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            assert!(holds(), "stays {what}: it did not\n{}", self.describe());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Describes the state of every Application.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for application in self.api().list("Application", "argocd/").unwrap_or_default() {
            let status = &application["status"];
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let _ = writeln!(
                text,
                "{}: {} at {}, {}; operation {}: {}",
                word(&application["metadata"]["name"]),
                word(&status["sync"]["status"]),
                word(&status["sync"]["revision"]).get(..7).unwrap_or("-"),
                word(&status["health"]["status"]),
                word(&status["operationState"]["phase"]),
                word(&status["operationState"]["message"]),
            );
            for condition in status["conditions"].as_array().into_iter().flatten() {
                let _ = writeln!(text, "  {}: {}", word(&condition["type"]), word(&condition["message"]));
            }
            for resource in status["resources"].as_array().into_iter().flatten() {
                if resource["status"] != "Synced"
                    || !matches!(resource["health"]["status"].as_str(), None | Some("Healthy"))
                {
                    let _ = writeln!(
                        text,
                        "  {} {}: {}, {} {}",
                        word(&resource["kind"]),
                        word(&resource["name"]),
                        word(&resource["status"]),
                        word(&resource["health"]["status"]),
                        word(&resource["health"]["message"]),
                    );
                }
            }
        }
        text
    }
}
