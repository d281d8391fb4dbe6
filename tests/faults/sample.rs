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

use std::path::Path;

use self::faults::stage::{CASES, Stage};
use self::faults::trial::{self, Trial, Violation};
use self::faults::trouble::{EVERYWHERE, SOMETIMES, Trouble};

/// Of all calls of a deploy, how far in the trouble comes.
const HOW_FAR: [f64; 4] = [0.15, 0.45, 0.65, 0.9];

/// Each kind of deploy meets others; together they meet all that need not be waited for.
fn sample(case: usize) -> impl Iterator<Item = (f64, Trouble)> {
    let all = EVERYWHERE.into_iter().filter(|trouble| !trouble.is_idle()).chain(SOMETIMES).cycle();
    HOW_FAR.into_iter().zip(all.skip(case * HOW_FAR.len()))
}

async fn holds(case: usize) {
    let mut stage = Stage::new(CASES[case], Path::new("/var/run/docker.sock")).await;
    let calls = trial::calls(&mut stage).await.unwrap_or_else(|wrong| panic!("{}", wrong.what)).len();
    for (share, trouble) in sample(case) {
        let at = (calls as f64 * share) as usize;
        match trial::run(&mut stage, at, trouble).await {
            Ok(Trial { met, succeeded, failed, .. }) => {
                println!("call {at} of {calls}, {trouble}: {met:?}, succeeded: {succeeded}, {failed} requests failed");
            }
            Err(Violation { met, what }) => {
                panic!("call {at} of {calls}, {trouble} ({met:?}): {what}\n{}", stage.server.log());
            }
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
