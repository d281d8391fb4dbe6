//! The simulated engine's state: images, the network and containers. Told the time, it never waits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::behaviour::{Behaviour, StartScript};
use super::container::{Phase, Simulated};
use super::figures;
use super::images::Images;
use crate::engine::{
    Build, Container, ContainerSpec, EngineError, Exit, Image, Network, Probe, ProbeAnswer, Restart, Result, Role,
    Subnet, Usage,
};
use crate::manifest::Publish;
use crate::name::{ContainerName, ImageName, InstanceName, ServiceName};

#[derive(Debug)]
pub(super) struct World {
    pub(super) instance: InstanceName,
    pub(super) subnet: Subnet,
    network_made: bool,
    scripts: BTreeMap<ServiceName, Behaviour>,
    /// What could be pulled.
    registry: BTreeMap<ImageName, Behaviour>,
    pub(super) images: Images,
    containers: BTreeMap<ContainerName, Simulated>,
    /// Names of containers that somebody else made.
    strangers: BTreeSet<ContainerName>,
    /// Connections that others hold open; 0 to all that are not named.
    connections: BTreeMap<ContainerName, Option<u32>>,
    made: u64,
}

impl World {
    pub(super) fn new(instance: InstanceName, subnet: Subnet) -> Self {
        Self {
            instance,
            subnet,
            network_made: false,
            scripts: BTreeMap::new(),
            registry: BTreeMap::new(),
            images: Images::default(),
            containers: BTreeMap::new(),
            strangers: BTreeSet::new(),
            connections: BTreeMap::new(),
            made: 0,
        }
    }

    pub(super) fn script(&mut self, service: ServiceName, behaviour: Behaviour) {
        self.scripts.insert(service, behaviour);
    }

    pub(super) fn behaviour_of(&self, service: &ServiceName) -> Behaviour {
        self.scripts.get(service).cloned().unwrap_or_default()
    }

    pub(super) fn offer(&mut self, name: ImageName, behaviour: Behaviour) {
        self.registry.insert(name, behaviour);
    }

    pub(super) fn add_stranger(&mut self, name: ContainerName) {
        self.strangers.insert(name);
    }

    pub(super) fn set_connections(&mut self, name: ContainerName, connections: Option<u32>) {
        self.connections.insert(name, connections);
    }

    pub(super) fn connections(&mut self, name: &ContainerName) -> Result<Option<u32>> {
        let runs = self.own(name)?.seen().is_running();
        Ok(if runs { self.connections.get(name).copied().unwrap_or(Some(0)) } else { Some(0) })
    }

    pub(super) fn settle(&mut self, now: Timestamp) {
        self.containers.values_mut().for_each(|container| container.settle(now));
    }

    /// The engine takes all containers with it, and starts those again that it is to keep when it is back.
    pub(super) fn go_down(&mut self, now: Timestamp, back: Timestamp) {
        self.settle(now);
        self.containers.values_mut().for_each(|container| container.go_down(now, back));
    }

    pub(super) fn ensure_network(&mut self) -> Network {
        self.network_made = true;
        let name = format!("{}-net", self.instance);
        Network { name, subnet: self.subnet, gateway: self.subnet.gateway() }
    }

    pub(super) fn addresses_in_use(&self) -> BTreeSet<Ipv4Addr> {
        let own = self.containers.values().map(|container| container.spec.address);
        own.chain(self.network_made.then(|| self.subnet.gateway())).collect()
    }

    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("{:064x}", self.made)
    }
}

/// Images.
impl World {
    pub(super) fn built(&mut self, build: &Build, context_bytes: u64, behaviour: Behaviour, now: Timestamp) -> Image {
        let id = self.next_id();
        let bytes = context_bytes + behaviour.build.adds;
        self.images.add(Image::new(build.name.clone(), &id, bytes, &behaviour, now), behaviour, true)
    }

