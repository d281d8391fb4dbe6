//! A few faults of real deploys, on real Docker and real Traefik; `./dev bench faults` tries all.

#![cfg(test)]

#[path = "mod.rs"]
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

use std::sync::Arc;

use self::faults::engine::{Engine, run_beside_it};
use self::faults::stage::{CASES, Stage};
use self::faults::trial::{self, Trial, Violation};
use self::faults::trouble::{EVERYWHERE, SOMETIMES, Trouble, WITH_ENGINE};

/// Of all calls of a deploy, how far in the trouble comes.
const HOW_FAR: [f64; 4] = [0.15, 0.45, 0.65, 0.9];

/// The proxy sees all that are made of the engine.
const FEWEST_CALLS: usize = 10;

/// Each kind of deploy meets others; together they meet all that need not be waited for.
fn sample(case: usize) -> impl Iterator<Item = (f64, Trouble)> {
    let all = EVERYWHERE.into_iter().filter(|trouble| !trouble.is_idle()).chain(SOMETIMES).cycle();
    HOW_FAR.into_iter().zip(all.skip(case * HOW_FAR.len()))
}

async fn holds(case: usize) {
    let mut stage = Stage::new(CASES[case], None).await;
    try_each(&mut stage, sample(case)).await;
}

async fn try_each(stage: &mut Stage, points: impl Iterator<Item = (f64, Trouble)>) {
    let calls = trial::calls(stage).await.unwrap_or_else(|wrong| panic!("{}", wrong.what)).len();
    assert!(calls > FEWEST_CALLS, "the deploy made {calls} calls");
    for (share, trouble) in points {
        let at = (calls as f64 * share) as usize;
        // A deploy whose containers are ready sooner makes fewer calls than the one before.
        let befell = befalls(stage, at, trouble).await || befalls(stage, at * 2 / 3, trouble).await;
        assert!(befell, "call {at} of {calls}, {trouble}: it befell no deploy");
    }
}

/// Whether a deploy came to that call.
async fn befalls(stage: &mut Stage, at: usize, trouble: Trouble) -> bool {
    match trial::run(stage, at, trouble).await {
        Ok(Trial { met, succeeded, failed, .. }) => {
            println!("call {at}, {trouble}: {met:?}, succeeded: {succeeded}, {failed} requests failed");
            met.is_some()
        }
        Err(Violation { met, what }) => {
            panic!("call {at}, {trouble} ({met:?}): {what}\n{}", stage.server.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_deploy_that_something_befalls_ends_with_the_old_release_or_the_new() {
    holds(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_safe_deploy_that_something_befalls_ends_with_the_old_release_or_the_new() {
    holds(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_that_something_befalls_ends_with_the_old_release_or_the_new() {
    holds(2).await;
}

/// One kind of deploy for each way in which it may go down, at another moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_whose_engine_goes_down_ends_with_the_old_release_or_the_new() {
    let Some(engine) = Engine::start_here().await else {
        let name = "a_deploy_whose_engine_goes_down_ends_with_the_old_release_or_the_new";
        let beside = tokio::task::spawn_blocking(|| run_beside_it(&["--exact", name, "--nocapture"])).await.unwrap();
        let told = String::from_utf8_lossy(&beside.stdout);
        assert!(beside.status.success() && told.contains("1 passed"), "{told}");
        return;
    };
    let engine = Arc::new(engine);
    for ((case, trouble), share) in CASES.into_iter().zip(WITH_ENGINE).zip([0.5, 0.7, 0.8]) {
        let mut stage = Stage::new(case, Some(engine.clone())).await;
        try_each(&mut stage, [(share, trouble)].into_iter()).await;
    }
}
