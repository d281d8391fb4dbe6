//! What a build may do: keeps every CPU busy with twice as many threads, for as many seconds as its argument says.

use std::time::{Duration, Instant};

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    let burn = move || {
        let mut number = 1_u64;
        while Instant::now() < end {
            for _ in 0..10_000 {
                number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
        }
        number
    };
    let all: Vec<_> = (0..threads).map(|_| std::thread::spawn(burn)).collect();
    let sum = all.into_iter().map(|thread| thread.join().unwrap_or(0)).fold(0, u64::wrapping_add);
    println!("{threads} threads, {sum}");
}