    /// What a build leaves without a name.
    pub(super) fn leave(&mut self, bytes: u64) {
        if bytes > 0 {
            let id = format!("sha256:{}", self.next_id());
            self.images.leave(id, bytes);
        }
    }

    pub(super) fn pull(&mut self, name: &ImageName, now: Timestamp) -> Result<Image> {
        if let Some(image) = self.images.find(name) {
            return Ok(image);
        }
        let unknown = || EngineError::Pull { image: name.clone(), source: "the registry does not have it".into() };
        let behaviour = self.registry.get(name).cloned().ok_or_else(unknown)?;
        let id = self.next_id();
        Ok(self.images.add(Image::new(name.clone(), &id, 0, &behaviour, now), behaviour, false))
    }

    pub(super) fn remove_image(&mut self, name: &ImageName) -> Result<()> {
        self.images.check_own(name)?;
        if let Some(user) = self.containers.values().find(|container| container.spec.image == *name) {
            let action = format!("remove the image {name}");
            return Err(EngineError::Refused { action, source: format!("{} is made from it", user.spec.name).into() });
        }
        self.images.remove(name);
        Ok(())
    }
}

/// Containers.
impl World {
    pub(super) fn of_services(&self, service: Option<&ServiceName>) -> Vec<Container> {
        let wanted = |container: &&Simulated| match &container.spec.role {
            Role::Router => false,
            Role::Service { service: own, .. } => service.is_none_or(|service| service == own),
        };
        self.containers.values().filter(wanted).map(Simulated::seen).collect()
    }

    /// The container of that name, if it is ours.
    pub(super) fn own(&mut self, name: &ContainerName) -> Result<&mut Simulated> {
        if self.strangers.contains(name) {
            return Err(EngineError::NotOurs { what: "container", name: name.to_string() });
        }
        let missing = || EngineError::NotFound { what: "container", name: name.to_string() };
        self.containers.get_mut(name).ok_or_else(missing)
    }

