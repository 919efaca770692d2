//! Times as Go writes them: `5m`, `1m30s`, `0`.

use std::time::Duration;

/// Go's units and their seconds.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// A time as Go writes it.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time: write it as 90s, 5m or 1m30s, or 0 for no limit");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let number = rest.find(|c| !is_number(c)).ok_or_else(wrong)?;
        let unit = rest[number..].find(is_number).map_or(rest.len(), |at| number + at);
        let (_, length) = UNITS
            .iter()
            .find(|(name, _)| *name == &rest[number..unit])
            .ok_or_else(wrong)?;
        seconds += rest[..number].parse::<f64>().map_err(|_| wrong())? * length;
        rest = &rest[unit..];
    }
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if text.is_empty() { Err(wrong()) } else { Ok(time) }
}

/// A time as kubectl's --request-timeout takes it: a bare number is seconds.
pub(super) fn parse_request(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => parse(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("5m", 300_000),
            ("90s", 90_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("1h1ms", 3_600_001),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "5",
            "m",
            "-1s",
            "1.2.3s",
            "5 m",
            "5d",
            "1m30",
            "99999999999999999999h",
        ] {
            assert!(parse(text).unwrap_err().contains("is not a time"), "{text}");
        }
    }

    #[test]
    fn a_request_may_be_timed_in_bare_seconds() {
        assert_eq!(parse_request("3").unwrap(), Duration::from_secs(3));
        assert_eq!(parse_request("1m").unwrap(), Duration::from_secs(60));
        assert!(parse_request("-3").is_err());
    }
}
