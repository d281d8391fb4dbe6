//! Since when a log is read, as it is typed: `10m`, `2h`, `14:03`, `2026-11-23 14:03`.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

const UNITS: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

/// A text that names no moment of the past.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time; write 10m, 2h, 3d, 14:03 or 2026-11-23 14:03")]
pub(crate) struct SinceError(String);

/// The moment that is meant.
pub(crate) fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, SinceError> {
    let text = text.trim();
    let moment = ago(text, now).or_else(|| today(text, now, zone)).or_else(|| on_a_day(text, zone));
    moment.filter(|moment| *moment <= now).ok_or_else(|| SinceError(text.to_owned()))
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (sign, seconds) = UNITS.into_iter().find(|(sign, _)| text.ends_with(*sign))?;
    let count: u32 = text.strip_suffix(sign)?.trim().parse().ok()?;
    now.checked_sub(SignedDuration::from_secs(i64::from(count).checked_mul(seconds)?)).ok()
}

/// The last time the clock showed it.
fn today(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let time: Time = text.parse().ok().filter(|_| text.contains(':') && !text.contains('-'))?;
    let here = now.to_zoned_datetime(zone.clone());
    let today = here.date().to_datetime(time).to_zoned_datetime(zone.clone()).ok()?;
    let latest = if today > here { today.checked_sub(1.day()).ok()? } else { today };
    Some(latest.timestamp())
}

fn on_a_day(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let moment: DateTime = text.parse().ok()?;
    Some(moment.to_zoned_datetime(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{HOUR, MINUTE, at};

    fn since(text: &str) -> Result<Timestamp, SinceError> {
        read(text, at(0), &TimeZone::UTC)
    }

    #[test]
    fn a_moment_is_told_from_now_by_the_clock_or_by_the_day() {
        assert_eq!(since("10m"), Ok(at(-10 * MINUTE)));
        assert_eq!(since(" 2h "), Ok(at(-2 * HOUR)));
        assert_eq!(since("14:00"), Ok(at(-3 * MINUTE - 22)));
        assert_eq!(since("15:00"), Ok(at(-23 * HOUR - 3 * MINUTE - 22)), "it was so yesterday");
        assert_eq!(since("2026-11-23 13:03:22"), Ok(at(-HOUR)));
        assert_eq!(since("2026-11-22"), "2026-11-22T00:00:00Z".parse().map_err(|_| SinceError(String::new())));
    }

    #[test]
    fn what_is_no_moment_of_the_past_says_what_one_is() {
        for text in ["", "soon", "10", "-5m", "2026-11-24", "99999999999d"] {
            assert!(since(text).is_err(), "{text}");
        }
        assert!(since("soon").unwrap_err().to_string().contains("write 10m"));
    }
}