    /// As [`own`](Self::own); none when there is no container of that name.
    pub(super) fn own_if_there(&mut self, name: &ContainerName) -> Result<Option<&mut Simulated>> {
        match self.own(name) {
            Ok(container) => Ok(Some(container)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn create(&mut self, spec: &ContainerSpec, now: Timestamp) -> Result<()> {
        if let Some(there) = self.own_if_there(&spec.name)? {
            if there.spec.digest == spec.digest {
                return Ok(());
            }
            self.containers.remove(&spec.name);
        }
        let missing = || EngineError::NotFound { what: "image", name: spec.image.to_string() };
        let behaviour = self.images.behaviour(&spec.image).ok_or_else(missing)?;
        let id = self.next_id();
        self.containers.insert(spec.name.clone(), Simulated::new(spec.clone(), id, behaviour, now));
        Ok(())
    }

    pub(super) fn start(&mut self, name: &ContainerName, now: Timestamp) -> Result<()> {
        let there = self.own(name)?;
        if there.is_running() {
            return Ok(());
        }
        let (spec, script) = (there.spec.clone(), there.start_script());
        if let StartScript::PortTaken(port) = script {
            return Err(EngineError::PortTaken { port, source: "somebody else listens on it".into() });
        }
        self.check_network(&spec)?;
        self.own(name)?.start(now);
        Ok(())
    }

    pub(super) fn readdress(&mut self, name: &ContainerName, address: Ipv4Addr, aliases: &[String]) -> Result<()> {
        let there = self.own(name)?;
        if there.is_running() && there.spec.address != address {
            let action = format!("give another address to the container {name}");
            return Err(EngineError::Refused { action, source: "it runs".into() });
        }
        there.spec.address = address;
        there.spec.aliases = aliases.to_vec();
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &ContainerName, to: &ContainerName) -> Result<()> {
        let is_there = self.own_if_there(to)?.is_some();
        match self.own(from) {
            Err(EngineError::NotFound { .. }) if is_there => return Ok(()),
            found => found?,
        };
        if is_there && from != to {
            let action = format!("rename the container {from}");
            return Err(EngineError::Refused { action, source: format!("another one is named {to}").into() });
        }
        if let Some(mut container) = self.containers.remove(from) {
            container.spec.name = to.clone();
            self.containers.insert(to.clone(), container);
        }
        Ok(())
    }

    /// As Docker does, only when a container starts: it may be made with what another still uses.
    fn check_network(&self, spec: &ContainerSpec) -> Result<()> {
        let refused = |source: String| EngineError::Refused {
            action: format!("start the container {}", spec.name),
            source: source.into(),
        };
        if !self.network_made {
            return Err(refused(format!("network {}-net not found", self.instance)));
        }
        if !self.subnet.contains(spec.address) {
            return Err(refused(format!("{} is not an address of {}", spec.address, self.subnet)));
        }
        for other in self.containers.values().filter(|other| other.is_running() && other.spec.name != spec.name) {
            let source = || format!("{} runs with it", other.spec.name).into();
            if other.spec.address == spec.address {
                return Err(EngineError::AddressTaken { address: spec.address, source: source() });
            }
            if let Some(port) = shared_port(&spec.publish, &other.spec.publish) {
                return Err(EngineError::PortTaken { port: port.to_string(), source: source() });
            }
        }
        Ok(())
    }

    pub(super) fn set_restart(&mut self, name: &ContainerName, restart: Restart) -> Result<()> {
        self.own(name)?.restart = restart;
        Ok(())
    }

    /// How long the container takes to stop, and how it ends then. None when there is nothing to wait for.
    pub(super) fn begin_stop(&mut self, name: &ContainerName, grace: Duration) -> Result<Option<Stopping>> {
        let Some(there) = self.own_if_there(name)? else { return Ok(None) };
        let stopping = there.stopping(grace);
        Ok(stopping.map(|(takes, exit)| Stopping { id: there.id.clone(), run: there.phase.clone(), takes, exit }))
    }

    /// Ends the run that was to be stopped, unless that has ended by itself meanwhile.
    pub(super) fn end_stop(&mut self, name: &ContainerName, stopping: Option<Stopping>, now: Timestamp) -> Result<()> {
        let Some(there) = self.own_if_there(name)? else { return Ok(()) };
        match (stopping, there.phase.clone()) {
            (Some(stopping), run) if there.id == stopping.id && run == stopping.run => {
                there.stopped(stopping.exit, now);
            }
            (_, Phase::Restarting { exit, .. }) => there.stopped(exit, now),
            // It had stopped before.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &ContainerName) -> Result<()> {
        if self.own_if_there(name)?.is_some() {
            self.containers.remove(name);
        }
        Ok(())
    }

    pub(super) fn probe(&mut self, name: &ContainerName, how: &Probe, now: Timestamp) -> Result<ProbeAnswer> {
        Ok(self.own(name)?.probe(how, now))
    }

    pub(super) fn usage(&self, names: &[ContainerName], now: Timestamp) -> BTreeMap<ContainerName, Usage> {
        let usage = |name: &ContainerName| {
            let container = self.containers.get(name)?;
            let Phase::Running { since } = container.phase else { return None };
            let ran = now.duration_since(since).unsigned_abs();
            Some(if container.is_still() { figures::still(name, ran) } else { figures::usage(name, ran) })
        };
        names.iter().filter_map(|name| Some((name.clone(), usage(name)?))).collect()
    }
}

/// A run of a container that is being stopped.
#[derive(Debug)]
pub(super) struct Stopping {
    id: String,
    run: Phase,
    pub(super) takes: Duration,
    exit: Exit,
}

fn shared_port(ours: &[Publish], theirs: &[Publish]) -> Option<std::num::NonZeroU16> {
    let clashes = |a: &Publish, b: &Publish| a.host_port == b.host_port && a.protocol == b.protocol;
    let clash = ours.iter().find(|&a| theirs.iter().any(|b| clashes(a, b)) && a.host_port.is_some());
    clash.and_then(|entry| entry.host_port)
}
