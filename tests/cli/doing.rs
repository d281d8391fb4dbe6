//! Verbs that change something.

use std::path::Path;

use mypaas::api::{Deploy, PlanView, Pruned, Reclaimable, ReleaseView};
use mypaas::engine::{Behaviour, BuildScript, MemoryEngine};

use super::stage::{ROLLING, SINGLE, Stage, dies};

const WITH_SECRET: &str = "# mypaas.service=web\n# mypaas.env=TOKEN\nFROM scratch\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_given_on_the_standard_input_and_shown_nowhere() {
    let stage = Stage::new().await;
    stage.source("web", WITH_SECRET);
    stage.run("env list local").succeeded().shows(&["no variables yet"]);
    stage.run("push local web").failed(1, &["no value for TOKEN", "mypaas env set local TOKEN"]);
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
    let second = stage.run("deploy web").succeeded().shows(&["d2: push of web, r1 serves now", "draining", "done"]);
    assert!(!second.out.contains("retiring"), "it is done before r1 is stopped: {}", second.out);
    stage.run("follow local d2").succeeded().shows(&["done", "retiring", "web.r1.1 removed", "retired"]);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_pinned_and_unpinned() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.push("web", ROLLING);
    stage.run("pin local web r1").succeeded().shows(&["r1 of web is pinned", "mypaas unpin local web r1"]);
    stage.run("releases local web").succeeded().shows(&["r2       live ", "r1       pinned "]);
    let view: ReleaseView = stage.run("pin local web r2 --json").succeeded().json();
    assert!(view.pinned && view.live);
    stage.run("releases local web").succeeded().shows(&["live, pinned"]);
    stage.run("unpin local web r1").succeeded().shows(&["r1 of web is not pinned"]);
    let releases: Vec<ReleaseView> = stage.run("releases local web --json").succeeded().json();
    assert_eq!(releases.iter().map(|view| view.pinned).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_no_use_is_removed_and_told() {
    let stage = Stage::new().await;
    let build = BuildScript { leaves: 3 << 20, ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    stage.push("web", ROLLING);
    stage.run("disk local").succeeded().shows(&["left by builds", "`mypaas prune local` gives back 3.0 MiB"]);
    let told = ["This removes from local", "1 image without a name", "gives back 3.0 MiB"];
    stage.run("prune local --dry-run").succeeded().shows(&told);
    let reclaimable: Reclaimable = stage.run("prune local --plan --json").succeeded().json();
    assert_eq!((reclaimable.what.leftovers, reclaimable.keep), (1, 10));
    stage.run("prune local --yes").succeeded().shows(&["removed 1 image from local"]);
    stage.run("prune local --yes").succeeded().shows(&["nothing was removed from local"]);
    let pruned: Pruned = stage.run("prune local --keep 1 -y --json").succeeded().json();
    assert!(pruned.removed.is_empty() && pruned.left.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_without_room_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.machine.mount(Path::new(MemoryEngine::DATA_ROOT), 100 << 20, || 0);
    let told = ["too little room on the disk of /var/lib/", "100.0 MiB are free", "1.0 GiB", "mypaas disk local"];
    let refused = stage.run("push local web").failed(1, &told);
    assert_eq!(refused.out, "");
    stage.run("push local web --json").failed(1, &["\"code\":\"no_room\""]);
    stage.run("push local web --dry-run").failed(1, &told);
    stage.run("redeploy local web").failed(1, &told);
    stage.run("disk local").succeeded().shows(&["100 MiB"]);
    assert_eq!(stage.engine.builds().len(), 1);
}
