//! What every router must do, held against both: the in-memory twin, and Traefik in a container of Docker.

#![cfg(test)]

#[path = "support/sweep.rs"]
mod sweep;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use mypaas::engine::{DockerEngine, DockerSettings, Engine};
use mypaas::manifest::ServiceUrl;
use mypaas::name::{ContainerName, ImageName, InstanceName};
use mypaas::router::memory::MemoryRouter;
use mypaas::router::traefik::switch::Patience;
use mypaas::router::traefik::{DEFAULT_IMAGE, TraefikRouter, TraefikSettings};
use mypaas::router::{Router, Routes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use self::sweep::Sweep;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn routes(service: &str, targets: &[&str]) -> Routes {
    Routes {
        service: service.parse().unwrap(),
        urls: vec![ServiceUrl::try_from(format!("http://{service}.test")).unwrap()],
        targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
        healthcheck: None,
        hold: None,
    }
}

/// `open` gives the router as a server sees it that starts anew.
async fn keeps_the_contract(open: impl AsyncFn() -> Arc<dyn Router>) {
    let router = open().await;
    let info = router.ensure_running().await.unwrap();
    assert_eq!(router.ensure_running().await.unwrap(), info);
    assert_eq!(router.info().await.unwrap(), info);
    assert_eq!(router.routes().await.unwrap(), []);

    let (a, b) = (routes("a", &["10.9.8.7:80"]), routes("b", &[]));
    router.apply(&b).await.unwrap();
    router.apply(&a).await.unwrap();
    assert_eq!(router.routes().await.unwrap(), [a.clone(), b.clone()]);

    let changed = routes("a", &["10.9.8.7:80", "10.9.8.6:80"]);
    for _ in 0..2 {
        router.apply(&changed).await.unwrap();
        assert_eq!(router.routes().await.unwrap(), [changed.clone(), b.clone()]);
    }

    let again = open().await;
    assert_eq!(again.routes().await.unwrap(), [changed, b.clone()]);
    for _ in 0..2 {
        again.withdraw(&a.service).await.unwrap();
        assert_eq!(again.routes().await.unwrap(), std::slice::from_ref(&b));
    }
    again.withdraw(&"unknown".parse().unwrap()).await.unwrap();
    assert_eq!(open().await.routes().await.unwrap(), [b]);
}

#[tokio::test]
async fn the_twin_in_memory_keeps_the_contract() {
    let router: Arc<dyn Router> = Arc::new(MemoryRouter::new());
    keeps_the_contract(async || router.clone()).await;
}

#[tokio::test]
async fn traefik_keeps_the_contract() {
    let place = Place::new();
    keeps_the_contract(async || place.open().await).await;
}

#[tokio::test]
async fn traefik_takes_requests_at_a_port_that_docker_chose_and_passes_them_on() {
    timeout(PATIENCE, passes_requests_on()).await.expect("they are passed on, and counted");
}

async fn passes_requests_on() {
    let place = Place::new();
    let network = place.engine.ensure_network().await.unwrap();
    let listener = TcpListener::bind(SocketAddrV4::new(network.gateway, 0)).await.unwrap();
    let target = format!("{}:{}", network.gateway, listener.local_addr().unwrap().port());
    let router = place.open().await;
    let info = router.ensure_running().await.unwrap();
    router.apply(&routes("hello", &[&target])).await.unwrap();

    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, info.http_port)).await.unwrap();
    client.write_all(b"GET /x HTTP/1.1\r\nHost: hello.test\r\nConnection: close\r\n\r\n").await.unwrap();
    let (mut service, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    let length = service.read(&mut request).await.unwrap();
    assert!(request[..length].starts_with(b"GET /x HTTP/1.1\r\nHost: hello.test\r\n"));
    service.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");

    let hello = "hello".parse().unwrap();
    let counts = loop {
        if let Some(counts) = router.traffic().await.unwrap().remove(&hello) {
            break counts;
        }
        sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((counts.requests, counts.errors), (1, 0));
    assert!(counts.durations.len() > 10 && counts.quantile(0.5).is_some(), "{counts:?}");

    let name = ContainerName::from_engine(&format!("{}-router", place.instance));
    let ports: Vec<_> =
        place.engine.inspect(&name).await.unwrap().published.iter().map(|port| port.container_port).collect();
    assert_eq!(ports, [80, 443], "the API is not reachable from outside");

    let reads = ["inspect", "--format", "{{index .HostConfig.Sysctls \"net.ipv4.tcp_tw_reuse\"}}", name.as_str()];
    let reads = std::process::Command::new("docker").args(reads).output().unwrap();
    assert_eq!(String::from_utf8(reads.stdout).unwrap().trim(), "1", "ports of old connections are used again");
}

/// A folder and a part of Docker that are gone when it is dropped.
struct Place {
    instance: InstanceName,
    engine: Arc<DockerEngine>,
    folder: tempfile::TempDir,
    _sweep: Sweep,
}

impl Place {
    fn new() -> Self {
        let sweep = Sweep::new();
        let instance: InstanceName = sweep.instance.parse().unwrap();
        let engine = DockerEngine::connect(DockerSettings::local(instance.clone())).unwrap();
        Self { instance, engine: Arc::new(engine), folder: tempfile::tempdir().unwrap(), _sweep: sweep }
    }

    async fn open(&self) -> Arc<dyn Router> {
        let settings = TraefikSettings {
            instance: self.instance.clone(),
            folder: self.folder.path().join("traefik"),
            image: ImageName::foreign(DEFAULT_IMAGE),
            bind: Ipv4Addr::LOCALHOST.into(),
            http_port: 0,
            https_port: 0,
            acme: None,
            storage: self.folder.path().join("acme.json"),
            own_certificates: self.folder.path().join("certificates"),
            patience: Patience::default(),
        };
        Arc::new(TraefikRouter::new(self.engine.clone(), settings).await.unwrap())
    }
}
