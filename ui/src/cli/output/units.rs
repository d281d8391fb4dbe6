//! Times and sizes as people read them.

use std::time::Duration;

use jiff::Timestamp;

/// How long ago something was, in its largest unit: `8s`, `12m`, `5h`, `3d`. What lies ahead (two clocks differ) is `0s`.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long something took: `0.4s`, `12.0s`, `2m05s`, `1h02m`.
pub(crate) fn duration(length: Duration) -> String {
    let tenths = (length.as_millis() + 50) / 100;
    let seconds = (length.as_millis() + 500) / 1_000;
    match seconds {
        _ if tenths < 600 => format!("{}.{}s", tenths / 10, tenths % 10),
        0..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The time from one moment to a later one; none when they are the other way round.
pub(crate) fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

/// A size in powers of 1024: `512 B`, `1.5 KiB`, `12 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut tenths = size.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    match tenths {
        0..100 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", tenths / 10, UNITS[unit]),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_their_largest_unit() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let told = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 864_000]
            .map(|seconds| age(now - jiff::SignedDuration::from_secs(seconds), now));
        assert_eq!(told, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "10d"]);
        assert_eq!(age(now + jiff::SignedDuration::from_secs(5), now), "0s");
    }

    #[test]
    fn durations_keep_tenths_only_while_they_matter() {
        let told = [0, 49, 50, 1_234, 59_949, 59_950, 125_000, 3_599_600, 3_720_000]
            .map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(told, ["0.0s", "0.0s", "0.1s", "1.2s", "59.9s", "1m00s", "2m05s", "1h00m", "1h02m"]);
    }

    #[test]
    fn sizes_have_two_digits_or_more() {
        let told = [0, 1_023, 1_024, 1_536, 10_240, 1_048_575, 1_048_576, 12 << 20, u64::MAX].map(bytes);
        assert_eq!(
            told,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 KiB", "1023 KiB", "1.0 MiB", "12 MiB", "1677721 TiB"]
        );
    }
}
