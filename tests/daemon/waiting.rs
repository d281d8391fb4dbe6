//! Deploys that are accepted while another one of the service runs: what they were asked of may have changed by the time
//! that their turn comes.

use std::time::Duration;

use mypaas::api::ProblemCode;
use mypaas::deploy::{Action, Deploy, Outcome};
use mypaas::engine::{Behaviour, BuildScript, Exit, Fault, FaultPlan, Moment};
use mypaas::name::{ContainerName, ReleaseId};
use mypaas::server::config::Config;

use crate::stage::{ROLLING, SAFE, SINGLE, Stage, outcome};

const BUILD: Duration = Duration::from_secs(30);

fn slow_build() -> Behaviour {
    Behaviour { build: BuildScript { takes: BUILD, ..BuildScript::default() }, ..Behaviour::default() }
}

fn crashes_after(seconds: u64) -> Behaviour {
    let exit = (Moment::After(Duration::from_secs(seconds)), Exit { code: 1, out_of_memory: false });
    Behaviour { exit: Some(exit), ..Behaviour::default() }
}

/// A service that serves `before`, and a push of `dockerfile` that builds.
async fn pushing(before: &str, dockerfile: &str) -> (Stage, Deploy) {
    let stage = Stage::new().await;
    stage.push(before).await.assert_succeeded();
    stage.script("web", slow_build());
    let push = stage.accept_push(dockerfile).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    (stage, push)
}

