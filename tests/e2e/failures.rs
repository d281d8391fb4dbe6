//! Releases that do not work. Each push fails with the reason, the release before it answers all the time, and nothing
//! of the failed one is left but its build.

use std::time::Duration;

use mypaas::api::{Failure, Phase, ProbeAnswer};

use crate::stage::{Settings, Stage, docker};

const WEB: &str = "web.test";

/// Requests a second while a push fails.
const RATE: u32 = 50;

/// What a failed push said, and what the server remembers of it.
struct Failed {
    told: String,
    failure: Failure,
}

/// Has a release that works, pushes one that does not, and sees to it that nobody notices but the one who pushed.
async fn push_in_vain(stage: &Stage, options: &[&str], instructions: &[&str]) -> Failed {
    let url = "url=http://web.test";
    let scale = options.iter().copied().filter(|option| option.starts_with("scale="));
    let good: Vec<&str> = [url].into_iter().chain(scale).collect();
    stage.push(&stage.project("web", &good, &["ENV VERSION=good"])).await.done();
    let before = (stage.containers().await, ids(stage).await);

    let load = stage.load(WEB, RATE).await;
    let bad: Vec<&str> = [url].into_iter().chain(options.iter().copied()).collect();
    let told = stage.push(&stage.project("web", &bad, instructions)).await.failed();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let report = load.stop().await;

    assert_eq!(report.failed(), 0, "{report}\n{told}");
    assert!(report.sent > u64::from(RATE) / 2, "{report}");
    assert!(report.answers.keys().all(|answer| answer.contains("release r1, version good")), "{report}");
    assert_eq!((stage.containers().await, ids(stage).await), before, "{told}");
    assert!(told.contains("r1 of web serves on"), "{told}");
    let failure = stage.failure("web").await;
    assert_eq!(failure.still_serving.map(|release| release.to_string()).as_deref(), Some("r1"));
    Failed { told, failure }
}

/// The containers' ids: that they are still the same ones.
async fn ids(stage: &Stage) -> String {
    docker(&["ps", "-q", "--no-trunc", "--filter", &format!("label=mypaas.instance={}", stage.instance())]).await
}

fn quick() -> Settings {
    Settings { ready_deadline: "3s", ..Settings::default() }
}

