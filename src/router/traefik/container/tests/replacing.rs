//! One router takes the place of another, or does not; and what becomes of it when whoever does that dies.

use super::*;
use crate::engine::{Behaviour, Exit, Fault, FaultPlan, MemoryEngine, Moment};

const GOOD: &str = "traefik:test";
const BAD: &str = "traefik:bad";
const NAMES: [&str; 4] = ["demo-router", "demo-router-trial", "demo-router-next", "demo-router-before"];

/// An engine that has both images, and what answers for the containers: the router, and a trial of a good one.
struct Place {
    folder: tempfile::TempDir,
    engine: Arc<MemoryEngine>,
    router: FakeTraefik,
    trial: FakeTraefik,
}

impl Place {
    /// Each test has another network: they run side by side.
    async fn new(network: u8) -> Self {
        let host = |number| Ipv4Addr::new(127, 213, network, number);
        let engine = MemoryEngine::new("demo".parse().unwrap()).in_network(Subnet::around(host(0), 24));
        engine.offer(&ImageName::foreign(GOOD), Behaviour::default());
        let exit = Some((Moment::After(Duration::ZERO), Exit { code: 1, out_of_memory: false }));
        let logs = vec!["field not found: colour".to_owned()];
        engine.offer(&ImageName::foreign(BAD), Behaviour { exit, logs, ..Behaviour::default() });
        let answering = async |number| FakeTraefik::start(SocketAddr::new(host(number).into(), API), |_| true).await;
        let (router, trial) = (answering(2).await, answering(3).await);
        Self { folder: tempfile::tempdir().unwrap(), engine: Arc::new(engine), router, trial }
    }

    fn settings(&self, image: &str) -> TraefikSettings {
        TraefikSettings { image: ImageName::foreign(image), ..settings(&self.folder) }
    }

    /// As a server that starts.
    async fn open(&self, settings: TraefikSettings) -> TraefikRouter {
        TraefikRouter::new(self.engine.clone(), settings).await.unwrap()
    }

