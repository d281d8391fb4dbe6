//! Breaks real deploys at every call that their server makes of Docker, in every way, and checks what is left.
//!
//! `--case NAME` tries one case only, `--jobs N` so many at once (2).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it measures; what it cannot do ends it")]

#[path = "../faults/mod.rs"]
mod faults;
#[path = "../support/load.rs"]
mod load;
#[path = "../support/project.rs"]
mod project;
#[path = "../support/proxy/mod.rs"]
mod proxy;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/sweep.rs"]
mod sweep;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use self::faults::stage::{CASES, Case, Stage};
use self::faults::trial::{self, Trial, Violation};
use self::faults::trouble::{EVERYWHERE, SOMETIMES, Trouble};

/// Trials that only wait.
const IDLE_JOBS: usize = 6;

/// What is tried at some calls only is tried at every so many.
const STRIDE: usize = 4;

/// A trouble, and the call that it comes at.
type Point = (usize, Trouble);

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    tried: usize,
    succeeded: usize,
    violations: usize,
    failed_requests: u64,
}

/// Work that several share.
struct Round {
    case: Case,
    points: Mutex<VecDeque<Point>>,
    tallies: Mutex<BTreeMap<String, Tally>>,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|given| given == name).map(|at| arguments[at + 1].clone());
    let jobs = value("--jobs").map_or(2, |jobs| jobs.parse().unwrap());
    let only = value("--case");
    let begin = Instant::now();
    let mut sum = Tally::default();
    for case in CASES.into_iter().filter(|case| only.as_deref().is_none_or(|only| only == case.name)) {
        sum.add(&enumerate(case, jobs).await);
    }
    println!(
        "\n{} fault points tried in {} s, {} violations; load average {}",
        sum.tried,
        begin.elapsed().as_secs(),
        sum.violations,
        fs::read_to_string("/proc/loadavg").unwrap().trim_end()
    );
    std::process::exit(i32::from(sum.violations > 0));
}

async fn new_stage(case: Case) -> Stage {
    Stage::new(case, Path::new("/var/run/docker.sock")).await
}

/// Every trouble at every call of one kind of deploy.
async fn enumerate(case: Case, jobs: usize) -> Tally {
    let mut stage = new_stage(case).await;
    let calls = trial::calls(&mut stage).await.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    drop(stage);
    println!("\n{}: {} calls of the engine when nothing befalls it", case.name, calls.len());
    let calls = calls.len();
    let everywhere = EVERYWHERE.iter().flat_map(|trouble| (1..=calls).map(|at| (at, *trouble)));
    let sometimes = SOMETIMES.iter().flat_map(|trouble| (1..=calls).step_by(STRIDE).map(|at| (at, *trouble)));
    let (idle, busy): (Vec<_>, Vec<_>) = everywhere.chain(sometimes).partition(|(_, trouble)| trouble.is_idle());
    let mut tallies = work_off(case, busy, jobs).await;
    tallies.append(&mut work_off(case, idle, IDLE_JOBS).await);
    let mut sum = Tally::default();
    println!(
        "  {:24} {:>6} {:>10} {:>7} {:>16} {:>11}",
        "", "tried", "succeeded", "undone", "requests failed", "violations"
    );
    for (trouble, tally) in &tallies {
        println!("  {trouble:24} {tally}");
        sum.add(tally);
    }
    println!("  {:24} {sum}", "in all");
    sum
}

async fn work_off(case: Case, points: Vec<Point>, jobs: usize) -> BTreeMap<String, Tally> {
    let round = Arc::new(Round { case, points: Mutex::new(points.into()), tallies: Mutex::default() });
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        workers.spawn(work(round.clone()));
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    lock(&round.tallies).clone()
}

async fn work(round: Arc<Round>) {
    let mut stage = new_stage(round.case).await;
    loop {
        let Some((at, trouble)) = lock(&round.points).pop_front() else { return };
        let trial = trial::run(&mut stage, at, trouble).await;
        let violated = trial.is_err();
        if let Err(Violation { met, what }) = &trial {
            println!("  VIOLATION {} {trouble} at {at} ({}): {what}", round.case.name, met.as_deref().unwrap_or("-"));
            keep_log(&stage, round.case, at);
        }
        lock(&round.tallies).entry(trouble.to_string()).or_default().count(&trial);
        if violated {
            stage = new_stage(round.case).await;
        }
    }
}

fn keep_log(stage: &Stage, case: Case, at: usize) {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("violation-{}-{at}.log", case.name));
    fs::write(&kept, stage.server.log()).unwrap();
    println!("    the server's log is in {}", kept.display());
}

impl Tally {
    /// A call that the deploy did not come to is none that was tried.
    fn count(&mut self, trial: &Result<Trial, Violation>) {
        match trial {
            Ok(Trial { met: None, .. }) => {}
            Ok(trial) => {
                self.tried += 1;
                self.succeeded += usize::from(trial.succeeded);
                self.failed_requests += trial.failed;
            }
            Err(_) => {
                self.tried += 1;
                self.violations += 1;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.tried += other.tried;
        self.succeeded += other.succeeded;
        self.violations += other.violations;
        self.failed_requests += other.failed_requests;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undone = self.tried - self.succeeded - self.violations;
        let Self { tried, succeeded, failed_requests, violations } = self;
        write!(f, "{tried:>6} {succeeded:>10} {undone:>7} {failed_requests:>16} {violations:>11}")
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
