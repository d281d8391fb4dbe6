//! When a release counts as ready, and what becomes of one that turns unhealthy afterwards.

use std::time::Duration;

use mypaas::deploy::{Action, What};
use mypaas::engine::{Behaviour, Exit, Moment, ProbeAnswer};
use mypaas::name::{ContainerName, ReleaseId};
use tokio::time::sleep;

use crate::stage::{Ended, SINGLE, Stage, UNROUTED_SINGLE};

const CHECKED: &str = "# mypaas.service=web\n# mypaas.url=http://web.test\n# mypaas.scale=1\n\
     # mypaas.healthcheck=/health 1s 500ms\nFROM scratch\n";

/// As in `["not: starting", "healthy"]`.
fn answers(ended: &Ended) -> Vec<String> {
    let told = ended.events.iter().filter_map(|event| match &event.what {
        What::Probed { answer: ProbeAnswer::Ready { detail }, .. } => Some(detail.clone()),
        What::Probed { answer: ProbeAnswer::NotReady { detail }, .. } => Some(format!("not: {detail}")),
        What::Probed { answer, .. } => Some(format!("{answer:?}")),
        _ => None,
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn the_image_s_own_check_is_waited_for_though_there_is_a_port_to_connect_to() {
    let stage = Stage::new().await;
    stage.script("web", Behaviour { healthcheck: true, ready_after: 5, ..Behaviour::default() });
    let ended = stage.push(SINGLE).await.assert_succeeded();
    assert_eq!(answers(&ended), ["not: starting", "healthy"]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_shows_nothing_has_to_stay_up_for_a_while() {
    let settle = mypaas::server::config::Config::default().deploy.settle;
    for (lives, is_ready) in [(settle / 2, false), (settle * 100, true)] {
        let stage = Stage::new().await;
        let exit = Some((Moment::After(lives), Exit { code: 3, out_of_memory: false }));
        stage.script("web", Behaviour { exit, ..Behaviour::default() });
        let began = tokio::time::Instant::now();
        let ended = stage.push(UNROUTED_SINGLE).await;
        if is_ready {
            ended.assert_succeeded();
            assert!(began.elapsed() >= settle, "{:?}", began.elapsed());
        } else {
            assert_eq!(answers(&ended)[0], "running");
            let failure = ended.failure();
            assert!(failure.message.contains("exited with code 3"), "{}", failure.message);
        }
        stage.check_settled("web").await.unwrap();
    }
}

/// A second release that is unhealthy at so many looks of the watch; the newest deploy after that.
async fn unwell_for(looks: u32, dockerfile: &str, healthcheck: bool) -> (Stage, Action) {
    let stage = Stage::new().await;
    stage.script("web", Behaviour { healthcheck, ..Behaviour::default() });
    for _ in 0..2 {
        stage.push(dockerfile).await.assert_succeeded();
    }
    let container = ContainerName::from_engine("web.r2.1");
    // It looks every second.
    sleep(Duration::from_millis(500)).await;
    stage.engine.set_unwell(&container, true).unwrap();
    sleep(Duration::from_secs(1) * looks).await;
    // It may be gone.
    let _ = stage.engine.set_unwell(&container, false);
    sleep(Duration::from_secs(60)).await;
    let newest = stage.snapshot().await.deploys[0].clone();
    stage.end_of(newest.id).await.assert_succeeded();
    (stage, newest.action)
}

#[tokio::test(start_paused = true)]
async fn a_release_that_turns_unhealthy_is_rolled_back_by_itself_and_a_slow_answer_is_none() {
    // After a gap, when all come that were held, it may only be too busy to say that it is well.
    let rush = u32::try_from(mypaas::router::RUSH.as_secs()).unwrap();
    for (dockerfile, healthcheck, rush) in [(SINGLE, true, rush), (CHECKED, false, 0)] {
        let (stage, newest) = unwell_for(rush + 2, dockerfile, healthcheck).await;
        assert_eq!(newest, Action::Push);
        assert_eq!(stage.running("web").await, ["web.r2.1"]);

        let (stage, newest) = unwell_for(rush + 3, dockerfile, healthcheck).await;
        assert_eq!(newest, Action::Rollback { to: ReleaseId::new(1) });
        assert_eq!(stage.running("web").await, ["web.r1.1"]);
        stage.check_settled("web").await.unwrap();
    }
}
