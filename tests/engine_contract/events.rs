//! What an engine tells by itself.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use mypaas::engine::{ContainerState, EngineError, Health};
use mypaas::name::ContainerName;

use crate::docker::InDocker;
use crate::fixture::{App, Fixture};

type Events = BoxStream<'static, Result<ContainerName, EngineError>>;

/// The names that are told until this one is.
async fn told_until(events: &mut Events, name: &ContainerName) -> Vec<ContainerName> {
    let telling = async {
        let mut told = Vec::new();
        while told.last() != Some(name) {
            told.push(events.next().await.expect("the engine goes on telling").unwrap());
        }
        told
    };
    tokio::time::timeout(Duration::from_secs(60), telling).await.unwrap_or_else(|_| panic!("{name} was not told"))
}

pub(crate) async fn what_happens_to_containers_is_told(on: &impl Fixture) {
    let starts = on.create("starts", App::Serves).await.name;
    let goes = on.create("goes", App::Serves).await.name;
    let dies = on.run_until_it_listens("dies", App::Serves).await;
    let mut events = on.engine().events().await.unwrap();
    let stranger = ContainerName::from_engine(&format!("{}-stranger", on.instance()));
    on.make_stranger(&stranger).await;

    on.engine().start(&starts).await.unwrap();
    let mut told = told_until(&mut events, &starts).await;
    on.end(&dies, 3).await;
    told.extend(told_until(&mut events, &dies.name).await);
    on.engine().remove(&goes).await.unwrap();
    told.extend(told_until(&mut events, &goes).await);
    let comes = on.create("comes", App::Serves).await.name;
    told.extend(told_until(&mut events, &comes).await);
    assert!(!told.contains(&stranger), "{told:?}");
}

/// What a process in a container is asked by its image tells of itself each time, and is not worth a word; what comes of
/// it is.
#[tokio::test]
async fn docker_tells_what_came_of_a_health_check() {
    let on = InDocker::new().await;
    let mut events = on.engine().events().await.unwrap();
    let container = on.run("checked", App::ChecksItself).await.name;
    // It was made, it was started, and it is well.
    for _ in 0..3 {
        assert_eq!(told_until(&mut events, &container).await, std::slice::from_ref(&container));
    }
    let seen = on.engine().inspect(&container).await.unwrap();
    assert!(matches!(seen.state, ContainerState::Running { health: Some(Health::Healthy), .. }), "{:?}", seen.state);
}
