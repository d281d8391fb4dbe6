//! How long a scale holds that somebody asked for.

use std::time::Duration;

use mypaas::api::PlanRequest;
use mypaas::deploy::Action;
use mypaas::engine::{Behaviour, Exit, Moment};
use mypaas::name::ReleaseId;

use crate::stage::{ROLLING, Stage};

async fn scaled_to_five() -> Stage {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    stage.act("web", Action::Scale { count: 5 }).await.assert_succeeded();
    stage
}

async fn notes_of_push(stage: &Stage, dockerfile: &str) -> String {
    let request = PlanRequest::Dockerfile { text: dockerfile.to_owned(), context_bytes: None };
    stage.core.preview(&request).await.unwrap().notes.join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_release_that_declares_no_other_scale_leaves_the_one_that_was_asked_for() {
    let stage = scaled_to_five().await;
    let notes = notes_of_push(&stage, ROLLING).await;
    assert!(notes.contains("5 containers run, as was asked for last; r2 declares 2, as before."), "{notes}");
    stage.push(ROLLING).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 5);
    for action in [Action::Rollback { to: ReleaseId::new(1) }, Action::Redeploy, Action::Restart] {
        stage.act("web", action.clone()).await.assert_succeeded();
        assert_eq!(stage.running("web").await.len(), 5, "{action:?}");
        stage.check_settled("web").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_declares_another_scale_has_that_one() {
    let stage = scaled_to_five().await;
    let three = ROLLING.replace("scale=2", "scale=3");
    let notes = notes_of_push(&stage, &three).await;
    assert!(notes.contains("r2 declares another scale than before: 3, in the place of the 5 asked for."), "{notes}");
    stage.push(&three).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 3);
    stage.push(&three).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 3, "what was asked for is forgotten");
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_release_that_goes_back_by_itself_leaves_as_many_as_there_were() {
    let stage = scaled_to_five().await;
    let exit = (Moment::After(Duration::from_secs(3)), Exit { code: 1, out_of_memory: false });
    stage.script("web", Behaviour { exit: Some(exit), ..Behaviour::default() });
    stage.push(ROLLING).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let rollback = &stage.snapshot().await.deploys[0];
    assert_eq!(rollback.action, Action::Rollback { to: ReleaseId::new(1) });
    stage.end_of(rollback.id).await.assert_succeeded();
    let running = stage.running("web").await;
    assert!(running.len() == 5 && running.iter().all(|name| name.starts_with("web.r1.")), "{running:?}");
    stage.check_settled("web").await.unwrap();
}
