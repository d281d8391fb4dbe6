mod one_container;
mod replacing;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use futures_util::stream;
use jiff::Timestamp;

use super::super::fake::FakeTraefik;
use super::super::switch::Patience;
use super::super::{Acme, TraefikRouter, config};
use super::*;
use crate::engine::{
    Build, ContainerSpec, EngineInfo, Exec, ExecSession, Exit, Image, LogLine, LogStream, Probe, ProbeAnswer,
    PublishedPort, Storage, Subnet, Usage,
};
use crate::manifest::Protocol;
use crate::name::{ImageName, ServiceName};
use crate::router::{Router, Routes};

use self::one_container::OneContainer;

fn acme() -> Acme {
    Acme { email: "ada@example.com".into(), ca_server: None, ca_file: None, hours: Acme::USUAL_HOURS }
}

fn settings(folder: &tempfile::TempDir) -> TraefikSettings {
    TraefikSettings {
        instance: "demo".parse().unwrap(),
        folder: folder.path().join("traefik"),
        image: ImageName::foreign("traefik:test"),
        bind: Ipv4Addr::LOCALHOST.into(),
        http_port: 0,
        https_port: 8443,
        acme: None,
        storage: folder.path().join("acme.json"),
        own_certificates: folder.path().join("certificates"),
        patience: Patience { start: Duration::from_millis(300), ..Patience::default() },
    }
}

async fn answering(engine: &OneContainer, number: u8) -> FakeTraefik {
    FakeTraefik::start(SocketAddr::new(engine.host(number).into(), API), |_| true).await
}

async fn router(engine: &Arc<OneContainer>, settings: TraefikSettings) -> TraefikRouter {
    TraefikRouter::new(engine.clone(), settings).await.unwrap()
}

#[tokio::test]
async fn traefik_is_made_started_waited_for_and_only_then_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(OneContainer::new(1));
    let _traefik = answering(&engine, 2).await;
    let info = router(&engine, settings(&folder)).await.ensure_running().await.unwrap();
    assert_eq!(engine.calls(), ["image traefik:test", "create", "start", "restart UnlessStopped"]);
    assert_eq!((info.http_port, info.https_port, info.version.as_str()), (32768, 8443, "3.7.15"));
    let mut spec = serde_json::to_value(engine.spec()).unwrap();
    spec["digest"] = "…".into();
    for bind in spec["binds"].as_array_mut().unwrap() {
        let dir = bind["server_dir"].as_str().unwrap().replace(&*folder.path().to_string_lossy(), "HOME");
        bind["server_dir"] = dir.into();
    }
    insta::assert_json_snapshot!(spec);
}

#[tokio::test]
async fn a_traefik_that_runs_as_wanted_stays() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(OneContainer::new(2));
    let _traefik = answering(&engine, 2).await;
    let settings = settings(&folder);
    router(&engine, settings.clone()).await.ensure_running().await.unwrap();
    let first = engine.spec();
    router(&engine, settings).await.ensure_running().await.unwrap();
    assert_eq!(engine.spec(), first);
    assert_eq!(engine.calls().iter().filter(|call| *call == "create").count(), 1);
}

#[tokio::test]
async fn the_address_is_the_first_free_one_after_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = OneContainer::new(3);
    engine.others = [engine.host(2), engine.host(3), engine.host(5)].into();
    let _traefik = answering(&engine, 4).await;
    let engine = Arc::new(engine);
    router(&engine, settings(&folder)).await.ensure_running().await.unwrap();
    assert_eq!(engine.spec().address, engine.host(4));
}

#[tokio::test]
async fn a_full_network_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = OneContainer::new(4);
    engine.others = engine.subnet.hosts().collect();
    let failed = router(&Arc::new(engine), settings(&folder)).await.ensure_running().await.unwrap_err();
    let cause = std::error::Error::source(&failed).unwrap().to_string();
    assert_eq!(cause, "could not find a free address for the router on the network test");
}

