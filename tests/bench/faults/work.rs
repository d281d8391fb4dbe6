//! Fault points, and who tries them.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use crate::faults::engine::Engine;
use crate::faults::stage::{Case, Stage};
use crate::faults::trial::{self, Violation};
use crate::faults::trouble::{EVERYWHERE, SOMETIMES, Trouble, WITH_ENGINE};
use crate::proxy::Fault;
use crate::tally::Tallies;

/// What is tried at some calls only is tried at every so many.
const STRIDE: usize = 4;
/// An engine takes a while to come back.
const STRIDE_WITH_ENGINE: usize = 9;

/// How far it is is told after so many.
const TOLD_EVERY: usize = 20;

/// A trouble, and the call that it comes at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    case: Case,
    at: usize,
    pub(crate) trouble: Trouble,
}

/// Every trouble at every call of these kinds of deploy, where it makes a difference.
pub(crate) async fn everywhere(cases: &[Case]) -> Vec<Point> {
    let mut points = Vec::new();
    for case in cases.iter().copied() {
        let calls = calls(case, None).await;
        let numbered = || (1..).zip(&calls);
        let news = |trouble: Trouble| numbered().filter(move |(_, call)| is_news(trouble, call));
        let everywhere = EVERYWHERE.into_iter().flat_map(|trouble| news(trouble).map(move |(at, _)| (at, trouble)));
        let sometimes =
            SOMETIMES.into_iter().flat_map(|trouble| some(calls.len(), STRIDE).map(move |at| (at, trouble)));
        points.extend(everywhere.chain(sometimes).map(|(at, trouble)| Point { case, at, trouble }));
    }
    points
}

/// Whether it is another trouble than those before it: a call that only reads has no effect to be before, after or in
/// the midst of.
fn is_news(trouble: Trouble, call: &str) -> bool {
    let minds_effects = matches!(
        trouble,
        Trouble::Call(Fault::RefuseAfterEffect | Fault::Cut) | Trouble::DeathMeanwhile | Trouble::DeathAfterEffect
    );
    !minds_effects || !call.starts_with("GET ")
}

fn some(calls: usize, stride: usize) -> impl Iterator<Item = usize> {
    (1..=calls).step_by(stride)
}

async fn calls(case: Case, engine: Option<Arc<Engine>>) -> Vec<String> {
    let mut stage = Stage::new(case, engine).await;
    let calls = trial::calls(&mut stage).await.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    println!("{}: {} calls of the engine when nothing befalls it", case.name, calls.len());
    calls
}

/// An engine that goes down takes along all that go on with it, so one is tried after the other.
pub(crate) async fn with_engine_of_its_own(cases: &[Case], engine: &Arc<Engine>) -> Tallies {
    let mut points = VecDeque::new();
    for case in cases.iter().copied() {
        let calls = calls(case, Some(engine.clone())).await.len();
        let all =
            WITH_ENGINE.into_iter().flat_map(|trouble| some(calls, STRIDE_WITH_ENGINE).map(move |at| (at, trouble)));
        points.extend(all.map(|(at, trouble)| Point { case, at, trouble }));
    }
    let shared = Arc::new(Shared::new("an engine of their own", points));
    work(&shared, Some(engine)).await;
    lock(&shared.tallies).clone()
}

/// So many at once, on the machine's engine.
pub(crate) async fn off(what: &'static str, points: Vec<Point>, jobs: usize) -> Tallies {
    let shared = Arc::new(Shared::new(what, points.into()));
    let mut workers = JoinSet::new();
    for _ in 0..jobs {
        let shared = Arc::clone(&shared);
        workers.spawn(async move { work(&shared, None).await });
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    lock(&shared.tallies).clone()
}

/// Work that several share.
struct Shared {
    what: &'static str,
    all: usize,
    points: Mutex<VecDeque<Point>>,
    tallies: Mutex<Tallies>,
}

impl Shared {
    fn new(what: &'static str, points: VecDeque<Point>) -> Self {
        Self { what, all: points.len(), points: Mutex::new(points), tallies: Mutex::default() }
    }

    fn tell(&self) {
        let left = lock(&self.points).len();
        if left.is_multiple_of(TOLD_EVERY) {
            let violations = lock(&self.tallies).sum().violations;
            eprintln!("{}: {left} of {} still to be tried, {violations} violations so far", self.what, self.all);
        }
    }
}

async fn work(shared: &Shared, engine: Option<&Arc<Engine>>) {
    let mut last: Option<Stage> = None;
    loop {
        let Some(Point { case, at, trouble }) = lock(&shared.points).pop_front() else { return };
        let mut stage = match last.take().filter(|stage| stage.case == case) {
            Some(stage) => stage,
            None => Stage::new(case, engine.cloned()).await,
        };
        let trial = trial::run(&mut stage, at, trouble).await;
        lock(&shared.tallies).count(&trouble.to_string(), &trial);
        shared.tell();
        if let Err(Violation { met, what }) = &trial {
            println!("VIOLATION {} {trouble} at {at} ({}): {what}", case.name, met.as_deref().unwrap_or("-"));
            keep_log(&stage, at, trouble);
        } else {
            last = Some(stage);
        }
    }
}

fn keep_log(stage: &Stage, at: usize, trouble: Trouble) {
    let name = format!("violation-{}-{}-{at}.log", stage.case.name, trouble.to_string().replace(' ', "-"));
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&kept, stage.server.log()).unwrap();
    println!("  the server's log is in {}", kept.display());
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
