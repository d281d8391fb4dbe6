//! What an operator does with a service, by commands only.

use serde_json::Value;

use crate::stage::{Settings, Stage, ask, docker};

const WEB: &str = "web.test";

fn version(text: &str) -> String {
    format!("ENV VERSION={text} LOG=requests")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_service_is_pushed_pushed_again_rolled_back_and_built_anew() {
    let stage = Stage::new().await;
    assert_eq!(stage.get(WEB, "/").await.status, 404);

    let folder = stage.project("web", &["url=http://web.test"], &[&version("one")]);
    let told = stage.push(&folder).await.done();
    assert!(told.contains("d1: push of web\n"), "{told}");
    assert!(told.contains(&format!("http://web.test:{}\n", stage.router().await.port())), "{told}");
    assert!(stage.hello(WEB).await.ends_with("web.r1.1 (release r1, version one)"));

    stage.project("web", &["url=http://web.test"], &[&version("two")]);
    let told = stage.push(&folder).await.done();
    assert!(told.contains("d2: push of web, r1 serves now\n"), "{told}");
    assert!(stage.hello(WEB).await.ends_with("web.r2.1 (release r2, version two)"));

    stage.mypaas(&["rollback", "local", "web"]).await.done();
    assert!(stage.hello(WEB).await.ends_with("web.r1.1 (release r1, version one)"));
    stage.mypaas(&["rollback", "local", "web", "r2"]).await.done();
    assert!(stage.hello(WEB).await.ends_with("web.r2.1 (release r2, version two)"));

    stage.mypaas(&["redeploy", "local", "web"]).await.done();
    assert!(stage.hello(WEB).await.ends_with("web.r3.1 (release r3, version two)"));
    assert_eq!(stage.containers().await, ["web.r3.1"]);
    assert_eq!(stage.images().await, ["web:r1", "web:r2", "web:r3"]);
}

#[tokio::test]
async fn a_secret_reaches_the_service_and_nothing_that_is_kept_or_told() {
    let stage = Stage::with(Settings { env: "TOKEN = \"open sesame\"", ..Settings::default() }).await;
    let folder = stage.project("web", &["url=http://web.test", "env=TOKEN"], &[&version("one")]);
    let told = stage.push(&folder).await.done();
    assert_eq!(stage.get(WEB, "/env?name=TOKEN").await.body.trim_end(), "open sesame");
    let image = format!("{}/web:r1", stage.instance());
    let kept = [
        docker(&["history", "--no-trunc", &image]).await,
        docker(&["image", "inspect", &image]).await,
        String::from_utf8_lossy(&std::fs::read(stage.home().join("store.db")).unwrap()).into_owned(),
        String::from_utf8_lossy(&std::fs::read(stage.home().join("store.db-wal")).unwrap_or_default()).into_owned(),
        stage.mypaas(&["status", "local", "web", "--json"]).await.done(),
        stage.mypaas(&["follow", "local", "d1", "--json"]).await.done(),
        told,
    ];
    assert!(kept.iter().all(|text| !text.contains("open sesame")), "{kept:?}");
}

#[tokio::test]
async fn status_and_releases_are_told_as_json_in_the_documented_shape() {
    let stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test/app", "scale=2"], &[]);
    stage.push(&folder).await.done();
    stage.push(&folder).await.done();

    let status = json(&stage.mypaas(&["status", "--json"]).await.done());
    let snapshot = &status[0]["snapshot"];
    assert_eq!(status[0]["server"], "local");
    assert_eq!(snapshot["server"]["instance"], stage.instance());
    assert_eq!(snapshot["server"]["engine"]["state"], "up");
    assert_eq!(snapshot["server"]["router"]["info"]["http_port"], stage.router().await.port());
    let web = &snapshot["services"][0];
    assert_eq!((&web["name"], &web["state"], &web["release"]), (&"web".into(), &"running".into(), &"r2".into()));
    assert_eq!((&web["wanted"], &web["ready"]), (&2.into(), &2.into()));
    assert_eq!(web["scale"], serde_json::json!({"kind": "rolling", "count": 2}));
    assert_eq!(web["urls"], serde_json::json!(["http://web.test/app"]));
    assert_eq!(web["last_deploy"]["state"]["outcome"], serde_json::json!({"outcome": "succeeded"}));
    let container = &web["containers"][1];
    assert_eq!(container["name"], format!("{}_web.r2.2", stage.instance()));
    assert_eq!((&container["state"]["state"], &container["routed"]), (&"running".into(), &true.into()));

    let releases = json(&stage.mypaas(&["releases", "local", "web", "--json"]).await.done());
    let told = |key: &str| releases.as_array().unwrap().iter().map(|one| one[key].clone()).collect::<Value>();
    assert_eq!(told("id"), serde_json::json!(["r2", "r1"]));
    assert_eq!(told("live"), serde_json::json!([true, false]));
    assert_eq!(told("available"), serde_json::json!([true, true]));
    assert_eq!(releases[1]["deploy"]["id"], "d1");
    assert_eq!(releases[1]["origin"]["folder"], std::fs::canonicalize(&folder).unwrap().to_str().unwrap());
    assert_eq!(releases[1]["manifest"]["service"], "web");
}

#[tokio::test]
async fn a_service_is_scaled_restarted_stopped_and_started() {
    let stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test", "scale=2"], &[]);
    stage.push(&folder).await.done();
    assert_eq!(stage.containers().await, ["web.r1.1", "web.r1.2"]);

    stage.mypaas(&["scale", "local", "web", "5"]).await.done();
    assert_eq!(stage.containers().await.len(), 5);
    let mut answering = std::collections::BTreeSet::new();
    for _ in 0..10 {
        answering.insert(stage.hello(WEB).await);
    }
    assert_eq!(answering.len(), 5, "{answering:?}");
    stage.mypaas(&["scale", "local", "web", "1"]).await.done();
    let left = stage.containers().await;
    assert_eq!(left.len(), 1);

    stage.mypaas(&["restart", "local", "web"]).await.done();
    let fresh = stage.containers().await;
    assert!(fresh.len() == 1 && fresh != left, "{fresh:?}");
    assert!(stage.hello(WEB).await.contains(&fresh[0]));

    stage.mypaas(&["stop", "local", "web"]).await.done();
    assert_eq!(stage.get(WEB, "/").await.status, 503);
    let told = stage.mypaas(&["status", "local"]).await.done();
    assert!(told.lines().any(|line| line.starts_with("web") && line.contains("stopped")), "{told}");
    stage.mypaas(&["start", "local", "web"]).await.done();
    assert!(stage.hello(WEB).await.contains(&fresh[0]));
    assert_eq!(stage.containers().await, fresh);
}

#[tokio::test]
async fn logs_are_read_and_followed() {
    let stage = Stage::new().await;
    let folder = stage.project("web", &["url=http://web.test"], &["ENV LOG=requests VERSION=one"]);
    stage.push(&folder).await.done();
    stage.get(WEB, "/before").await;

    let told = stage.mypaas(&["logs", "local", "web"]).await.done();
    let lines: Vec<&str> = told.lines().collect();
    let first = format!("{}_web.r1.1 starts, version one", stage.instance());
    assert_eq!(lines, [&*first, "listens on port 80", "404 GET /before"]);
    assert_eq!(stage.mypaas(&["logs", "local", "web", "-n", "1"]).await.done(), "404 GET /before\n");

    let mut follow = stage.begin(&["logs", "local", "web", "-f"]);
    follow.until("404 GET /before").await;
    stage.get(WEB, "/while").await;
    follow.until("404 GET /while").await;
    follow.interrupt();
    assert_eq!(follow.end().await.code, 130);

    stage.project("web", &["url=http://web.test"], &["ENV LOG=requests VERSION=two"]);
    stage.push(&folder).await.done();
    assert_eq!(stage.containers().await, ["web.r2.1"]);
    let kept = stage.mypaas(&["logs", "local", "web", "--release", "r1"]).await;
    let out: Vec<&str> = kept.out.lines().map(|line| line.rsplit(" | ").next().unwrap()).collect();
    assert!(out.ends_with(&["404 GET /while", "stops: finishes requests in flight", "stopped"]), "{kept}");
    assert!(kept.err.contains("r1 of web runs no more"), "{kept}");
}

#[tokio::test]
async fn what_is_removed_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let before = stage.state().await;
    let folder = stage.project("web", &["url=http://web.test", "scale=2"], &["ENV VERSION=one"]);
    stage.push(&folder).await.done();
    stage.project("web", &["url=http://web.test", "scale=2"], &["ENV VERSION=two"]);
    stage.push(&folder).await.done();
    assert_ne!(stage.state().await, before);

    let asks = stage.mypaas(&["remove", "local", "web"]).await.misused();
    assert!(asks.contains("--yes"), "{asks}");
    assert_eq!(stage.containers().await, ["web.r2.1", "web.r2.2"]);
    stage.mypaas(&["remove", "local", "web", "--yes"]).await.done();
    assert_eq!(stage.get(WEB, "/").await.status, 404);
    assert_eq!(stage.state().await, before);
    let told = stage.mypaas(&["releases", "local", "web"]).await.failed();
    assert!(told.contains("there is no service web on local"), "{told}");
    assert_eq!(docker(&["images", "-q", "--filter", &format!("label=mypaas.test={}", stage.instance())]).await, "");
}

#[tokio::test]
async fn a_folder_is_deployed_where_no_server_runs_and_serves_on_without_one() {
    let stage = Stage::without_server(Settings::default()).await;
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    let told = stage.mypaas(&["deploy", &folder]).await.done();
    let (_, port) = told.trim_end().rsplit_once("http://web.test:").unwrap();
    assert_eq!(stage.containers().await, ["web.r1.1"]);
    assert!(!stage.home().join("mypaas.sock").exists());
    let answer = ask(([127, 0, 0, 1], port.parse().unwrap()).into(), WEB, "/").await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let told = stage.mypaas(&["status"]).await.done();
    assert!(told.lines().any(|line| line.starts_with("web") && line.contains("running")), "{told}");
    let told = stage.mypaas(&["server", "deploy", &folder]).await.done();
    assert!(told.contains("d2: push of web, r1 serves now"), "{told}");
    assert_eq!(stage.containers().await, ["web.r2.1"]);
}
