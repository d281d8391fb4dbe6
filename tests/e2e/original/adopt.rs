//! A server of the original becomes ours, while requests come in.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mypaas::engine::{Adopted, Role, write_adopted};
use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::machine::{ADDRESS, Machine, run};
use super::python::{Original, vouched_certificate};
use super::{build_base, project, told};
use crate::stage::{Settings, Stage, ask, docker};

const LIMIT: Duration = Duration::from_secs(30);

/// How a connection looks that the other end closed just as a request went out on it.
const ENDED: [&str; 2] = ["IncompleteMessage", "ConnectionReset"];

/// By what the rules are known that divert connections.
const HANDOVER: &str = "mypaas-handover";
const GONE: &str = "192.0.2.99:80";

fn router() -> SocketAddr {
    (ADDRESS.parse::<std::net::Ipv4Addr>().unwrap(), 80).into()
}

/// Requests without a pause, by two clients: one makes a fresh connection each time, and some of its requests are POSTs; the
/// other one keeps its connections and, as HTTP has it, asks once more when one of them ends while it asks.
struct Load {
    stopping: Arc<AtomicBool>,
    clients: Vec<JoinHandle<(u32, Vec<String>)>>,
}

impl Load {
    fn on(host: &'static str) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let clients = [usize::MAX, 0].map(|kept| {
            let client = mypaas::http::plain().timeout(LIMIT).pool_max_idle_per_host(kept).build().unwrap();
            tokio::spawn(request_until(Arc::clone(&stopping), client, kept > 0, host))
        });
        Self { stopping, clients: clients.into() }
    }

    /// How many were answered, given that none failed.
    async fn stop(self) -> u32 {
        self.stopping.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for client in self.clients {
            let (count, failures) = client.await.unwrap();
            assert_eq!(failures, [] as [String; 0], "{} of {count} failed", failures.len());
            answered += count;
        }
        answered
    }
}

async fn request_until(
    stopping: Arc<AtomicBool>,
    client: Client,
    keeps: bool,
    host: &'static str,
) -> (u32, Vec<String>) {
    let (mut count, mut failures) = (0, Vec::new());
    while !stopping.load(Ordering::Relaxed) {
        let posts = !keeps && count % 4 == 0;
        count += 1;
        let mut answer = request(&client, posts, host).await;
        if keeps && answer.as_ref().is_err_and(|failure| ENDED.iter().any(|how| failure.contains(how))) {
            eprintln!("a connection to {host} that was kept has ended");
            answer = request(&client, posts, host).await;
        }
        failures.extend(answer.err());
        sleep(Duration::from_millis(5)).await;
    }
    (count, failures)
}

