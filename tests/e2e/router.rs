//! One router takes the place of another when the settings changed, or serves on when that one does not come up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mypaas::api::{Part, RouterInfo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::stage::{Settings, Stage, docker};

const WEB: &str = "web.test";

/// Between two requests, and how long the service takes for each.
const PACE: Duration = Duration::from_millis(40);
const TAKES: &str = "/slow?ms=800";

const LIMIT: Duration = Duration::from_secs(30);

/// Nobody takes requests for longer only where the old router has some that take long.
const LONGEST_GAP: Duration = Duration::from_secs(8);

/// Other settings of Traefik's own; the authority is never asked.
fn other(settings: &Settings, hours: u32) -> Settings {
    let acme = format!("[acme]\nserver = \"https://127.0.0.1:1/dir\"\nhours = {hours}\n");
    let more = format!("[init]\nemail = \"ada@paas.test\"\n{acme}");
    Settings { more, ..settings.clone() }
}

/// How a request ended, and when it began.
struct Ended {
    began: Instant,
    how: Result<(), String>,
}

/// Requests on connections of their own, so that each tells whether it was taken.
struct Load {
    stopping: Arc<AtomicBool>,
    sending: JoinHandle<JoinSet<Ended>>,
}

impl Load {
    fn on(router: SocketAddr) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let sending = tokio::spawn(async move {
            let mut sent = JoinSet::new();
            while !stop.load(Ordering::Relaxed) {
                sent.spawn(async move {
                    let began = Instant::now();
                    let how = timeout(LIMIT, request(router)).await.unwrap_or_else(|_| Err("no answer".to_owned()));
                    Ended { began, how }
                });
                sleep(PACE).await;
            }
            sent
        });
        Self { stopping, sending }
    }

    async fn stop(self) -> Vec<Ended> {
        self.stopping.store(true, Ordering::Relaxed);
        self.sending.await.unwrap().join_all().await
    }
}

