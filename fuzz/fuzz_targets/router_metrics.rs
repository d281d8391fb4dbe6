//! Any bytes as the router's figures: no panic, no service that cannot be one of ours, and no more errors than requests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::router::traefik::added_up;

fuzz_target!(|bytes: &[u8]| {
    for counts in added_up(&String::from_utf8_lossy(bytes)).into_values() {
        assert!(counts.errors <= counts.requests);
        assert!(counts.durations.is_sorted_by(|(before, _), (after, _)| before.total_cmp(after).is_lt()));
    }
});
