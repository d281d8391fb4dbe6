//! Room on the disks: what takes it, what may go, and what is refused for lack of it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use mypaas::api::{Holds, PlanRequest, Problem, ProblemCode};
use mypaas::deploy::{Action, Outcome, Phase};
use mypaas::engine::{Behaviour, Build, BuildLimits, BuildScript, Engine, Fault, FaultPlan, MemoryEngine, Sources};
use mypaas::name::{ImageName, InstanceName, ReleaseId, ServiceName};
use mypaas::server::config::Config;

use crate::stage::{SINGLE, Stage};

const MIB: u64 = 1 << 20;

/// With the images on a disk of their own of this size, of which one MiB must stay free, and two releases kept.
async fn with_disk(total_bytes: u64) -> Stage {
    let mut config = Config::default();
    (config.limits.min_free_mib, config.deploy.keep_releases, config.deploy.watch) = (1, 2, Duration::ZERO);
    let stage = Stage::with(config).await;
    let engine = Arc::clone(&stage.engine);
    stage.machine.mount(Path::new(MemoryEngine::DATA_ROOT), total_bytes, move || engine.bytes());
    stage
}

/// From the next build on, so many bytes stay of each without a name.
fn leaving(stage: &Stage, leaves: u64, takes: Duration) {
    let build = BuildScript { leaves, takes, ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
}

async fn stray(stage: &Stage, service: &str, release: u64) -> ImageName {
    let (service, release): (ServiceName, _) = (service.parse().unwrap(), ReleaseId::new(release));
    let name = ImageName::of(&InstanceName::default(), &service, release);
    let context = stream::iter([Ok(Bytes::from_static(&[0; 5000]))]).boxed();
    let build = Build {
        name: name.clone(),
        service,
        release,
        context,
        pull: false,
        sources: Sources::default(),
        limits: BuildLimits::default(),
    };
    stage.engine.build(build, &mut |_| {}).await.unwrap();
    name
}

fn assert_no_room(problem: &Problem, told: &[&str]) {
    assert_eq!(problem.code, ProblemCode::NoRoom);
    let text = format!("{} | {} | {:?}", problem.message, problem.causes.join(" | "), problem.hint);
    for part in told {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_is_refused_before_anything_is_sent_when_there_is_too_little_room() {
    let stage = with_disk(MIB - 1).await;
    let problem = stage.accept_push(SINGLE).await.unwrap_err();
    let told =
        ["disk of /var/lib/memory-engine", "1.0 MiB are needed", "min_free_mib", "Nothing of mypaas can be removed"];
    assert_no_room(&problem, &told);
    assert_eq!(stage.snapshot().await.deploys, []);
    assert!(stage.engine.builds().is_empty());
    let disk = stage.core.disk(None).await.unwrap();
    assert_eq!(disk.uploads_bytes, 0, "nothing was received");
}

#[tokio::test(start_paused = true)]
async fn what_a_context_will_need_is_reckoned_with_before_it_is_sent() {
    let stage = with_disk(10 * MIB).await;
    let plan = async |context_bytes| {
        let request = PlanRequest::Dockerfile { text: SINGLE.to_owned(), context_bytes };
        stage.core.preview(&request).await.unwrap()
    };
    assert!(plan(None).await.refusals.is_empty());
    assert!(plan(Some(3 * MIB)).await.refusals.is_empty(), "three copies, and one MiB stays free");
    let refused = plan(Some(3 * MIB + 1)).await;
    assert_no_room(&refused.refusals[0], &["10.0 MiB are free", "for the context and its build 9.0 MiB"]);
}

#[tokio::test(start_paused = true)]
async fn a_context_and_its_build_are_reckoned_together_where_they_share_a_disk() {
    let stage = Stage::with(Config::default()).await;
    stage.machine.mount(Path::new("/"), 1024 * MIB + 40 * MIB, || 0);
    let plan = async |context_bytes| {
        let request = PlanRequest::Dockerfile { text: SINGLE.to_owned(), context_bytes: Some(context_bytes) };
        stage.core.preview(&request).await.unwrap().refusals.len()
    };
    assert_eq!((plan(10 * MIB).await, plan(10 * MIB + 1).await), (0, 1));
    let disk = stage.core.disk(None).await.unwrap();
    let [shared] = disk.file_systems.as_slice() else { panic!("{:?}", disk.file_systems) };
    assert_eq!(
        shared.folders.iter().map(|folder| folder.holds).collect::<Vec<_>>(),
        [Holds::Images, Holds::ServerFolder]
    );
}

#[tokio::test(start_paused = true)]
async fn a_redeploy_without_room_is_refused_and_what_needs_none_is_not() {
    let stage = with_disk(100 * MIB).await;
    for _ in 0..2 {
        stage.push(SINGLE).await.assert_succeeded();
    }
    stage.machine.mount(Path::new(MemoryEngine::DATA_ROOT), MIB, || MIB);
    let problem = stage.accept("web", Action::Redeploy).await.unwrap_err();
    assert_no_room(&problem, &["0 bytes are free", "gives back only 4.2 KiB"]);
    assert_no_room(
        &stage.plan("web", Action::Redeploy).await.refusals[0],
        &["0 bytes are free", "gives back only 4.2 KiB"],
    );
    stage.act("web", Action::Rollback { to: ReleaseId::new(1) }).await.assert_succeeded();
    stage.act("web", Action::Restart).await.assert_succeeded();
}

#[tokio::test(start_paused = true)]
async fn a_build_whose_turn_comes_when_the_disk_is_full_fails_and_changes_nothing() {
    let stage = with_disk(100 * MIB).await;
    leaving(&stage, 0, Duration::from_secs(30));
    stage.push(SINGLE).await.assert_succeeded();
    let first = stage.accept_push(SINGLE).await.unwrap();
    let second = stage.accept_push(SINGLE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.machine.mount(Path::new(MemoryEngine::DATA_ROOT), MIB / 2, || 0);
    assert_eq!(stage.end_of(first.id).await.outcome, Outcome::Succeeded);
    let failure = stage.end_of(second.id).await.failure();
    assert_eq!((failure.phase, failure.still_serving), (Phase::Building, Some(ReleaseId::new(2))));
    assert!(failure.message.contains("too little room") && failure.message.contains("512.0 KiB"), "{failure:?}");
    assert!(failure.hint.unwrap().contains("mypaas disk SERVER"));
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_gentlest_way_that_makes_enough_room_is_named() {
    let stage = with_disk(100 * MIB).await;
    for leaves in [7 * MIB, 0, 0] {
        let build = BuildScript { leaves, adds: 5 * MIB, ..BuildScript::default() };
        stage.script("web", Behaviour { build, ..Behaviour::default() });
        stage.push(SINGLE).await.assert_succeeded();
    }
    let needing = async |context_bytes| {
        let request = PlanRequest::Dockerfile { text: SINGLE.to_owned(), context_bytes: Some(context_bytes) };
        stage.core.preview(&request).await.unwrap().refusals[0].clone()
    };
    // Of 100 MiB 17 are used, and one stays free.
    assert_no_room(&needing(28 * MIB).await, &["`mypaas prune SERVER` gives back 7.0 MiB"]);
    assert_no_room(&needing(31 * MIB).await, &["`mypaas prune SERVER --keep 1` gives back 12.0 MiB"]);
    assert_no_room(&needing(50 * MIB).await, &["`mypaas prune SERVER --keep 1` gives back only 12.0 MiB"]);
}

#[tokio::test(start_paused = true)]
async fn what_takes_room_is_shown() {
    let stage = with_disk(100 * MIB).await;
    leaving(&stage, 3 * MIB, Duration::ZERO);
    stage.push(SINGLE).await.assert_succeeded();
    stage.push(SINGLE).await.assert_succeeded();
    stage.pin("web", 1, true).await.unwrap();
    let disk = stage.core.disk(None).await.unwrap();
    assert_eq!(disk.min_free_bytes, MIB);
    let images = disk.file_systems.iter().find(|found| found.folders[0].holds == Holds::Images).unwrap();
    assert_eq!((images.total_bytes, images.total_bytes - images.free_bytes), (100 * MIB, stage.engine.bytes()));
    let web = &disk.services[0];
    assert_eq!((web.releases, web.pinned, web.shared_bytes), (2, 1, 0));
    assert_eq!(web.images_bytes + disk.leftovers.bytes, stage.engine.bytes());
    assert_eq!((disk.leftovers.count, disk.leftovers.bytes), (2, 6 * MIB));
    assert!(web.contexts_bytes > 0 && disk.store_bytes > 0);
    let reclaimable = &disk.reclaimable;
    assert_eq!((reclaimable.keep, reclaimable.bytes, reclaimable.what.leftovers), (2, 6 * MIB, 2));
    assert!(reclaimable.what.releases.is_empty(), "one is live, one is pinned");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_leaves_the_rest_to_be_shown() {
    let stage = with_disk(100 * MIB).await;
    stage.push(SINGLE).await.assert_succeeded();
    stage.engine.plan_fault(FaultPlan { at: stage.engine.calls().len() as u64 + 1, fault: Fault::Error });
    let disk = stage.core.disk(None).await.unwrap();
    assert!(disk.problem.is_some());
    assert_eq!((disk.services[0].releases, disk.services[0].images_bytes), (1, 0));
    assert_eq!(disk.file_systems.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn pruning_removes_what_is_of_no_use_and_nothing_else() {
    let stage = with_disk(100 * MIB).await;
    leaving(&stage, 2 * MIB, Duration::ZERO);
    for _ in 0..3 {
        stage.push(SINGLE).await.assert_succeeded();
    }
    leaving(&stage, 0, Duration::ZERO);
    let strays = [stray(&stage, "web", 99).await, stray(&stage, "gone", 1).await];
    let foreign = ImageName::foreign("traefik:v3");
    stage.engine.offer(&foreign, Behaviour::default());
    stage.engine.ensure_image(&foreign).await.unwrap();
    let context = stage.home().join("contexts/gone/r1.tar.gz");
    std::fs::create_dir_all(context.parent().unwrap()).unwrap();
    std::fs::write(&context, "old").unwrap();

    let reclaimable = stage.core.disk(None).await.unwrap().reclaimable;
    let (before, old) = (stage.engine.bytes(), context.metadata().unwrap().blocks() * 512);
    let pruned = stage.core.prune(None).await.unwrap();
    assert_eq!(pruned.left, [] as [String; 0]);
    assert_eq!(pruned.removed, reclaimable.what);
    let mut images = pruned.removed.images.clone();
    images.sort();
    assert_eq!(images, [strays[1].clone(), strays[0].clone()]);
    assert_eq!((pruned.removed.leftovers, pruned.removed.contexts), (3, 1));
    assert_eq!(pruned.freed_bytes, before - stage.engine.bytes() + old);
    assert_eq!(pruned.freed_bytes, reclaimable.bytes);
    assert!(!context.exists() && stage.engine.image(&foreign).await.unwrap().is_some());
    assert_eq!(stage.releases("web").await, [3, 2]);
    assert!(stage.core.prune(None).await.unwrap().removed.is_empty(), "there is nothing left to do");
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn fewer_releases_are_kept_when_asked_and_pinned_ones_all_the_same() {
    let mut config = Config::default();
    config.deploy.watch = Duration::ZERO;
    let stage = Stage::with(config).await;
    for _ in 0..5 {
        stage.push(SINGLE).await.assert_succeeded();
    }
    stage.pin("web", 1, true).await.unwrap();
    let releases = stage.core.disk(Some(2)).await.unwrap().reclaimable.what.releases;
    assert_eq!(releases.iter().map(|name| name.release.number()).collect::<Vec<_>>(), [3, 2]);
    let pruned = stage.core.prune(Some(2)).await.unwrap();
    assert_eq!(pruned.removed.releases, releases);
    assert_eq!(stage.releases("web").await, [5, 4, 1]);
    stage.core.prune(Some(0)).await.unwrap();
    assert_eq!(stage.releases("web").await, [5, 1]);
    stage.act("web", Action::Rollback { to: ReleaseId::new(1) }).await.assert_succeeded();
    stage.core.prune(Some(1)).await.unwrap();
    assert_eq!(stage.releases("web").await, [5, 1], "the newest keeps its number from being given again");
}

#[tokio::test(start_paused = true)]
async fn while_a_build_runs_what_it_has_made_is_left_alone() {
    let stage = with_disk(100 * MIB).await;
    leaving(&stage, 2 * MIB, Duration::ZERO);
    stage.push(SINGLE).await.assert_succeeded();
    leaving(&stage, 0, Duration::from_secs(60));
    let push = stage.accept_push(SINGLE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(stage.core.disk(None).await.unwrap().reclaimable.building);
    let pruned = stage.core.prune(None).await.unwrap();
    assert!(pruned.removed.is_empty());
    assert_eq!(pruned.left, ["a build runs: what builds left stays until it has ended"]);
    assert_eq!(stage.end_of(push.id).await.outcome, Outcome::Succeeded);
    assert_eq!(stage.core.prune(None).await.unwrap().removed.leftovers, 1);
    stage.check_settled("web").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_build_waits_until_what_is_of_no_release_has_been_looked_through() {
    let stage = with_disk(100 * MIB).await;
    stage.push(SINGLE).await.assert_succeeded();
    let slow = Fault::Delay(Duration::from_secs(20));
    stage.engine.plan_fault(FaultPlan { at: stage.engine.calls().len() as u64 + 1, fault: slow });
    let pruning = async { stage.core.prune(None).await.unwrap() };
    let pushing = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let push = stage.accept_push(SINGLE).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(stage.engine.builds().len(), 1, "the second build has not begun");
        let conflict = stage.core.prune(None).await.unwrap_err();
        assert_eq!(conflict.code, ProblemCode::Conflict);
        stage.end_of(push.id).await.assert_succeeded();
    };
    let (pruned, ()) = tokio::join!(pruning, pushing);
    assert!(pruned.removed.is_empty());
    assert_eq!(stage.releases("web").await, [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_is_told_and_stays() {
    let stage = with_disk(100 * MIB).await;
    let name = stray(&stage, "web", 9).await;
    let strays = stage.core.disk(None).await.unwrap().reclaimable.what.images;
    assert_eq!(strays, std::slice::from_ref(&name));
    let storage = stage.engine.calls().len() as u64 + 1;
    stage.engine.plan_fault(FaultPlan { at: storage + 1, fault: Fault::Error });
    let pruned = stage.core.prune(None).await.unwrap();
    assert!(pruned.removed.is_empty());
    assert!(pruned.left[0].contains("remove_image mypaas/web:r9"), "{:?}", pruned.left);
    assert!(stage.engine.image(&name).await.unwrap().is_some());
}

/// None when it still waits after it was woken so often.
async fn woken<F: Future>(times: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (std::pin::pin!(future), times);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Wherever the connection ends that a deploy is asked for on.
#[tokio::test]
async fn a_pusher_who_goes_away_leaves_no_context() {
    // How often it waits is not the same each time.
    for times in (0..6).flat_map(|times| [times; 4]) {
        // Little enough that the context has to be measured.
        let stage = with_disk(100 * MIB).await;
        let lying = |folder: &str| std::fs::read_dir(stage.home().join(folder)).map_or(0, Iterator::count);
        match woken(times, stage.accept_push(SINGLE)).await {
            None => assert_eq!(lying("accepted"), 0, "gone after {times} waits"),
            Some(accepted) => {
                stage.end_of(accepted.unwrap().id).await.assert_succeeded();
                assert_eq!((lying("incoming"), lying("accepted")), (0, 0));
            }
        }
    }
}
