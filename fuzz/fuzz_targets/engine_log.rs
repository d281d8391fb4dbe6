//! Any bytes as pieces of a container's log: no panic, and nothing is lost, added or put into one line that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::engine::log_lines;

fuzz_target!(|bytes: &[u8]| {
    // A piece begins with a byte that says its stream, and goes to the next zero byte.
    let pieces: Vec<(bool, &[u8])> = bytes
        .split(|byte| *byte == 0)
        .filter_map(|piece| piece.split_first())
        .map(|(first, rest)| (first % 2 == 0, rest))
        .collect();
    let lines = log_lines(&pieces);
    let ends = pieces.iter().filter(|(_, piece)| piece.ends_with(b"\n")).count();
    // Each end ends one line, and each stream may have one more without an end.
    assert!((ends..=ends + 2).contains(&lines.len()), "{} lines, {ends} ends", lines.len());
    let sent: usize = pieces.iter().map(|(_, piece)| piece.len()).sum();
    let told: usize = lines.iter().map(|line| line.chars().count()).sum();
    assert!(told <= sent, "{told} characters of {sent} bytes");
});
