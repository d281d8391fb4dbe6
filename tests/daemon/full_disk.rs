//! The disk of the server folder fills up at every call of every kind of deploy, and stays full until the deploy has
//! ended or waits.

use std::time::Duration;

use futures_util::StreamExt;
use mypaas::deploy::Action;
use mypaas::engine::{Container, Fault, FaultPlan};
use mypaas::name::DeployId;
use mypaas::router::Router;
use mypaas::router::traefik::files::Files;
use tokio::time::sleep;

use crate::case::{Asked, Case, cases};
use crate::small_disk::{Alone, SmallDisk};
use crate::stage::{SINGLE, Stage};

/// More than all that a few deploys write.
const SIZE: usize = 16 << 20;

/// No deploy takes so long, unless it waits for something.
const WAITS: Duration = Duration::from_secs(1000);

/// A stage on a disk of its own. Dropped in this order: a folder cannot be removed while a disk is mounted there.
struct Small {
    stage: Stage,
    disk: SmallDisk,
    _folder: tempfile::TempDir,
}

impl Small {
    async fn new(alone: &Alone) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = SmallDisk::mount(alone, folder.path(), SIZE);
        let stage = Stage::in_folder(tempfile::tempdir_in(folder.path()).unwrap()).await;
        Self { stage, disk, _folder: folder }
    }

    /// The next entry of the store finds no room, not even in the files that are there.
    fn fill(&self) {
        self.stage.database().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        self.disk.fill();
    }
}

/// What happens once there is room again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoesOn,
    /// The server dies before it can write what it could not.
    Dies,
}

#[tokio::test(start_paused = true)]
async fn a_deploy_whose_disk_fills_up_at_a_call_ends_as_told_and_something_serves_all_the_time() {
    let alone = Alone::new();
    for case in cases() {
        for at in case.calls().await.0 {
            for then in [Then::GoesOn, Then::Dies] {
                fill_up(&alone, &case, at, then).await;
            }
        }
    }
}

async fn fill_up(alone: &Alone, case: &Case, at: u64, then: Then) {
    let Small { stage, disk, _folder } = Small::new(alone).await;
    let mut small = Small { stage: case.prepare(stage).await, disk, _folder };
    let stage = &small.stage;
    stage.engine.plan_fault(FaultPlan { at, fault: Fault::Delay(Duration::from_millis(10)) });
    let id = case.start(stage).await.unwrap();
    while (stage.engine.calls().len() as u64) < at {
        sleep(Duration::from_millis(1)).await;
    }
    small.fill();
    let befell = format!("no room from call {} on, {then:?}", stage.engine.calls()[at as usize - 1]);
    let told = told(stage, id).await;
    assert!(told.contains("is full"), "{}: {befell}: {told}", case.name);
    if matches!(case.asked, Asked::Push(_)) && !case.before.is_empty() {
        assert!(serves(stage).await, "{}: {befell}: nothing serves; {told}", case.name);
    }
    small.disk.make_room();
    match then {
        Then::GoesOn => drop(stage.end_of(id).await),
        Then::Dies => small.stage.die_and_start().await,
    }
    case.check(&small.stage, &befell).await;
    small.stage.push(SINGLE).await.assert_succeeded();
    case.check(&small.stage, &format!("pushed again after {befell}")).await;
}

/// How the deploy ended, or what it waits for.
async fn told(stage: &Stage, id: DeployId) -> String {
    let events = stage.core.events(id, 1).take_until(sleep(WAITS));
    let told: Vec<String> = events.map(|event| format!("{:?}", event.unwrap().what)).collect().await;
    told.join("\n")
}

/// Requests go to a container that runs.
async fn serves(stage: &Stage) -> bool {
    let running = stage.containers("web").await.into_iter().filter(Container::is_running);
    let addresses: Vec<_> = running.map(|container| container.address).collect();
    let routes = stage.router.routes().await.unwrap();
    routes.iter().flat_map(|routes| &routes.targets).any(|target| addresses.contains(target.ip()))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_in_while_the_disk_is_full() {
    let small = Small::new(&Alone::new()).await;
    small.stage.push(SINGLE).await.assert_succeeded();
    small.fill();
    let problem = small.stage.accept_push(SINGLE).await.unwrap_err();
    let hint = problem.hint.clone().unwrap_or_default();
    assert!(hint.contains("mypaas disk") && hint.contains(small.stage.home().to_str().unwrap()), "{problem:?}");
    let problem = small.stage.accept("web", Action::Restart).await.unwrap_err();
    assert!(problem.message.contains("is full"), "{problem:?}");
    small.stage.check_settled("web").await.unwrap();
    small.disk.leave(8 << 10);
    small.stage.accept_push(&SINGLE.replace("web", "other")).await.unwrap_err();
    assert_eq!(small.stage.snapshot().await.services.len(), 1);
    for folder in ["incoming", "accepted"] {
        let left = std::fs::read_dir(small.stage.home().join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{folder}");
    }
    small.disk.make_room();
    small.stage.push(SINGLE).await.assert_succeeded();
    assert_eq!(small.stage.running("web").await, ["web.r2.1"]);
    small.stage.check_settled("web").await.unwrap();
}

/// A service whose requests are held would be down until there is room again.
#[tokio::test]
async fn routes_that_were_just_changed_can_be_put_back_without_room() {
    let alone = Alone::new();
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(&alone, folder.path(), SIZE);
    let files = Files::open(folder.path().join("traefik")).await.unwrap();
    let service = "web".parse().unwrap();
    for text in ["served", "held"] {
        files.put(&service, Some(text)).await.unwrap();
    }
    disk.fill();
    files.put(&service, Some("served")).await.unwrap();
    let refused = files.put(&service, Some("others")).await.unwrap_err();
    assert!(refused.is_full_disk() && refused.hint().unwrap().contains("mypaas disk"), "{refused:?}");
    assert_eq!(files.read(&service).await.unwrap().as_deref(), Some("served"));
    let unfinished = std::fs::read_dir(folder.path().join("traefik/staging")).unwrap().count();
    assert_eq!(unfinished, 0);
    drop(disk);
}
