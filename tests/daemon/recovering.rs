//! A server that has started and is not yet done with what its last stop cut off.

use std::time::Duration;

use mypaas::deploy::Action;
use mypaas::engine::{Engine, Fault};
use mypaas::name::ContainerName;
use tokio::time::{sleep, timeout};

use crate::stage::{SINGLE, Stage};
use crate::watching::{PATIENCE, Served};

fn service(name: &str) -> String {
    format!("# mypaas.service={name}\n# mypaas.url=http://{name}.test\nFROM scratch\n")
}

/// Deploys of web and of api were cut off; and web hangs again when it is dealt with.
async fn cut_off() -> Stage {
    let mut stage = Stage::new().await;
    for name in ["web", "api", "db"] {
        stage.push(&service(name)).await.assert_succeeded();
    }
    for name in ["web", "api"] {
        stage.engine.plan_fault_at_each(&format!("start {name}.r1.2"), Fault::Hang);
        stage.accept(name, Action::Restart).await.unwrap();
    }
    timeout(PATIENCE, async {
        while stage.engine.calls().iter().filter(|call| call.to_string().ends_with(".r1.2")).count() < 4 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("both have come to their start");
    stage.die().await;
    stage.engine.forget_faults();
    stage.engine.plan_fault_at_each("start web.r1.1", Fault::Hang);
    stage.start_unrecovered();
    stage
}

#[tokio::test]
async fn a_service_that_hangs_keeps_no_other_from_being_dealt_with_or_started_again() {
    let stage = cut_off().await;
    stage.engine.stop(&ContainerName::from_engine("db.r1.1"), Duration::ZERO).await.unwrap();
    let served = Served::on(stage);
    let stage = &served.stage;
    let well = async {
        while stage.running("api").await != ["api.r1.1"] || stage.running("db").await != ["db.r1.1"] {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, well).await.expect("the others run again");
    let deploys = stage.snapshot().await.deploys;
    let is_open = |name: &str| deploys.iter().any(|deploy| deploy.service.as_str() == name && !deploy.is_finished());
    assert!(is_open("web") && !is_open("api"), "the one that hangs, and no other: {deploys:#?}");
    assert_eq!(stage.running("web").await, [] as [&str; 0], "nobody but who deals with it starts it");
    stage.die().await;
}

/// It may wait for nothing but that.
#[tokio::test]
async fn room_can_be_made_before_all_is_dealt_with() {
    let stage = cut_off().await;
    let refused = stage.accept_push(SINGLE).await.unwrap_err();
    assert!(refused.message.contains("has not yet dealt with"), "{refused:?}");
    assert!(stage.core.prune(None).await.unwrap().removed.is_empty());
}
