//! Breaks real deploys at every call that their server makes of Docker, in every way, and checks what is left; and, with
//! an engine of its own, lets that one go down in the midst of deploys.
//!
//! `--case NAME` tries one case only, `--engine machine` or `--engine own` only what is tried with that one, `--trouble
//! TEXT` only troubles whose name begins so (as in `kill -9`) of those with the machine's engine, `--jobs N` so many at
//! once (4). `--in-memory N` is how many fault points were tried with the engine's twin, for the table. How far it is
//! stands on the standard error.
//!
//! ```text
//! work.rs    fault points, and who tries them
//! tally.rs   what came of it, and the table
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it measures; what it cannot do ends it"
)]

#[path = "../../faults/mod.rs"]
mod faults;
#[path = "../../support/load.rs"]
mod load;
#[path = "../../support/project.rs"]
mod project;
#[path = "../../support/proxy/mod.rs"]
mod proxy;
#[path = "../../support/server.rs"]
mod server;
#[path = "../../support/sweep.rs"]
mod sweep;
mod tally;
mod work;

use std::fs;
use std::process::Output;
use std::sync::Arc;
use std::time::Instant;

use self::faults::engine::{Engine, run_beside_it};
use self::faults::stage::{CASES, Case};
use self::tally::{Tallies, Tally};

/// Trials that only wait.
const IDLE_JOBS: usize = 8;

/// Threads enough that none waits for another one's trial to be cleaned up.
#[tokio::main(worker_threads = 16)]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|given| given == name).map(|at| arguments[at + 1].clone());
    let number = |name: &str, otherwise| value(name).map_or(otherwise, |number| number.parse().unwrap());
    let only = value("--case");
    let cases: Vec<_> = CASES.into_iter().filter(|case| only.as_deref().is_none_or(|only| only == case.name)).collect();
    if let Some(engine) = Engine::start_here().await {
        let tallies = work::with_engine_of_its_own(&cases, &Arc::new(engine)).await;
        print!("{}", tallies.as_lines());
        return;
    }
    let begin = Instant::now();
    let engine = value("--engine");
    let is_asked_for = |name| engine.as_deref().is_none_or(|only| only == name);
    let own =
        is_asked_for("own").then(|| tokio::task::spawn_blocking(move || run_beside_it(&as_given(only.as_deref()))));
    let mut tallies = Tallies::default();
    if is_asked_for("machine") {
        let trouble = value("--trouble").unwrap_or_default();
        tallies.append(on_machines_engine(&cases, &trouble, number("--jobs", 4)).await);
    }
    if let Some(own) = own {
        take_over(&own.await.unwrap(), &mut tallies);
    }
    let in_memory = Tally { tried: number("--in-memory", 0), ..Tally::default() };
    println!("\n{}", tallies.table(&in_memory));
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("{} s; load average {}", begin.elapsed().as_secs(), load.trim_end());
    std::process::exit(i32::from(tallies.sum().violations > 0));
}

/// What the trials with an engine of their own told.
fn take_over(own: &Output, tallies: &mut Tallies) {
    let told = String::from_utf8_lossy(&own.stdout);
    for line in told.lines().filter(|line| !tallies.read(line)) {
        println!("{line}");
    }
    assert!(own.status.success(), "the trials with an engine of their own ended with {}", own.status);
}

fn as_given(only: Option<&str>) -> Vec<&str> {
    only.into_iter().flat_map(|only| ["--case", only]).collect()
}

/// Those that wait for long do so beside the others.
async fn on_machines_engine(cases: &[Case], trouble: &str, jobs: usize) -> Tallies {
    let mut points = work::everywhere(cases).await;
    points.retain(|point| point.trouble.to_string().starts_with(trouble));
    let (idle, busy): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.trouble.is_idle());
    println!("{} fault points to try on the machine's engine", idle.len() + busy.len());
    let (mut tallies, waited) = tokio::join!(
        work::off("the machine's engine", busy, jobs),
        work::off("the machine's engine, calls that hang", idle, IDLE_JOBS)
    );
    tallies.append(waited);
    tallies
}
