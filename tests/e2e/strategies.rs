//! Every strategy under load: half of the requests on kept connections, half on fresh ones, every fourth a POST. None
//! fails, whatever the old release does with its SIGTERM.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::load::Report;
use crate::stage::{Settings, Stage};

const WEB: &str = "web.test";

/// Requests a second.
const RATE: u32 = 500;

/// Where the machine bears fewer, deploys take longer too.
const FEWEST: u64 = 2_000;

/// How a release takes its SIGTERM.
const MANNERS: [&str; 3] = ["graceful", "die", "ignore"];

/// A service of that scale whose releases are replaced under load: each of the manners is left once.
async fn replace_under_load(scale: &str, grace: &'static str) {
    let stage = Stage::alone(Settings { grace, ..Settings::default() }).await;
    let scale = format!("scale={scale}");
    let folder = release(&stage, &scale, MANNERS[0]);
    stage.push(&folder).await.done();
    let load = stage.load(WEB, RATE).await;
    sleep(Duration::from_secs(1)).await;
    for manners in [MANNERS[1], MANNERS[2], MANNERS[0]] {
        release(&stage, &scale, manners);
        stage.push(&folder).await.done();
        sleep(Duration::from_millis(500)).await;
    }
    let report = load.stop().await;
    assert_unnoticed(&report, ["r1", "r2", "r3", "r4"]);
}

fn release(stage: &Stage, scale: &str, manners: &str) -> String {
    stage.project("web", &["url=http://web.test", scale], &[&format!("ENV ON_SIGTERM={manners}")])
}

/// No request failed, and all of the releases have answered.
fn assert_unnoticed<'a>(report: &Report, releases: impl IntoIterator<Item = &'a str>) {
    eprintln!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
    assert!(report.sent > FEWEST, "{report}");
    for release in releases {
        let release = format!("(release {release},");
        assert!(report.answers.keys().any(|answer| answer.contains(&release)), "{release}: {report}");
    }
}

#[tokio::test]
async fn rolling_releases_are_replaced_without_a_failed_request() {
    replace_under_load("3 roll", "2s").await;
}

#[tokio::test]
async fn safe_releases_are_replaced_without_a_failed_request() {
    replace_under_load("2 safe", "1s").await;
}

#[tokio::test]
async fn releases_that_do_not_scale_are_replaced_without_a_failed_request() {
    replace_under_load("0", "1s").await;
}

/// Which takes its time to stop: nobody waits for that who wants the next one to serve.
#[tokio::test]
async fn a_push_is_done_while_the_release_before_it_still_stops() {
    let stage = Stage::alone(Settings { grace: "6s", ..Settings::default() }).await;
    let folder = release(&stage, "scale=1", "ignore");
    stage.push(&folder).await.done();
    release(&stage, "scale=1", "graceful");
    let told = stage.mypaas(&["push", "local", &folder]).await.done();
    assert_eq!(stage.containers_now().await, ["web.r1.1", "web.r2.1"], "{told}");
    assert!(stage.hello(WEB).await.contains("(release r2,"));
    // What is asked for next waits until it is gone.
    let told = stage.mypaas(&["restart", "local", "web"]).await.done();
    assert!(told.contains("queued behind d2"), "{told}");
    assert_eq!(stage.containers().await, ["web.r2.2"]);
}

/// Of a release that dies at once when it is told to stop.
async fn a_long_request_outlives_its_release(scale: &str) {
    let stage = Stage::alone(Settings { drain: "8s", ..Settings::default() }).await;
    let scale = format!("scale={scale}");
    let folder = release(&stage, &scale, "die");
    stage.push(&folder).await.done();
    let replaced = async {
        sleep(Duration::from_secs(1)).await;
        release(&stage, &scale, "graceful");
        stage.push(&folder).await.done();
    };
    let (answer, ()) = tokio::join!(stage.get(WEB, "/slow?ms=5000"), replaced);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains(".r1."), "{}", answer.body);
}

#[tokio::test]
async fn a_request_of_five_seconds_is_answered_by_the_release_that_began_it_while_another_rolls_in() {
    a_long_request_outlives_its_release("2 roll").await;
}

#[tokio::test]
async fn a_request_of_five_seconds_is_answered_by_the_release_that_began_it_before_it_stops() {
    a_long_request_outlives_its_release("0").await;
}

/// As the plan says beforehand; until then it goes on, whatever else goes to the new release.
async fn a_websocket_is_cut_after_the_drain(scale: &str) {
    let stage = Stage::alone(Settings { drain: "2s", ..Settings::default() }).await;
    let scale = format!("scale={scale}");
    let folder = release(&stage, &scale, "die");
    stage.push(&folder).await.done();
    let mut socket = stage.socket(WEB).await;
    let load = stage.load(WEB, 100).await;
    let pushed = Instant::now();
    let until_cut = async {
        while echoes(&mut socket).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
        pushed.elapsed()
    };
    let replaced = async {
        release(&stage, &scale, "graceful");
        stage.push(&folder).await.done();
        pushed.elapsed()
    };
    let (cut, replaced) = tokio::join!(until_cut, replaced);
    assert!(cut >= Duration::from_secs(2) && cut < replaced + Duration::from_secs(1), "{cut:?} of {replaced:?}");
    assert_eq!(load.stop().await.failed(), 0);
    assert!(stage.hello(WEB).await.contains(".r2."));
}

async fn echoes(socket: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    let mut echo = [0; 4];
    socket.write_all(b"ping").await?;
    socket.read_exact(&mut echo).await?;
    assert_eq!(&echo, b"ping");
    Ok(())
}

#[tokio::test]
async fn a_websocket_is_cut_after_the_drain_when_a_release_rolls_in() {
    a_websocket_is_cut_after_the_drain("2 roll").await;
}

#[tokio::test]
async fn a_websocket_is_cut_after_the_drain_before_its_release_stops() {
    a_websocket_is_cut_after_the_drain("0").await;
}

#[tokio::test]
async fn everything_else_that_can_be_asked_for_fails_no_request_either() {
    let stage = Stage::alone(Settings::default()).await;
    let health = "healthcheck=/health 1s 500ms";
    let folder = stage.project("web", &["url=http://web.test", "scale=2", health], &["ENV ON_SIGTERM=die"]);
    stage.push(&folder).await.done();
    let load = stage.load(WEB, RATE).await;
    sleep(Duration::from_millis(500)).await;
    for deed in [&["redeploy"][..], &["scale", "5"], &["scale", "1"], &["rollback"], &["restart"]] {
        let mut typed = vec![deed[0], "local", "web"];
        typed.extend(&deed[1..]);
        stage.mypaas(&typed).await.done();
    }
    // Another health check and another port mean new containers, and a new path new routes.
    let changed = ["url=http://web.test", "url=http://web.test/more", "scale=2", "healthcheck=/ 2s 1s", "port=8080"];
    stage.project("web", &changed, &[]);
    stage.push(&folder).await.done();
    sleep(Duration::from_millis(500)).await;
    assert_unnoticed(&load.stop().await, ["r1", "r2", "r3"]);
}
