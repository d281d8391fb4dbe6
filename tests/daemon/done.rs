//! When a deploy is done, and what it does after that.

use mypaas::deploy::{Action, Event, What};
use mypaas::engine::Fault;
use mypaas::name::ReleaseId;

use crate::stage::{Ended, MIGRATING, ROLLING, SAFE, SINGLE, Stage, UNROUTED, UNROUTED_SINGLE};

/// The events of a deploy but for what containers are asked and told, in short.
fn course(ended: &Ended) -> Vec<String> {
    let told = ended.events.iter().filter_map(|event| match &event.what {
        What::Phase { phase } => Some(phase.word().to_owned()),
        What::Switched { .. } => Some("SWITCHED".to_owned()),
        What::Done => Some("DONE".to_owned()),
        What::Stopped { .. } => Some("STOPPED".to_owned()),
        What::Removed { .. } => Some("REMOVED".to_owned()),
        What::Finished { .. } => Some("FINISHED".to_owned()),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    told.dedup();
    told
}

#[tokio::test(start_paused = true)]
async fn a_deploy_is_done_once_the_release_serves_and_before_the_one_that_served_is_gone() {
    for (dockerfile, end) in [
        (ROLLING, "switching SWITCHED draining DONE retiring STOPPED REMOVED FINISHED"),
        (MIGRATING, "switching SWITCHED draining DONE retiring STOPPED REMOVED FINISHED"),
        (SAFE, "retiring STOPPED starting probing switching SWITCHED DONE retiring REMOVED FINISHED"),
        (SINGLE, "retiring STOPPED starting probing switching SWITCHED DONE retiring REMOVED FINISHED"),
        (UNROUTED, "probing switching draining DONE retiring STOPPED REMOVED FINISHED"),
        (UNROUTED_SINGLE, "retiring STOPPED starting probing switching DONE retiring REMOVED FINISHED"),
    ] {
        let stage = Stage::new().await;
        stage.push(dockerfile).await.assert_succeeded();
        let pushed = course(&stage.push(dockerfile).await.assert_succeeded()).join(" ");
        assert!(pushed.ends_with(end), "{dockerfile}: {pushed}");
        for action in [Action::Restart, Action::Rollback { to: ReleaseId::new(1) }] {
            let told = course(&stage.act("web", action.clone()).await.assert_succeeded()).join(" ");
            assert!(told.ends_with(end), "{dockerfile}, {action:?}: {told}");
        }
    }
}

/// Where nothing is to be cleared away; or where what goes is all that was asked for.
#[tokio::test(start_paused = true)]
async fn other_deploys_are_done_at_their_end() {
    let stage = Stage::new().await;
    let first = course(&stage.push(ROLLING).await.assert_succeeded()).join(" ");
    assert!(first.ends_with("switching SWITCHED FINISHED"), "{first}");
    for action in [Action::Scale { count: 3 }, Action::Scale { count: 1 }, Action::Stop, Action::Start, Action::Remove]
    {
        let told = course(&stage.act("web", action.clone()).await.assert_succeeded());
        assert!(!told.contains(&"DONE".to_owned()), "{action:?}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_cannot_be_kept_running_is_not_told_to_be_done_before_that_is_told() {
    let stage = Stage::new().await;
    stage.push(SAFE).await.assert_succeeded();
    stage.engine.plan_fault_at_each("set_restart web.r2.1", Fault::Error);
    let ended = stage.push(SAFE).await.assert_succeeded();
    assert!(!course(&ended).contains(&"DONE".to_owned()), "{:#?}", ended.events);
    let is_told = |event: &Event| matches!(&event.what, What::Warning { message } if message.contains("web.r2.1"));
    assert!(ended.events.iter().any(is_told), "{:#?}", ended.events);
}
