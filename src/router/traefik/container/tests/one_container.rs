//! An engine that has a router's container, or none.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::*;

/// An engine with one container; its network is a part of the loopback network.
#[derive(Debug)]
pub(super) struct OneContainer {
    pub(super) subnet: Subnet,
    pub(super) others: BTreeSet<Ipv4Addr>,
    /// The container's process ends with this code.
    pub(super) exit: Option<i64>,
    pub(super) port_taken: bool,
    pub(super) seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: Vec<String>,
    pub(super) container: Option<ContainerSpec>,
    pub(super) started: bool,
}

type Answer<T> = crate::engine::Result<T>;

impl OneContainer {
    /// Each test has another network: they run side by side.
    pub(super) fn new(network: u8) -> Self {
        Self {
            subnet: Subnet { base: Ipv4Addr::new(127, 213, network, 0), prefix: 24 },
            others: BTreeSet::new(),
            exit: None,
            port_taken: false,
            seen: Mutex::default(),
        }
    }

    pub(super) fn host(&self, number: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.subnet.base.octets();
        Ipv4Addr::new(a, b, c, number)
    }

    pub(super) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, call: &str) {
        self.seen().calls.push(call.to_owned());
    }

    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.seen().calls)
    }

    pub(super) fn spec(&self) -> ContainerSpec {
        self.seen().container.clone().unwrap()
    }
}

fn never<T>() -> Answer<T> {
    Err(EngineError::Refused { action: "do what a router never asks for".into(), source: "it is a router".into() })
}

#[async_trait]
impl Engine for OneContainer {
    async fn info(&self) -> Answer<EngineInfo> {
        never()
    }

    async fn ensure_network(&self) -> Answer<Network> {
        Ok(Network { name: "test".into(), subnet: self.subnet, gateway: self.host(1) })
    }

    async fn containers(&self, _: Option<&ServiceName>) -> Answer<Vec<Container>> {
        never()
    }

    async fn events(&self) -> Answer<BoxStream<'static, Answer<ContainerName>>> {
        never()
    }

    async fn inspect(&self, name: &ContainerName) -> Answer<Container> {
        let seen = self.seen();
        let Some(spec) = seen.container.as_ref().filter(|spec| spec.name == *name) else {
            return Err(EngineError::NotFound { what: "container", name: name.to_string() });
        };
        let at = Timestamp::UNIX_EPOCH;
        let state = match self.exit {
            Some(code) if seen.started => ContainerState::Exited { exit: Exit { code, out_of_memory: false }, at },
            _ => ContainerState::Running { since: at, health: None },
        };
        Ok(Container {
            name: name.clone(),
            id: "1".into(),
            role: spec.role.clone(),
            image: spec.image.clone(),
            digest: spec.digest.clone(),
            address: spec.address,
            max_cpu: spec.max_cpu,
            max_mem: spec.max_mem,
            published: vec![PublishedPort {
                address: Ipv4Addr::LOCALHOST.into(),
                host_port: 32768,
                container_port: 80,
                protocol: Protocol::Tcp,
            }],
            restart: Restart::Never,
            restarts: 0,
            created: at,
            state,
        })
    }

    async fn addresses_in_use(&self) -> Answer<BTreeSet<Ipv4Addr>> {
        Ok(self.others.clone())
    }

    async fn build(&self, _: Build, _: &mut (dyn FnMut(String) + Send)) -> Answer<Image> {
        never()
    }

    async fn image(&self, _: &ImageName) -> Answer<Option<Image>> {
        never()
    }

    async fn images(&self) -> Answer<Vec<Image>> {
        never()
    }

    async fn storage(&self) -> Answer<Storage> {
        never()
    }

    async fn remove_leftover(&self, _: &str) -> Answer<()> {
        never()
    }

    async fn remove_nameless(&self, _: &ServiceName) -> Answer<()> {
        never()
    }

    async fn ensure_image(&self, name: &ImageName) -> Answer<Image> {
        self.note(&format!("image {name}"));
        let (id, created) = ("sha256:1".to_owned(), Timestamp::UNIX_EPOCH);
        Ok(Image {
            name: name.clone(),
            id,
            bytes: 1,
            has_healthcheck: false,
            first_check: Duration::ZERO,
            volumes: Vec::new(),
            created,
        })
    }

    async fn remove_image(&self, _: &ImageName) -> Answer<()> {
        never()
    }

    async fn create(&self, spec: &ContainerSpec) -> Answer<()> {
        let mut seen = self.seen();
        let same = seen.container.as_ref() == Some(spec);
        seen.calls.push(if same { "keep" } else { "create" }.to_owned());
        seen.container = Some(spec.clone());
        Ok(())
    }

    async fn start(&self, _: &ContainerName) -> Answer<()> {
        self.note("start");
        if self.port_taken {
            return Err(EngineError::PortTaken { port: "80".into(), source: "bind: address in use".into() });
        }
        self.seen().started = true;
        Ok(())
    }

    async fn set_restart(&self, _: &ContainerName, restart: Restart) -> Answer<()> {
        self.note(&format!("restart {restart:?}"));
        Ok(())
    }

    async fn readdress(&self, _: &ContainerName, _: Ipv4Addr, _: &[String]) -> Answer<()> {
        never()
    }

    async fn rename(&self, _: &ContainerName, _: &ContainerName) -> Answer<()> {
        never()
    }

    async fn stop(&self, _: &ContainerName, _: Duration) -> Answer<()> {
        never()
    }

    /// What a replacement could have left, which there was none of.
    async fn remove(&self, name: &ContainerName) -> Answer<()> {
        if self.seen().container.as_ref().is_some_and(|spec| spec.name == *name) { never() } else { Ok(()) }
    }

    async fn logs(&self, name: &ContainerName, query: &LogQuery) -> Answer<BoxStream<'static, Answer<LogLine>>> {
        assert!(!query.follow && query.tail.is_some(), "an endless log is never read to its end");
        let (at, stream) = (Timestamp::UNIX_EPOCH, LogStream::Stderr);
        let line = |text: &str| Ok(LogLine { container: name.clone(), at, stream, text: text.to_owned() });
        Ok(Box::pin(stream::iter(vec![line("reading settings"), line("field not found: colour")])))
    }

    async fn usage(&self, _: &[ContainerName]) -> Answer<BTreeMap<ContainerName, Usage>> {
        never()
    }

    async fn connections(&self, _: &ContainerName) -> Answer<Option<u32>> {
        never()
    }

    async fn exec(&self, _: &ContainerName, _: &Exec) -> Answer<ExecSession> {
        never()
    }

    async fn probe(&self, _: &ContainerName, _: &Probe) -> Answer<ProbeAnswer> {
        never()
    }
}
