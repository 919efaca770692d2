//! Durations as users write them, and the deadlines that are made of them.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use jiff::fmt::friendly::SpanParser;

use crate::failure::HintExt;

/// The letters of Go's units: `ns`, `us` or `µs`, `ms`, `s`, `m`, `h`.
const LETTERS_OF_UNITS: &str = "nuµμmsh";
/// The hint for an invalid duration.
const FORMS: &str = "write it as `90s`, `1m30s` or `500ms`; a bare number is seconds";

/// Reads a duration in Go's syntax, as kubectl takes it: `1m30s`, `500ms`, `1h`; a bare number is seconds.
///
/// Larger units stand before smaller ones, and only the last may have a fraction
/// ([source](https://pkg.go.dev/time#ParseDuration)).
///
/// # Errors
/// When it is anything else: another unit as `d`, a sign, a space.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    // What jiff reads besides (`1 hour ago`, `2d`, `01:30:00`) is none of Go's.
    let is_go = text.chars().all(|c| is_number(c) || LETTERS_OF_UNITS.contains(c));
    let unit = if text.chars().all(is_number) { "s" } else { "" };
    let duration = SpanParser::new().parse_unsigned_duration(format!("{text}{unit}"));
    duration
        .ok()
        .filter(|_| is_go)
        .ok_or_else(|| anyhow!("invalid duration `{text}`").hint(FORMS))
}

/// Reads a duration of the command line.
///
/// # Errors
/// Those of [`parse_duration`], with the hint in the same line.
pub fn parse_argument(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("{error}: {FORMS}"))
}

/// A point in time by which something has to end, or never.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    timeout: Duration,
    at: Option<Instant>,
}

impl Deadline {
    /// Returns the deadline that comes after a duration, from now on; zero is never.
    pub fn after(timeout: Duration) -> Self {
        // What no clock can show is never, too.
        let at = (!timeout.is_zero()).then(|| Instant::now().checked_add(timeout));
        Self {
            timeout,
            at: at.flatten(),
        }
    }

    /// Returns the deadline that never comes.
    pub fn never() -> Self {
        Self::after(Duration::ZERO)
    }

    /// Returns the duration that it was made of.
    pub fn timeout(self) -> Duration {
        self.timeout
    }

    /// Returns the time that is left, and at most `most`.
    pub fn left(self, most: Duration) -> Duration {
        let left = self.at.map(|at| at.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.min(most))
    }

    /// Reports whether it has come.
    pub fn is_over(self) -> bool {
        self.at.is_some_and(|at| at <= Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, microseconds) in [
            ("0", 0),
            ("0s", 0),
            ("5", 5_000_000),
            ("0.3", 300_000),
            ("5m", 300_000_000),
            ("90s", 90_000_000),
            ("1m30s", 90_000_000),
            ("1.5h", 5_400_000_000),
            ("500ms", 500_000),
            ("1h1ms", 3_600_001_000),
            ("1m1.5s", 61_500_000),
            ("7us", 7),
            ("7µs", 7),
            ("7000ns", 7),
        ] {
            assert_eq!(
                parse_duration(text).unwrap(),
                Duration::from_micros(microseconds),
                "{text}"
            );
        }
    }

    #[test]
    fn other_durations_are_refused() {
        for text in [
            "",
            ".",
            "x",
            "soon",
            "m",
            "-1",
            "-1s",
            "+1s",
            "1.2.3s",
            "5 m",
            "1m 30s",
            "5d",
            "5min",
            "5hr",
            "1h,5m",
            "01:30:00",
            "PT5M",
            "1m30",
            "30s1m",
            "inf",
            "nan",
            "99999999999999999999h",
        ] {
            let error = parse_argument(text).unwrap_err();
            assert!(
                error.starts_with(&format!("invalid duration `{text}`: write")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_deadline_after_nothing_never_comes() {
        let second = Duration::from_secs(1);
        for never in [Deadline::never(), Deadline::after(Duration::MAX)] {
            assert!(!never.is_over());
            assert_eq!(never.left(second), second);
        }
        assert!(Deadline::after(second).left(Duration::MAX) <= second);
        assert!(Deadline::after(Duration::from_nanos(1)).left(second) < second);
    }
}
