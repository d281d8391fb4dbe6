//! What builds may use of the machine.

use std::time::Duration;

use mypaas::deploy::{Action, Event, Phase, What};
use mypaas::engine::{Behaviour, BuildLimits, BuildScript};
use mypaas::machine::Memory;
use mypaas::manifest::{CpuLimit, MemoryLimit};
use mypaas::name::ReleaseId;
use mypaas::server::config::{BuildMemory, Config};
use tokio::time::{Instant, sleep};

use crate::stage::{ROLLING, SINGLE, Stage};

const GIB: u64 = 1 << 30;

fn limits(stage: &Stage) -> BuildLimits {
    stage.engine.builds().last().unwrap().limits
}

#[tokio::test(start_paused = true)]
async fn a_build_gets_little_cpu_and_the_memory_that_is_free_when_it_begins() {
    let stage = Stage::new().await;
    for (available, expected) in [(7, 6), (4, 3)] {
        stage.machine.set_memory(Memory { total_bytes: 10 * GIB, available_bytes: available * GIB });
        stage.push(SINGLE).await.assert_succeeded();
        let max_mem = Some(MemoryLimit { bytes: expected << 30 });
        assert_eq!(limits(&stage), BuildLimits { cpu_shares: 128, max_cpu: None, max_mem });
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_operator_sets_holds() {
    let mut config = Config::default();
    let (max_cpu, max_mem) = (CpuLimit { nano_cpus: 500_000_000 }, MemoryLimit { bytes: 1 << 30 });
    config.deploy.build_cpu_shares = 512;
    (config.deploy.build_max_cpu, config.deploy.build_max_mem) = (Some(max_cpu), BuildMemory::Limit(max_mem));
    let stage = Stage::with(config.clone()).await;
    stage.push(SINGLE).await.assert_succeeded();
    assert_eq!(limits(&stage), BuildLimits { cpu_shares: 512, max_cpu: Some(max_cpu), max_mem: Some(max_mem) });
    config.deploy.build_max_mem = BuildMemory::Off;
    let stage = Stage::with(config).await;
    stage.push(SINGLE).await.assert_succeeded();
    assert_eq!(limits(&stage).max_mem, None);
}

#[tokio::test(start_paused = true)]
async fn of_a_build_that_writes_without_end_the_beginning_is_kept() {
    let stage = Stage::new().await;
    let output = (0..10_050).map(|number| format!("{number} {}", "y".repeat(5_000))).collect();
    let build = BuildScript { output, ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let events = stage.push(SINGLE).await.assert_succeeded().events;
    let lines = events.iter().filter_map(|event| match &event.what {
        What::BuildOutput { line } => Some(line.chars().count()),
        _ => None,
    });
    assert_eq!(lines.collect::<Vec<_>>(), [4_001; 10_000]);
    let told = |event: &&Event| matches!(&event.what, What::Warning { message } if message.contains("10000 lines"));
    assert_eq!(events.iter().filter(told).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_an_image_tagged_latest_is_pulled_anew() {
    let stage = Stage::new().await;
    for from in ["base:latest", "base:1"] {
        stage.push(&SINGLE.replace("scratch", from)).await.assert_succeeded();
    }
    assert_eq!(stage.engine.builds().iter().map(|build| build.pull).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn builds_wait_for_each_other_and_nothing_else_waits_for_them() {
    let stage = Stage::new().await;
    let named = |service: &str| SINGLE.replace("web", service);
    stage.push(&named("other")).await.assert_succeeded();
    let built = |count: usize| assert_eq!(stage.engine.builds().len(), 1 + count);
    let build = BuildScript { takes: Duration::from_secs(30), ..BuildScript::default() };
    for service in ["first", "second"] {
        stage.script(service, Behaviour { build: build.clone(), ..Behaviour::default() });
    }
    let first = stage.accept_push(&named("first")).await.unwrap();
    let second = stage.accept_push(&named("second")).await.unwrap();
    let began = Instant::now();
    sleep(Duration::from_secs(1)).await;
    built(1);
    stage.act("other", Action::Restart).await.assert_succeeded();
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    sleep(Duration::from_secs(29).saturating_sub(began.elapsed())).await;
    built(1);
    for deploy in [first, second] {
        stage.end_of(deploy.id).await.assert_succeeded();
    }
    built(2);
}

#[tokio::test(start_paused = true)]
async fn a_build_that_is_killed_for_its_memory_is_told_as_such() {
    let stage = Stage::new().await;
    stage.push(ROLLING).await.assert_succeeded();
    stage.machine.set_memory(Memory { total_bytes: 2 * GIB, available_bytes: GIB });
    let build = BuildScript { needs_memory: GIB, ..BuildScript::default() };
    stage.script("web", Behaviour { build, ..Behaviour::default() });
    let failure = stage.push(ROLLING).await.failure();
    assert_eq!((failure.phase, failure.still_serving), (Phase::Building, Some(ReleaseId::new(1))));
    assert_eq!(failure.message, "the build was killed: it used more memory than the 819 MiB that it may use");
    assert!(failure.hint.unwrap().contains("build_max_mem"));
    stage.check_settled("web").await.unwrap();
}
