//! Mistakes, and a world that is not as it should be. Each is told with what to do, and changes nothing.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use mypaas::api::Part;
use tokio::time::sleep;

use crate::stage::{Settings, Stage, Told, docker};

const WEB: &str = "web.test";

/// A server with a service, and what is there.
async fn settled(settings: Settings) -> (Stage, Vec<String>) {
    let stage = Stage::with(settings).await;
    stage.push(&stage.project("web", &["url=http://web.test"], &[])).await.done();
    let state = stage.state().await;
    (stage, state)
}

/// All of the parts are told.
#[track_caller]
fn assert_tells(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part:?} is not told:\n{told}");
    }
}

#[tokio::test]
async fn mistakes_in_a_dockerfile_are_shown_where_they_are_and_nothing_is_sent() {
    let (stage, before) = settled(Settings::default()).await;
    for (option, parts) in [
        (
            "helthcheck=/ 5s 1s",
            ["mypaas.helthcheck", "Dockerfile:2:3", "^^^^^^^^^^", "did you mean `mypaas.healthcheck`?"],
        ),
        ("port=99999", ["99999", "Dockerfile:2:15", "^^^^^", "hint: "]),
        ("scale=many", ["many", "Dockerfile:2:16", "^^^^", "hint: "]),
    ] {
        let told = stage.push(&stage.project("web", &[option], &[])).await.failed();
        assert_tells(&told, &["nothing was sent"]);
        assert_tells(&told, &parts);
    }
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn a_folder_that_cannot_be_pushed_is_refused_at_once() {
    let (stage, before) = settled(Settings::default()).await;
    let nowhere = stage.user_home().join("nowhere");
    let told = stage.push(nowhere.to_str().unwrap()).await.failed();
    assert_tells(&told, &["there is no folder", "nowhere"]);

    let empty = tempfile::tempdir().unwrap();
    let told = stage.push(empty.path().to_str().unwrap()).await.failed();
    assert_tells(&told, &["no Dockerfile", "hint: "]);

    let large = stage.project("web", &["url=http://web.test"], &[]);
    File::create(Path::new(&large).join("data.bin")).unwrap().set_len(2 << 30).unwrap();
    let start = Instant::now();
    let told = stage.push(&large).await.failed();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_tells(&told, &["2.0 GiB", "64.0 MiB", "data.bin", ".dockerignore"]);
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn what_the_server_does_not_allow_is_refused_before_it_is_built() {
    let (stage, before) = settled(Settings::default()).await;
    symlink(stage.home(), stage.user_home().join("link")).unwrap();
    for (options, parts) in [
        (&["url=http://web.test"][..], ["http://web.test belongs to the service web", "hint: Take it out"]),
        (&["env=TOKEN", "env=OTHER"], ["the server has no value for TOKEN, OTHER", "mypaas env set local TOKEN"]),
        (&["volume=/etc:/etc"], ["the volume /etc is not allowed", "lies in the home directory"]),
        (&["volume=~/link:/x"], ["holds keys and secrets", "as in ~/data/blog"]),
    ] {
        let told = stage.push(&stage.project("other", options, &[])).await.failed();
        assert_tells(&told, &parts);
    }
    assert_eq!(stage.state().await, before);
    assert_eq!(stage.mypaas(&["deploys", "local", "--json"]).await.done().matches("\"accepted\"").count(), 1);
}

#[tokio::test]
async fn names_that_nobody_has_are_told_with_those_that_were_meant() {
    let (stage, before) = settled(Settings::default()).await;
    let told = stage.mypaas(&["status", "lokal"]).await.misused();
    assert_tells(&told, &["no server is called lokal", "did you mean local?"]);
    let told = stage.mypaas(&["restart", "local", "wep"]).await.failed();
    assert_tells(&told, &["there is no service wep on local", "did you mean web?"]);
    let told = stage.mypaas(&["rollback", "local", "web", "r7"]).await.failed();
    assert_tells(&told, &["web has no release r7", "there is r1"]);
    let told = stage.mypaas(&["rollback", "local", "web"]).await.failed();
    assert_tells(&told, &["no earlier release", "mypaas releases local web"]);
    let told = stage.mypaas(&["scale", "local", "web", "3"]).await.failed();
    assert_tells(&told, &["web does not scale", "mypaas.scale=1"]);
    let told = stage.mypaas(&["logs", "local", "web", "--container", "x"]).await.failed();
    assert_tells(&told, &["web has no container x", "_web.r1.1"]);
    let told = stage.mypaas(&["scael", "local", "web", "3"]).await.misused();
    assert_tells(&told, &["scael", "'scale'"]);
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn without_docker_everything_says_so_and_nothing_is_done() {
    let (mut stage, before) = settled(Settings::default()).await;
    stage.stop().await;
    let dead = stage.user_home().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    stage.docker_host = Some(format!("unix://{}", dead.display()));
    let missing = ["the container engine at unix://", "dead.sock does not answer", "systemctl start docker"];

    let folder = stage.project("web", &["url=http://web.test"], &["ENV VERSION=two"]);
    assert_tells(&stage.mypaas(&["deploy", &folder]).await.failed(), &missing);
    stage.start().await;
    assert_tells(&stage.push(&folder).await.failed(), &missing);
    assert_tells(&stage.mypaas(&["status"]).await.done(), &missing);
    assert!(matches!(stage.view().await.engine, Part::Down { .. }));

    stage.stop().await;
    stage.docker_host = None;
    stage.start().await;
    assert_eq!(stage.state().await, before);
    assert!(stage.hello(WEB).await.contains("release r1"));
}

#[tokio::test]
async fn a_router_that_dies_is_started_again() {
    let (stage, before) = settled(Settings::default()).await;
    kill_router(&stage).await;
    until_router_is_up(&stage).await;
    assert!(stage.hello(WEB).await.contains("release r1"));
    assert_eq!(stage.state().await, before);
}

#[tokio::test]
async fn a_push_while_the_router_is_down_ends_well_or_with_a_reason() {
    let (stage, before) = settled(Settings::default()).await;
    let folder = stage.project("web", &["url=http://web.test"], &["ENV VERSION=two"]);
    kill_router(&stage).await;
    let told: Told = stage.push(&folder).await;
    let succeeded = told.code == 0;
    if !succeeded {
        assert_tells(&told.failed(), &["router", "hint: ", "r1 of web serves on"]);
    }
    until_router_is_up(&stage).await;
    let serves = if succeeded { "release r2, version two" } else { "release r1" };
    assert!(stage.hello(WEB).await.contains(serves));
    if !succeeded {
        assert_eq!(stage.containers().await, ["web.r1.1"]);
    }
    drop(before);
}

async fn kill_router(stage: &Stage) {
    docker(&["kill", &format!("{}-router", stage.instance())]).await;
}

/// The server looks after it every three seconds.
async fn until_router_is_up(stage: &Stage) {
    let start = Instant::now();
    while matches!(stage.view().await.router, Part::Down { .. }) {
        assert!(start.elapsed() < Duration::from_secs(40), "{:?}", stage.view().await.router);
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_router_port_that_is_taken_is_told_until_it_is_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let stage = Stage::with(Settings { http_port: port, ..Settings::default() }).await;
    let taken_is_told =
        [&*format!("port {port} of this server is taken"), "set http_port and https_port under [router]"];
    assert_tells(&stage.mypaas(&["status"]).await.done(), &taken_is_told);
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    assert_tells(&stage.push(&folder).await.failed(), &taken_is_told);
    assert!(stage.containers().await.is_empty() && stage.images().await.is_empty());

    drop(taken);
    until_router_is_up(&stage).await;
    stage.push(&folder).await.done();
    assert!(stage.hello(WEB).await.contains("release r1"));
}
