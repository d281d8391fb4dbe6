//! [`Engine`] in memory: the twin of the real one, for tests and for a simulated fleet. It refuses what the real one
//! refuses, and behaves as it is told beforehand. It knows no time but tokio's, so a test with a paused clock is
//! quick and runs the same each time.
//!
//! ```text
//! calls.rs       the calls of the port
//! behaviour.rs   how images behave: the script
//! fault.rs       the journal of calls, and faults at the n-th
//! world.rs       images, network, containers: state without time
//! images.rs      the images of that world
//! container.rs   one container as a state machine
//! follow.rs      a log that is followed
//! exec.rs        a shell
//! events.rs      what happens to containers
//! figures.rs     figures that look real
//! ```

mod behaviour;
mod calls;
mod container;
mod events;
mod exec;
mod fault;
mod figures;
mod follow;
mod images;
mod world;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{StreamExt, TryStreamExt};
use jiff::Timestamp;

pub use self::behaviour::{Behaviour, BuildScript, Moment, OnSigterm, StartScript};
use self::fault::Faults;
pub use self::fault::{Call, Fault, FaultPlan};
use self::world::World;
use super::{Build, BuildLimits, EngineError, Exit, Image, LogStream, Result, Sources, Subnet};
use crate::manifest::{CpuLimit, MemoryLimit};
use crate::name::{ContainerName, ImageName, InstanceName, ReleaseId, ServiceName};

/// When the simulated time begins, unless told otherwise: 1 January 2026.
const BEGINNING: i64 = 1_767_225_600;

/// The in-memory engine.
#[derive(Debug)]
pub struct MemoryEngine {
    shared: Arc<Shared>,
    faults: Arc<Faults>,
}

/// What the engine and the logs that are being followed see.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    changed: tokio::sync::Notify,
    builds: Mutex<Vec<BuildRecord>>,
    beginning: Timestamp,
    began: tokio::time::Instant,
}

/// A build that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRecord {
    pub name: ImageName,
    pub service: ServiceName,
    pub release: ReleaseId,
    pub pull: bool,
    pub context_bytes: u64,
    pub sources: Sources,
    pub limits: BuildLimits,
}

impl MemoryEngine {
    /// Where it says that it keeps its images.
    pub const DATA_ROOT: &'static str = "/var/lib/memory-engine";

