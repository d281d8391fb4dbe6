use super::*;
use crate::engine::Engine;

fn build(service: &str, release: u64) -> Build {
    let (service, release): (ServiceName, _) = (service.parse().unwrap(), ReleaseId::new(release));
    let context = futures_util::stream::iter([Ok("abc".into()), Ok("de".into())]).boxed();
    let name = ImageName::of(&InstanceName::default(), &service, release);
    Build { name, service, release, context, pull: true, sources: Sources::default(), limits: BuildLimits::default() }
}

#[tokio::test(start_paused = true)]
async fn an_older_release_keeps_the_behaviour_it_was_built_with() {
    let engine = MemoryEngine::new(InstanceName::default());
    let service = "web".parse().unwrap();
    let first = engine.build(build("web", 1), &mut |_| {}).await.unwrap();
    engine.script(&service, Behaviour { healthcheck: true, ..Behaviour::default() });
    let second = engine.build(build("web", 2), &mut |_| {}).await.unwrap();
    assert_eq!((first.has_healthcheck, second.has_healthcheck), (false, true));
    assert_eq!(engine.image(&first.name).await.unwrap(), Some(first));
}

#[tokio::test(start_paused = true)]
async fn a_build_prints_takes_its_time_and_is_recorded_also_when_it_fails() {
    let engine = MemoryEngine::new(InstanceName::default());
    let script = BuildScript {
        output: vec!["working".into()],
        takes: Duration::from_secs(20),
        failure: Some("returned a non-zero code: 1".into()),
        ..BuildScript::default()
    };
    engine.script(&"web".parse().unwrap(), Behaviour { build: script, ..Behaviour::default() });
    let (begun, mut lines) = (tokio::time::Instant::now(), Vec::new());
    let error = engine.build(build("web", 1), &mut |line| lines.push(line)).await.unwrap_err();
    assert_eq!(error.to_string(), "the image could not be built: returned a non-zero code: 1");
    assert_eq!((begun.elapsed(), lines), (Duration::from_secs(20), vec!["working".to_owned()]));
    let record = engine.builds().pop().unwrap();
    assert_eq!((record.release, record.context_bytes, record.pull), (ReleaseId::new(1), 5, true));
    assert!(engine.images().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_simulated_time_is_tokio_s() {
    let engine = MemoryEngine::starting_at(InstanceName::default(), Timestamp::UNIX_EPOCH);
    tokio::time::advance(Duration::from_secs(90)).await;
    let image = engine.build(build("web", 1), &mut |_| {}).await.unwrap();
    assert_eq!(image.created, Timestamp::from_second(90).unwrap());
}