async fn request(client: &Client, posts: bool, host: &str) -> Result<(), String> {
    let url = format!("http://{}/", router());
    let request = if posts { client.post(url).body("x".repeat(4096)) } else { client.get(url) };
    let answer = request.header("Host", host).send().await.map_err(|error| format!("{host}: {error:?}"))?;
    let status = answer.status();
    answer.bytes().await.map_err(|error| format!("{host}: {error:?}"))?;
    if status == 200 { Ok(()) } else { Err(format!("{host}: {status}")) }
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

/// What the machine does with connections, as far as that is diverted.
fn diverting() -> String {
    let saved =
        ["nat", "filter"].map(|table| Command::new("iptables-save").args(["-t", table]).output().unwrap().stdout);
    String::from_utf8(saved.concat()).unwrap()
}

/// As a handover leaves them that was killed: to a container that is gone.
fn rules_of_an_earlier_handover() {
    let comment = ["-m", "comment", "--comment", HANDOVER];
    let local = ["-p", "tcp", "-m", "addrtype", "--dst-type", "LOCAL", "--dport", "80"];
    let divert = ["-j", "DNAT", "--to-destination", GONE];
    // Behind all others, so that the original's router has the ports until it is taken over.
    run("iptables", &[&["-t", "nat", "-A", "PREROUTING"], &local[..], &comment, &divert].concat());
    run(
        "iptables",
        &["-A", "DOCKER-USER", "-p", "tcp", "-d", "192.0.2.99", "-m", "comment", "--comment", HANDOVER, "-j", "ACCEPT"],
    );
}

/// As an adoption leaves them that was killed while it took over the first of several.
async fn containers_of_an_earlier_adoption(stage: &Stage) {
    let names = docker(&["ps", "--format", "{{.Names}}", "--filter", "name=rolling"]).await;
    let last = names.lines().max().unwrap();
    let id = docker(&["inspect", "-f", "{{.Id}}", last]).await;
    run("docker", &["rename", last, "paas_rolling.r1.1"]);
    let (release, deploy) = ("r1".parse().unwrap(), "d1".parse().unwrap());
    let role = Role::Service { service: "rolling".parse().unwrap(), release, slot: 1, deploy };
    write_adopted(&stage.home().join("adopted.json"), vec![Adopted { id: id.trim().to_owned(), role }]).unwrap();
}

async fn until_connections_are_diverted() {
    let begin = Instant::now();
    while !diverting().lines().any(|rule| rule.contains("-A OUTPUT") && rule.contains(HANDOVER)) {
        assert!(begin.elapsed() < LIMIT, "no connection is diverted: {}", diverting());
        sleep(Duration::from_millis(50)).await;
    }
}

/// The original's client blocks a thread while it pushes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    build_base(&stage);
    let single = project(&stage, "single", &["url=http://single.test", "env=TOKEN", "volume=~/data:/data"]);
    let rolling = project(&stage, "rolling", &["url=http://rolling.test", "scale=2", "healthcheck=/health 1s 500ms"]);
    for folder in [&single, &rolling] {
        stage.mypaas(&["push", "old", folder]).await.done();
    }
    until_it_answers("single.test").await;
    until_it_answers("rolling.test").await;
    original.stop_daemon();
    let running = || docker(&["ps", "--format", "{{.ID}} {{.RunningFor}}", "--filter", "network=mypaas-net"]);
    let before: Vec<String> = running().await.lines().map(|line| line[..12].to_owned()).collect();
    assert_eq!(before.len(), 3);

    let loads = ["single.test", "rolling.test"].map(Load::on);
    sleep(Duration::from_secs(1)).await;
    rules_of_an_earlier_handover();
    containers_of_an_earlier_adoption(&stage).await;
    let adopt = stage.begin(&["server", "adopt"]);
    until_connections_are_diverted().await;
    adopt.interrupt();
    let adopted = adopt.end().await;
    eprintln!("{adopted}");
    assert_eq!(adopted.code, 0, "{adopted}");
    assert!(adopted.err.contains("this is not left half-done"), "{adopted}");
    let adopted = adopted.out;
    assert!(adopted.contains("rolling: r1 is live, in 2 containers"), "{adopted}");
    assert!(adopted.contains("requests come to our router; traefik is stopped"), "{adopted}");
    assert!(!diverting().contains(HANDOVER), "{}", diverting());
    vouched(&stage).await;
    stage.start().await;
    sleep(Duration::from_secs(1)).await;
    for load in loads {
        let answered = load.stop().await;
        eprintln!("while it was taken over: {answered} requests, none failed");
        assert!(answered > 200);
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
    stage.until_cleared_away().await;
    let left = docker(&["ps", "-aq", "--no-trunc"]).await;
    assert!(before.iter().all(|id| !left.contains(id.as_str())), "the original's containers are gone");
}

async fn vouched(stage: &Stage) {
    vouched_certificate(&stage.home().join("certificates/paas"), "DNS:paas.test");
}

/// The original's client pushes as it did before, to the same name with the same key.
async fn pushed_by_the_original(stage: &Stage, original: &Original, folders: [&String; 2]) {
    let authority = stage.home().join("certificates/paas.authority");
    let https = "https://paas.test/daemon/time";
    for _ in 0..100 {
        if crate::stage::pebble::curl(&["--cacert", authority.to_str().unwrap(), https]).is_some() {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    for (host, folder) in ["single.test", "rolling.test"].into_iter().zip(folders) {
        let service = host.trim_end_matches(".test");
        let load = Load::on(host);
        let pushed = original.push("paas.test", folder, &original.key, &authority);
        let text = told("the original's client pushes to the server that was taken over", &pushed, true);
        assert!(text.contains(&format!("done: {service} is deployed")), "{text}");
        let answered = load.stop().await;
        eprintln!("while {service} was pushed: {answered} requests, none failed");
        assert!(answered > 20);
        let answer = ask(router(), host, "/").await;
        assert!(answer.status == 200 && answer.body.contains("release r2"), "{answer:?}");
    }
}
