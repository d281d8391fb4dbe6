//! Wrong input, and worlds in which it does not work.

use std::process::Stdio;

use mypaas::api::Problem;

use super::stage::{Ended, ROLLING, SINGLE, Stage, program};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_told_what_is_wrong_and_what_would_be_right() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    for (line, code, told) in [
        ("status lokal", 2, ["no server is called lokal", "did you mean local?"]),
        ("status prod", 2, ["no server is called prod", "there is local"]),
        ("redeploy local wbe", 1, ["no service wbe on local", "did you mean web?"]),
        ("logs local shop", 1, ["no service shop on local", "there is web"]),
        ("rollback local web r9", 1, ["web has no release r9", "there is r1"]),
        ("pin local web r9", 1, ["web has no release r9", "there is r1"]),
        ("pin local wbe r1", 1, ["no service wbe on local", "did you mean web?"]),
        ("unpin local web 1", 2, ["releases are written r1, r2", "--help"]),
        ("rollback local web", 1, ["no earlier release", "mypaas releases local web"]),
        ("follow local d99", 1, ["d99", "hint:"]),
        ("remove local web", 2, ["needs a confirmation", "--yes"]),
        ("prune local", 2, ["pruning local needs a confirmation", "--yes"]),
        ("prune local --keep none", 2, ["invalid value 'none'", "--help"]),
        ("disk lokal", 2, ["no server is called lokal", "did you mean local?"]),
        ("push local nowhere", 1, ["there is no folder nowhere", "hint: name the folder"]),
        ("push lokal web", 2, ["no server is called lokal", "did you mean local?"]),
        ("scale local web 0", 2, ["mypaas stop", "--help"]),
        ("bananas", 2, ["unrecognized subcommand 'bananas'", "--help"]),
    ] {
        let refused = stage.run(line).failed(code, &told);
        assert_eq!(refused.out, "", "{refused:?}");
    }
    assert_eq!(stage.engine.builds().len(), 1);
}

/// A server brings up a router, which takes ports of the machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_starts_no_server_where_none_ever_ran() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "status",
        "status local",
        "deploys local",
        "logs local web",
        "disk local",
        "env list local",
        "figures local web",
    ] {
        let told = Ended::of(line, &mut program(home.path(), line));
        told.failed(1, &["no server ever ran on this machine", "mypaas push local DIR"]);
        assert!(!home.path().join("store.db").exists(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dockerfile_with_mistakes_is_not_sent() {
    let stage = Stage::new().await;
    stage.source("bad", "# mypaas.service=bad\n# mypaas.helthcheck=/ 5s 1s\n# mypaas.port=0\nFROM scratch\n");
    let told = ["bad/Dockerfile:2:3", "^^^^", "did you mean `mypaas.healthcheck`?", "bad/Dockerfile:3:"];
    stage.run("push local bad").failed(1, &told).failed(1, &["nothing was sent"]);
    stage.run("check bad").failed(1, &told);
    let json = stage.run("check bad --json").failed(1, &["\"diagnostics\""]);
    assert_eq!(json.json::<serde_json::Value>()["diagnostics"].as_array().unwrap().len(), 2);
    assert!(stage.engine.builds().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_alone_do_not_hinder() {
    let stage = Stage::new().await;
    stage.source("warn", "# mypaas.service=warn\n# mypaas.healthcheck=/ 5s 1s\nFROM scratch\n");
    stage.run("check warn").succeeded().shows(&["warning:", "1 warning"]);
    let pushed = stage.run("push local warn").succeeded();
    assert!(pushed.err.contains("warning:"), "{pushed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_json_a_failure_is_json_too() {
    let stage = Stage::new().await;
    let refused = stage.run("releases local shop --json").failed(1, &[]);
    let problem: Problem = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(problem.message, "there is no service shop on local");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_list_of_servers_is_marked() {
    let stage = Stage::new().await;
    stage.write_fleet("[servers.attic]\nadress = \"unix:///a\"\n");
    stage.run("status").failed(1, &["fleet.toml:2:1", "^^^^^^", "expected one of `address`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_goes_on_only_with_the_right_name() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    let piped = Ended::of("remove", stage.command("remove local blog").stdin(Stdio::piped()));
    piped.failed(2, &["no terminal to ask on"]);
    stage.run("status local blog").succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_down_is_told_as_itself() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["restart local blog", "redeploy local blog", "serve"] {
        let told = ["the container engine", "/nowhere/docker.sock", "docker info"];
        Ended::of(line, &mut program(folder.path(), line)).failed(1, &told);
    }
    let servers = Ended::of("servers", &mut program(folder.path(), "servers")).succeeded();
    servers.shows(&["starts when needed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_level_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = program(folder.path(), "serve");
    Ended::of("serve", serve.env("MYPAAS_LOG", "mypaas=loud")).failed(2, &["names no log level", "debug"]);
}
