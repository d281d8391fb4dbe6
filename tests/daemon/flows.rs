use std::time::Duration;

use futures_util::StreamExt;
use mypaas::api::{Downtime, ProblemCode, ServiceState};
use mypaas::deploy::{Action, Outcome, Phase, What};
use mypaas::engine::{Behaviour, BuildScript, ContainerState, Exit, Moment, StartScript};
use mypaas::name::{ContainerName, ReleaseId};

use crate::stage::{MIGRATING, ROLLING, SAFE, SINGLE, Stage, outcome};

fn crashes() -> Behaviour {
    let exit = Exit { code: 3, out_of_memory: false };
    Behaviour {
        exit: Some((Moment::Probes(0), exit)),
        logs: vec!["could not connect to the database".to_owned()],
        ..Behaviour::default()
    }
}

fn never_ready() -> Behaviour {
    Behaviour { ready_after: u32::MAX, ..Behaviour::default() }
}

#[tokio::test(start_paused = true)]
async fn pushing_scaling_rolling_back_and_stopping() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    stage.push(ROLLING).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r2.1", "web.r2.2"]);
    stage.act("web", Action::Scale { count: 5 }).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 5);
    stage.act("web", Action::Rollback { to: ReleaseId::new(1) }).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 5);
    stage.act("web", Action::Scale { count: 2 }).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    stage.act("web", Action::Restart).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r1.3", "web.r1.4"]);
    stage.act("web", Action::Stop).await.assert_succeeded();
    assert_eq!(stage.snapshot().await.services[0].state, ServiceState::Stopped);
    stage.act("web", Action::Start).await.assert_succeeded();
    assert_eq!(stage.running("web").await.len(), 2);
    stage.act("web", Action::Redeploy).await.assert_succeeded();
    assert_eq!(stage.running("web").await, ["web.r3.1", "web.r3.2"]);
    let folder = stage.snapshot().await.deploys[0].origin.folder.clone();
    assert_eq!(folder.as_deref(), Some("web"), "what is built again comes from the same folder");
    stage.check_settled("web").await.unwrap();
    stage.act("web", Action::Remove).await.assert_succeeded();
    assert!(stage.snapshot().await.services.is_empty());
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_build_touches_nothing() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    let before = stage.containers("web").await;
    let build = BuildScript { failure: Some("no such file: app".to_owned()), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let failure = stage.push(SINGLE).await.failure();
    assert_eq!(failure.phase, Phase::Building);
    assert!(failure.message.contains("no such file: app"), "{failure:?}");
    assert_eq!(failure.still_serving, Some(ReleaseId::new(1)));
    assert_eq!(stage.containers("web").await, before);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_container_that_exits_fails_the_deploy_with_its_reason() {
    for dockerfile in [SINGLE, ROLLING, SAFE] {
        let stage = Stage::new().await;
        stage.push(dockerfile).await.assert_succeeded();
        stage.script("web", crashes());
        let failure = stage.push(dockerfile).await.failure();
        assert_eq!(failure.phase, Phase::Probing);
        assert!(failure.message.contains("exited with code 3"), "{}", failure.message);
        assert_eq!(failure.still_serving, Some(ReleaseId::new(1)));
        let evidence = failure.container.unwrap();
        assert_eq!(evidence.exit, Some(Exit { code: 3, out_of_memory: false }));
        assert_eq!(evidence.logs.last().unwrap().text, "could not connect to the database");
        stage.check_settled("web").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_never_ready_fails_the_deploy_in_time() {
    let stage = Stage::new().await;
    stage.push(SAFE).await.assert_succeeded();
    stage.script("web", never_ready());
    let began = tokio::time::Instant::now();
    let failure = stage.push(SAFE).await.failure();
    assert!(began.elapsed() < Duration::from_secs(90), "{:?}", began.elapsed());
    assert!(failure.message.contains("was not ready within 60s"), "{}", failure.message);
    assert!(failure.container.unwrap().last_probe.is_some());
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_that_fails_leaves_nothing_but_its_history() {
    let stage = Stage::new().await;
    stage.script("web", crashes());
    let failure = stage.push(ROLLING).await.failure();
    assert_eq!(failure.still_serving, None);
    let view = &stage.snapshot().await.services[0];
    assert_eq!((view.state, view.release), (ServiceState::NeverLive, None));
    assert!(matches!(outcome(view.last_deploy.as_ref().unwrap()), Outcome::Failed { .. }));
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_taken_port_is_told_and_the_old_release_serves_on() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    stage.script("web", Behaviour { start: StartScript::PortTaken("5432".to_owned()), ..Behaviour::default() });
    let failure = stage.push(SINGLE).await.failure();
    assert!(failure.message.contains("5432"), "{failure:?}");
    assert!(failure.hint.is_some());
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_newest_waiting_deploy_supersedes_older_ones() {
    let stage = Stage::new().await;
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let mut deploys = Vec::new();
    for _ in 0..4 {
        deploys.push(stage.accept_push(ROLLING).await.unwrap());
    }
    let mut outcomes = Vec::new();
    for deploy in &deploys {
        outcomes.push(stage.end_of(deploy.id).await.outcome);
    }
    let superseded = |by: usize| Outcome::Superseded { by: deploys[by].id };
    assert_eq!(outcomes, [Outcome::Succeeded, superseded(2), superseded(3), Outcome::Succeeded]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn services_with_like_names_do_not_touch_each_other() {
    let stage = Stage::new().await;
    let dockerfile =
        |service: &str| format!("# mypaas.service={service}\n# mypaas.url=http://{service}.test\nFROM x\n");
    for service in ["rob.api", "rob", "rob/api", "rob-api"] {
        stage.push(&dockerfile(service).replace("rob/api.test", "slash.test")).await.assert_succeeded();
    }
    stage.push(&dockerfile("rob")).await.assert_succeeded();
    stage.act("rob", Action::Remove).await.assert_succeeded();
    assert_eq!(stage.running("rob.api").await, ["rob.api.r1.1"]);
    assert_eq!(stage.running("rob/api").await, ["rob--api.r1.1"]);
    assert!(stage.running("rob").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_url_that_another_service_holds_is_refused() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    let problem = stage.accept_push(&SINGLE.replace("service=web", "service=other")).await.unwrap_err();
    assert_eq!(problem.message, "http://web.test belongs to the service web");
    stage.check_settled("web").await.unwrap();
    assert_eq!(stage.core.snapshot().await.unwrap().services.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_server_lacks_is_told_by_name() {
    let stage = Stage::new().await;
    let problem = stage.accept_push(&format!("# mypaas.env=TOKEN\n{SINGLE}")).await.unwrap_err();
    assert_eq!(problem.message, "the server has no value for TOKEN");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused_before_it_is_queued() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    let codes = [
        (stage.accept("wep", Action::Restart).await, ProblemCode::NotFound),
        (stage.accept("web", Action::Scale { count: 3 }).await, ProblemCode::Conflict),
        (stage.accept("web", Action::Rollback { to: ReleaseId::new(9) }).await, ProblemCode::NotFound),
        (stage.accept("web", Action::Push).await, ProblemCode::BadRequest),
        (stage.accept_push("# mypaas.servise=web\nFROM x\n").await, ProblemCode::BadRequest),
    ];
    for (index, (refused, code)) in codes.into_iter().enumerate() {
        let problem = refused.unwrap_err();
        assert_eq!(problem.code, code, "{index}: {problem:?}");
        assert!(problem.hint.is_some() || !problem.diagnostics.is_empty() || index == 3, "{problem:?}");
    }
    assert_eq!(stage.snapshot().await.deploys.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_preview_tells_what_would_happen_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.push(SINGLE).await.assert_succeeded();
    stage.push(&SINGLE.replace("web.test", "www.test")).await.assert_succeeded();
    let before = (stage.containers("web").await, stage.router.changes());
    let plan = stage.plan("web", Action::Rollback { to: ReleaseId::new(1) }).await;
    assert!(matches!(plan.downtime, Downtime::Held { .. }));
    assert_eq!(plan.changes.len(), 1);
    assert_eq!((&*plan.changes[0].old[0], &*plan.changes[0].new[0]), ("http://www.test", "http://web.test"));
    for told in ["a websocket is cut", "web:r1, is on the server"] {
        assert!(plan.notes.iter().any(|note| note.contains(told)), "{told}: {:?}", plan.notes);
    }
    assert_eq!((stage.containers("web").await, stage.router.changes()), before);
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_a_build_runs_is_answered_at_once() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let building = stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = tokio::time::Instant::now();
    assert_eq!(stage.snapshot().await.deploys[0].id, building.id);
    stage.plan("web", Action::Restart).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(stage.end_of(building.id).await.outcome, Outcome::Succeeded);
}

/// Docker may have made it, and not have come to give it its name.
#[tokio::test(start_paused = true)]
async fn an_image_that_a_dead_server_was_building_is_looked_for_with_and_without_its_name() {
    let mut stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.die().await;
    let before = stage.engine.calls().len();
    stage.start().await;
    let calls: Vec<_> = stage.engine.calls()[before..].iter().map(ToString::to_string).collect();
    for wanted in ["remove_image mypaas/web:r2", "remove_nameless web"] {
        assert!(calls.iter().any(|call| call == wanted), "{wanted} is not among {calls:?}");
    }
    // Docker may make it only then.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = stage.engine.calls()[before + calls.len()..].iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(later, ["remove_image mypaas/web:r2", "remove_nameless web"]);
    // One that is being built has no name yet either.
    stage.accept_push(ROLLING).await.unwrap();
    let before = stage.engine.calls().len();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let meanwhile: Vec<_> = stage.engine.calls()[before..].iter().map(ToString::to_string).collect();
    assert!(meanwhile.iter().all(|call| !call.starts_with("remove")), "{meanwhile:?}");
}

#[tokio::test(start_paused = true)]
async fn events_can_be_read_again_from_anywhere() {
    let stage = Stage::new().await;
    let ended = stage.push(ROLLING).await.assert_succeeded();
    let seqs: Vec<_> = ended.events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let deploy = stage.snapshot().await.deploys[0].id;
    let again: Vec<_> = stage.core.events(deploy, 5).map(Result::unwrap).collect().await;
    assert_eq!(again, ended.events[4..]);
}

#[tokio::test(start_paused = true)]
async fn containers_are_kept_running_only_once_they_are_ready() {
    let stage = Stage::new().await;
    let ended = stage.push(ROLLING).await.assert_succeeded();
    assert!(ended.events.iter().any(|event| matches!(event.what, What::Ready { .. })));
    for container in stage.containers("web").await {
        assert_eq!(container.restart, mypaas::engine::Restart::UnlessStopped);
        assert!(matches!(container.state, ContainerState::Running { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_can_be_cancelled_until_it_changes_something() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let building = stage.accept_push(ROLLING).await.unwrap();
    let waiting = stage.accept_push(ROLLING).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for deploy in [&waiting, &building] {
        stage.core.cancel(deploy.id, "bob@desk").unwrap();
        let outcome = stage.end_of(deploy.id).await.outcome;
        assert_eq!(outcome, Outcome::Cancelled { by: "bob@desk".to_owned() });
        let problem = stage.core.cancel(deploy.id, "bob@desk").unwrap_err();
        assert_eq!(problem.code, ProblemCode::Conflict);
    }
    assert_eq!(stage.running("web").await, ["web.r1.1", "web.r1.2"]);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_changes_something_is_not_cancelled() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    stage.engine.set_connections(&ContainerName::from_engine("web.r1.1"), Some(1));
    let deploy = stage.accept_push(ROLLING).await.unwrap();
    // It drains for ten seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let problem = stage.core.cancel(deploy.id, "bob@desk").unwrap_err();
    assert!(problem.message.contains("draining"), "{}", problem.message);
    assert_eq!(stage.end_of(deploy.id).await.outcome, Outcome::Succeeded);
}

/// How long the old containers of a deploy drain while others hold so many connections to one of them for a time.
async fn drains(dockerfile: &str, connections: Option<u32>, held_for: Duration) -> Duration {
    let stage = Stage::new().await;
    stage.push(dockerfile).await.assert_succeeded();
    let old = ContainerName::from_engine("web.r1.1");
    stage.engine.set_connections(&old, connections);
    let deploy = stage.accept_push(dockerfile).await.unwrap();
    let mut events = stage.core.events(deploy.id, 1).map(Result::unwrap);
    let draining = What::Phase { phase: Phase::Draining };
    while events.next().await.unwrap().what != draining {}
    let began = tokio::time::Instant::now();
    let next = async { (events.next().await, began.elapsed()) };
    let leave = async {
        tokio::time::sleep(held_for).await;
        stage.engine.set_connections(&old, connections.map(|_| 0));
    };
    let ((_, took), ()) = tokio::join!(next, leave);
    stage.end_of(deploy.id).await.assert_succeeded();
    took
}

#[tokio::test(start_paused = true)]
async fn old_containers_leave_as_soon_as_nobody_is_connected_to_them() {
    let close = |took: Duration, expected: f32| (took.as_secs_f32() - expected).abs() < 0.2;
    for (dockerfile, limit, blind) in [(ROLLING, 10.0, 10.0), (SAFE, 6.0, 0.5), (SINGLE, 6.0, 0.5)] {
        let took = drains(dockerfile, Some(0), Duration::ZERO).await;
        assert!(close(took, 0.5), "nobody is connected: {took:?}");
        let took = drains(dockerfile, Some(2), Duration::from_secs(3)).await;
        assert!(close(took, 3.0), "somebody is for 3 s: {took:?}");
        let took = drains(dockerfile, Some(1), Duration::from_secs(60)).await;
        assert!(close(took, limit), "somebody stays: {took:?}");
        let took = drains(dockerfile, None, Duration::ZERO).await;
        assert!(close(took, blind), "it cannot be seen: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_command_runs_once_before_anything_is_replaced() {
    let stage = Stage::new().await;
    for _ in 0..2 {
        stage.push(MIGRATING).await.assert_succeeded();
    }
    let starts: Vec<_> = stage.engine.calls().into_iter().filter(|call| call.action == "start").collect();
    let names: Vec<_> = starts.iter().map(|call| &*call.subject).collect();
    assert_eq!(names, ["web.r1.0", "web.r1.1", "web.r1.2", "web.r2.0", "web.r2.1", "web.r2.2"]);
    stage.check_settled("web").await.unwrap();
    // Going back is no new release.
    stage.act("web", Action::Rollback { to: ReleaseId::new(1) }).await.assert_succeeded();
    assert!(
        !stage
            .engine
            .calls()
            .iter()
            .skip_while(|call| call.subject != "web.r2.2")
            .any(|call| call.subject == "web.r1.0")
    );
}

#[tokio::test(start_paused = true)]
async fn a_release_command_that_fails_changes_nothing_and_is_told() {
    let stage = Stage::new().await;
    stage.push(MIGRATING).await.assert_succeeded();
    let before = stage.containers("web").await;
    let command = Exit { code: 5, out_of_memory: false };
    stage.script("web", Behaviour { command, logs: vec!["no such column".to_owned()], ..Behaviour::default() });
    let failure = stage.push(MIGRATING).await.failure();
    assert_eq!(failure.phase, Phase::Preparing);
    assert_eq!(failure.message, "the release command exited with code 5");
    assert_eq!(failure.container.unwrap().logs.last().unwrap().text, "no such column");
    assert_eq!(stage.containers("web").await, before);
    stage.check_settled("web").await.unwrap();
}
