//! The in-memory engine under test.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use mypaas::engine::{
    Behaviour, Build, BuildLimits, BuildScript, Container, ContainerSpec, Engine, EngineError, Exit, LogStream,
    MemoryEngine, Moment, OnSigterm, Sources,
};
use mypaas::manifest::{CpuLimit, MemoryLimit};
use mypaas::name::{ContainerName, ImageName, InstanceName, ReleaseId, ServiceName};

use crate::fixture::{App, Fixture};

pub(crate) struct InMemory {
    engine: MemoryEngine,
    instance: InstanceName,
    next_port: AtomicU16,
}

impl InMemory {
    pub(crate) async fn new() -> Self {
        let instance = InstanceName::default();
        let engine = MemoryEngine::new(instance.clone());
        engine.ensure_network().await.unwrap();
        Self { engine, instance, next_port: AtomicU16::new(20_000) }
    }

    fn build_of(&self, service: &str, release: u64) -> Build {
        let (service, release): (ServiceName, _) = (service.parse().unwrap(), ReleaseId::new(release));
        let name = ImageName::of(&self.instance, &service, release);
        let context = stream::iter([Ok(Bytes::from_static(b"a tar"))]).boxed();
        Build {
            name,
            service,
            release,
            context,
            pull: false,
            sources: Sources::default(),
            limits: BuildLimits::default(),
        }
    }
}

fn behaviour(app: App) -> Behaviour {
    let usual = Behaviour { logs: vec![], ..Behaviour::default() };
    let soon = Moment::After(Duration::from_millis(100));
    match app {
        App::Serves => usual,
        App::Speaks => Behaviour { logs: vec!["hello".to_owned()], ..usual },
        App::ChecksItself => Behaviour { healthcheck: true, ready_after: 2, ..usual },
        App::IsSlow => Behaviour { ready_after: 3, ..usual },
        App::NeverListens => Behaviour { ready_after: u32::MAX, ..usual },
        App::IgnoresSigterm => Behaviour { on_sigterm: OnSigterm::Ignore, ..usual },
        App::ExitsAtOnce(code) => Behaviour { exit: Some((soon, Exit { code, out_of_memory: false })), ..usual },
        App::EatsMemory => Behaviour { exit: Some((soon, Exit { code: 137, out_of_memory: true })), ..usual },
    }
}

impl Fixture for InMemory {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn instance(&self) -> &InstanceName {
        &self.instance
    }

    async fn build(&self, service: &str, release: u64, app: App) -> ImageName {
        self.engine.script(&service.parse().unwrap(), behaviour(app));
        self.engine.build(self.build_of(service, release), &mut |_| {}).await.unwrap().name
    }

    async fn build_that_fails(&self, service: &str) -> (EngineError, Vec<String>) {
        let failure = Some("COPY failed: nowhere: file does not exist".to_owned());
        let script = BuildScript { failure, ..BuildScript::default() };
        self.engine.script(&service.parse().unwrap(), Behaviour { build: script, ..Behaviour::default() });
        let mut lines = Vec::new();
        let failed = self.engine.build(self.build_of(service, 1), &mut |line| lines.push(line)).await;
        (failed.unwrap_err(), lines)
    }

    async fn build_that_eats_memory(&self, service: &str) -> EngineError {
        let build = BuildScript { needs_memory: 512 << 20, ..BuildScript::default() };
        self.engine.script(&service.parse().unwrap(), Behaviour { build, ..Behaviour::default() });
        let limits = BuildLimits { max_mem: Some(MemoryLimit { bytes: 24 << 20 }), ..BuildLimits::default() };
        let build = Build { limits, ..self.build_of(service, 1) };
        self.engine.build(build, &mut |_| {}).await.unwrap_err()
    }

    async fn build_in_stages(&self, service: &str, release: u64) -> ImageName {
        let build = BuildScript { leaves: 1000, ..BuildScript::default() };
        self.engine.script(&service.parse().unwrap(), Behaviour { build, ..Behaviour::default() });
        self.engine.build(self.build_of(service, release), &mut |_| {}).await.unwrap().name
    }

    async fn make_stranger(&self, name: &ContainerName) {
        self.engine.add_stranger(name);
    }

    async fn stranger_runs(&self, name: &ContainerName) -> bool {
        // It cannot be asked for; that it is refused to us shows that it is there.
        self.engine.inspect(name).await.is_err_and(|error| error.to_string().contains("was not made by this server"))
    }

    async fn foreign_image(&self) -> ImageName {
        let name = ImageName::foreign("traefik:v3");
        self.engine.offer(&name, Behaviour::default());
        self.engine.ensure_image(&name).await.unwrap();
        name
    }

    async fn write(&self, container: &Container, stream: LogStream, text: &str) {
        tokio::time::advance(Duration::from_millis(1)).await;
        self.engine.write_log(&container.name, stream, text).unwrap();
    }

    async fn end(&self, container: &Container, code: i64) {
        self.engine.kill(&container.name, Exit { code, out_of_memory: false }).unwrap();
    }

    async fn set_limits(&self, container: &Container, max_cpu: CpuLimit, max_mem: MemoryLimit) {
        self.engine.set_limits(&container.name, Some(max_cpu), Some(max_mem)).unwrap();
    }

    fn free_port(&self) -> u16 {
        self.next_port.fetch_add(1, Ordering::Relaxed)
    }

    fn adapt(&self, _: &mut ContainerSpec, _: App) {}
}
