//! `mypaas.healthcheck=/path interval timeout`.

use std::time::Duration;

use super::url::is_path_character;
use super::{Fault, billionths, quoted};
use crate::manifest::HealthCheck;

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(in crate::manifest) fn healthcheck(value: &str) -> Result<HealthCheck, Fault> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let [path, interval, timeout] = words[..] else {
        return Err(Fault::new(format!(
            "a health check is a path, an interval and a timeout, as in /health 2s 500ms; here {}",
            counted(words.len())
        )));
    };
    check_path(path).map_err(|fault| fault.at(value, path))?;
    let duration = |text| duration(text).map_err(|fault| fault.at(value, text));
    Ok(HealthCheck { path: path.to_owned(), interval: duration(interval)?, timeout: duration(timeout)? })
}

fn counted(words: usize) -> String {
    if words == 1 { "is only one of them".to_owned() } else { format!("are {words} words") }
}

/// Two slashes at its start would make the rest the name of another host.
fn check_path(path: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii() && (is_path_character(c) || c == '?');
    if !path.starts_with('/') {
        return Err(Fault::new("the path of a health check starts with /"));
    }
    if path.starts_with("//") {
        return Err(Fault::new("the path of a health check starts with one / only"));
    }
    match path.chars().find(|c| !allowed(*c)) {
        None => Ok(()),
        Some(character) => Err(Fault::new(format!("{} is not allowed in this path", quoted(&character.to_string())))
            .hint("write it as % and two hexadecimal digits")),
    }
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(String);

/// A duration as an operator writes it: numbers with units, as in `500ms`, `60s` or `1m30s`; longer than nothing, and
/// no longer than a day.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    duration(text).map_err(|fault| DurationError(fault.problem.message().to_owned()))
}

/// Numbers with units, the units being ms, s, m and h: `500ms`, `1.5s`, `1m30s`.
fn duration(text: &str) -> Result<Duration, Fault> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(|| without_unit(text))?;
        let (number, behind) = rest.split_at(unit_at);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let number = billionths(number).ok_or_else(|| no_duration(text))?;
        let milliseconds = milliseconds(unit).ok_or_else(|| unknown_unit(unit))?;
        let nanoseconds = number * milliseconds / 1000;
        total = total.saturating_add(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)));
        rest = behind;
    }
    match total {
        Duration::ZERO => Err(Fault::new("the duration must be longer than nothing")),
        _ if total > LONGEST => Err(Fault::new("the duration is longer than a day")),
        _ => Ok(total),
    }
}

fn milliseconds(unit: &str) -> Option<u128> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60 * 1000),
        "h" => Some(60 * 60 * 1000),
        _ => None,
    }
}

fn without_unit(text: &str) -> Fault {
    let fault = Fault::new(format!("{} has no unit", quoted(text)));
    match text.bytes().all(|b| b.is_ascii_digit()) {
        true => fault.hint(format!("did you mean `{text}s`? The units are ms, s, m and h")),
        false => fault.hint("the units are ms, s, m and h"),
    }
}

fn no_duration(text: &str) -> Fault {
    Fault::new(format!("{} is not a duration", quoted(text))).hint("write a number and one of the units ms, s, m and h")
}

fn unknown_unit(unit: &str) -> Fault {
    Fault::new(format!("{} is not a unit of time", quoted(unit))).hint("the units are ms, s, m and h")
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("1s", 1000),
            ("1.5s", 1500),
            ("2m", 120_000),
            ("1m30s", 90_000),
            ("24h", 86_400_000),
            ("0.25h", 900_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("0.001ms"), Ok(Duration::from_micros(1)));
    }

    #[test]
    fn what_is_wrong_with_a_duration_is_told() {
        for (text, message) in [
            ("10", "`10` has no unit"),
            ("1m30", "`1m30` has no unit"),
            ("10us", "`us` is not a unit of time"),
            ("10S", "`S` is not a unit of time"),
            ("s", "`s` is not a duration"),
            ("1.2.3s", "`1.2.3s` is not a duration"),
            ("-1s", "`-1s` is not a duration"),
            ("0s", "the duration must be longer than nothing"),
            ("24h1ms", "the duration is longer than a day"),
            ("99999999999999999999h", "the duration is longer than a day"),
        ] {
            assert_eq!(told(text, duration(text)).1, message);
        }
    }

    #[test]
    fn a_health_check_has_three_words() {
        let expected = HealthCheck {
            path: "/status?full=1".into(),
            interval: Duration::from_secs(10),
            timeout: Duration::from_millis(500),
        };
        assert_eq!(healthcheck("/status?full=1 \t10s  500ms"), Ok(expected));
        for (written, marked) in [
            ("/status", "/status"),
            ("/status 10s", "/status 10s"),
            ("/a 1s 1s 1s", "/a 1s 1s 1s"),
            ("status 10s 2s", "status"),
            ("//evil.example/ 10s 2s", "//evil.example/"),
            ("/a`b 10s 2s", "/a`b"),
            ("/{{x}} 10s 2s", "/{{x}}"),
            ("/é 10s 2s", "/é"),
            ("/a#b 10s 2s", "/a#b"),
            ("/a 10 2s", "10"),
            ("/a 10s 2", "2"),
        ] {
            assert_eq!(told(written, healthcheck(written)).0, marked, "{written}");
        }
    }
}
