//! The port's calls, each journalled and open to faults.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::{MemoryEngine, events, exec, follow};
use crate::engine::{
    Build, Container, ContainerSpec, Engine, EngineInfo, Exec, ExecSession, Image, LogLine, LogQuery, Network, Probe,
    ProbeAnswer, Restart, Result, Storage, Usage,
};
use crate::name::{ContainerName, ImageName, ServiceName};

#[async_trait]
impl Engine for MemoryEngine {
    async fn info(&self) -> Result<EngineInfo> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let info = EngineInfo {
            name: "Memory".to_owned(),
            version,
            cpus: 4,
            memory_bytes: 8 << 30,
            data_root: Some(Self::DATA_ROOT.into()),
        };
        self.at_once("info", "", |_, _| Ok(info)).await
    }

    async fn ensure_network(&self) -> Result<Network> {
        self.at_once("ensure_network", "", |world, _| Ok(world.ensure_network())).await
    }

    async fn containers(&self, service: Option<&ServiceName>) -> Result<Vec<Container>> {
        let subject = service.map(ServiceName::as_str).unwrap_or_default();
        self.at_once("containers", subject, |world, _| Ok(world.of_services(service))).await
    }

    async fn events(&self) -> Result<BoxStream<'static, Result<ContainerName>>> {
        let effect = async { Ok(events::follow(&self.shared, &self.faults)) };
        self.attempt("events", "", effect).await
    }

    async fn inspect(&self, name: &ContainerName) -> Result<Container> {
        self.at_once("inspect", name.as_str(), |world, _| Ok(world.own(name)?.seen())).await
    }

    async fn addresses_in_use(&self) -> Result<BTreeSet<Ipv4Addr>> {
        self.at_once("addresses_in_use", "", |world, _| Ok(world.addresses_in_use())).await
    }

    async fn build(&self, build: Build, output: &mut (dyn FnMut(String) + Send)) -> Result<Image> {
        let name = build.name.clone();
        self.attempt("build", name.as_str(), self.run_build(build, output)).await
    }

    async fn image(&self, name: &ImageName) -> Result<Option<Image>> {
        self.at_once("image", name.as_str(), |world, _| Ok(world.images.find(name))).await
    }

    async fn images(&self) -> Result<Vec<Image>> {
        self.at_once("images", "", |world, _| Ok(world.images.own())).await
    }

    async fn storage(&self) -> Result<Storage> {
        self.at_once("storage", "", |world, _| Ok(world.images.storage())).await
    }

    async fn ensure_image(&self, name: &ImageName) -> Result<Image> {
        self.at_once("ensure_image", name.as_str(), |world, now| world.pull(name, now)).await
    }

    async fn remove_image(&self, name: &ImageName) -> Result<()> {
        self.at_once("remove_image", name.as_str(), |world, _| world.remove_image(name)).await
    }

    async fn remove_leftover(&self, id: &str) -> Result<()> {
        self.at_once("remove_leftover", id, |world, _| world.images.remove_leftover(id)).await
    }

    /// Here a build that is whole has its name.
    async fn remove_nameless(&self, service: &ServiceName) -> Result<()> {
        self.at_once("remove_nameless", service.as_str(), |_, _| Ok(())).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<()> {
        self.at_once("create", spec.name.as_str(), |world, now| world.create(spec, now)).await
    }

    async fn start(&self, name: &ContainerName) -> Result<()> {
        self.at_once("start", name.as_str(), |world, now| world.start(name, now)).await
    }

    async fn set_restart(&self, name: &ContainerName, restart: Restart) -> Result<()> {
        self.at_once("set_restart", name.as_str(), |world, _| world.set_restart(name, restart)).await
    }

    async fn readdress(&self, name: &ContainerName, address: Ipv4Addr, aliases: &[String]) -> Result<()> {
        self.at_once("readdress", name.as_str(), |world, _| world.readdress(name, address, aliases)).await
    }

    async fn rename(&self, from: &ContainerName, to: &ContainerName) -> Result<()> {
        self.at_once("rename", from.as_str(), |world, _| world.rename(from, to)).await
    }

    async fn stop(&self, name: &ContainerName, grace: Duration) -> Result<()> {
        self.attempt("stop", name.as_str(), self.run_stop(name, grace)).await
    }

    async fn remove(&self, name: &ContainerName) -> Result<()> {
        self.at_once("remove", name.as_str(), |world, _| world.remove(name)).await
    }

    async fn logs(&self, name: &ContainerName, query: &LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        let shared = Arc::clone(&self.shared);
        self.at_once("logs", name.as_str(), |world, now| follow::logs(shared, world.own(name)?, query, now)).await
    }

    async fn usage(&self, names: &[ContainerName]) -> Result<BTreeMap<ContainerName, Usage>> {
        self.at_once("usage", "", |world, now| Ok(world.usage(names, now))).await
    }

    async fn connections(&self, name: &ContainerName) -> Result<Option<u32>> {
        self.at_once("connections", name.as_str(), |world, _| world.connections(name)).await
    }

    async fn exec(&self, name: &ContainerName, exec: &Exec) -> Result<ExecSession> {
        self.at_once("exec", name.as_str(), |world, _| exec::start(world.own(name)?, exec)).await
    }

    async fn probe(&self, name: &ContainerName, probe: &Probe) -> Result<ProbeAnswer> {
        self.at_once("probe", name.as_str(), |world, now| world.probe(name, probe, now)).await
    }
}
