//! What watching costs a server: its CPU time while nobody watches, while one does and while three do, with many real
//! containers; and beside it what `docker stats` of the same containers costs the engine. Then the same of a simulated
//! server with a thousand, which makes up the figures of all of them, too.
//!
//! `--quick` takes 30 containers instead of 300, and shorter times.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it measures; what it cannot do ends it")]

#[path = "../../support/project.rs"]
mod project;
#[path = "../../support/server.rs"]
mod server;
#[path = "../../support/sweep.rs"]
mod sweep;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use mypaas::api::{ContainerState, DeployState, Snapshot};
use mypaas::client::Client;
use mypaas::server::socket_path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::project::Project;
use self::server::Server;

const DEPLOY: &str = "drain = \"500ms\"\ngrace = \"1s\"\nwatch = \"off\"\nready_deadline = \"180s\"\n";

/// Containers of each service.
const SCALE: usize = 10;

/// Until what just began has settled.
const RUN_IN: Duration = Duration::from_secs(5);

const DEPLOY_LIMIT: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy)]
struct Extent {
    containers: usize,
    simulated: usize,
    time: Duration,
}

#[tokio::main]
async fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let extent = if is_quick {
        Extent { containers: 30, simulated: 100, time: Duration::from_secs(10) }
    } else {
        Extent { containers: 300, simulated: 1000, time: Duration::from_secs(30) }
    };
    println!("in percent of one core, over {:?}; load average before: {}", extent.time, load_average());
    real(extent).await;
    simulated(extent).await;
    println!("load average after: {}", load_average());
}

async fn real(extent: Extent) {
    let mut server = Server::new(Path::new("/var/run/docker.sock"), DEPLOY);
    server.start().await;
    let begun = Instant::now();
    populate(&server, extent.containers / SCALE).await;
    let names = running(&server.client.snapshot().await.unwrap());
    println!(
        "{} containers of {} services, started in {:.0?}",
        names.len(),
        extent.containers / SCALE,
        begun.elapsed()
    );
    let pid = process_at(&socket_path(&server.home())).await;
    let mut visitors = JoinSet::new();
    visitors.spawn(visit(server.router().await, extent.containers / SCALE));
    watch_costs(&server.client, extent.time, || ticks(pid)).await;
    engine_costs(&names, extent.time).await;
    println!("removing the containers");
}

/// The app of tests, at rest.
async fn populate(server: &Server, services: usize) {
    let project = Project::new(server.instance().as_str());
    for number in 0..services {
        let options = [
            format!("service=s{number}"),
            format!("url=http://s{number}.test"),
            format!("scale={SCALE}"),
            "maxmem=64m".to_owned(),
        ];
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let deploy = server.push(project.write(1, &options, &[])).await.unwrap();
        let ended = server.end_of(deploy.id, DEPLOY_LIMIT).await.unwrap();
        let succeeded = matches!(&ended.state, DeployState::Finished { outcome, .. } if outcome.succeeded());
        assert!(succeeded, "{:?}", ended.state);
    }
}

/// Asks each service once a second, so that there is something to be measured.
async fn visit(router: SocketAddr, services: usize) {
    loop {
        for number in 0..services {
            let request = format!("GET / HTTP/1.1\r\nHost: s{number}.test\r\nConnection: close\r\n\r\n");
            // A request that fails is none of this bench's business.
            if let Ok(mut stream) = TcpStream::connect(router).await {
                let _ = stream.write_all(request.as_bytes()).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}

fn running(snapshot: &Snapshot) -> Vec<String> {
    let containers = snapshot.services.iter().flat_map(|service| &service.containers);
    let running = containers.filter(|container| matches!(container.state, ContainerState::Running { .. }));
    running.map(|container| container.name.to_string()).collect()
}

/// With nobody, one and three who watch.
async fn watch_costs(client: &Client, time: Duration, ticks: impl Fn() -> u64) {
    for watchers in [0, 1, 3] {
        let mut watching = JoinSet::new();
        let heard = Arc::new(AtomicUsize::new(0));
        for _ in 0..watchers {
            let mut snapshots = client.watch().await.unwrap();
            let heard = Arc::clone(&heard);
            watching.spawn(async move {
                while let Some(snapshot) = snapshots.next().await {
                    snapshot.unwrap();
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        sleep(RUN_IN).await;
        let (before, heard_before, begun) = (ticks(), heard.load(Ordering::Relaxed), Instant::now());
        sleep(time).await;
        let cost = percent(ticks() - before, begun.elapsed());
        let told = heard.load(Ordering::Relaxed) - heard_before;
        println!("server, {watchers} watching            {cost:6.2} %   ({told} snapshots heard)");
    }
}

/// Of the engine with everything that belongs to it, at rest and while `docker stats` runs.
async fn engine_costs(names: &[String], time: Duration) {
    for with_stats in [false, true] {
        let stats = with_stats.then(|| Running::start(Command::new("docker").arg("stats").args(names)));
        sleep(RUN_IN).await;
        let (before, begun) = (engine_ticks(), Instant::now());
        sleep(time).await;
        let cost = percent(engine_ticks() - before, begun.elapsed());
        let what = if stats.is_some() { "with docker stats" } else { "at rest" };
        println!("dockerd, containerd, shims {what:18} {cost:6.2} %");
    }
}

async fn simulated(extent: Extent) {
    let folder = tempfile::tempdir().unwrap();
    let fleet = format!("1x{}", extent.simulated);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mypaas"));
    command.args(["demo", "--fleet", &fleet, "--serve"]).arg(folder.path());
    let _server = Running::start(&mut command);
    let socket = socket_path(&folder.path().join("s01"));
    let pid = process_at(&socket).await;
    let client = Client::unix(&socket).unwrap();
    let begun = Instant::now();
    let mut containers = 0;
    while containers < extent.simulated && begun.elapsed() < DEPLOY_LIMIT {
        containers = client.snapshot().await.map_or(0, |snapshot| running(&snapshot).len());
        sleep(Duration::from_millis(200)).await;
    }
    println!("simulated server, {containers} containers, their figures included");
    watch_costs(&client, extent.time, || ticks(pid)).await;
}

/// Of the process that listens there, once one does.
async fn process_at(socket: &Path) -> u32 {
    let begun = Instant::now();
    loop {
        if let Ok(stream) = UnixStream::connect(socket).await {
            return stream.peer_cred().unwrap().pid().unwrap().unsigned_abs();
        }
        assert!(begun.elapsed() < DEPLOY_LIMIT, "nobody listens at {}", socket.display());
        sleep(Duration::from_millis(50)).await;
    }
}

/// A process that is gone when it is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU time of all processes that run containers.
fn engine_ticks() -> u64 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of_engine = pids.filter(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        matches!(name.trim(), "dockerd" | "containerd" | "containerd-shim")
    });
    of_engine.map(ticks).sum()
}

/// In hundredths of a second; nothing of a process that is gone.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it may hold blanks.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn percent(ticks: u64, time: Duration) -> f64 {
    ticks as f64 / time.as_secs_f64()
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap().trim_end().to_owned()
}
