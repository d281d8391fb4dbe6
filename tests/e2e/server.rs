//! The server as a process: its socket, its stop, its death.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use mypaas::api::{DeployState, Outcome};
use tokio::time::sleep;

use crate::stage::pebble::free_port;
use crate::stage::{Settings, Stage};

const WEB: &str = "web.test";

/// Requests a second while a server is away.
const RATE: u32 = 50;

/// While nobody watches the router is asked every ten seconds what it counted.
const TRAFFIC_LIMIT: Duration = Duration::from_secs(40);

#[tokio::test]
async fn only_its_user_may_talk_to_it_and_read_what_it_keeps() {
    let stage = Stage::new().await;
    stage.push(&stage.project("web", &["env=PASSWORD=secret"], &[])).await.done();
    let mode = |name: &str| fs::metadata(stage.home().join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["mypaas.sock", "store.db", "traefik/password", "traefik/config/routes/_base.toml"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(mode("contexts/web/r1.tar.gz"), 0o600);
}

#[tokio::test]
async fn it_makes_its_folder_for_its_user_alone_and_says_when_docker_is_not_there() {
    let mut stage = Stage::without_server(Settings::default()).await;
    fs::remove_dir_all(stage.home()).unwrap();
    stage.docker_host = Some("unix:///nowhere.sock".to_owned());
    let told = stage.mypaas(&["serve"]).await.failed();
    assert!(told.contains("unix:///nowhere.sock does not answer") && told.contains("hint: is Docker"), "{told}");
    assert_eq!(fs::metadata(stage.home()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_second_server_for_the_same_folder_is_refused_and_the_first_one_serves_on() {
    let stage = Stage::new().await;
    let told = stage.mypaas(&["serve"]).await.failed();
    assert!(told.contains("another server already runs for"), "{told}");
    stage.mypaas(&["status"]).await.done();
}

#[tokio::test]
async fn it_tells_its_service_manager_when_it_is_ready_and_when_it_stops() {
    let mut stage = Stage::without_server(Settings::default()).await;
    stage.start().await;
    stage.mypaas(&["status"]).await.done();
    let process = stage.process();
    process.terminate();
    process.until_told("STOPPING=1").await;
    assert_eq!(process.end().await, Some(0), "{}", process.log());
    assert!(!stage.home().join("mypaas.sock").exists());
}

#[tokio::test]
async fn told_to_stop_it_lets_a_running_deploy_end_and_a_waiting_one_go() {
    let mut stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test", "scale=2"], &[]);
    stage.push(&folder).await.done();
    stage.project("web", &["url=http://web.test", "scale=2"], &["ENV START_DELAY_MS=8000"]);
    let mut running = stage.begin(&["push", "local", &folder, "--json"]);
    running.until(r#""phase":"probing""#).await;
    let mut waiting = stage.begin(&["scale", "local", "web", "3", "--json"]);
    waiting.until(r#""event":"queued""#).await;

    stage.process().terminate();
    let told = running.end().await.done();
    assert!(told.lines().last().unwrap().contains(r#""outcome":"succeeded""#), "{told}");
    let told = waiting.end().await;
    assert_eq!(told.code, 1, "{told}");
    assert!(told.out.contains(r#""outcome":"interrupted""#), "{told}");
    assert!(told.err.contains("the server stopped before its turn came"), "{told}");
    assert_eq!(stage.process().end().await, Some(0));

    stage.start().await;
    assert!(stage.hello(WEB).await.contains("release r2"));
    assert_eq!(stage.containers().await, ["web.r2.1", "web.r2.2"]);
}

/// Though the router of before still runs, and nothing is deployed.
#[tokio::test]
async fn the_router_is_as_the_settings_have_it_from_the_next_start_on_and_what_it_counts_is_told() {
    let settings = Settings::default();
    let mut stage = Stage::with(settings.clone()).await;
    stage.push(&stage.project("web", &["url=http://web.test"], &[])).await.done();
    stage.stop().await;
    let http_port = free_port();
    stage.configure(&Settings { http_port, ..settings });
    stage.start().await;
    assert_eq!(stage.router().await.port(), http_port);
    let counted =
        async || stage.service("web").await.service.traffic.filter(|traffic| traffic.requests_per_second > 0.0);
    let start = Instant::now();
    while counted().await.is_none() {
        assert!(start.elapsed() < TRAFFIC_LIMIT, "no requests are told");
        assert!(stage.hello(WEB).await.contains("release r1"));
        sleep(Duration::from_millis(200)).await;
    }
}

/// Kills the server when the deploy of r2 tells `at`, starts it again, and sees to it that r1 or r2 serves, whole, and
/// that no request fails meanwhile. What the one who pushed was told, and how the history has it.
async fn die(scale: &str, at: &str) -> (Stage, i32, Outcome) {
    let mut stage = Stage::with(Settings { drain: "2s", ..Settings::default() }).await;
    let options = ["url=http://web.test", scale];
    let folder = stage.project("web", &options, &[]);
    stage.push(&folder).await.done();
    stage.project("web", &options, &["ENV START_DELAY_MS=1500"]);

    let load = stage.load(WEB, RATE).await;
    let mut push = stage.begin(&["push", "local", &folder, "--json"]);
    push.until(at).await;
    stage.kill().await;
    stage.start().await;
    let told = push.end().await;
    let report = load.stop().await;
    assert_eq!(report.failed(), 0, "{report}\n{told}");

    let DeployState::Finished { outcome, .. } = stage.last_deploy("web").await.state else { panic!("{told}") };
    let live = if outcome.succeeded() { "r2" } else { "r1" };
    assert!(stage.hello(WEB).await.contains(&format!("release {live}")), "{told}");
    let containers = stage.containers().await;
    let count = if scale == "scale=2" { 2 } else { 1 };
    assert_eq!(containers.len(), count, "{containers:?}");
    assert!(containers.iter().all(|name| name.starts_with(&format!("web.{live}."))), "{containers:?}");
    assert_eq!(fs::read_dir(stage.home().join("accepted")).map_or(0, Iterator::count), 0);
    (stage, told.code, outcome)
}

#[tokio::test]
async fn killed_before_the_switch_it_goes_back_to_what_served() {
    let (stage, code, outcome) = die("scale=2", r#""phase":"probing""#).await;
    assert!(
        matches!(&outcome, Outcome::Interrupted { detail } if detail.contains("r1 serves as before")),
        "{outcome:?}"
    );
    assert_eq!(code, 1);
    let told = stage.mypaas(&["deploys", "local", "web"]).await.done();
    assert!(told.contains("interrupted"), "{told}");
}

#[tokio::test]
async fn killed_after_the_switch_it_goes_on() {
    let (_stage, code, outcome) = die("scale=2", r#""phase":"draining""#).await;
    assert_eq!((code, outcome), (0, Outcome::Succeeded));
}

#[tokio::test]
async fn killed_while_requests_are_held_it_answers_them_all() {
    let (_stage, code, outcome) = die("scale=0", r#""event":"stopped""#).await;
    assert_eq!(code, i32::from(!outcome.succeeded()), "{outcome:?}");
}

#[tokio::test]
async fn killed_in_the_middle_of_a_build_it_has_changed_nothing() {
    let (_stage, code, outcome) = die("scale=2", r#""event":"build_output""#).await;
    assert!(matches!(outcome, Outcome::Interrupted { .. }), "{outcome:?}");
    assert_eq!(code, 1);
}

#[tokio::test]
async fn services_with_like_names_do_not_touch_each_other() {
    let stage = Stage::new().await;
    for name in ["rob", "rob.api", "rob/api"] {
        let url = format!("url=http://{}.test", name.replace('/', "-slash-"));
        let folder = stage.project(name, &[&url, "scale=1"], &["ENV VERSION=one"]);
        stage.push(&folder).await.done();
    }
    let url = ["url=http://rob.test", "scale=1"];
    stage.push(&stage.project("rob", &url, &["ENV VERSION=two"])).await.done();
    assert_eq!(stage.containers().await, ["rob--api.r1.1", "rob.api.r1.1", "rob.r2.1"]);
    stage.mypaas(&["remove", "local", "rob", "--yes"]).await.done();
    assert_eq!(stage.containers().await, ["rob--api.r1.1", "rob.api.r1.1"]);
    assert_eq!(stage.images().await, ["rob.api:r1", "rob/api:r1"]);
    assert_eq!(stage.get("rob.test", "/").await.status, 404);
    assert!(stage.hello("rob.api.test").await.contains("rob.api.r1.1"));
    assert!(stage.hello("rob-slash-api.test").await.contains("rob--api.r1.1"));
}
