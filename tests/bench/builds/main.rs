//! How long requests to a live service take while a build wants every CPU there is: with the limits that builds have, and
//! with none. `burner.rs` is what the build runs.
//!
//! `--quick` takes about a minute instead of three.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it measures; what it cannot do ends it")]

#[path = "../../support/load.rs"]
mod load;
#[path = "../../support/project.rs"]
mod project;
#[path = "../../support/server.rs"]
mod server;
#[path = "../../support/sweep.rs"]
mod sweep;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mypaas::api::{Deploy, DeployState, Phase};
use tokio::time::sleep;

use self::load::{Load, Pressure, Report};
use self::project::Project;
use self::server::Server;
use self::sweep::TEST;

const DEPLOY: &str = "drain = \"500ms\"\ngrace = \"1s\"\nwatch = \"off\"\n";

const SETTINGS: [(&str, &str); 3] = [
    ("no limits", "build_cpu_shares = 1024\nbuild_max_mem = \"off\"\n"),
    ("the defaults", ""),
    ("at most 1 CPU", "build_max_cpu = 1\n"),
];

const PER_SECOND: u32 = 200;
const TIME: Duration = Duration::from_secs(6);
const HOST: &str = "live.test";

/// An answer that takes longer is a failure.
const LIMIT: Duration = Duration::from_secs(30);

/// Until the load, or the build, has settled.
const RUN_IN: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if is_quick { 1 } else { 7 };
    println!("{PER_SECOND} requests/s; load average before: {}", load_average());
    let mut measured: [Vec<Pair>; SETTINGS.len()] = Default::default();
    // In turns, so that what else the machine does meets all of them.
    for _ in 0..rounds {
        for ((_, settings), pairs) in SETTINGS.iter().zip(&mut measured) {
            let mut server = Server::new(Path::new("/var/run/docker.sock"), &format!("{DEPLOY}{settings}"));
            server.start().await;
            pairs.push(measure(&server).await);
        }
    }
    println!("medians of {rounds}      quiet: median, p99   building: median, p99   ratio: median, p99");
    for ((name, _), pairs) in SETTINGS.iter().zip(measured) {
        println!("{name:18} {}", told(&pairs));
    }
    println!("load average after: {}", load_average());
}

/// What requests took before a build, and during it.
struct Pair {
    quiet: Report,
    building: Report,
}

async fn measure(server: &Server) -> Pair {
    let live = Project::new(server.instance().as_str());
    let folder = live.write(1, &["service=live", &format!("url=http://{HOST}"), "scale=1"], &[]);
    end_of(server, server.push(folder).await.unwrap()).await;
    let load = Load {
        server: server.router().await,
        host: HOST.to_owned(),
        per_second: PER_SECOND,
        limit: LIMIT,
        pressure: Pressure::Steady,
    };
    let quiet = requests(load.clone()).await;
    // It burns longer than is measured, so that nothing but the burning is.
    let folder = heavy(server.instance().as_str(), (RUN_IN + TIME + RUN_IN).as_secs());
    let build = server.push(folder.path()).await.unwrap();
    until_building(server, &build).await;
    let building = requests(load).await;
    let state = server.client.deploy_state(build.id).await.unwrap().state;
    assert!(is_building(&state), "it built too short: {state:?}");
    end_of(server, build).await;
    assert_eq!((quiet.failed(), building.failed()), (0, 0), "{quiet}\n{building}");
    Pair { quiet, building }
}

async fn requests(load: Load) -> Report {
    let warming = load.clone().start();
    sleep(RUN_IN).await;
    warming.stop().await;
    let running = load.start();
    sleep(TIME).await;
    running.stop().await
}

async fn until_building(server: &Server, deploy: &Deploy) {
    while !is_building(&server.client.deploy_state(deploy.id).await.unwrap().state) {
        sleep(Duration::from_millis(20)).await;
    }
}

fn is_building(state: &DeployState) -> bool {
    matches!(state, DeployState::Running { phase: Phase::Building, .. })
}

fn told(pairs: &[Pair]) -> String {
    let of = |report: fn(&Pair) -> &Report, share| {
        let mut all: Vec<Duration> = pairs.iter().map(|pair| report(pair).latency(share)).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    let [quiet, quiet_most] = [0.5, 0.99].map(|share| of(|pair| &pair.quiet, share));
    let [building, building_most] = [0.5, 0.99].map(|share| of(|pair| &pair.building, share));
    let ratio = |building: Duration, quiet: Duration| building.as_secs_f64() / quiet.as_secs_f64();
    format!(
        "{quiet:8.1?} {quiet_most:10.1?}   {building:8.1?} {building_most:10.1?}     {:6.1} {:6.1}",
        ratio(building, quiet),
        ratio(building_most, quiet_most)
    )
}

/// A folder whose build keeps every CPU busy for so many seconds, and whose service does nothing.
fn heavy(instance: &str, seconds: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(burner(), folder.path().join("burner")).unwrap();
    let dockerfile = format!(
        "# mypaas.service=heavy\nFROM scratch\nLABEL {TEST}={instance}\nCOPY burner /burner\n\
         RUN [\"/burner\", \"{seconds}\"]\nCMD [\"/burner\", \"1000\"]\n# mypaas.maxcpu=0.01\n"
    );
    fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    folder
}

fn burner() -> PathBuf {
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("burner");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bench/builds/burner.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let flags = ["--edition=2024", "-O", "-Ctarget-feature=+crt-static", source, "-o"];
    let made = Command::new(rustc).args(flags).arg(&binary).status().unwrap();
    assert!(made.success(), "the burner does not compile");
    binary
}

async fn end_of(server: &Server, deploy: Deploy) {
    let ended = server.end_of(deploy.id, Duration::from_secs(180)).await.unwrap();
    let succeeded = matches!(&ended.state, DeployState::Finished { outcome, .. } if outcome.succeeded());
    assert!(succeeded, "{:?}", ended.state);
}

fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").unwrap().trim_end().to_owned()
}
