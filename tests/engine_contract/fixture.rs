//! What a contract test needs beside the engine itself.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use mypaas::engine::{
    Container, ContainerSpec, ContainerState, Engine, EngineError, Exit, LogStream, Role, SpecDigest,
};
use mypaas::manifest::{CpuLimit, MemoryLimit};
use mypaas::name::{ContainerName, DeployId, ImageName, InstanceName, ReleaseId, ServiceName};

/// What the process in a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum App {
    /// Listens on port 80 at once, and ends with 0 when told.
    Serves,
    /// Listens only after a while.
    IsSlow,
    NeverListens,
    IgnoresSigterm,
    ExitsAtOnce(i64),
    /// Uses more than its limit.
    EatsMemory,
    /// As `Serves`, and it writes `hello` when it starts.
    Speaks,
    /// As `Serves`, with a check in the image.
    ChecksItself,
}

pub(crate) const PORT: u16 = 80;

/// An engine under test, and a hand inside its containers.
pub(crate) trait Fixture: Sync {
    fn engine(&self) -> &dyn Engine;

    fn instance(&self) -> &InstanceName;

    /// An image of the service whose containers do this.
    async fn build(&self, service: &str, release: u64, app: App) -> ImageName;

    /// A build that fails because something is `nowhere`: the error, and what was printed.
    async fn build_that_fails(&self, service: &str) -> (EngineError, Vec<String>);

    /// A build that needs more memory than the 24 MiB that it may use.
    async fn build_that_eats_memory(&self, service: &str) -> EngineError;

    /// An image of the service, of whose build another stage stays without a name.
    async fn build_in_stages(&self, service: &str, release: u64) -> ImageName;

    /// Somebody else's container.
    async fn make_stranger(&self, name: &ContainerName);

    async fn stranger_runs(&self, name: &ContainerName) -> bool;

    /// An image that others made, and that is here.
    async fn foreign_image(&self) -> ImageName;

    /// Makes the process in the container write a line.
    async fn write(&self, container: &Container, stream: LogStream, text: &str);

    /// Makes the process in the container end.
    async fn end(&self, container: &Container, code: i64);

    /// Gives the container other limits by hand.
    async fn set_limits(&self, container: &Container, max_cpu: CpuLimit, max_mem: MemoryLimit);

    /// A port of the server that nobody listens on.
    fn free_port(&self) -> u16;

    /// Told to Docker by the environment, and to the in-memory engine beforehand.
    fn adapt(&self, spec: &mut ContainerSpec, app: App);

    /// The first container of the first release of a service, not made yet.
    async fn spec(&self, service: &str, app: App) -> ContainerSpec {
        let image = self.build(service, 1, app).await;
        self.spec_of(service, image, app, 1).await
    }

    async fn spec_of(&self, service: &str, image: ImageName, app: App, slot: u32) -> ContainerSpec {
        let service: ServiceName = service.parse().unwrap();
        let release = ReleaseId::new(1);
        let mut spec = ContainerSpec {
            name: ContainerName::of(self.instance(), &service, release, slot),
            role: Role::Service { service, release, slot, deploy: DeployId::new(1) },
            image,
            command: vec![],
            env: BTreeMap::new(),
            binds: vec![],
            publish: vec![],
            max_cpu: None,
            max_mem: (app == App::EatsMemory).then_some(MemoryLimit { bytes: 24 << 20 }),
            sysctls: BTreeMap::new(),
            aliases: vec![],
            address: self.free_address().await,
            digest: SpecDigest("one".into()),
        };
        self.adapt(&mut spec, app);
        spec
    }

    async fn free_address(&self) -> Ipv4Addr {
        let network = self.engine().ensure_network().await.unwrap();
        let taken = self.engine().addresses_in_use().await.unwrap();
        network.subnet.hosts().find(|host| !taken.contains(host)).unwrap()
    }

    async fn create(&self, service: &str, app: App) -> Container {
        let spec = self.spec(service, app).await;
        self.engine().create(&spec).await.unwrap();
        self.engine().inspect(&spec.name).await.unwrap()
    }

    async fn run(&self, service: &str, app: App) -> Container {
        let container = self.create(service, app).await;
        self.engine().start(&container.name).await.unwrap();
        self.engine().inspect(&container.name).await.unwrap()
    }

    /// As [`run`](Self::run), and it listens.
    async fn run_until_it_listens(&self, service: &str, app: App) -> Container {
        let container = self.run(service, app).await;
        self.until_it_listens(&container.name).await;
        container
    }

    async fn until_it_listens(&self, name: &ContainerName) {
        let probe = mypaas::engine::Probe::Connect { port: PORT, timeout: Duration::from_secs(1) };
        eventually("it listens", async || {
            let answer = self.engine().probe(name, &probe).await.unwrap();
            matches!(answer, mypaas::engine::ProbeAnswer::Ready { .. }).then_some(())
        })
        .await;
    }

    /// How it ended, once it has.
    async fn exit_of(&self, name: &ContainerName) -> Exit {
        eventually("it ended", async || match self.engine().inspect(name).await.unwrap().state {
            ContainerState::Exited { exit, .. } => Some(exit),
            _ => None,
        })
        .await
    }
}

/// Asks until there is an answer; fails after a time that is long enough for any machine.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap_or_else(|_| panic!("never: {what}"))
}
