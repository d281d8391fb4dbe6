//! What is told of a deploy afterwards: the truth, and to everybody who asks.

use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::PlanRequest;
use mypaas::deploy::{Action, Outcome, What};
use mypaas::engine::{Behaviour, Exit, Fault, Moment};
use tokio::time::timeout;

use crate::stage::{SINGLE, Stage};

const CRASHES: Exit = Exit { code: 3, out_of_memory: false };

#[tokio::test(start_paused = true)]
async fn what_could_not_be_brought_back_is_not_told_to_serve() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    stage.script("web", Behaviour { exit: Some((Moment::Probes(0), CRASHES)), ..Behaviour::default() });
    stage.engine.plan_fault_at_each("start web.r1.1", Fault::Error);
    let failure = stage.push(SINGLE).await.failure();
    assert!(failure.message.contains("web.r2.1"), "{failure:?}");
    assert_eq!(failure.still_serving, None);
    assert!(failure.unrestored.is_some_and(|why| why.contains("start web.r1.1")));

    stage.engine.forget_faults();
    stage.act("web", Action::Restart).await.assert_succeeded();
    let failure = stage.push(SINGLE).await.failure();
    assert_eq!((failure.still_serving.map(|id| id.number()), failure.unrestored), (Some(1), None));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_cut_off_leaves_nothing_that_serves() {
    let mut stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    stage.act("web", Action::Stop).await.assert_succeeded();
    stage.engine.plan_fault_at_each("start web.r1.1", Fault::Hang);
    let deploy = stage.accept("web", Action::Start).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.die().await;
    stage.engine.forget_faults();
    stage.start().await;
    let Outcome::Interrupted { detail } = stage.end_of(deploy.id).await.outcome else { panic!("it was cut off") };
    assert!(detail.contains("nothing serves as before"), "{detail}");
}

#[tokio::test]
async fn events_that_cannot_be_read_end_rather_than_begin_again_and_again() {
    let stage = Stage::new().await;
    let deploy = stage.push(SINGLE).await;
    deploy.assert_succeeded();
    let id = stage.core.events(mypaas::name::DeployId::new(1), 1).count().await;
    assert!(id > 3);
    stage.database().execute_batch("DROP TABLE log").unwrap();
    let events =
        stage.core.events(mypaas::name::DeployId::new(1), 1).map(|event| event.is_err()).collect::<Vec<bool>>();
    assert_eq!(timeout(Duration::from_secs(60), events).await, Ok(vec![true]));
}

#[tokio::test(start_paused = true)]
async fn data_that_goes_with_its_container_is_warned_of() {
    let stage = Stage::new().await;
    let volumes = vec!["/data/deep".to_owned(), "/var/lib/db".to_owned()];
    stage.script("web", Behaviour { volumes, ..Behaviour::default() });
    let dockerfile = SINGLE.replace("FROM", "# mypaas.volume=~/web:/data\nFROM");
    let pushed = stage.push(&dockerfile).await;
    let warnings = |events: &[mypaas::deploy::Event]| -> Vec<String> {
        let warning = |what: &What| match what {
            What::Warning { message } => Some(message.clone()),
            _ => None,
        };
        events.iter().filter_map(|event| warning(&event.what)).collect()
    };
    let told = warnings(&pushed.events);
    assert!(told.len() == 1 && told[0].contains("mypaas.volume=~/web:/var/lib/db"), "{told:?}");

    let of = async |action| stage.plan("web", action).await.warnings;
    let told = of(Action::Restart).await;
    assert!(told.len() == 1 && told[0].contains("wrote to /var/lib/db goes with them"), "{told:?}");
    assert_eq!(of(Action::Stop).await, [""; 0], "the containers stay");
    let request = PlanRequest::Dockerfile { text: dockerfile.replace(":/data", ":/var"), context_bytes: None };
    assert_eq!(stage.core.preview(&request).await.unwrap().warnings.len(), 1, "what is there now goes all the same");
}

#[tokio::test(start_paused = true)]
async fn a_health_check_that_is_asked_late_is_waited_for() {
    let stage = Stage::new().await;
    let late = Duration::from_secs(400);
    let behaviour = Behaviour { healthcheck: true, first_check: late, ready_after: 1000, ..Behaviour::default() };
    stage.script("web", behaviour.clone());
    stage.push(SINGLE).await.assert_succeeded();
    stage.script("web", Behaviour { first_check: Duration::ZERO, ..behaviour });
    assert!(stage.push(SINGLE).await.failure().hint.is_some_and(|hint| hint.contains("ready_deadline")));
}
