//! Which releases are kept: the newest, those that are pinned, and those that something still needs.

use std::time::Duration;

use mypaas::api::ProblemCode;
use mypaas::deploy::{Action, Outcome};
use mypaas::engine::{Behaviour, BuildScript, Engine, Exit, Fault, FaultPlan, Moment};
use mypaas::name::ReleaseId;
use mypaas::server::config::Config;

use crate::stage::{ROLLING, SINGLE, Stage};

/// Keeps so many releases.
async fn keeping(releases: usize) -> Stage {
    let mut config = Config::default();
    config.deploy.keep_releases = releases;
    Stage::with(config).await
}

async fn push_often(stage: &Stage, count: usize) {
    for _ in 0..count {
        stage.push(SINGLE).await.assert_succeeded();
    }
}

fn rollback(to: u64) -> Action {
    Action::Rollback { to: ReleaseId::new(to) }
}

#[tokio::test(start_paused = true)]
async fn the_newest_releases_and_the_live_one_are_kept() {
    let stage = Stage::new().await;
    push_often(&stage, 12).await;
    assert_eq!(stage.releases("web").await, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    stage.act("web", rollback(3)).await.assert_succeeded();
    stage.push(SINGLE).await.assert_succeeded();
    assert_eq!(stage.releases("web").await, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3], "r3 may have to come back");
    stage.act("web", Action::Restart).await.assert_succeeded();
    assert_eq!(stage.releases("web").await.last(), Some(&3), "r13 is watched still");
    stage.act("web", rollback(12)).await.assert_succeeded();
    assert_eq!(stage.releases("web").await, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_release_is_kept_beside_the_others_and_can_be_gone_back_to() {
    let stage = keeping(2).await;
    push_often(&stage, 1).await;
    assert!(stage.pin("web", 1, true).await.unwrap().pinned);
    push_often(&stage, 4).await;
    assert_eq!(stage.releases("web").await, [5, 4, 1]);
    stage.act("web", rollback(1)).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1"]);
    assert_eq!(stage.releases("web").await, [5, 4, 1], "live and pinned, it takes no other's place");
    push_often(&stage, 1).await;
    assert_eq!(stage.releases("web").await, [6, 5, 1]);
    assert!(!stage.pin("web", 1, false).await.unwrap().pinned);
    push_often(&stage, 1).await;
    assert_eq!(stage.releases("web").await, [7, 6]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pin_outlives_the_server() {
    let mut stage = keeping(1).await;
    push_often(&stage, 1).await;
    stage.pin("web", 1, true).await.unwrap();
    stage.die_and_start().await;
    push_often(&stage, 3).await;
    assert_eq!(stage.releases("web").await, [4, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_pinned_is_told() {
    let stage = Stage::new().await;
    push_often(&stage, 2).await;
    for (service, release, code, told) in [
        ("shop", 1, ProblemCode::NotFound, "there is no service shop"),
        ("web", 9, ProblemCode::NotFound, "web has no release r9"),
    ] {
        let problem = stage.pin(service, release, true).await.unwrap_err();
        assert_eq!((problem.code, problem.message.as_str()), (code, told));
    }
    let detail = stage.core.service_detail(&"web".parse().unwrap()).await.unwrap();
    stage.engine.remove_image(&detail.releases[1].release.image).await.unwrap();
    let problem = stage.pin("web", 1, true).await.unwrap_err();
    assert_eq!(problem.code, ProblemCode::Conflict);
    assert!(problem.message.contains("image of web r1 is not on the server"), "{}", problem.message);
    assert!(!stage.pin("web", 1, false).await.unwrap().pinned, "a pin that keeps nothing can be taken away");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_a_waiting_deploy_goes_to_is_not_pruned() {
    let stage = keeping(2).await;
    push_often(&stage, 2).await;
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let push = stage.accept_push(SINGLE).await.unwrap();
    let back = stage.accept("web", rollback(1)).await.unwrap();
    assert_eq!(stage.end_of(push.id).await.outcome, Outcome::Succeeded);
    assert_eq!(stage.end_of(back.id).await.outcome, Outcome::Succeeded);
    assert_eq!(stage.running("web").await, ["web.r1.1"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_keeps_failing_is_taken_back_also_when_only_one_is_kept() {
    let stage = keeping(1).await;
    stage.push(ROLLING).await.assert_succeeded();
    let exit = (Moment::After(Duration::from_secs(3)), Exit { code: 1, out_of_memory: false });
    stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
    stage.push(ROLLING).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let rollback = stage.snapshot().await.deploys[0].clone();
    assert_eq!(rollback.action, Action::Rollback { to: ReleaseId::new(1) });
    stage.end_of(rollback.id).await.assert_succeeded();
}

#[tokio::test(start_paused = true)]
async fn nobody_goes_back_to_a_release_that_is_just_being_removed() {
    let stage = unwatched().await;
    push_often(&stage, 2).await;
    let removal = FaultPlan { at: until_removal(1).await, fault: Fault::Delay(Duration::from_secs(20)) };
    stage.engine.plan_fault(removal);
    let push = stage.accept_push(SINGLE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(15)).await;
    let problem = stage.accept("web", rollback(1)).await.unwrap_err();
    assert!(problem.message.contains("r1 of web is just being removed"), "{}", problem.message);
    let problem = stage.pin("web", 1, true).await.unwrap_err();
    assert!(problem.message.contains("just being removed"), "{}", problem.message);
    assert_eq!(stage.end_of(push.id).await.outcome, Outcome::Succeeded);
    assert_eq!(stage.releases("web").await, [3, 2]);
}

/// Keeps one release, and makes no calls of its own between deploys.
async fn unwatched() -> Stage {
    let mut config = Config::default();
    (config.deploy.keep_releases, config.deploy.watch) = (1, Duration::ZERO);
    Stage::with(config).await
}

/// The number of the call that removes this release's image, when three are pushed one after another and one is kept.
async fn until_removal(release: u64) -> u64 {
    let stage = unwatched().await;
    push_often(&stage, 3).await;
    let name = format!("mypaas/web:r{release}");
    let calls = stage.engine.calls();
    calls.iter().find(|call| call.action == "remove_image" && call.subject == name).unwrap().number
}

#[tokio::test(start_paused = true)]
async fn pushes_that_fail_leave_no_pile_and_push_out_no_release_that_served() {
    let stage = keeping(3).await;
    push_often(&stage, 3).await;
    stage.script(
        "web",
        Behaviour { exit: Some((Moment::Probes(0), Exit { code: 3, out_of_memory: false })), ..Behaviour::default() },
    );
    for _ in 0..5 {
        stage.push(SINGLE).await.failure();
    }
    assert_eq!(stage.releases("web").await, [8, 3, 2, 1], "the newest may be looked at, the others were of no use");
    assert_eq!(stage.engine.images().await.unwrap().len(), 4);
    stage.act("web", Action::Redeploy).await.failure();
    assert_eq!(
        stage.releases("web").await,
        [9, 3, 2, 1],
        "what is live was built anew, however many builds came after it"
    );
}
