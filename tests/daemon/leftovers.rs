//! Containers that a deploy could not take away.

use std::net::SocketAddrV4;
use std::time::Duration;

use mypaas::deploy::Action;
use mypaas::engine::{Behaviour, Fault};
use mypaas::router::Router;
use mypaas::server::config::Config;
use tokio::time::{sleep, timeout};

use crate::stage::{ROLLING, SINGLE, Stage, UNROUTED};
use crate::watching::{PATIENCE, Served};

/// With new containers.
fn impatient() -> Config {
    let mut config = Config::default();
    config.deploy.ready_deadline = Duration::from_secs(1);
    config.deploy.settle = Duration::from_millis(100);
    config
}

/// Until faults are forgotten.
fn keep_from_going(stage: &Stage) {
    for call in ["stop web.r1.1", "remove web.r1.1"] {
        stage.engine.plan_fault_at_each(call, Fault::Error);
    }
}

/// The second release serves, and one container of the first one neither stopped nor went.
async fn with_one_left() -> Served {
    let served = Served::new(Config::default()).await;
    served.stage.push(ROLLING).await.assert_succeeded();
    keep_from_going(&served.stage);
    served.stage.push(ROLLING).await.assert_succeeded();
    served
}

async fn until_it_is_gone(stage: &Stage) {
    until_there_are(stage, 2).await;
}

async fn until_there_are(stage: &Stage, containers: usize) {
    let gone = async {
        while stage.containers("web").await.len() > containers {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("what was left goes");
}

#[tokio::test]
async fn a_container_that_the_engine_did_not_stop_in_time_goes_later_and_what_is_live_stays() {
    let served = with_one_left().await;
    let stage = &served.stage;
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r2.1", "web.r2.2"]);
    // It still does not stop, but it can be removed.
    stage.engine.forget_faults();
    stage.engine.plan_fault_at_each("stop web.r1.1", Fault::Error);
    until_it_is_gone(stage).await;
    assert_eq!(stage.running("web").await, ["web.r2.1", "web.r2.2"]);
    stage.check_settled("web").await.unwrap();
    served.stop().await;
}

/// As after a failed deploy whose routes could not be taken back: then these are what serves.
#[tokio::test]
async fn a_container_that_requests_go_to_stays_whatever_is_live() {
    let served = with_one_left().await;
    let stage = &served.stage;
    let left =
        stage.containers("web").await.into_iter().find(|container| container.name.as_str() == "web.r1.1").unwrap();
    let mut routes = stage.router.routes().await.unwrap().remove(0);
    routes.targets.push(SocketAddrV4::new(left.address, 80));
    stage.router.apply(&routes).await.unwrap();
    stage.engine.forget_faults();
    sleep(Duration::from_secs(8)).await;
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r2.1", "web.r2.2"]);
    routes.targets.pop();
    stage.router.apply(&routes).await.unwrap();
    until_it_is_gone(stage).await;
    served.stop().await;
}

#[tokio::test]
async fn of_one_release_the_containers_of_before_a_restart_go_and_those_that_were_added_stay() {
    let served = Served::new(impatient()).await;
    let stage = &served.stage;
    stage.push(UNROUTED).await.assert_succeeded();
    keep_from_going(stage);
    stage.act("web", Action::Restart).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.3", "web.r1.4"]);
    stage.engine.forget_faults();
    until_it_is_gone(stage).await;
    assert_eq!(stage.running("web").await, ["web.r1.3", "web.r1.4"]);
    stage.act("web", Action::Scale { count: 4 }).await.assert_succeeded();
    sleep(Duration::from_secs(8)).await;
    assert_eq!(stage.running("web").await.len(), 4);
    served.stop().await;
}

/// They never became ready; what they were to replace serves on.
#[tokio::test]
async fn of_one_release_the_containers_of_a_restart_that_failed_go_and_those_of_before_stay() {
    let served = Served::new(impatient()).await;
    let stage = &served.stage;
    stage.push(UNROUTED).await.assert_succeeded();
    for container in ["web.r1.3", "web.r1.4"] {
        stage.engine.plan_fault_at_each(&format!("probe {container}"), Fault::Error);
        stage.engine.plan_fault_at_each(&format!("remove {container}"), Fault::Error);
    }
    stage.act("web", Action::Restart).await.failure();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2", "web.r1.3", "web.r1.4"]);
    stage.engine.forget_faults();
    until_it_is_gone(stage).await;
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    served.stop().await;
}

#[tokio::test]
async fn what_a_first_release_left_that_failed_goes_later() {
    let served = Served::new(impatient()).await;
    let stage = &served.stage;
    stage.script("web", Behaviour { ready_after: u32::MAX, ..Behaviour::default() });
    keep_from_going(stage);
    stage.push(SINGLE).await.failure();
    assert_eq!(stage.containers("web").await.len(), 1);
    stage.engine.forget_faults();
    until_there_are(stage, 0).await;
    served.stop().await;
}

/// Where the engine does not take it away, nothing of it is started again meanwhile.
#[tokio::test]
async fn a_service_that_could_not_be_removed_is_down_for_its_operator_and_not_revived() {
    let served = Served::new(Config::default()).await;
    let stage = &served.stage;
    stage.push(ROLLING).await.assert_succeeded();
    stage.engine.plan_fault_at_each("remove web.r1.1", Fault::Error);
    let failure = stage.act("web", Action::Remove).await.failure();
    assert_eq!(failure.still_serving, None);
    sleep(Duration::from_secs(8)).await;
    assert_eq!(stage.running("web").await, [] as [&str; 0]);
    stage.engine.forget_faults();
    stage.act("web", Action::Remove).await.assert_succeeded();
    stage.check_settled("web").await.unwrap();
    served.stop().await;
}
