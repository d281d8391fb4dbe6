//! What is seen and told of a server as time goes on: what is watched, figures, alerts, webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use mypaas::api::{Alert, AlertKind, History, HistoryQuery, Measure, Snapshot, Span};
use mypaas::client::{Client, ClientError};
use mypaas::deploy::Action;
use mypaas::engine::{Behaviour, Engine, Exit, Fault, Moment};
use mypaas::manifest::CpuLimit;
use mypaas::name::ContainerName;
use mypaas::server;
use mypaas::server::config::Config;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::stage::{ROLLING, SINGLE, Stage};

/// Long enough for any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a socket, and somebody who talks to it.
pub(crate) struct Served {
    pub(crate) stage: Stage,
    pub(crate) client: Client,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Served {
    pub(crate) async fn new(config: Config) -> Self {
        Self::on(Stage::with(config).await)
    }

    pub(crate) fn on(stage: Stage) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mypaas.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(server::serve(listener, Arc::clone(&stage.core), || {}, shutdown.clone()));
        Self { stage, client: Client::unix(&socket).unwrap(), shutdown, task, _folder: folder }
    }

    pub(crate) async fn stop(self) -> Stage {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.expect("the server ends").unwrap().unwrap();
        self.stage
    }

    async fn history(&self, service: Option<&str>) -> History {
        let service = service.map(|name| name.parse().unwrap());
        self.client.history(&HistoryQuery { service, span: Span::Hour, points: Some(3600) }).await.unwrap()
    }
}

type Watch = BoxStream<'static, Result<Snapshot, ClientError>>;

