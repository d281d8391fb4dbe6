//! The console as those feel it who use it: how long until its first rows are there, and from a key to the picture that
//! follows; what it uses while nothing happens, and after moving through everything. On simulated servers, one of them
//! stopped; and other terminal programs for containers by the same measures, on real ones.
//!
//! `--quick` takes about two minutes instead of ten, and leaves the others out.
//!
//! ```text
//! screen.rs   a program on a terminal    process.rs  what a process uses
//! course.rs   what is done and measured
//! ours.rs     our console                peers.rs    the others
//! flood.rs    logs that come too fast
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it measures; what it cannot do ends it")]

mod course;
#[path = "../../support/fleet.rs"]
mod fleet;
mod flood;
mod ours;
mod peers;
mod process;
mod screen;

use std::path::Path;
use std::time::Duration;

use self::course::{Idle, Keys};
use self::ours::{EXTENTS, Ours};
use self::peers::Containers;
use self::screen::{COLUMNS, ROWS};

/// The other programs are measured on so many containers: as many as one machine runs without being busy with them.
const REAL: [usize; 2] = [10, 100];

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let starts = if is_quick { 5 } else { 15 };
    println!("a terminal of {COLUMNS}x{ROWS}; load average before: {}", load_average());
    println!("\n{HEAD}");
    let extents = if is_quick { &EXTENTS[..2] } else { &EXTENTS[..] };
    let mut notes = Vec::new();
    for extent in extents {
        let figures = Ours::start(*extent).measure(starts);
        println!("{}", row_of_ours(extent.containers(), &figures));
        notes.push(note(extent.containers(), &figures));
    }
    if let (false, Some(folder)) = (is_quick, std::env::var_os("PEERS")) {
        let app = std::env::var_os("APP").unwrap();
        REAL.into_iter().for_each(|count| others(Path::new(&folder), Path::new(&app), count, starts));
    }
    println!("\n{LEGEND}");
    notes.iter().for_each(|note| println!("{note}"));
    println!("\nlogs of a container that writes {} lines/s:", flood::RATE);
    flood::tell(&flood::measure());
    println!("\nload average after: {}", load_average());
}

fn others(folder: &Path, app: &Path, count: usize, starts: usize) {
    let home = tempfile::tempdir().unwrap();
    let containers = Containers::start(count, app, home.path());
    for program in peers::installed(folder, &containers) {
        let Some(figures) = peers::measure(&program, starts.min(5)) else {
            println!("{:12}{count:>10}  shows no rows on this machine", program.name);
            continue;
        };
        let columns = [&milliseconds(figures.first), "", &told_keys(&figures.keys), ""];
        println!("{}", row(&program.name, count, columns, &figures.idle, figures.memory, figures.memory_after));
    }
}

const HEAD: &str = "program     containers  first rows  live rows  key: median, p99  one frozen     idle CPU  idle bytes/s  memory: start, end";

const LEGEND: &str = "times in ms, memory in MB; first rows: of a program that was used before; live rows: until all of \
them are from now;\none frozen: keys while one of the servers is stopped; memory at the end: after `j` was held through all rows";

fn row(name: &str, count: usize, columns: [&str; 4], idle: &Idle, memory: u64, after: u64) -> String {
    let [first, live, keys, frozen] = columns;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    format!(
        "{name:12}{count:>10}{first:>12}{live:>11}{keys:>18}{frozen:>12}{:>11.2} %{:>14.0}{:>13.1},{:>5.1}",
        100.0 * idle.cpu,
        idle.bytes_per_second,
        megabytes(memory),
        megabytes(after)
    )
}

fn row_of_ours(count: usize, figures: &ours::Figures) -> String {
    let columns = [
        &*milliseconds(figures.first[1]),
        &*milliseconds(figures.live),
        &*told_keys(&figures.keys),
        &*told_keys(&figures.keys_frozen),
    ];
    row("mypaas", count, columns, &figures.idle, figures.memory, figures.memory_after)
}

fn note(count: usize, figures: &ours::Figures) -> String {
    let [new, _, frozen] = figures.first.map(milliseconds);
    format!(
        "mypaas, {count} containers: first rows of a first start ever {new} ms, with one server frozen {frozen} ms; the \
         simulated servers used {:.1} % of a CPU while they were watched",
        100.0 * figures.servers
    )
}

fn told_keys(keys: &Keys) -> String {
    format!("{}, {}", milliseconds(keys.median()), milliseconds(keys.p99()))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", 1000.0 * time.as_secs_f64())
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap().trim_end().to_owned()
}
