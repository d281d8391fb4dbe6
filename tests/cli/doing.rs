//! Verbs that change something.

use mypaas::api::{Deploy, PlanView, ReleaseView};
use mypaas::engine::{Behaviour, BuildScript};

use super::stage::{ROLLING, SINGLE, Stage, dies};

const WITH_SECRET: &str = "# mypaas.service=web\n# mypaas.env=TOKEN\nFROM scratch\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_given_on_the_standard_input_and_shown_nowhere() {
    let stage = Stage::new().await;
    stage.source("web", WITH_SECRET);
    stage.run("env list local").succeeded().shows(&["no variables yet"]);
    stage.run("push local web").failed(1, &["no value for TOKEN", "mypaas env set SERVER TOKEN"]);
    stage.run_with("env set local TOKEN", "open sesame\n").succeeded().shows(&["TOKEN is set"]);
    let logs = vec!["I know: open sesame".to_owned()];
    let output = vec!["Step 1/1 : RUN echo open sesame".to_owned()];
    let build = BuildScript { output, ..BuildScript::default() };
    stage.script("web", Behaviour { build, logs, ..Behaviour::default() });
    stage.run("push local web").succeeded().shows(&["RUN echo …"]);
    stage.run("logs local web").succeeded().shows(&["I know: …"]);
    stage.run("env list local").succeeded().shows(&["TOKEN     set    web"]);
    stage.run_with("env set local TOKEN", "another one").succeeded().shows(&["mypaas restart local web"]);
    stage.run("logs local web").succeeded().shows(&["I know: …"]);
    stage.run("env unset local TOKEN").failed(1, &["web would not start any more without it", "--yes"]);
    stage.run("env unset local TOKEN --yes").succeeded().shows(&["TOKEN has no value any more"]);
    stage.run("env unset local TOKEN --yes").failed(1, &["the server has no value for TOKEN"]);
    stage.run("env list local").succeeded().shows(&["TOKEN     missing  web"]);
    stage.run_with("env set local TOKEN", "").failed(1, &["the value for TOKEN is empty"]);
    stage.run("env set local 5UP").failed(2, &["no digit at the beginning"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_goes_live_and_says_where() {
    let stage = Stage::new().await;
    stage.source("web", ROLLING);
    let pushed = stage.run("push local web").succeeded();
    let pushed =
        pushed.shows(&["1 file", "d1: push of web", "building", "web.r1.2 ready", "done", "http://web.test\n"]);
    assert_eq!(pushed.err, "");
    stage.run("deploy web").succeeded().shows(&["d2: push of web, r1 serves now"]);
    stage.run("server deploy web").succeeded().shows(&["r2 serves now"]);
    stage.run("push local web/Dockerfile").succeeded().shows(&["r3 serves now"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_fails_says_why_and_what_serves_on() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.script("web", dies(3));
    let told = ["push of web failed", "exited with code 3", "| no database", "r1 of web serves on", "hint:"];
    stage.run("push local web").failed(1, &told).shows(&["undoing", "failed"]);
    stage.run("status").succeeded().shows(&["running  2/2    r1", "failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_is_done_and_told() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    for (line, told) in [
        ("redeploy local web", "redeploy of web, r1 serves now"),
        ("rollback local web", "rollback of web to r1, r2 serves now"),
        ("rollback local web r2", "rollback of web to r2"),
        ("scale local web 3", "scaling of web to 3"),
        ("restart local web", "restart of web"),
        ("stop local web", "stop of web"),
        ("start local web", "start of web"),
        ("remove local web --yes", "removal of web"),
    ] {
        stage.run(line).succeeded().shows(&[told, "done"]);
    }
    stage.run("status").succeeded().shows(&["no services yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_plan_and_does_nothing() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.push("web", ROLLING);
    stage.run("push local web --dry-run").succeeded().shows(&["push of web on local", "nothing is done yet"]);
    stage.run("rollback local web --plan").succeeded().shows(&["rollback of web to r1", "r2 → r1", "without a gap"]);
    stage.run("remove local web --dry-run").succeeded().shows(&["removal of web"]);
    let plan: PlanView = stage.run("scale local web 5 --dry-run --json").succeeded().json();
    assert!(plan.steps.len() > 1, "{plan:?}");
    let deploys: Vec<Deploy> = stage.run("deploys local --json").succeeded().json();
    assert_eq!(deploys.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_would_be_refused_is_a_failure() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.source("thief", &ROLLING.replace("service=web", "service=thief"));
    let planned = stage.run("push local thief --dry-run").failed(1, &["error:", "http://web.test"]);
    planned.shows(&["push of thief on local"]);
    stage.run("push local thief").failed(1, &["error:", "http://web.test"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_passes_over_releases_that_failed() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    stage.script("blog", dies(1));
    stage.run("push local blog").failed(1, &["r1 of blog serves on"]);
    stage.script("blog", Behaviour::default());
    stage.push("blog", SINGLE);
    let releases: Vec<ReleaseView> = stage.run("releases local blog --json").succeeded().json();
    assert_eq!(releases.iter().find(|view| view.live).unwrap().release.id.to_string(), "r3");
    stage.run("rollback local blog").succeeded().shows(&["rollback of blog to r1, r3 serves now"]);
    stage.run("rollback local blog").failed(1, &["no earlier release", "mypaas releases local blog"]);
}
