use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::fake::FakeTraefik;
use super::*;
use crate::engine::Secret;

const QUICK: Patience = Patience {
    limit: Duration::from_millis(500),
    poll: Duration::from_millis(5),
    nudge: Duration::from_millis(50),
    start: Duration::ZERO,
    rush: Duration::from_millis(50),
};

fn routes(service: &str) -> Routes {
    Routes { service: service.parse().unwrap(), urls: vec![], targets: vec![], healthcheck: None, hold: None }
}

async fn switch(folder: &Path, knows: impl Fn(&str) -> bool + Send + Sync + 'static) -> (Switch, FakeTraefik) {
    let traefik = FakeTraefik::start(([127, 0, 0, 1], 0).into(), knows).await;
    let files = Files::open(folder.to_owned()).await.unwrap();
    files.write_base("# base\n").await.unwrap();
    let api = Api::new(format!("http://{}", traefik.address), Secret::default()).unwrap();
    (Switch { files, api, patience: QUICK, resolver: None }, traefik)
}

fn base(folder: &Path) -> PathBuf {
    folder.join("config/routes/_base.toml")
}

#[tokio::test]
async fn a_write_that_traefik_missed_is_followed_by_a_nudge() {
    let folder = tempfile::tempdir().unwrap();
    let base = base(folder.path());
    let inode = Arc::new(AtomicU64::new(0));
    let (watched, before) = (base.clone(), inode.clone());
    // Knows nothing until the shared file is another one than at first.
    let knows = move |_: &str| std::fs::metadata(&watched).unwrap().ino() != before.load(Ordering::Relaxed);
    let (switch, _traefik) = switch(folder.path(), knows).await;
    inode.store(std::fs::metadata(&base).unwrap().ino(), Ordering::Relaxed);
    let start = Instant::now();
    switch.apply(&routes("hello")).await.unwrap();
    assert!(start.elapsed() >= QUICK.nudge);
    assert_eq!(std::fs::read_to_string(base).unwrap(), "# base\n");
}

#[tokio::test]
async fn an_item_that_is_missing_beside_its_edition_is_waited_for_and_then_told() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, _traefik) = switch(folder.path(), |name| name.contains("-edition-")).await;
    match switch.apply(&routes("hello")).await {
        Err(RouterError::Unconfirmed { detail, .. }) => assert_eq!(detail, "it does not know hello"),
        other => panic!("{other:?}"),
    }
    assert_eq!(switch.files.routes().await.unwrap(), []);
}

#[tokio::test]
async fn a_service_that_stays_in_sight_is_not_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, _traefik) = switch(folder.path(), |_| true).await;
    switch.apply(&routes("hello")).await.unwrap();
    let kept = switch.withdraw(&"hello".parse().unwrap()).await;
    assert!(matches!(kept, Err(RouterError::Unconfirmed { .. })), "{kept:?}");
    assert_eq!(switch.files.routes().await.unwrap(), [routes("hello")]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, _traefik) = switch(folder.path(), |_| true).await;
    std::fs::remove_dir_all(folder.path().join("staging")).unwrap();
    match switch.apply(&routes("hello")).await {
        Err(RouterError::File { action: "write", path, .. }) => assert!(path.ends_with("routes/hello.toml")),
        other => panic!("{other:?}"),
    }
}

fn held(service: &str) -> Routes {
    Routes { hold: Some(Duration::from_secs(60)), ..routes(service) }
}

async fn rush(switch: &Switch) -> Option<Routes> {
    switch.rush(&"hello".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_was_held_comes_in_a_rush_until_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, _traefik) = switch(folder.path(), |_| true).await;
    switch.apply(&routes("hello")).await.unwrap();
    assert_eq!(rush(&switch).await, None, "nobody waited");
    switch.apply(&held("hello")).await.unwrap();
    assert_eq!(rush(&switch).await, None, "they still wait");
    // Twice, as when a deploy is taken up again.
    for _ in 0..2 {
        switch.apply(&routes("hello")).await.unwrap();
        assert_eq!(rush(&switch).await, Some(routes("hello")));
    }
    switch.calm(&routes("hello")).await.unwrap();
    let text = switch.files.read(&"hello".parse().unwrap()).await.unwrap();
    assert_eq!(text, Some(config::render(&routes("hello"), None).text));
}

#[tokio::test]
async fn the_end_of_a_rush_changes_no_routes_that_came_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, _traefik) = switch(folder.path(), |_| true).await;
    switch.apply(&held("hello")).await.unwrap();
    switch.apply(&routes("hello")).await.unwrap();
    switch.apply(&held("hello")).await.unwrap();
    switch.calm(&routes("hello")).await.unwrap();
    assert_eq!(switch.files.routes().await.unwrap(), [held("hello")]);
}
