//! Verbs that show something, for people and as JSON.

use mypaas::api::{Deploy, DiskView, Event, LogLine, ReleaseView, ServiceDetail, Snapshot, What};
use mypaas::engine::{Behaviour, BuildScript};
use mypaas::manifest::Checked;
use serde::Deserialize;
use serde_json::Value;

use super::stage::{Ended, ROLLING, SINGLE, Stage, dies, program};

#[derive(Deserialize)]
struct Status {
    server: String,
    snapshot: Snapshot,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_shown() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.run("status").succeeded().shows(&["local: mypaas", "web", "running", "2/2", "http://web.test"]);
    stage.run("status local web").succeeded().shows(&["web on local: running, 2 of 2 ready, r1", "web.r1.1", "scale"]);
    stage.run("releases local web").succeeded().shows(&["r1", "live", "/sources/web"]);
    stage.run("deploys local web").succeeded().shows(&["d1", "push", "succeeded"]);
    stage.run("servers").succeeded().shows(&["local", "answers", "unix:///"]);
    stage.run("follow local d1").succeeded().shows(&["d1: push of web", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_on_the_disks_is_shown() {
    let stage = Stage::new().await;
    stage.run("disk local").succeeded().shows(&["images (/var/lib/", "server folder (", "there is nothing to prune"]);
    stage.push("web", ROLLING);
    stage.run("disk local").succeeded().shows(&["web      1         -", "builds are refused where less than 1.0 GiB"]);
    let view: DiskView = stage.run("disk local --json").succeeded().json();
    assert_eq!((view.services[0].releases, view.problem), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_as_json_reads_as_the_types_of_the_api() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    let all: Vec<Status> = stage.run("status --json").succeeded().json();
    assert_eq!((all[0].server.as_str(), all[0].snapshot.services.len()), ("local", 1));
    let detail: ServiceDetail = stage.run("status local web --json").succeeded().json();
    assert_eq!(detail.service.ready, 2);
    let releases: Vec<ReleaseView> = stage.run("releases local web --json").succeeded().json();
    let deploys: Vec<Deploy> = stage.run("deploys local --json").succeeded().json();
    assert_eq!((releases.len(), deploys.len()), (1, 1));
    let lines: Vec<LogLine> = stage.run("logs local web --json").succeeded().json_lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let checked: Checked = stage.run("check web --json").succeeded().json();
    assert!(checked.manifest.is_some());
    let servers: Vec<Value> = stage.run("servers --json").succeeded().json();
    assert_eq!(servers[0]["state"], "answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_as_json_is_accepted_then_its_events_to_the_last() {
    let stage = Stage::new().await;
    stage.source("web", ROLLING);
    let lines: Vec<Value> = stage.run("push local web --json").succeeded().json_lines();
    assert_eq!((&lines[0]["event"], &lines[0]["seq"]), (&"accepted".into(), &0.into()));
    let deploy: Deploy = serde_json::from_value(lines[0]["deploy"].clone()).unwrap();
    assert_eq!(deploy.service.as_str(), "web");
    let events: Vec<Event> = lines[1..].iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect();
    assert!(events.iter().zip(1..).all(|(event, number)| event.seq == number), "{events:?}");
    assert!(matches!(events.last().unwrap().what, What::Finished { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_release_tells_why_when_its_containers_are_gone() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.script("web", dies(3));
    stage.source("web", ROLLING);
    stage.run("push local web").failed(1, &["exited with code 3"]);
    let told = stage.run("releases local web --release r2").succeeded();
    let told =
        told.shows(&["r2 of web on local: failed", "scale", "building", "exited with code 3", "r1 of web serves on"]);
    told.shows(&["last lines of", "  | no database"]);
    let past: Value = stage.run("releases local web --release r2 --json").succeeded().json();
    assert_eq!((&past["release"]["id"], &past["deploys"][0]["deploy"]["id"]), (&"r2".into(), &"d2".into()));
    let events: Vec<Event> = serde_json::from_value(past["deploys"][0]["events"].clone()).unwrap();
    assert!(matches!(events.last().unwrap().what, What::Finished { .. }));
    let build = BuildScript { failure: Some("COPY failed".to_owned()), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    stage.run("push local web").failed(1, &["COPY failed"]);
    stage.run("releases local web").succeeded().shows(&["d3 was to build another one", "`mypaas follow local d3`"]);
    stage.run("follow local d3").failed(1, &["COPY failed"]).shows(&["Step 1/1 : FROM scratch"]);
    stage.run("releases local web --release r7").failed(1, &["web has no release r7", "there is r2, r1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_of_all_containers_or_of_one() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    let all = stage.run("logs local web").succeeded().shows(&["web.r1.1 | listening", "web.r1.2 | listening"]);
    assert_eq!(all.out.lines().count(), 2);
    let one = stage.run("logs local web --container web.r1.2 --tail 1").succeeded();
    assert_eq!(one.out, "listening\n");
    let old = stage.run("logs local web --since 2020-01-01T00:00:00Z --timestamps").succeeded();
    assert!(old.out.lines().all(|line| line.starts_with("20")), "{old:?}");
    stage.run("logs local web --container web.r9.1").failed(1, &["web has no container web.r9.1", "web.r1.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_come_when_asked_for_and_never_into_a_file() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    assert!(!stage.run("status").succeeded().out.contains('\u{1b}'));
    stage.run("--color always status").succeeded().shows(&["\u{1b}[32mrunning\u{1b}[0m"]);
    stage.run("status --color always").succeeded().shows(&["\u{1b}[32mrunning\u{1b}[0m"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_the_fleet_are_shown_whether_or_not_they_answer() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    let address = |path: &str| format!("address = \"unix://{path}\"");
    let (here, gone) = (address(&stage.socket().display().to_string()), address("/nowhere/mypaas.sock"));
    stage.write_fleet(&format!("[servers.attic]\n{here}\n[servers.gone]\n{gone}\n"));
    stage.run("servers").succeeded().shows(&["attic   answers", "gone    does not run"]);
    let both = stage.run("status").failed(1, &["the state of gone is not known", "/nowhere/mypaas.sock"]);
    let both = both.shows(&["attic: mypaas", "blog"]);
    assert!(!both.out.contains("gone"), "{both:?}");
    let both = stage.run("status --json").failed(1, &["\"code\":\"unavailable\""]);
    let list: Vec<Value> = both.json();
    assert_eq!(list[0]["snapshot"]["services"][0]["name"], "blog");
    assert_eq!(list[1]["problem"]["code"], "unavailable");
    stage.run("releases attic blog").succeeded().shows(&["r1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_of_this_machine_is_shown_and_is_a_failure() {
    let stage = Stage::new().await;
    stage.run("server status").succeeded().shows(&["runs for", "kept by"]);
    let folder = tempfile::tempdir().unwrap();
    let silent = |line| Ended::of(line, &mut program(folder.path(), line));
    let told = ["does not answer", "no server answers at", "is `mypaas serve` running there"];
    silent("server status").failed(1, &told).shows(&["server    does not answer", "kept by"]);
    let json: Value = silent("server status --json").failed(1, &["\"code\":\"unavailable\""]).json();
    assert!(json["silence"].is_string() && json["server"].is_null(), "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn help_completions_and_version_need_no_server() {
    let stage = Stage::new().await;
    stage.write_fleet("this is no toml");
    for (line, told) in [
        ("--help", "Exit codes:"),
        ("help json", "What --json prints"),
        ("json", "What --json prints"),
        ("push --help", "<SERVER> <DIR>"),
        ("--version", "mypaas "),
        ("completions bash", "_mypaas"),
        ("completions fish", "complete -c mypaas"),
    ] {
        stage.run(line).succeeded().shows(&[told]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_wrote_last_is_shown_when_its_containers_are_gone() {
    let stage = Stage::new().await;
    stage.source("web", "# mypaas.service=web\n# mypaas.env=TOKEN\n# mypaas.scale=2\nFROM scratch\n");
    stage.run_with("env set local TOKEN", "open sesame\n").succeeded();
    for line in ["the first, with open sesame", "the second"] {
        stage.script("web", Behaviour { logs: vec![line.to_owned()], ..Behaviour::default() });
        stage.run("push local web --json").succeeded().shows(&["finished"]);
    }
    let now = stage.run("logs local web").succeeded().shows(&["the second"]);
    assert!(!now.out.contains("the first"), "{now:?}");
    let first = stage.run("logs local web --release r1").succeeded();
    let first = first.shows(&["web.r1.1 | the first, with …", "web.r1.2 | the first, with …"]);
    assert!(first.err.contains("r1 of web runs no more: these are the last lines that were kept of it"), "{first:?}");
    let lines: Vec<LogLine> = stage.run("logs local web --release r1 --tail 1 --json").succeeded().json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(stage.run("logs local web --release r2").succeeded().err, "", "that one runs");
    stage.run("logs local web --release r9").failed(1, &["web has no release r9", "mypaas releases"]);
    let home = stage.socket().parent().unwrap().to_owned();
    for file in ["store.db", "store.db-wal"] {
        let kept = std::fs::read(home.join(file)).unwrap_or_default();
        assert!(!kept.windows(11).any(|bytes| bytes == b"open sesame"), "{file}: secrets are taken out before");
    }
}
