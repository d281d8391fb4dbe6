//! A release that became live a moment ago is watched, and the one before it comes back where it does not work.

use std::time::Duration;

use mypaas::deploy::{Action, What};
use mypaas::engine::{Behaviour, ContainerState, Exit, Moment};
use mypaas::name::ReleaseId;

use crate::stage::{ROLLING, SAFE, SINGLE, Stage};

#[tokio::test(start_paused = true)]
async fn a_release_that_crashes_again_and_again_is_rolled_back_by_itself() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    let exit = (Moment::After(Duration::from_secs(3)), Exit { code: 1, out_of_memory: false });
    stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
    stage.push(ROLLING).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let rollback = &stage.snapshot().await.deploys[0];
    assert_eq!(rollback.action, Action::Rollback { to: ReleaseId::new(1) });
    let events = stage.end_of(rollback.id).await.assert_succeeded().events;
    let told = |event: &mypaas::deploy::Event| match &event.what {
        What::Warning { message } => message.contains("by itself") && message.contains("died"),
        _ => false,
    };
    assert!(events.iter().any(told), "{events:#?}");
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    stage.check_settled("web").await.unwrap();
}

/// Both would use its volumes and its ports.
#[tokio::test(start_paused = true)]
async fn a_release_that_crashes_again_and_again_is_stopped_before_its_mend_starts_unless_it_rolls() {
    for dockerfile in [SINGLE, SAFE] {
        let stage = Stage::new().await;
        let exit = (Moment::After(Duration::from_secs(3)), Exit { code: 1, out_of_memory: false });
        stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
        stage.push(dockerfile).await.assert_succeeded();
        while !stage.containers("web").await.iter().all(|c| matches!(c.state, ContainerState::Restarting { .. })) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stage.script("web", Behaviour::default());
        let before = stage.engine.calls().len();
        stage.push(dockerfile).await.assert_succeeded();
        let calls: Vec<_> = stage.engine.calls()[before..].iter().map(ToString::to_string).collect();
        let first = |call: &str| calls.iter().position(|found| found == call);
        assert!(first("stop web.r1.1").is_some() && first("stop web.r1.1") < first("start web.r2.1"), "{calls:?}");
        stage.check_settled("web").await.unwrap();

        let exit = (Moment::Probes(0), Exit { code: 1, out_of_memory: false });
        stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
        stage.push(dockerfile).await.failure();
        stage.check_settled("web").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_release_is_watched_on_when_the_server_starts_again() {
    let mut stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    let exit = (Moment::After(Duration::from_secs(3)), Exit { code: 1, out_of_memory: false });
    stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
    stage.push(ROLLING).await.assert_succeeded();
    stage.die_and_start().await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let rollback = &stage.snapshot().await.deploys[0];
    assert_eq!(rollback.action, Action::Rollback { to: ReleaseId::new(1) });
    stage.end_of(rollback.id).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_works_is_left_alone_by_the_watch() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        stage.push(ROLLING).await.assert_succeeded();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.snapshot().await.deploys.len(), 2);
    assert_eq!(stage.running("web").await, ["web.r2.1", "web.r2.2"]);
}
