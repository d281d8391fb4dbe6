//! Figures that look like those of real processes: never the same for two containers, always the same for one.

use std::time::Duration;

use crate::engine::Usage;
use crate::name::ContainerName;

/// Lines that web services write, taken in turn.
const LINES: [&str; 6] = [
    "GET / 200 4ms",
    "GET /assets/app.css 304 1ms",
    "POST /api/items 201 23ms",
    "GET /api/items?page=2 200 11ms",
    "GET /favicon.ico 404 1ms",
    "GET /health 200 1ms",
];

const MEBIBYTE: u64 = 1 << 20;

/// What a container has used after running for so long.
pub(super) fn usage(name: &ContainerName, ran: Duration) -> Usage {
    let seed = seed(name);
    let seconds = ran.as_secs_f64();
    // From 0.2 to 8 % of a CPU on average, in waves of half a minute to two minutes.
    let share = 0.002 + (seed % 100) as f64 * 0.000_78;
    let wave = std::f64::consts::TAU / (30 + seed % 90) as f64;
    let used = share * (seconds + (1.0 - (seconds * wave).cos()) / wave * 0.8);
    // From 20 to 200 MiB, and a little more as time goes on.
    let floor = 20 + seed / 100 % 180;
    let grown = (seconds.sqrt() / 4.0) as u64;
    let ripple = (seconds as u64 + seed) % 7 * MEBIBYTE / 8;
    Usage { cpu_time: Duration::from_secs_f64(used), memory_bytes: (floor + grown.min(40)) * MEBIBYTE + ripple }
}

/// The same of one whose figures do not change: up to 4 % of a CPU, and from 20 to 200 MiB.
pub(super) fn still(name: &ContainerName, ran: Duration) -> Usage {
    let seed = seed(name);
    let share = (seed % 100) as f64 * 0.000_4;
    Usage { cpu_time: ran.mul_f64(share), memory_bytes: (20 + seed / 100 % 180) * MEBIBYTE }
}

/// The n-th line that a container writes by itself.
pub(super) fn line(name: &ContainerName, number: u64) -> &'static str {
    let index = seed(name).wrapping_add(number.wrapping_mul(7919)) % LINES.len() as u64;
    LINES[index as usize]
}

/// FNV-1a: small, and the same on every machine.
fn seed(name: &ContainerName) -> u64 {
    name.as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cpu_time_only_grows_and_never_faster_than_two_cpus(name in "[a-z]{1,8}\\.r1\\.1", at in 0u64..1_000_000) {
            let name = ContainerName::from_engine(&name);
            let first = usage(&name, Duration::from_millis(at)).cpu_time;
            let second = usage(&name, Duration::from_millis(at + 1000)).cpu_time;
            prop_assert!(second >= first);
            prop_assert!(second - first < Duration::from_secs(2));
        }
    }

    #[test]
    fn two_containers_differ_and_one_stays_the_same() {
        let at = |name: &str| usage(&ContainerName::from_engine(name), Duration::from_secs(60));
        assert_ne!(at("web.r1.1"), at("web.r1.2"));
        assert_eq!(at("web.r1.1"), at("web.r1.1"));
    }
}