/// The first snapshot of which this is true.
async fn until(watch: &mut Watch, what: &str, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let watching = async {
        loop {
            let snapshot = watch.next().await.expect("the watch goes on").unwrap();
            if is_so(&snapshot) {
                return snapshot;
            }
        }
    };
    timeout(PATIENCE, watching).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// As an engine leaves it that was killed.
#[tokio::test]
async fn what_is_live_and_was_left_stopped_is_started_again_and_what_is_to_be_stopped_is_not() {
    let served = Served::new(Config::default()).await;
    served.stage.push(ROLLING).await.assert_succeeded();
    let mut watch = served.client.watch().await.unwrap();
    let stop = async |containers: &[&str]| {
        for name in containers {
            served.stage.engine.stop(&ContainerName::from_engine(name), Duration::ZERO).await.unwrap();
        }
    };
    stop(&["web.r1.1", "web.r1.2"]).await;
    let ready = |seen: &Snapshot, count| seen.services.first().is_some_and(|web| web.ready == count);
    until(&mut watch, "it is down", |seen| ready(seen, 0)).await;
    until(&mut watch, "it runs again", |seen| ready(seen, 2)).await;
    assert_eq!(served.stage.running("web").await, ["web.r1.1", "web.r1.2"]);

    served.stage.act("web", Action::Stop).await.assert_succeeded();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(served.stage.running("web").await.is_empty(), "that was asked for");
    served.stop().await;
}

#[tokio::test]
async fn a_container_that_hangs_at_its_start_keeps_no_other_service_down() {
    let served = Served::new(Config::default()).await;
    served.stage.push("# mypaas.service=api\n# mypaas.url=http://api.test\nFROM scratch\n").await.assert_succeeded();
    served.stage.push(SINGLE).await.assert_succeeded();
    let engine = &served.stage.engine;
    let mut watch = served.client.watch().await.unwrap();
    let ready = |seen: &Snapshot| seen.services.iter().map(|service| service.ready).collect::<Vec<_>>();
    engine.plan_fault_at_each("start api.r1.1", Fault::Hang);
    let stop = async |name| engine.stop(&ContainerName::from_engine(name), Duration::ZERO).await.unwrap();
    stop("api.r1.1").await;
    until(&mut watch, "it is down", |seen| ready(seen) == [0, 1]).await;
    timeout(PATIENCE, engine.until_hung()).await.expect("somebody tries to start it");
    stop("web.r1.1").await;
    until(&mut watch, "both are down", |seen| ready(seen) == [0, 0]).await;
    until(&mut watch, "the other is up again", |seen| ready(seen) == [0, 1]).await;
    served.stop().await;
}

#[tokio::test]
async fn a_container_that_hangs_at_its_start_keeps_the_router_from_nothing() {
    let served = Served::new(Config::default()).await;
    served.stage.push(SINGLE).await.assert_succeeded();
    let mut watch = served.client.watch().await.unwrap();
    let ready = |seen: &Snapshot, count| seen.services.first().is_some_and(|web| web.ready == count);
    served.stage.engine.plan_fault_at_each("start web.r1.1", Fault::Hang);
    served.stage.engine.stop(&ContainerName::from_engine("web.r1.1"), Duration::ZERO).await.unwrap();
    until(&mut watch, "it is down", |seen| ready(seen, 0)).await;
    timeout(PATIENCE, served.stage.engine.until_hung()).await.expect("somebody tries to start it");
    let looks = || served.stage.router.calls().iter().filter(|call| call.action == "info").count();
    let before = looks();
    let looked_after = async {
        while looks() < before + 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, looked_after).await.expect("the router is looked after meanwhile");
    served.stop().await;
}

#[tokio::test]
async fn who_watches_sees_what_happens_by_itself() {
    let served = Served::new(Config::default()).await;
    let mut watch = served.client.watch().await.unwrap();
    until(&mut watch, "nothing yet", |seen| seen.services.is_empty()).await;
    served.stage.push(ROLLING).await.assert_succeeded();
    let all_ready =
        |seen: &Snapshot| seen.services.first().is_some_and(|web| web.ready == 2 && web.containers.len() == 2);
    let seen = until(&mut watch, "all are ready", all_ready).await;
    assert_eq!(seen.services[0].name.as_str(), "web");
    let victim = seen.services[0].containers[1].name.clone();
    served.stage.engine.kill(&victim, Exit { code: 9, out_of_memory: false }).unwrap();
    until(&mut watch, "it was restarted", |seen| {
        seen.services[0].containers.iter().any(|container| container.name == victim && container.restarts == 1)
    })
    .await;
    let folded = until(&mut watch, "all are ready again", all_ready).await;
    let asked = served.client.snapshot().await.unwrap();
    assert_eq!(folded.services[0].containers.len(), asked.services[0].containers.len());
    assert_eq!(folded.deploys, asked.deploys);
    served.stop().await;
}

#[tokio::test]
async fn limits_that_somebody_changed_by_hand_are_seen_at_once() {
    let served = Served::new(Config::default()).await;
    served.stage.push(&format!("# mypaas.maxcpu=1.5\n# mypaas.maxmem=64m\n{ROLLING}")).await.assert_succeeded();
    let mut watch = served.client.watch().await.unwrap();
    let limits = |seen: &Snapshot| -> Vec<_> {
        let containers = seen.services.iter().flat_map(|service| &service.containers);
        containers.map(|one| (one.cpu_limit.map(|limit| limit.nano_cpus), one.memory_limit_bytes)).collect()
    };
    let made = (Some(1_500_000_000), Some(64 << 20));
    let seen = until(&mut watch, "as the options say", |seen| limits(seen) == [made, made]).await;
    let (max_cpu, max_mem) = (CpuLimit { nano_cpus: 2_000_000_000 }, None);
    served.stage.engine.set_limits(&seen.services[0].containers[1].name, Some(max_cpu), max_mem).unwrap();
    until(&mut watch, "as they are", |seen| limits(seen) == [made, (Some(2_000_000_000), None)]).await;
    served.stop().await;
}

#[tokio::test]
async fn figures_are_measured_shown_and_kept() {
    let served = Served::new(Config::default()).await;
    served.stage.push(SINGLE).await.assert_succeeded();
    served.stage.router.be_busy();
    let mut watch = served.client.watch().await.unwrap();
    let seen = until(&mut watch, "everything was measured", |seen| {
        seen.services.first().is_some_and(|web| {
            let is_measured = web.containers.first().is_some_and(|container| container.cpu_percent.is_some());
            is_measured && web.traffic.is_some_and(|traffic| traffic.p95.is_some())
        })
    })
    .await;
    let traffic = seen.services[0].traffic.unwrap();
    assert!(traffic.requests_per_second > 0.0 && traffic.median <= traffic.p95, "{traffic:?}");
    assert!(seen.server.machine.is_some_and(|machine| machine.disk_bytes > 0));
    let web = served.history(Some("web")).await;
    for measure in [Measure::Cpu, Measure::Memory, Measure::Requests, Measure::Errors, Measure::Median, Measure::P95] {
        assert!(web.series.get(&measure).is_some_and(|figures| figures.len() == 3600), "{measure:?}");
    }
    assert!(served.history(None).await.series.contains_key(&Measure::Disk));
    let unknown = HistoryQuery { service: Some("nobody".parse().unwrap()), ..HistoryQuery::default() };
    assert!(matches!(served.client.history(&unknown).await, Err(ClientError::Refused(_))));

    let stage = served.stop().await;
    let kept = rusqlite::Connection::open(stage.home().join("figures.db")).unwrap();
    let subjects: u32 = kept.query_row("SELECT COUNT(DISTINCT subject) FROM blocks", [], |row| row.get(0)).unwrap();
    assert_eq!(subjects, 2, "the machine and the service");
}

/// Somebody who is told of alerts, and does not listen at first.
struct Listener {
    told: mpsc::UnboundedReceiver<(HeaderMap, String)>,
    asked: Arc<AtomicUsize>,
    url: String,
}

impl Listener {
    async fn start(refusals: usize) -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let asked = Arc::<AtomicUsize>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook/s3cret", listener.local_addr().unwrap());
        let take = move |State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap, body: String| async move {
            if asked.fetch_add(1, Ordering::Relaxed) < refusals {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            sender.send((headers, body)).unwrap();
            StatusCode::OK
        };
        let app = axum::Router::new().route("/hook/s3cret", axum::routing::post(take)).with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { told, asked, url }
    }

    async fn next(&mut self) -> (HeaderMap, String) {
        timeout(PATIENCE, self.told.recv()).await.expect("the webhook is told").unwrap()
    }

    async fn next_json(&mut self) -> (String, Alert) {
        let json: serde_json::Value = serde_json::from_str(&self.next().await.1).unwrap();
        (json["event"].as_str().unwrap().to_owned(), serde_json::from_value(json["alert"].clone()).unwrap())
    }
}

#[tokio::test]
async fn webhooks_are_told_when_an_alert_begins_and_when_it_is_over() {
    let (mut all, mut disks) = (Listener::start(1).await, Listener::start(0).await);
    let config = format!(
        "[[webhook]]\nurl = {:?}\nkind = \"json\"\n[[webhook]]\nurl = {:?}\nkind = \"ntfy\"\nkinds = [\"disk\"]\n\
         token = \"t0ken\"\n[[webhook]]\nurl = \"http://127.0.0.1:9/s3cret\"\nkind = \"slack\"\nkinds = [\"part\"]\n",
        all.url, disks.url
    );
    let served = Served::new(toml::from_str(&config).unwrap()).await;
    let dies = Exit { code: 3, out_of_memory: false };
    served.stage.script("web", Behaviour { exit: Some((Moment::Probes(0), dies)), ..Behaviour::default() });
    served.stage.push(SINGLE).await;
    let (event, alert) = all.next_json().await;
    assert_eq!((event.as_str(), alert.kind), ("began", AlertKind::DeployFailed));
    assert_eq!(served.client.snapshot().await.unwrap().alerts, [alert]);

    served.stage.script("web", Behaviour::default());
    served.stage.push(SINGLE).await.assert_succeeded();
    let (event, alert) = all.next_json().await;
    assert_eq!((event.as_str(), alert.kind), ("ended", AlertKind::DeployFailed));
    let mut watch = served.client.watch().await.unwrap();
    until(&mut watch, "no alert is left", |seen| seen.alerts.is_empty()).await;

    let tested = served.client.test_webhooks().await.unwrap();
    assert_eq!(tested.iter().map(|test| test.problem.is_none()).collect::<Vec<_>>(), [true, true, false]);
    assert!(!format!("{tested:?}").contains("s3cret"), "{tested:?}");
    let (headers, body) = disks.next().await;
    assert_eq!(headers["authorization"], "Bearer t0ken");
    assert!(headers["title"].to_str().unwrap().ends_with(": a test") && body.contains("nothing is the matter"));
    served.stop().await;
}

#[tokio::test]
async fn alerts_outlive_the_server_and_are_not_told_twice() {
    let mut listener = Listener::start(0).await;
    let config: Config = toml::from_str(&format!("[[webhook]]\nurl = {:?}\nkind = \"json\"\n", listener.url)).unwrap();
    let served = Served::new(config).await;
    let dies = Exit { code: 3, out_of_memory: false };
    served.stage.script("web", Behaviour { exit: Some((Moment::Probes(0), dies)), ..Behaviour::default() });
    served.stage.push(SINGLE).await;
    let (event, began) = listener.next_json().await;
    assert_eq!(event, "began");
    let mut stage = served.stop().await;

    stage.die_and_start().await;
    assert_eq!(stage.core.snapshot().await.unwrap().alerts, std::slice::from_ref(&began));
    let folder = tempfile::tempdir().unwrap();
    let listening = UnixListener::bind(folder.path().join("mypaas.sock")).unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(server::serve(listening, Arc::clone(&stage.core), || {}, shutdown.clone()));
    stage.script("web", Behaviour::default());
    stage.push(SINGLE).await.assert_succeeded();
    let (event, ended) = listener.next_json().await;
    assert_eq!((event.as_str(), ended.since), ("ended", began.since));
    shutdown.cancel();
    timeout(PATIENCE, task).await.expect("the server ends").unwrap().unwrap();
}

#[tokio::test]
async fn what_waits_for_a_webhook_is_sent_when_the_server_stops() {
    // The first attempt and the second are refused; the third would be made long after this test.
    let mut listener = Listener::start(2).await;
    let asked = Arc::clone(&listener.asked);
    let config: Config = toml::from_str(&format!("[[webhook]]\nurl = {:?}\nkind = \"json\"\n", listener.url)).unwrap();
    let served = Served::new(config).await;
    let dies = Exit { code: 3, out_of_memory: false };
    served.stage.script("web", Behaviour { exit: Some((Moment::Probes(0), dies)), ..Behaviour::default() });
    served.stage.push(SINGLE).await;
    let refused = async {
        while asked.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, refused).await.expect("the webhook is asked twice");
    served.stop().await;
    let sent = timeout(Duration::from_secs(2), listener.told.recv()).await.expect("it was sent as the server stopped");
    assert!(sent.unwrap().1.contains("began"));
}

#[tokio::test]
async fn a_server_without_webhooks_says_so() {
    let served = Served::new(Config::default()).await;
    let Err(ClientError::Refused(problem)) = served.client.test_webhooks().await else { panic!("it has none") };
    assert!(problem.hint.is_some_and(|hint| hint.contains("[[webhook]]")));
    served.stop().await;
}
