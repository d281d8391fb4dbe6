//! Containers that a deploy could not take away.

use std::time::Duration;

use mypaas::engine::Fault;
use mypaas::server::config::Config;
use tokio::time::{sleep, timeout};

use crate::stage::ROLLING;
use crate::watching::{PATIENCE, Served};

#[tokio::test]
async fn a_container_that_the_engine_did_not_stop_in_time_goes_later_and_what_is_live_stays() {
    let served = Served::new(Config::default()).await;
    let stage = &served.stage;
    stage.push(ROLLING).await.assert_succeeded();
    for call in ["stop web.r1.1", "remove web.r1.1"] {
        stage.engine.plan_fault_at_each(call, Fault::Error);
    }
    stage.push(ROLLING).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r2.1", "web.r2.2"]);
    stage.engine.forget_faults();
    let gone = async {
        while stage.containers("web").await.len() > 2 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("what was left goes");
    assert_eq!(stage.running("web").await, ["web.r2.1", "web.r2.2"]);
    stage.check_settled("web").await.unwrap();
    served.stop().await;
}
