//! Durations as users write them, and the deadlines that are made of them.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use jiff::civil::Date;
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

/// Returns the time in UTC to the second, as `2026-01-31T12:00:00Z`.
pub fn now() -> String {
    text_of(Timestamp::now())
}

/// Returns a moment in UTC to the second.
fn text_of(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads the end of something on a command line: a date, which stays as it is, a moment, or a duration from now on.
///
/// # Errors
/// When it is anything else, or is over.
pub fn parse_end(text: &str) -> Result<String, String> {
    end_after(text, Timestamp::now())
}

fn end_after(text: &str, now: Timestamp) -> Result<String, String> {
    let form =
        || "it is no date, as `2030-01-31`, no moment, as `2030-01-31T12:00:00Z`, and no duration, as `90m`".to_owned();
    let end = match (text.parse::<Timestamp>(), text.parse::<Date>(), parse_duration(text)) {
        (Ok(moment), ..) => text_of(moment),
        (_, Ok(_), _) if text.len() == "2030-01-31".len() => text.to_owned(),
        // A bare number of seconds would rather be a date without its hyphens.
        (.., Ok(duration)) if text.ends_with(|sign: char| sign.is_ascii_alphabetic()) => {
            text_of(now.checked_add(duration).map_err(|_| form())?)
        }
        _ => return Err(form()),
    };
    match end > text_of(now) {
        true => Ok(end),
        false => Err("it is over".to_owned()),
    }
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
    fn an_end_is_a_date_a_moment_or_a_duration() {
        let now = "2026-11-28T22:00:00Z".parse().unwrap();
        for (text, end) in [
            ("2026-11-29", "2026-11-29"),
            ("2026-11-28T23:30:00Z", "2026-11-28T23:30:00Z"),
            ("2026-11-28T23:30:00.5+01:00", "2026-11-28T22:30:00Z"),
            ("90m", "2026-11-28T23:30:00Z"),
            ("48h", "2026-11-30T22:00:00Z"),
        ] {
            assert_eq!(end_after(text, now).as_deref(), Ok(end), "{text}");
        }
        for over in ["2026-11-28", "2026-11-28T21:59:59Z", "2026-11-28T22:30:00+01:00", "0s"] {
            assert_eq!(end_after(over, now), Err("it is over".to_owned()), "{over}");
        }
        for other in [
            "",
            "soon",
            "2d",
            "2026-13-01",
            "28.11.2026",
            "2026-11-29T10:00",
            "20261129",
        ] {
            assert!(
                end_after(other, now).unwrap_err().starts_with("it is no date"),
                "{other}"
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
