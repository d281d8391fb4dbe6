//! Deploys under load, with every strategy and every way an app may take SIGTERM: how many requests fail. And without
//! load: how long a deploy takes, beside what the same takes by hand with Docker's own client.
//!
//! `--quick` takes about a minute instead of ten; `--times` leaves the load away; `--strategy NAME` has one only under
//! load, as in `roll` or `safe`; `--cached` has builds come from Docker's cache, which leaves more of the machine to those
//! who serve.
//!
//! ```text
//! case.rs      strategies and apps
//! pressure.rs  repeated deploys under load
//! pace.rs      how long a deploy takes
//! floor.rs     how long it takes by hand
//! ```

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it measures; what it cannot do ends it")]

mod case;
mod floor;
#[path = "../../support/load.rs"]
#[allow(dead_code, reason = "shared with tests that ask for one path only")]
mod load;
mod pace;
mod pressure;
#[path = "../../support/project.rs"]
mod project;
#[path = "../../support/server.rs"]
mod server;
#[path = "../../support/sweep.rs"]
mod sweep;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::process::Command;

use self::case::{Case, STRATEGIES, Scope};
use self::floor::Floor;
use self::server::Server;

/// As long as an old container drains to which nobody is connected.
pub(crate) const DRAIN: Duration = Duration::from_millis(500);

/// Longer than the slowest request takes; and an app that ignores SIGTERM holds up the requests for so long.
const DEPLOY: &str = "drain = \"6s\"\ngrace = \"1s\"\nready_deadline = \"30s\"\nwatch = \"off\"\n";

#[tokio::main]
async fn main() {
    let scope = if std::env::args().any(|argument| argument == "--quick") { Scope::Quick } else { Scope::Full };
    let mut server = Server::new(Path::new("/var/run/docker.sock"), DEPLOY);
    server.start().await;
    let web = server.router().await;
    println!("load average before: {}", load_average());
    let only_times = std::env::args().any(|argument| argument == "--times");
    let requests = if only_times { Requests::default() } else { under_load(&server, web, scope).await };
    times(&server, web, scope).await;
    println!("\nload average after: {}", load_average());
    println!("{} of {} requests failed", requests.failed, requests.sent);
    drop(server);
    std::process::exit(i32::from(requests.failed > 0));
}

/// Of all cases.
#[derive(Default)]
struct Requests {
    sent: u64,
    failed: u64,
}

async fn under_load(server: &Server, web: SocketAddr, scope: Scope) -> Requests {
    println!("\n{:14} {:9} {}", "strategy", "SIGTERM", pressure::HEAD);
    let mut requests = Requests::default();
    let only = std::env::args().skip_while(|argument| argument != "--strategy").nth(1).unwrap_or_default();
    for case in Case::all(scope).into_iter().filter(|case| case.strategy.name.starts_with(&only)) {
        for result in pressure::measure(server, web, &case, scope).await {
            println!("{:14} {:9} {result}", case.strategy.name, case.on_sigterm);
            requests.sent += result.sent();
            requests.failed += result.failed();
        }
    }
    requests
}

async fn times(server: &Server, web: SocketAddr, scope: Scope) {
    println!("\nmedians in ms, of {}; the drain of {DRAIN:?} is taken off", scope.repetitions());
    println!("{:14} {}", "strategy", pace::HEAD);
    let mut phases = Vec::new();
    for strategy in STRATEGIES {
        let case = Case { strategy, on_sigterm: "graceful" };
        let floor = Floor::prepare(server, web, strategy.containers).await.measure(scope.repetitions()).await;
        let pace = pace::measure(server, web, &case, scope.repetitions()).await;
        println!("{:14} {}", strategy.name, pace.beside(&floor));
        phases.push(format!("{:14} {}", strategy.name, pace.by_phase()));
    }
    println!("\nwhere the time goes, medians in ms\n{}", phases.join("\n"));
}

/// Another at every call: what was built before by anybody would come from the cache. With `--cached` it is to.
pub(crate) fn edition() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let edition = LAST.fetch_add(1, Ordering::Relaxed);
    if std::env::args().any(|argument| argument == "--cached") { edition % 2 } else { edition }
}

/// The middle one.
pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// Docker's own client, with the builder that the server uses; what it prints.
pub(crate) async fn docker(arguments: &[&str]) -> String {
    let mut command = Command::new("docker");
    let output = command.args(arguments).env("DOCKER_BUILDKIT", "0").stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap().trim_end().to_owned()
}
