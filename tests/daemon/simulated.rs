//! A server that is simulated, as others see it.

use mypaas::client::Client;
use mypaas::server::{Place, Simulation, simulate, socket_path};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_simulated_server_answers_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        home: folder.path().join("home"),
        user_home: folder.path().join("user"),
        docker_host: None,
        docker_config: None,
    };
    let home = place.home.clone();
    let simulation = Simulation { containers: 20, number: 1, still: true, flood: None };
    let (told, is_ready) = tokio::sync::oneshot::channel();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(simulate(place, simulation, move || told.send(()).unwrap(), shutdown.clone()));
    is_ready.await.unwrap();
    let snapshot = Client::unix(&socket_path(&home)).unwrap().snapshot().await.unwrap();
    assert_eq!(snapshot.services.iter().map(|service| service.containers.len()).sum::<usize>(), 20);
    assert!(snapshot.services.iter().all(|service| service.ready == service.wanted));
    shutdown.cancel();
    serving.await.unwrap().unwrap();
    assert!(!socket_path(&home).exists());
}
