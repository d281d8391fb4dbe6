//! Probes, and figures.

use std::time::Duration;

use mypaas::engine::{Probe, ProbeAnswer};

use crate::fixture::{App, Fixture, PORT, eventually};

const LIMIT: Duration = Duration::from_secs(2);

fn http(path: &str) -> Probe {
    Probe::Http { port: PORT, path: path.to_owned(), timeout: LIMIT }
}

fn connect() -> Probe {
    Probe::Connect { port: PORT, timeout: LIMIT }
}

fn ready(detail: &str) -> ProbeAnswer {
    ProbeAnswer::Ready { detail: detail.to_owned() }
}

pub(crate) async fn a_container_becomes_ready_once_it_listens(on: &impl Fixture) {
    for (service, probe, detail) in [("asked", http("/"), "HTTP 200"), ("connected", connect(), "connected")] {
        let container = on.create(service, App::IsSlow).await;
        let ask = async || on.engine().probe(&container.name, &probe).await.unwrap();
        assert_eq!(ask().await, ProbeAnswer::NotReady { detail: "not started".to_owned() });
        on.engine().start(&container.name).await.unwrap();
        let early = ask().await;
        assert!(matches!(early, ProbeAnswer::NotReady { .. }), "{early:?}");
        let answer = eventually("it is ready", async || match ask().await {
            ProbeAnswer::NotReady { .. } => None,
            answer => Some(answer),
        })
        .await;
        assert_eq!(answer, ready(detail));
        assert_eq!(on.engine().probe(&container.name, &Probe::Running).await.unwrap(), ready("running"));
    }
}

pub(crate) async fn a_container_that_never_listens_is_never_ready(on: &impl Fixture) {
    let container = on.run("web", App::NeverListens).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for probe in [http("/"), connect()] {
            let answer = on.engine().probe(&container.name, &probe).await.unwrap();
            assert!(matches!(answer, ProbeAnswer::NotReady { .. }), "{answer:?}");
        }
    }
    assert_eq!(on.engine().probe(&container.name, &Probe::Running).await.unwrap(), ready("running"));
}

pub(crate) async fn a_container_that_exited_says_so(on: &impl Fixture) {
    let container = on.run("web", App::ExitsAtOnce(7)).await;
    let exit = on.exit_of(&container.name).await;
    assert_eq!(exit.code, 7);
    for probe in [http("/"), connect(), Probe::Running, Probe::ImageHealth] {
        let answer = on.engine().probe(&container.name, &probe).await.unwrap();
        assert_eq!(answer, ProbeAnswer::Exited { exit: exit.clone() }, "{probe:?}");
    }
}

pub(crate) async fn the_image_s_own_check_is_asked(on: &impl Fixture) {
    let container = on.run("web", App::ChecksItself).await;
    let ask = async || on.engine().probe(&container.name, &Probe::ImageHealth).await.unwrap();
    assert_eq!(ask().await, ProbeAnswer::NotReady { detail: "starting".to_owned() });
    let answer = eventually("it is healthy", async || match ask().await {
        ProbeAnswer::NotReady { .. } => None,
        answer => Some(answer),
    })
    .await;
    assert_eq!(answer, ready("healthy"));
    let plain = on.run("plain", App::Serves).await;
    let answer = on.engine().probe(&plain.name, &Probe::ImageHealth).await.unwrap();
    assert_eq!(answer, ready("running, without a health check"));
}

pub(crate) async fn figures_come_from_containers_that_run(on: &impl Fixture) {
    let running = on.run_until_it_listens("runs", App::Serves).await.name;
    let created = on.create("made", App::Serves).await.name;
    let names = [running.clone(), created.clone(), mypaas::name::ContainerName::from_engine("none-such")];
    let first = on.engine().usage(&names).await.unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), [&running]);
    assert!(first[&running].memory_bytes > 0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let second = on.engine().usage(&names).await.unwrap();
    assert!(second[&running].cpu_time >= first[&running].cpu_time);

    on.engine().stop(&running, Duration::from_secs(10)).await.unwrap();
    on.engine().start(&created).await.unwrap();
    let third = on.engine().usage(&names).await.unwrap();
    assert_eq!(third.keys().collect::<Vec<_>>(), [&created]);
    on.engine().start(&running).await.unwrap();
    assert_eq!(on.engine().usage(&names).await.unwrap().len(), 2);
}
