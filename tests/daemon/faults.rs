//! One fault at every call of every kind of deploy, and the death of the server there.

use mypaas::deploy::{Action, Outcome};
use mypaas::engine::{Fault, FaultPlan, MemoryEngine};
use mypaas::name::{DeployId, ReleaseId};
use mypaas::router::memory::Fault as RouterFault;

use crate::stage::{MIGRATING, ROLLING, SAFE, SINGLE, Stage};

/// A deploy to break: what is there before, and what is asked.
#[derive(Debug, Clone)]
struct Case {
    name: &'static str,
    before: &'static [&'static str],
    asked: Asked,
}

#[derive(Debug, Clone)]
enum Asked {
    Push(&'static str),
    Act(Action),
}

fn cases() -> Vec<Case> {
    let case = |name, before, asked| Case { name, before, asked };
    vec![
        case("first", &[], Asked::Push(ROLLING)),
        case("roll", &[ROLLING], Asked::Push(ROLLING)),
        case("safe", &[SAFE], Asked::Push(SAFE)),
        case("replace", &[SINGLE], Asked::Push(SINGLE)),
        case("roll to safe", &[ROLLING], Asked::Push(SAFE)),
        case("roll with a release command", &[ROLLING], Asked::Push(MIGRATING)),
        case("scale up", &[ROLLING], Asked::Act(Action::Scale { count: 4 })),
        case("scale down", &[ROLLING], Asked::Act(Action::Scale { count: 1 })),
        case("roll back", &[ROLLING, ROLLING], Asked::Act(Action::Rollback { to: ReleaseId::new(1) })),
        case("restart", &[ROLLING], Asked::Act(Action::Restart)),
        case("restart in place", &[SINGLE], Asked::Act(Action::Restart)),
        case("stop", &[ROLLING], Asked::Act(Action::Stop)),
        case("remove", &[ROLLING], Asked::Act(Action::Remove)),
    ]
}

impl Case {
    async fn prepared(&self) -> Stage {
        let stage = Stage::new().await;
        for dockerfile in self.before {
            stage.push(dockerfile).await.assert_succeeded();
        }
        stage
    }

    /// None when it is refused.
    async fn start(&self, stage: &Stage) -> Option<DeployId> {
        let accepted = match &self.asked {
            Asked::Push(dockerfile) => stage.accept_push(dockerfile).await,
            Asked::Act(action) => stage.accept("web", action.clone()).await,
        };
        accepted.ok().map(|deploy| deploy.id)
    }

    async fn outcome(&self, stage: &Stage) -> Option<Outcome> {
        let id = self.start(stage).await?;
        Some(stage.end_of(id).await.outcome)
    }

    async fn start_until(&self, stage: &Stage, hung: impl Future<Output = ()>) {
        let started = async {
            self.start(stage).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = started => {}
            () = hung => {}
        }
    }

    /// How many calls of engine and router the deploy makes when all goes well.
    async fn calls(&self) -> (std::ops::RangeInclusive<u64>, std::ops::RangeInclusive<u64>) {
        let stage = self.prepared().await;
        let before = (stage.engine.calls().len() as u64, stage.router.calls().len() as u64);
        assert_eq!(self.outcome(&stage).await, Some(Outcome::Succeeded));
        let after = (stage.engine.calls().len() as u64, stage.router.calls().len() as u64);
        (before.0 + 1..=after.0, before.1 + 1..=after.1)
    }
}

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
                check(&stage, &case, &format!("{fault:?} at call {call}, {outcome:?}")).await;
            }
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
                check(&stage, &case, &format!("{fault:?} at call {at}, {outcome:?}")).await;
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
                check(&stage, &case, &format!("{fault:?} at call {call}")).await;
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
                check(&stage, &case, &format!("{fault:?} at call {at}")).await;
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

async fn check(stage: &Stage, case: &Case, fault: &str) {
    println!("fault point: {}: {fault}", case.name);
    if let Err(violation) = stage.check_settled("web").await {
        let history: Vec<_> = stage.snapshot().await.deploys.into_iter().map(|deploy| deploy.state).collect();
        panic!("{}: {fault}: {violation}\n{history:#?}", case.name);
    }
}
