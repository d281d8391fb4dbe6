//! Containers that a deploy could not take away.

use std::net::SocketAddrV4;
use std::time::Duration;

use mypaas::engine::Fault;
use mypaas::router::Router;
use mypaas::server::config::Config;
use tokio::time::{sleep, timeout};

use crate::stage::{ROLLING, Stage};
use crate::watching::{PATIENCE, Served};

/// The second release serves, and one container of the first one neither stopped nor went.
async fn with_one_left() -> Served {
    let served = Served::new(Config::default()).await;
    served.stage.push(ROLLING).await.assert_succeeded();
    for call in ["stop web.r1.1", "remove web.r1.1"] {
        served.stage.engine.plan_fault_at_each(call, Fault::Error);
    }
    served.stage.push(ROLLING).await.assert_succeeded();
    served
}

async fn until_it_is_gone(stage: &Stage) {
    let gone = async {
        while stage.containers("web").await.len() > 2 {
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