async fn request(router: SocketAddr) -> Result<(), String> {
    let mut stream = TcpStream::connect(router).await.map_err(|error| format!("connect: {error}"))?;
    let request = format!("GET {TAKES} HTTP/1.1\r\nHost: {WEB}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("send: {error}"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(|error| format!("receive: {error}"))?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(format!("answer: {answer:?}")) }
}

impl Stage {
    /// The names of the router's containers, without the instance, and whether each runs.
    async fn routers(&self) -> String {
        let mine = format!("label=mypaas.instance={}", self.instance());
        let format = "{{.Names}} {{.State}}";
        let role = "label=mypaas.role=router";
        let names = docker(&["ps", "-a", "--filter", &mine, "--filter", role, "--format", format]).await;
        names.replace(&format!("{}-", self.instance()), "")
    }

    async fn router_id(&self) -> String {
        docker(&["inspect", "-f", "{{.Id}}", &format!("{}-router", self.instance())]).await
    }

    async fn router_info(&self) -> RouterInfo {
        match self.view().await.router {
            Part::Up { info } => info,
            Part::Down { problem } => panic!("there is no router: {problem:?}"),
        }
    }

    /// Where it takes requests without the small process that Docker puts before a port of this machine's own, which would
    /// take connections when nobody is behind it.
    async fn router_itself(&self) -> SocketAddr {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = docker(&["inspect", "-f", format, &format!("{}-router", self.instance())]).await;
        (address.parse::<Ipv4Addr>().unwrap(), 80).into()
    }
}

#[tokio::test]
async fn no_request_is_cut_that_is_in_flight_when_the_router_is_replaced() {
    let settings = Settings::default();
    let mut stage = Stage::with(settings.clone()).await;
    stage.push(&stage.project("web", &["url=http://web.test"], &[])).await.done();
    let old = stage.router_id().await;
    let load = Load::on(stage.router_itself().await);
    sleep(Duration::from_secs(1)).await;

    stage.stop().await;
    stage.configure(&other(&settings, 100));
    stage.start().await;
    sleep(Duration::from_secs(1)).await;
    let ended = load.stop().await;

    assert_ne!(stage.router_id().await, old, "it is another");
    assert_eq!(stage.routers().await, "router running");
    assert_eq!(stage.router_info().await.unreplaced, None);
    let failed: Vec<(Instant, &str)> =
        ended.iter().filter_map(|ended| Some((ended.began, ended.how.as_ref().err()?.as_str()))).collect();
    // A Traefik that starts takes requests a moment before it has read its routes. One that stops may take a connection as
    // it stops to listen, and close it before it hands it on: no service has seen what was asked there.
    let is_unheard = |how: &str| how == "answer: \"\"";
    let is_turned_away =
        |how: &str| how.starts_with("connect:") || how.starts_with("answer: \"HTTP/1.1 404") || is_unheard(how);
    let unheard = failed.iter().filter(|(_, how)| is_unheard(how)).count();
    assert!(unheard <= 1, "{unheard} requests were taken and not answered");
    let cut: Vec<&str> = failed.iter().map(|(_, how)| *how).filter(|how| !is_turned_away(how)).collect();
    assert_eq!(cut, [] as [&str; 0], "of {} requests, {} of which were turned away", ended.len(), failed.len());
    let times = failed.iter().map(|(began, _)| *began);
    let gap = times.clone().max().zip(times.min()).map_or(Duration::ZERO, |(last, first)| last - first);
    let unread = failed.iter().filter(|(_, how)| how.contains("404")).count();
    println!("{} of {} were turned away, {unread} with 404, within {gap:.1?}", failed.len(), ended.len());
    assert!(unread <= 10, "{unread} requests found no route");
    assert!(gap < LONGEST_GAP, "nobody took requests for {gap:?}");
}

#[tokio::test]
async fn a_router_that_does_not_come_up_is_told_and_the_one_of_before_serves_on_until_its_settings_are_mended() {
    let settings = Settings::default();
    let mut stage = Stage::with(settings.clone()).await;
    stage.push(&stage.project("web", &["url=http://web.test"], &[])).await.done();
    let old = stage.router_id().await;
    // One that is there and is no Traefik, and one that nobody has.
    let no_traefik = format!("{}/web:r1", stage.instance());
    for (image, why) in [(no_traefik.as_str(), "could not start the container"), ("127.0.0.1:1/none:1", "pull")] {
        stage.stop().await;
        stage.configure(&Settings { image: Some(image.to_owned()), ..settings.clone() });
        stage.start().await;
        assert!(stage.hello(WEB).await.contains("release r1"));
        assert_eq!(stage.router_id().await, old, "untouched");
        assert_eq!(stage.routers().await, "router running");
        let told = stage.router_info().await.unreplaced.expect("it is told");
        assert!(told.reason.contains(why), "{told}");
    }
    let begin = Instant::now();
    let told = async || stage.mypaas(&["status"]).await.done();
    while !told().await.contains("the one of before serves on") {
        assert!(begin.elapsed() < LIMIT, "no alert: {}", told().await);
        sleep(Duration::from_millis(500)).await;
    }
    // A deploy needs the router that serves, and no other.
    stage.push(&stage.project("web", &["url=http://web.test"], &["ENV VERSION=two"])).await.done();
    assert!(stage.hello(WEB).await.contains("release r2"));

    stage.stop().await;
    stage.configure(&other(&settings, 100));
    stage.start().await;
    assert_eq!(stage.router_info().await.unreplaced, None);
    assert_ne!(stage.router_id().await, old);
    assert!(stage.hello(WEB).await.contains("release r2"));
}

#[tokio::test]
async fn killed_while_it_replaces_the_router_it_ends_on_one_that_serves() {
    let settings = Settings::default();
    let mut stage = Stage::with(settings.clone()).await;
    stage.push(&stage.project("web", &["url=http://web.test"], &[])).await.done();
    for (number, after) in [300, 700, 1000, 1300, 1700, 2200].into_iter().enumerate() {
        stage.stop().await;
        stage.configure(&other(&settings, 100 + number as u32));
        stage.begin_start();
        sleep(Duration::from_millis(after)).await;
        stage.kill().await;
        println!("killed after {after} ms: {:?}", stage.routers().await);
        stage.start().await;
        assert_eq!(stage.routers().await, "router running", "killed after {after} ms");
        assert_eq!(stage.router_info().await.unreplaced, None);
        assert!(stage.hello(WEB).await.contains("release r1"), "killed after {after} ms");
    }
}