    /// A server that starts, and meets the fault. It is looked after to its end, but for one that hangs: nothing more comes
    /// of it, as of one that was killed there.
    async fn run_until(&self, at: usize, fault: Fault, settings: TraefikSettings) {
        let router = self.open(settings).await;
        let running = router.ensure_running();
        if !matches!(fault, Fault::Hang | Fault::HangAfterEffect) {
            let _ = running.await;
            return;
        }
        let hangs = async {
            while self.engine.calls().len() < at {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        tokio::select! {
            _ = running => {}
            () = hangs => {}
        }
    }

    /// The containers that there are, with whether they run.
    async fn there(&self) -> Vec<(&'static str, bool)> {
        let mut there = Vec::new();
        for name in NAMES {
            if let Ok(container) = self.engine.inspect(&ContainerName::from_engine(name)).await {
                there.push((name, container.is_running()));
            }
        }
        there
    }

    async fn one_serves(&self) {
        assert_eq!(self.there().await, [("demo-router", true)]);
        let router = self.engine.inspect(&ContainerName::from_engine("demo-router")).await.unwrap();
        assert_eq!(router.restart, Restart::UnlessStopped);
    }

    /// What was done to containers since.
    fn done_since(&self, calls: usize) -> Vec<String> {
        let doing = ["create", "start", "stop", "rename", "remove"];
        let since = self.engine.calls().into_iter().skip(calls);
        since.filter(|call| doing.contains(&call.action)).map(|call| call.to_string()).collect()
    }
}

fn with_acme(settings: TraefikSettings) -> TraefikSettings {
    TraefikSettings { acme: Some(acme()), ..settings }
}

#[tokio::test]
async fn the_old_one_goes_once_the_new_one_has_shown_that_it_comes_up() {
    let place = Place::new(21).await;
    place.open(place.settings(GOOD)).await.ensure_running().await.unwrap();
    let calls = place.engine.calls().len();
    let info = place.open(with_acme(place.settings(GOOD))).await.ensure_running().await.unwrap();
    assert_eq!(info.unreplaced, None);
    insta::assert_snapshot!(place.done_since(calls).join("\n"));
    place.one_serves().await;
    let setups = std::fs::read_dir(place.folder.path().join("traefik/config")).unwrap();
    let setups = setups.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(setups.count(), 1, "the settings of the old one are gone");
}

#[tokio::test]
async fn one_that_does_not_come_up_leaves_the_old_one_alone_and_is_tried_once() {
    let place = Place::new(22).await;
    place.open(place.settings(GOOD)).await.ensure_running().await.unwrap();
    let first = place.engine.inspect(&ContainerName::from_engine("demo-router")).await.unwrap();
    // Nobody answers in its place.
    let Place { folder, engine, router, trial } = place;
    drop(trial);
    let calls = engine.calls().len();
    let bad = TraefikSettings { image: ImageName::foreign(BAD), ..settings(&folder) };
    let bad = TraefikRouter::new(engine.clone(), bad).await.unwrap();
    let told = bad.ensure_running().await.unwrap().unreplaced.expect("it is told");
    insta::assert_snapshot!(told);
    assert_eq!(engine.inspect(&first.name).await.unwrap(), first, "untouched");
    let tried = engine.calls().len();
    assert_eq!(bad.ensure_running().await.unwrap().unreplaced, Some(told.clone()));
    assert_eq!(bad.info().await.unwrap().unreplaced, Some(told));
    let trial = FakeTraefik::start(SocketAddr::new(Ipv4Addr::new(127, 213, 22, 3).into(), API), |_| true).await;
    let place = Place { folder, engine, router, trial };
    assert!(!place.done_since(calls).iter().any(|call| call.starts_with("stop")));
    assert!(!place.done_since(tried).iter().any(|call| call.starts_with("create")));
    place.one_serves().await;
    let healed = place.open(with_acme(place.settings(GOOD))).await.ensure_running().await.unwrap();
    assert_eq!(healed.unreplaced, None);
    assert_ne!(place.engine.inspect(&first.name).await.unwrap().digest, first.digest);
}

#[tokio::test]
async fn a_replacement_comes_to_its_end_though_nobody_waits_for_it_any_more() {
    let place = Place::new(26).await;
    place.open(place.settings(GOOD)).await.ensure_running().await.unwrap();
    place.engine.plan_fault_at_each("stop demo-router", Fault::Delay(Duration::from_millis(300)));
    let router = place.open(with_acme(place.settings(GOOD))).await;
    let calls = place.engine.calls().len();
    let is_stopping = async {
        while !place.done_since(calls).iter().any(|call| call.starts_with("stop")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = router.ensure_running() => panic!("it takes its time"),
        () = is_stopping => {}
    }
    assert_eq!(router.ensure_running().await.unwrap().unreplaced, None);
    place.one_serves().await;
    let made = place.done_since(calls).into_iter().filter(|call| call.starts_with("create demo-router-"));
    assert_eq!(made.collect::<Vec<_>>(), ["create demo-router-trial", "create demo-router-next"], "once");
}

#[tokio::test]
async fn an_image_that_is_nowhere_is_told_and_the_old_one_serves_on() {
    let place = Place::new(23).await;
    place.open(place.settings(GOOD)).await.ensure_running().await.unwrap();
    let told = place.open(place.settings("traefik:nowhere")).await.ensure_running().await.unwrap().unreplaced.unwrap();
    assert!(told.reason.starts_with("the router's container could not be kept running: the image"), "{told}");
    place.one_serves().await;
}

#[tokio::test]
async fn whichever_call_fails_or_is_the_last_of_a_server_one_router_serves_after_the_next() {
    let place = Place::new(24).await;
    let (one, other) = (place.settings(GOOD), with_acme(place.settings(GOOD)));
    place.open(one.clone()).await.ensure_running().await.unwrap();
    let calls = place.engine.calls().len();
    place.open(other.clone()).await.ensure_running().await.unwrap();
    let count = place.engine.calls().len() - calls;
    let mut wanted = [one, other].into_iter().cycle();
    for at in 1..=count {
        for fault in [Fault::Error, Fault::ErrorAfterEffect, Fault::Hang, Fault::HangAfterEffect] {
            let settings = wanted.next().unwrap();
            let at = place.engine.calls().len() + at;
            place.engine.plan_fault(FaultPlan { at: at as u64, fault });
            place.run_until(at, fault, settings.clone()).await;
            place.engine.forget_faults();
            let info = place.open(settings).await.ensure_running().await;
            let info = info.unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error}"));
            assert_eq!(info.unreplaced, None, "{fault:?} at call {at}");
            place.one_serves().await;
        }
    }
}

#[tokio::test]
async fn files_of_other_settings_are_brought_up_to_date_at_the_start() {
    let place = Place::new(25).await;
    place.open(place.settings(GOOD)).await.apply(&hello()).await.unwrap();
    let file = place.folder.path().join("traefik/config/routes/hello.toml");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("certResolver"));
    place.open(with_acme(place.settings(GOOD))).await.ensure_running().await.unwrap();
    assert!(std::fs::read_to_string(&file).unwrap().contains("certResolver = \"default\""));
}
