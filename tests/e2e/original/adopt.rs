//! A server of the original becomes ours, while requests come in.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use super::machine::{ADDRESS, Machine};
use super::python::{Original, vouched_certificate};
use super::told;
use crate::load::{Load, Running};
use crate::stage::{Settings, Stage, ask, docker};

const LIMIT: Duration = Duration::from_secs(30);

fn router() -> SocketAddr {
    (ADDRESS.parse::<std::net::Ipv4Addr>().unwrap(), 80).into()
}

fn load(host: &str) -> Running {
    Load { server: router(), host: host.to_owned(), per_second: 100, limit: LIMIT }.start()
}

async fn until_it_answers(host: &str) {
    for _ in 0..100 {
        if ask(router(), host, "/").await.status == 200 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{host} does not answer through the original's router");
}

#[tokio::test]
async fn a_server_of_the_original_is_taken_over_while_it_serves() {
    let test = "original::adopt::a_server_of_the_original_is_taken_over_while_it_serves";
    let Some(machine) = Machine::of(test, "paas.test", ADDRESS) else { return };
    let mut stage = Stage::without_server(Settings::default()).await;
    stage.docker_host = Some(machine.docker_host());
    let mut original = Original::on(&machine, &stage.user_home());
    fs::remove_file(stage.home().join("config.toml")).unwrap();
    fs::write(stage.home().join("authorized_keys"), &original.public).unwrap();
    original.start_router();
    original.start_daemon();
    fs::create_dir_all(stage.user_home().join(".ssh")).unwrap();
    fs::write(stage.user_home().join(".ssh/mypaas_rsa"), original.key.replace('_', "\n")).unwrap();
    stage.mypaas(&["servers", "add", "old", "http://127.0.0.1:88", "--key", "~/.ssh/mypaas_rsa"]).await.done();
    let single = stage.project("single", &["url=http://single.test", "env=TOKEN", "volume=~/data:/data"], &[]);
    let rolling =
        stage.project("rolling", &["url=http://rolling.test", "scale=2", "healthcheck=/health 1s 500ms"], &[]);
    for folder in [&single, &rolling] {
        stage.mypaas(&["push", "old", folder]).await.done();
    }
    until_it_answers("single.test").await;
    until_it_answers("rolling.test").await;
    original.stop_daemon();
    let running = || docker(&["ps", "--format", "{{.ID}} {{.RunningFor}}", "--filter", "network=mypaas-net"]);
    let before: Vec<String> = running().await.lines().map(|line| line[..12].to_owned()).collect();
    assert_eq!(before.len(), 3);

    let loads = ["single.test", "rolling.test"].map(load);
    sleep(Duration::from_secs(1)).await;
    let adopted = stage.mypaas(&["server", "adopt"]).await;
    eprintln!("{adopted}");
    let adopted = adopted.done();
    assert!(adopted.contains("rolling: r1 is live, in 2 containers"), "{adopted}");
    assert!(adopted.contains("requests come to our router; traefik is stopped"), "{adopted}");
    vouched(&stage).await;
    stage.start().await;
    sleep(Duration::from_secs(1)).await;
    for load in loads {
        let report = load.stop().await;
        eprintln!("while it was taken over: {report}");
        assert!(report.sent > 500 && report.failed() == 0, "{report}");
    }
    let after: Vec<String> = running().await.lines().map(|line| line[..12].to_owned()).collect();
    assert_eq!(after, before, "no container of a service was touched");
    eprintln!("{}", stage.mypaas(&["status", "local"]).await);
    let again = stage.mypaas(&["servers"]).await;
    eprintln!("{again}");
    for service in ["single", "rolling"] {
        let detail = stage.service(service).await;
        assert_eq!(detail.service.release.map(|release| release.to_string()).as_deref(), Some("r1"), "{detail:?}");
    }
    pushed_by_the_original(&stage, &original, [&single, &rolling]).await;
    let left = docker(&["ps", "-aq", "--no-trunc"]).await;
    assert!(before.iter().all(|id| !left.contains(id.as_str())), "the original's containers are gone");
}

async fn vouched(stage: &Stage) {
    vouched_certificate(&stage.home().join("certificates/paas"), "DNS:paas.test");
}

/// The original's client pushes as it did before, to the same name with the same key.
async fn pushed_by_the_original(stage: &Stage, original: &Original, folders: [&String; 2]) {
    let authority = stage.home().join("certificates/paas.authority");
    let https = format!("https://paas.test/daemon/time");
    for _ in 0..100 {
        if crate::stage::pebble::curl(&["--cacert", authority.to_str().unwrap(), &https]).is_some() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    for (service, folder) in ["single", "rolling"].into_iter().zip(folders) {
        let load = load(&format!("{service}.test"));
        let pushed = original.push("paas.test", folder, &original.key, &authority);
        let text = told("the original's client pushes to the server that was taken over", &pushed, true);
        assert!(text.contains(&format!("done: {service} is deployed")), "{text}");
        let report = load.stop().await;
        eprintln!("while {service} was pushed: {report}");
        assert_eq!(report.failed(), 0, "{report}");
        let answer = ask(router(), &format!("{service}.test"), "/").await;
        assert!(answer.status == 200 && answer.body.contains("release r2"), "{answer:?}");
    }
}
