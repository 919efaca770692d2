//! Measurements in a story, shown by `cargo xtask test -- --nocapture`. No story fails because of one.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Prints a measurement.
#[expect(clippy::print_stderr, reason = "figures are there to be read")]
pub fn figure(what: &str, figure: &str) {
    eprintln!("{what}: {figure}");
}

/// Returns the time since a start.
pub fn seconds(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}

/// Returns the resident memory of the groups' processes, in bytes.
fn resident(groups: &[u32]) -> u64 {
    let mut pages = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // After the name in parentheses: state, parent, process group; the resident pages are 22 fields on.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |number: usize| {
            fields
                .get(number)
                .and_then(|field| field.parse::<u64>().ok())
                .unwrap_or(0)
        };
        if groups.iter().any(|group| u64::from(*group) == field(2)) {
            pages += field(21);
        }
    }
    pages * 4096
}

/// The peak memory of process groups, measured until it is dropped.
#[derive(Debug)]
pub struct Watch {
    peak: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
}

impl Watch {
    /// Starts to measure process groups.
    pub fn start(groups: Vec<u32>) -> Self {
        let watch = Self {
            peak: Arc::default(),
            done: Arc::default(),
        };
        let (peak, done) = (watch.peak.clone(), watch.done.clone());
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(resident(&groups), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(20));
            }
        });
        watch
    }

    /// Returns the peak so far.
    pub fn mebibytes(&self) -> u64 {
        self.peak.load(Ordering::Relaxed) >> 20
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