#[tokio::test]
async fn a_traefik_that_ends_is_told_with_its_last_lines_and_not_tried_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = OneContainer::new(5);
    engine.exit = Some(1);
    let engine = Arc::new(engine);
    let failed = router(&engine, settings(&folder)).await.ensure_running().await.unwrap_err();
    insta::assert_snapshot!(failed);
    assert_eq!(engine.calls().last().map(String::as_str), Some("start"));
}

#[tokio::test]
async fn a_traefik_that_never_answers_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(OneContainer::new(6));
    let failed = router(&engine, settings(&folder)).await.ensure_running().await.unwrap_err();
    assert!(failed.to_string().contains("it did not answer within 300ms"), "{failed}");
}

#[tokio::test]
async fn a_taken_port_comes_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = OneContainer::new(7);
    engine.port_taken = true;
    let failed = router(&Arc::new(engine), settings(&folder)).await.ensure_running().await.unwrap_err();
    insta::assert_snapshot!(failed.hint().unwrap());
}

#[tokio::test]
async fn the_first_change_starts_a_router_and_asking_about_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(OneContainer::new(8));
    let _traefik = answering(&engine, 2).await;
    let router = router(&engine, settings(&folder)).await;
    assert!(matches!(router.info().await, Err(RouterError::Container(EngineError::NotFound { .. }))));
    assert_eq!(engine.calls(), <[String; 0]>::default());
    let routes = crate::router::Routes {
        service: "hello".parse().unwrap(),
        urls: vec!["https://hello.test".to_owned().try_into().unwrap()],
        targets: vec![],
        healthcheck: None,
        hold: None,
    };
    router.apply(&routes).await.unwrap();
    assert!(engine.calls().contains(&"start".to_owned()));
    assert_eq!(router.routes().await.unwrap(), [routes]);
}

fn hello() -> Routes {
    Routes {
        service: "hello".parse().unwrap(),
        urls: vec!["https://hello.test".to_owned().try_into().unwrap()],
        targets: vec![],
        healthcheck: None,
        hold: None,
    }
}

#[tokio::test]
async fn a_rush_is_ended_by_whoever_let_it_in_or_else_by_the_next_server() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(OneContainer::new(11));
    let _traefik = answering(&engine, 2).await;
    let files = Files::open(folder.path().join("traefik")).await.unwrap();
    let patient = async || config::is_patient(&files.read(&hello().service).await.unwrap().unwrap(), None);
    let until_calm = async || {
        while patient().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let rush = Duration::from_secs(2);
    let mut settings = settings(&folder);
    let held = Routes { hold: Some(Duration::from_secs(60)), ..hello() };
    for killed in [false, true] {
        settings.patience.rush = if killed { Duration::from_secs(60) } else { rush };
        let first = router(&engine, settings.clone()).await;
        first.apply(&held).await.unwrap();
        first.apply(&hello()).await.unwrap();
        assert!(patient().await);
        let next = if killed {
            drop(first);
            settings.patience.rush = rush;
            let next = router(&engine, settings.clone()).await;
            next.ensure_running().await.unwrap();
            assert!(patient().await, "those that are under way are not left alone");
            next
        } else {
            first
        };
        tokio::time::timeout(Duration::from_secs(10), until_calm()).await.expect("the rush ends");
        drop(next);
    }
}

#[test]
fn all_addresses_of_the_server_include_those_of_ipv6() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&folder);
    for (bind, address) in [("0.0.0.0", None), ("127.0.0.1", Some("127.0.0.1")), ("::1", Some("::1"))] {
        settings.bind = bind.parse().unwrap();
        let keeper = Keeper::new(Arc::new(OneContainer::new(10)), settings.clone());
        let expected = address.map(|address| address.parse::<IpAddr>().unwrap());
        assert_eq!(keeper.publish(0, HTTP).address, expected);
    }
}