    /// An engine without images and containers, whose time begins on 1 January 2026.
    pub fn new(instance: InstanceName) -> Self {
        Self::starting_at(instance, Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// An engine whose time begins then, and goes on as tokio's does.
    pub fn starting_at(instance: InstanceName, beginning: Timestamp) -> Self {
        let subnet = Subnet::around(Ipv4Addr::new(10, 201, 0, 0), 16);
        let shared = Shared {
            world: Mutex::new(World::new(instance, subnet)),
            changed: tokio::sync::Notify::new(),
            builds: Mutex::default(),
            beginning,
            began: tokio::time::Instant::now(),
        };
        Self { shared: Arc::new(shared), faults: Arc::default() }
    }

    /// With its network there, where something else may listen in place of its containers.
    #[must_use]
    pub fn in_network(self, subnet: Subnet) -> Self {
        self.shared.world().subnet = subnet;
        self
    }

    /// From now on, images built for the service behave so. Those built before keep their behaviour.
    pub fn script(&self, service: &ServiceName, behaviour: Behaviour) {
        self.shared.world().script(service.clone(), behaviour);
    }

    /// An image that can be pulled, and behaves so.
    pub fn offer(&self, image: &ImageName, behaviour: Behaviour) {
        self.shared.world().offer(image.clone(), behaviour);
    }

    /// Somebody else's container has this name from now on.
    pub fn add_stranger(&self, name: &ContainerName) {
        self.shared.world().add_stranger(name.clone());
    }

    /// The container's process ends by itself.
    ///
    /// # Errors
    /// `NotFound` and `NotOurs`, as for any call on a container.
    pub fn kill(&self, name: &ContainerName, exit: Exit) -> Result<()> {
        let now = self.shared.now();
        self.shared.change(|world| world.own(name).map(|container| container.die(exit, now)))
    }

    /// The container turns unhealthy, or is well again. One that starts anew is well.
    ///
    /// # Errors
    /// `NotFound` and `NotOurs`, as for any call on a container.
    pub fn set_unwell(&self, name: &ContainerName, unwell: bool) -> Result<()> {
        self.shared.change(|world| {
            world.own(name)?.unwell = unwell;
            Ok(())
        })
    }

    /// The container's process writes a line.
    ///
    /// # Errors
    /// `NotFound` and `NotOurs`, as for any call on a container.
    pub fn write_log(&self, name: &ContainerName, stream: LogStream, text: &str) -> Result<()> {
        let now = self.shared.now();
        self.shared.change(|world| world.own(name).map(|container| container.write(stream, text.to_owned(), now)))
    }

    /// Somebody gives the container other limits by hand.
    ///
    /// # Errors
    /// `NotFound` and `NotOurs`, as for any call on a container.
    pub fn set_limits(
        &self,
        name: &ContainerName,
        max_cpu: Option<CpuLimit>,
        max_mem: Option<MemoryLimit>,
    ) -> Result<()> {
        self.shared.change(|world| {
            let container = world.own(name)?;
            (container.spec.max_cpu, container.spec.max_mem) = (max_cpu, max_mem);
            Ok(())
        })
    }

    /// From now on others hold so many connections open to it; none: it cannot be seen how many.
    pub fn set_connections(&self, name: &ContainerName, connections: Option<u32>) {
        self.shared.world().set_connections(name.clone(), connections);
    }

    /// The calls of the trait so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.faults.calls()
    }

    /// Makes one call to come fail, hang or take its time.
    pub fn plan_fault(&self, plan: FaultPlan) {
        self.faults.plan(plan);
    }

    /// The same at each call of these words, as in `start web.r1.1`.
    pub fn plan_fault_at_each(&self, call: &str, fault: Fault) {
        self.faults.plan_at_each(call, fault);
    }

    /// What was planned and has not come yet will not come.
    pub fn forget_faults(&self) {
        self.faults.forget();
    }

    /// Returns once a call hangs, as planned.
    pub async fn until_hung(&self) {
        self.faults.until_hung().await;
    }

    /// The builds so far, in order, also those that failed.
    pub fn builds(&self) -> Vec<BuildRecord> {
        self.shared.builds().clone()
    }

    /// How much room all images take.
    pub fn bytes(&self) -> u64 {
        self.shared.world().images.bytes()
    }

    async fn run_build(&self, mut build: Build, output: &mut (dyn FnMut(String) + Send)) -> Result<Image> {
        let unreadable = |error| EngineError::Refused {
            action: format!("read the context of the image {}", build.name),
            source: Box::new(error),
        };
        let context = std::mem::replace(&mut build.context, futures_util::stream::empty().boxed());
        let count = |sum: u64, chunk: bytes::Bytes| async move { Ok(sum + chunk.len() as u64) };
        let context_bytes = context.try_fold(0, count).await.map_err(unreadable)?;
        self.shared.builds().push(record(&build, context_bytes));
        let behaviour = self.shared.world().behaviour_of(&build.service);
        behaviour.build.output.iter().for_each(|line| output(line.clone()));
        tokio::time::sleep(behaviour.build.takes).await;
        self.shared.world().leave(behaviour.build.leaves);
        if let Some(limit) = build.limits.max_mem
            && limit.bytes.unsigned_abs() < behaviour.build.needs_memory
        {
            return Err(EngineError::BuildOutOfMemory { limit, source: "code 137".into() });
        }
        match behaviour.build.failure.clone() {
            Some(message) => Err(EngineError::Build { message }),
            None => Ok(self.shared.world().built(&build, context_bytes, behaviour, self.shared.now())),
        }
    }

    async fn run_stop(&self, name: &ContainerName, grace: Duration) -> Result<()> {
        let stopping = self.shared.change(|world| world.begin_stop(name, grace))?;
        if let Some(stopping) = &stopping {
            tokio::time::sleep(stopping.takes).await;
        }
        let now = self.shared.now();
        self.shared.change(|world| world.end_stop(name, stopping, now))
    }

    /// As [`attempt`](Self::attempt), at once.
    async fn at_once<T>(
        &self,
        action: &'static str,
        subject: &str,
        effect: impl FnOnce(&mut World, Timestamp) -> Result<T>,
    ) -> Result<T> {
        let effect = async {
            let now = self.shared.now();
            self.shared.change(|world| effect(world, now))
        };
        self.attempt(action, subject, effect).await
    }

    /// One call of the trait: journalled, open to faults.
    async fn attempt<T>(
        &self,
        action: &'static str,
        subject: &str,
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let go_down = |time| {
            let now = self.shared.now();
            self.shared.world().go_down(now, now.saturating_add(time).unwrap_or(Timestamp::MAX));
        };
        self.faults.attempt(action, subject, go_down, effect).await
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.beginning.saturating_add(self.began.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn builds(&self) -> MutexGuard<'_, Vec<BuildRecord>> {
        self.builds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the world as it is now, and wakes who follows a log.
    fn change<T>(&self, effect: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        let mut world = self.world();
        world.settle(self.now());
        let outcome = effect(&mut world);
        drop(world);
        self.changed.notify_waiters();
        outcome
    }
}

fn record(build: &Build, context_bytes: u64) -> BuildRecord {
    let Build { name, service, release, pull, sources, limits, .. } = build;
    let (name, service, sources, limits) = (name.clone(), service.clone(), sources.clone(), *limits);
    BuildRecord { name, service, release: *release, pull: *pull, context_bytes, sources, limits }
}

#[cfg(test)]
mod tests;
