//! Numbers → short texts of a known width.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Up to here seconds matter.
const SOON: u64 = 10 * MINUTE;
const YEAR: u64 = 365 * DAY;

/// How long ago, in one unit: `12s`, `5m`, `3h`, `40d`. At most four characters for a century.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (unit, sign) = age_unit(seconds);
    format!("{}{sign}", seconds / unit)
}

/// How long until [`age`] says something else.
pub(crate) fn age_changes_in(time: Duration) -> Duration {
    let (unit, _) = age_unit(time.as_secs());
    until_next(time, unit)
}

fn age_unit(seconds: u64) -> (u64, char) {
    match seconds {
        0..MINUTE => (1, 's'),
        MINUTE..HOUR => (MINUTE, 'm'),
        HOUR..DAY => (HOUR, 'h'),
        DAY..YEAR => (DAY, 'd'),
        _ => (YEAR, 'y'),
    }
}

/// How long something takes already, more exactly: `12s`, `2m 05s`, `25m`, `3h 10m`, `2d 4h`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..SOON => format!("{}m {:02}s", seconds / MINUTE, seconds % MINUTE),
        SOON..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h {:02}m", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => format!("{}d {}h", seconds / DAY, seconds % DAY / HOUR),
    }
}

/// How long until [`elapsed`] says something else.
pub(crate) fn elapsed_changes_in(time: Duration) -> Duration {
    let unit = match time.as_secs() {
        0..SOON => 1,
        SOON..DAY => MINUTE,
        _ => HOUR,
    };
    until_next(time, unit)
}

fn until_next(time: Duration, unit: u64) -> Duration {
    let next = Duration::from_secs((time.as_secs() / unit + 1) * unit);
    next.saturating_sub(time)
}

/// How long something took: `40ms`, `0.4s`, `12.3s`, `2m 05s`.
pub(crate) fn took(time: Duration) -> String {
    if time < Duration::from_millis(100) {
        return format!("{}ms", time.as_millis());
    }
    if time < Duration::from_secs(100) { format!("{:.1}s", time.as_secs_f64()) } else { elapsed(time) }
}

/// In binary units, three digits and a letter at most: `0B`, `96M`, `1.2G`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "K", "M", "G", "T", "P"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit > 0 && value < 9.95 { format!("{value:.1}{}", UNITS[unit]) } else { format!("{value:.0}{}", UNITS[unit]) }
}

/// Of one CPU: `0.3%`, `42%`, `150%`.
pub(crate) fn percent(value: f32) -> String {
    if value < 9.95 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}

/// A number a second, in four characters at most up to a million: `0`, `0.3`, `12.5`, `1240`, `12k`.
pub(crate) fn rate(value: f32) -> String {
    match value {
        _ if value < 0.05 => "0".into(),
        _ if value < 99.95 && value.fract() >= 0.05 && value.fract() < 0.95 => format!("{value:.1}"),
        _ if value < 9999.5 => format!("{value:.0}"),
        _ => format!("{:.0}k", value / 1000.0),
    }
}

/// How long a request takes: `0.4ms`, `12ms`, `340ms`, `1.2s`.
pub(crate) fn latency(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    match millis {
        _ if millis < 0.95 => format!("{millis:.1}ms"),
        _ if millis < 999.5 => format!("{millis:.0}ms"),
        _ => format!("{:.1}s", millis / 1000.0),
    }
}

/// Of all: `0%`, `0.03%`, `2.5%`, `40%`; more than nothing never looks like nothing.
pub(crate) fn share(value: f32) -> String {
    let percent = value * 100.0;
    match percent {
        _ if percent <= 0.0 => "0%".into(),
        _ if percent < 0.01 => "<0.01%".into(),
        _ if percent < 0.995 => format!("{percent:.2}%"),
        _ if percent < 9.95 => format!("{percent:.1}%"),
        _ => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit_and_say_when_they_change() {
        let cases =
            [(0, "0s", 1), (59, "59s", 1), (60, "1m", 60), (119, "1m", 1), (7200, "2h", 3600), (90_000, "1d", 82_800)];
        for (seconds, text, changes) in cases {
            let time = Duration::from_secs(seconds);
            assert_eq!((age(time).as_str(), age_changes_in(time).as_secs()), (text, changes), "{seconds}");
        }
        assert_eq!(age_changes_in(Duration::from_millis(1300)), Duration::from_millis(700));
        assert_eq!(age(Duration::from_secs(400 * DAY)), "1y");
    }

    #[test]
    fn elapsed_times_have_two_units() {
        let cases =
            [(5, "5s"), (125, "2m 05s"), (1525, "25m"), (3 * 3600 + 61, "3h 01m"), (2 * 86_400 + 4 * 3600, "2d 4h")];
        for (seconds, text) in cases {
            assert_eq!(elapsed(Duration::from_secs(seconds)), text);
        }
        assert_eq!(elapsed_changes_in(Duration::from_secs(3601)), Duration::from_secs(59));
    }

    #[test]
    fn sizes_stay_short() {
        let cases =
            [(0, "0B"), (999, "999B"), (1023, "1.0K"), (10_240, "10K"), (100_663_296, "96M"), (1_288_490_188, "1.2G")];
        for (count, text) in cases {
            assert_eq!(bytes(count), text);
        }
        assert!((0..64).all(|power| bytes(1u64 << power).len() <= 5));
    }

    #[test]
    fn small_shares_keep_a_decimal() {
        assert_eq!([percent(0.0), percent(4.25), percent(9.97), percent(150.4)], ["0.0%", "4.2%", "10%", "150%"]);
        assert_eq!([share(0.0), share(0.000_001), share(0.000_3), share(0.025)], ["0%", "<0.01%", "0.03%", "2.5%"]);
        assert_eq!([rate(0.0), rate(0.31), rate(12.5), rate(20.0), rate(1240.0)], ["0", "0.3", "12.5", "20", "1240"]);
        let times = [380u64, 12_000, 340_000, 1_240_000].map(|micros| latency(Duration::from_micros(micros)));
        assert_eq!(times, ["0.4ms", "12ms", "340ms", "1.2s"]);
        assert_eq!(took(Duration::from_millis(420)), "0.4s");
        assert_eq!(took(Duration::from_secs(125)), "2m 05s");
    }
}