#[tokio::test]
async fn one_that_exits_at_once_tells_its_exit_code_and_last_words() {
    let stage = Stage::new().await;
    let ends = "ENV LISTEN=no EXIT_AFTER_MS=200 EXIT_CODE=3 EXIT_MESSAGE=\"no database at db:5432\"";
    let Failed { told, failure } = push_in_vain(&stage, &["scale=2"], &[ends]).await;
    for part in ["exited with code 3", "last lines of", "| no database at db:5432"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let evidence = failure.container.unwrap();
    assert_eq!(evidence.exit.map(|exit| (exit.code, exit.out_of_memory)), Some((3, false)));
    assert_eq!(evidence.logs.last().unwrap().text, "no database at db:5432");
    assert_eq!(failure.phase, Phase::Probing);
}

#[tokio::test]
async fn one_that_exits_where_the_old_one_stops_first_brings_the_old_one_back() {
    for strategy in ["scale=0", "scale=2 safe"] {
        let stage = Stage::new().await;
        let ends = "ENV LISTEN=no EXIT_AFTER_MS=200 EXIT_CODE=3";
        let Failed { told, .. } = push_in_vain(&stage, &[strategy], &[ends]).await;
        assert!(told.contains("exited with code 3"), "{told}");
    }
}

#[tokio::test]
async fn one_that_never_listens_tells_what_its_port_answered() {
    let stage = Stage::with(quick()).await;
    let Failed { told, failure } = push_in_vain(&stage, &["scale=2"], &["ENV LISTEN=no"]).await;
    for part in ["was not ready within 3s: connection refused", "port 80", "| listens nowhere, as told"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let evidence = failure.container.unwrap();
    assert!(matches!(evidence.last_probe, Some(ProbeAnswer::NotReady { .. })), "{evidence:?}");
    assert_eq!(evidence.exit, None);
}

#[tokio::test]
async fn one_that_fails_its_health_check_tells_the_answer() {
    let stage = Stage::with(quick()).await;
    let options = ["scale=2", "healthcheck=/health 1s 500ms"];
    let Failed { told, failure } = push_in_vain(&stage, &options, &["ENV HEALTH=fail"]).await;
    assert!(told.contains("was not ready within 3s: HTTP 503"), "{told}");
    match failure.container.unwrap().last_probe {
        Some(ProbeAnswer::NotReady { detail }) => assert!(detail.contains("503"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_that_takes_too_much_memory_is_told_as_such() {
    let stage = Stage::new().await;
    let options = ["scale=1", "healthcheck=/leak 5s 1s", "maxmem=24m"];
    let Failed { told, failure } = push_in_vain(&stage, &options, &[]).await;
    assert!(told.contains("out of memory"), "{told}");
    assert!(told.contains("| takes memory until it is killed, as told"), "{told}");
    let exit = failure.container.unwrap().exit.unwrap();
    assert_eq!((exit.code, exit.out_of_memory), (137, true));
}

#[tokio::test]
async fn one_that_cannot_be_built_tells_the_instruction() {
    let stage = Stage::new().await;
    let Failed { told, failure } = push_in_vain(&stage, &[], &["COPY nowhere /x"]).await;
    assert!(told.contains("nowhere"), "{told}");
    assert_eq!(failure.phase, Phase::Building);
    assert_eq!(stage.images().await, ["web:r1"]);
    let releases = stage.mypaas(&["releases", "local", "web", "--json"]).await.done();
    assert!(!releases.contains("\"r2\""), "{releases}");
}

#[tokio::test]
async fn a_first_release_that_fails_leaves_no_container_and_no_route() {
    let stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test"], &["ENV LISTEN=no EXIT_AFTER_MS=100 EXIT_CODE=3"]);
    let told = stage.push(&folder).await.failed();
    assert!(told.contains("no release of web serves now, as before"), "{told}");
    assert!(stage.containers().await.is_empty());
    assert_eq!(stage.get(WEB, "/").await.status, 404);
    stage.project("web", &["url=http://web.test"], &[]);
    stage.push(&folder).await.done();
    assert!(stage.hello(WEB).await.contains("release r2"));
}

#[tokio::test]
async fn one_that_keeps_crashing_soon_after_it_was_ready_is_rolled_back() {
    is_rolled_back(&[], "ENV EXIT_AFTER_MS=1500").await;
}

#[tokio::test]
async fn one_that_turns_unhealthy_soon_after_it_was_ready_is_rolled_back() {
    is_rolled_back(&["scale=1", "healthcheck=/health 1s 500ms"], "ENV HEALTH=6000").await;
}

/// A release that is ready, and is found out later.
async fn is_rolled_back(options: &[&str], instruction: &str) {
    let stage = Stage::with(Settings { watch: "30s", ..Settings::default() }).await;
    let options = [&["url=http://web.test"], options].concat();
    let folder = stage.project("web", &options, &["ENV VERSION=good"]);
    stage.push(&folder).await.done();
    stage.project("web", &options, &["ENV VERSION=bad", instruction]);
    stage.push(&folder).await.done();
    let limit = tokio::time::Instant::now() + Duration::from_secs(30);
    while stage.containers().await != ["web.r1.1"] {
        assert!(tokio::time::Instant::now() < limit, "{:?}", stage.last_deploy("web").await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let told = stage.mypaas(&["deploys", "local", "web"]).await.done();
    assert!(told.contains("rollback"), "{told}");
    assert!(stage.hello(WEB).await.contains("release r1, version good"));
}