async fn newest(stage: &Stage) -> Deploy {
    stage.snapshot().await.deploys[0].clone()
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_a_push_is_done_to_the_release_it_brought() {
    for action in [Action::Restart, Action::Scale { count: 3 }, Action::Start] {
        let (stage, push) = pushing(ROLLING, ROLLING).await;
        let waited = stage.accept("web", action.clone()).await.unwrap();
        stage.end_of(push.id).await.assert_succeeded();
        stage.end_of(waited.id).await.assert_succeeded();
        let second = Some(ReleaseId::new(2));
        let waited = newest(&stage).await;
        assert_eq!((waited.from, waited.to), (second, second), "{action:?}");
        assert_eq!(stage.snapshot().await.services[0].release, second, "{action:?}");
        stage.check_settled("web").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_scale_that_waited_for_a_release_that_does_not_scale_is_refused() {
    let (stage, push) = pushing(ROLLING, SINGLE).await;
    let scale = stage.accept("web", Action::Scale { count: 5 }).await.unwrap();
    stage.end_of(push.id).await.assert_succeeded();
    let failure = stage.end_of(scale.id).await.failure();
    assert!(failure.message.contains("web does not scale"), "{failure:?}");
    assert_eq!(stage.running("web").await, ["web.r2.1"]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_redeploy_that_waited_builds_what_was_pushed_before_it() {
    let (stage, push) = pushing(ROLLING, SAFE).await;
    let redeploy = stage.accept("web", Action::Redeploy).await.unwrap();
    stage.end_of(push.id).await.assert_succeeded();
    stage.end_of(redeploy.id).await.assert_succeeded();
    let releases = stage.core.service_detail(&"web".parse().unwrap()).await.unwrap().releases;
    let scales: Vec<_> = releases.iter().map(|view| view.release.manifest.scale).collect();
    assert_eq!(scales[0], scales[1], "r3 is r2 again");
    assert_ne!(scales[0], scales[2]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_a_removal_finds_nothing_and_a_push_finds_a_new_service() {
    for dockerfile in [None, Some(ROLLING)] {
        let stage = Stage::new().await;
        stage.push(ROLLING).await.assert_succeeded();
        stage.engine.set_connections(&ContainerName::from_engine("web.r1.1"), Some(1));
        let removal = stage.accept("web", Action::Remove).await.unwrap();
        stage.script("web", crashes_after(0));
        let waited = match dockerfile {
            None => stage.accept("web", Action::Restart).await.unwrap(),
            Some(dockerfile) => stage.accept_push(dockerfile).await.unwrap(),
        };
        stage.end_of(removal.id).await.assert_succeeded();
        let failure = stage.end_of(waited.id).await.failure();
        assert_eq!((failure.still_serving, newest(&stage).await.from), (None, None));
        let known: Vec<_> = stage.snapshot().await.services.into_iter().map(|web| web.release).collect();
        assert_eq!(known, if dockerfile.is_some() { vec![None] } else { vec![] });
        stage.check_settled("web").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_waited_goes_back_to_the_one_it_took_over_from() {
    let stage = Stage::with(toml::from_str::<Config>("[deploy]\nkeep_releases = 1\n").unwrap()).await;
    stage.push(ROLLING).await.assert_succeeded();
    stage.script("web", slow_build());
    let second = stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.script("web", crashes_after(3));
    let third = stage.accept_push(ROLLING).await.unwrap();
    stage.end_of(second.id).await.assert_succeeded();
    stage.end_of(third.id).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(newest(&stage).await.action, Action::Rollback { to: ReleaseId::new(2) });
    assert_eq!(stage.running("web").await, ["web.r2.1", "web.r2.2"]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_first_release_can_be_gone_back_to_though_the_second_was_pushed_before_it_was_live() {
    let stage = Stage::new().await;
    stage.script("web", slow_build());
    let first = stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.script("web", crashes_after(3));
    let second = stage.accept_push(ROLLING).await.unwrap();
    for deploy in [first, second] {
        stage.end_of(deploy.id).await.assert_succeeded();
    }
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(newest(&stage).await.action, Action::Rollback { to: ReleaseId::new(1) });
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_push_that_changes_nothing_takes_no_release_from_its_watch() {
    let (stage, push) = pushing(ROLLING, ROLLING).await;
    stage.end_of(push.id).await.assert_succeeded();
    let failure = Some("no such file: app".to_owned());
    let build = BuildScript { takes: BUILD * 2, failure, ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let failing = stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (dies, victim) = (Exit { code: 9, out_of_memory: false }, ContainerName::from_engine("web.r2.1"));
    for _ in 0..2 {
        stage.engine.kill(&victim, dies.clone()).unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(newest(&stage).await.id, failing.id, "it may be about to mend this");
    stage.end_of(failing.id).await.failure();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(newest(&stage).await.action, Action::Rollback { to: ReleaseId::new(1) });
    stage.check_settled("web").await.unwrap();
}

/// A release that crashes in a loop, and a push of `mend` that comes while the look takes long that finds it.
async fn pushed_meanwhile(mend: Behaviour) -> (Stage, Deploy) {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    stage.script("web", crashes_after(3));
    stage.push(ROLLING).await.assert_succeeded();
    while !stage.containers("web").await.iter().any(|container| container.restarts >= 1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (calls, delay) = (stage.engine.calls().len() as u64, Duration::from_secs(8));
    (1..=2000).for_each(|more| stage.engine.plan_fault(FaultPlan { at: calls + more, fault: Fault::Delay(delay) }));
    tokio::time::sleep(Duration::from_secs(4)).await;
    stage.script("web", mend);
    let mending = stage.accept_push(ROLLING).await.unwrap();
    stage.engine.forget_faults();
    (stage, mending)
}

#[tokio::test(start_paused = true)]
async fn a_mend_is_not_rolled_back_for_what_it_mends() {
    let (stage, mending) = pushed_meanwhile(slow_build()).await;
    stage.end_of(mending.id).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(newest(&stage).await.id, mending.id);
    assert_eq!(stage.running("web").await, ["web.r3.1", "web.r3.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_mend_fails_is_rolled_back_after_all() {
    let failure = Some("no such file: app".to_owned());
    let build = BuildScript { takes: BUILD, failure, ..BuildScript::default() };
    let (stage, mending) = pushed_meanwhile(Behaviour { build, ..Behaviour::default() }).await;
    stage.end_of(mending.id).await.failure();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(newest(&stage).await.action, Action::Rollback { to: ReleaseId::new(1) });
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_waiting_deploy_was_accepted_for_is_told_until_its_turn() {
    let (stage, push) = pushing(ROLLING, ROLLING).await;
    let rollback = stage.accept("web", Action::Rollback { to: ReleaseId::new(1) }).await.unwrap();
    assert_eq!((rollback.from, rollback.to), (Some(ReleaseId::new(1)), Some(ReleaseId::new(1))));
    stage.end_of(push.id).await.assert_succeeded();
    stage.end_of(rollback.id).await.assert_succeeded();
    let rollback = newest(&stage).await;
    assert_eq!((rollback.from, rollback.to), (Some(ReleaseId::new(2)), Some(ReleaseId::new(1))));
    assert_eq!(*outcome(&rollback), Outcome::Succeeded);
    let gone = stage.accept("web", Action::Rollback { to: ReleaseId::new(7) }).await.unwrap_err();
    assert_eq!(gone.code, ProblemCode::NotFound);
    stage.check_settled("web").await.unwrap();
}
