//! One fault at every call of every kind of deploy, and the death of the server there.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use mypaas::deploy::{Action, Event, What};
use mypaas::engine::{Engine, Fault, FaultPlan, MemoryEngine};
use mypaas::router::memory::Fault as RouterFault;

use crate::case::{Asked, Case, cases};
use crate::stage::{ROLLING, SAFE, Stage};

fn told(engine: &MemoryEngine) -> Vec<String> {
    engine.calls().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failing_call_of_the_engine_ends_with_the_old_release_or_the_new() {
    for case in cases() {
        for at in case.calls().await.0 {
            for fault in [Fault::Error, Fault::ErrorAfterEffect] {
                let stage = case.prepared().await;
                stage.engine.plan_fault(FaultPlan { at, fault });
                let outcome = case.outcome(&stage).await;
                let call = stage.engine.calls()[usize::try_from(at).unwrap() - 1].clone();
                case.check(&stage, &format!("{fault:?} at call {call}, {outcome:?}")).await;
            }
        }
    }
}

/// A fault of mypaas itself: what it leaves is dealt with at once.
#[tokio::test(start_paused = true)]
async fn a_panic_at_a_call_of_the_engine_ends_with_the_old_release_or_the_new() {
    for case in cases() {
        for at in case.calls().await.0 {
            let stage = case.prepared().await;
            stage.engine.plan_fault(FaultPlan { at, fault: Fault::PanicAfterEffect });
            // Some calls are made before the deploy is accepted, for whoever asks for it.
            let outcome = AssertUnwindSafe(case.outcome(&stage)).catch_unwind().await;
            let call = stage.engine.calls()[usize::try_from(at).unwrap() - 1].clone();
            case.check(&stage, &format!("a panic at call {call}, {outcome:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_call_of_the_router_ends_with_the_old_release_or_the_new() {
    for case in cases() {
        for at in case.calls().await.1 {
            for fault in [RouterFault::Error, RouterFault::ErrorAfterEffect] {
                let stage = case.prepared().await;
                stage.router.fault_at(at, fault);
                let outcome = case.outcome(&stage).await;
                case.check(&stage, &format!("{fault:?} at call {at}, {outcome:?}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_at_a_call_of_the_engine_ends_with_the_old_release_or_the_new() {
    for case in cases() {
        for at in case.calls().await.0 {
            for fault in [Fault::Hang, Fault::HangAfterEffect] {
                let mut stage = case.prepared().await;
                stage.engine.plan_fault(FaultPlan { at, fault });
                case.start_until(&stage, stage.engine.until_hung()).await;
                let call = stage.engine.calls()[usize::try_from(at).unwrap() - 1].clone();
                stage.die_and_start().await;
                case.check(&stage, &format!("{fault:?} at call {call}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_at_a_call_of_the_router_ends_with_the_old_release_or_the_new() {
    for case in cases() {
        for at in case.calls().await.1 {
            for fault in [RouterFault::Hang, RouterFault::HangAfterEffect] {
                let mut stage = case.prepared().await;
                stage.router.fault_at(at, fault);
                case.start_until(&stage, stage.router.until_hung()).await;
                stage.die_and_start().await;
                case.check(&stage, &format!("{fault:?} at call {at}")).await;
            }
        }
    }
}

/// The engine goes on with a stop that nobody waits for any more.
#[tokio::test(start_paused = true)]
async fn a_stop_whose_end_is_unknown_is_seen_to_its_end_before_the_old_containers_start_again() {
    let case = Case { name: "safe", before: &[SAFE], asked: Asked::Push(SAFE) };
    let unbroken = case.prepared().await;
    case.outcome(&unbroken).await;
    let at = 1 + told(&unbroken.engine).iter().position(|call| call.starts_with("stop web.r1")).unwrap() as u64;
    for fault in [Fault::Error, Fault::Hang] {
        let mut stage = case.prepared().await;
        stage.engine.plan_fault(FaultPlan { at, fault });
        if fault == Fault::Error {
            case.outcome(&stage).await;
        } else {
            case.start_until(&stage, stage.engine.until_hung()).await;
            stage.die_and_start().await;
        }
        let after = told(&stage.engine).split_off(usize::try_from(at).unwrap());
        for container in ["web.r1.1", "web.r1.2"] {
            let first = |call: &str| after.iter().position(|found| *found == format!("{call} {container}"));
            assert!(first("stop") < first("start") && first("stop").is_some(), "{fault:?} {container}: {after:?}");
        }
    }
}

/// A restart of the engine, and one that somebody has to come for.
const OUTAGES: [Duration; 2] = [Duration::from_secs(7), Duration::from_secs(60)];

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_down_at_a_call_is_waited_for() {
    for case in cases() {
        for at in case.calls().await.0 {
            for fault in OUTAGES.map(Fault::Outage).into_iter().chain(OUTAGES.map(Fault::OutageAfterEffect)) {
                let stage = case.prepared().await;
                stage.engine.plan_fault(FaultPlan { at, fault });
                let outcome = case.outcome(&stage).await;
                until_up(&stage).await;
                let call = stage.engine.calls()[usize::try_from(at).unwrap() - 1].clone();
                case.check(&stage, &format!("{fault:?} at call {call}, {outcome:?}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_while_the_engine_is_down_deals_with_what_it_left_once_that_is_back() {
    for case in cases() {
        for at in case.calls().await.0 {
            let mut stage = case.prepared().await;
            stage.engine.plan_fault(FaultPlan { at, fault: Fault::OutageAfterEffect(OUTAGES[0]) });
            let down = async {
                while (stage.engine.calls().len() as u64) < at {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            case.start_until(&stage, down).await;
            let call = stage.engine.calls()[usize::try_from(at).unwrap() - 1].clone();
            stage.die_and_start().await;
            until_up(&stage).await;
            case.check(&stage, &format!("the machine goes down at call {call}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_deploy_waits_for_is_told() {
    let case = Case { name: "roll", before: &[ROLLING], asked: Asked::Push(ROLLING) };
    let unbroken = case.prepared().await;
    case.outcome(&unbroken).await;
    let at = 1 + told(&unbroken.engine).iter().position(|call| call == "stop web.r1.1").unwrap() as u64;
    let stage = case.prepared().await;
    stage.engine.plan_fault(FaultPlan { at, fault: Fault::Outage(OUTAGES[1]) });
    let ended = stage.push(ROLLING).await.assert_succeeded();
    let warnings: Vec<_> = ended
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Warning { message } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(warnings, ["waiting until this has passed: the container engine at memory does not answer: it is down"]);
}

/// What goes takes its routes along: nobody could withdraw them later, and their URLs would be taken for good.
#[tokio::test(start_paused = true)]
async fn a_service_is_not_taken_away_while_no_router_takes_its_routes_away() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    // It looks at the routes first.
    let first = stage.router.calls().len() as u64 + 1;
    // Long enough that whoever tried a few times would give up.
    (first + 1..first + 30).for_each(|call| stage.router.fault_at(call, RouterFault::Error));
    let ended = stage.act("web", Action::Remove).await.assert_succeeded();
    let warned = |event: &Event| matches!(&event.what, What::Warning { message } if message.contains("waiting until"));
    assert!(ended.events.iter().any(warned), "{:#?}", ended.events);
    assert!(!stage.routed("web").await);
    stage.check_settled("web").await.unwrap();
}

/// Also the containers that it starts again.
async fn until_up(stage: &Stage) {
    while stage.engine.info().await.is_err() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
