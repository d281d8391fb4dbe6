//! Containers of the Python original: found, and made members of our network. Everything else about them is left as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use bollard::models::{ContainerInspectResponse, NetworkConnectRequest, PortMap};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RenameContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};

use super::container::labels;
use super::error::Asked;
use super::{DockerEngine, QUICK, WORK, label, spec};
use crate::engine::{EngineError, Restart, Result};

/// What each container of the original has in its environment.
const SERVICE: &str = "MYPAAS_SERVICE";
const CONTAINER: &str = "MYPAAS_CONTAINER";

/// A running container that the original made.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    pub id: String,
    pub name: String,
    /// By what name it was made from its image, and which one that was.
    pub image: String,
    pub image_id: String,
    /// Without what the image itself brings.
    pub env: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// As for `docker run --volume`.
    pub binds: Vec<String>,
    /// As for `docker run --publish`.
    pub publish: Vec<String>,
    /// 0: no limit.
    pub nano_cpus: i64,
    /// Bytes; 0: no limit.
    pub memory: i64,
}

impl Foreign {
    /// The service's name, as the original knows it.
    pub fn service(&self) -> &str {
        self.env.get(SERVICE).map(String::as_str).unwrap_or_default()
    }
}

impl DockerEngine {
    /// The running containers of the original, its router among them; sorted by name.
    pub async fn foreign(&self) -> Result<Vec<Foreign>> {
        let options = ListContainersOptionsBuilder::default().build();
        let asked = Asked { verb: "list", what: "containers of", name: "the original" };
        let listed = self.call(asked, QUICK, self.docker.list_containers(Some(options))).await?;
        let mut found = Vec::new();
        for id in listed.into_iter().filter_map(|summary| summary.id) {
            match self.look(&id).await {
                Ok(details) => found.extend(self.read_foreign(&details).await?),
                Err(EngineError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    async fn read_foreign(&self, details: &ContainerInspectResponse) -> Result<Option<Foreign>> {
        if label::is_our_container(&self.instance, &self.labels(details)) {
            return Ok(None);
        }
        let Some(mut foreign) = read(details) else { return Ok(None) };
        let asked = Asked::image("inspect", &foreign.image_id);
        let image = self.call(asked, QUICK, self.docker.inspect_image(&foreign.image_id)).await?;
        let brought = image.config.and_then(|config| config.env).unwrap_or_default();
        foreign.env.retain(|name, value| !brought.contains(&format!("{name}={value}")));
        Ok(Some(foreign))
    }

    /// The names of all containers, whoever made them, also of those that do not run.
    pub async fn names_in_use(&self) -> Result<BTreeSet<String>> {
        let summaries = self.summaries(Vec::new()).await?.into_iter();
        let names = summaries.flat_map(|summary| summary.names.unwrap_or_default());
        Ok(names.map(|name| name.trim_start_matches('/').to_owned()).collect())
    }

    /// Gives the container a fixed place on our network, beside those that it has; one that has a place keeps it.
    pub async fn join(&self, id: &str, address: Ipv4Addr, aliases: &[String]) -> Result<Ipv4Addr> {
        let asked = Asked::container("connect to our network", id);
        let there = self.look(id).await?;
        if let Some(known) = self.configured_address(&there) {
            return Ok(known);
        }
        let join =
            NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(spec::endpoint(address, aliases)) };
        self.call(asked, QUICK, self.docker.connect_network(&self.network_name(), join)).await?;
        Ok(address)
    }

    /// Gives the container another name.
    pub async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let options = RenameContainerOptionsBuilder::default().name(name).build();
        let asked = Asked::container("rename", id);
        self.call(asked, QUICK, self.docker.rename_container(id, options)).await
    }

    /// Stops it, giving it so many seconds to finish, and leaves it there; Docker starts it no more.
    pub async fn stop_foreign(&self, id: &str, seconds: i32) -> Result<()> {
        self.restart_foreign(id, Restart::Never).await?;
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        self.call(Asked::container("stop", id), WORK, self.docker.stop_container(id, Some(options))).await
    }

    /// Undoes that.
    pub async fn start_foreign(&self, id: &str) -> Result<()> {
        self.restart_foreign(id, Restart::UnlessStopped).await?;
        self.call(Asked::container("start", id), WORK, self.docker.start_container(id, None::<StartContainerOptions>))
            .await
    }

    async fn restart_foreign(&self, id: &str, restart: Restart) -> Result<()> {
        let change = bollard::models::ContainerUpdateBody {
            restart_policy: Some(spec::restart_policy(restart)),
            ..Default::default()
        };
        let asked = Asked::container("set the restart policy of", id);
        self.call(asked, QUICK, self.docker.update_container(id, change)).await
    }
}

/// None for a container that is not the original's.
fn read(details: &ContainerInspectResponse) -> Option<Foreign> {
    let (config, host) = (details.config.as_ref()?, details.host_config.as_ref()?);
    let pairs = config.env.iter().flatten().filter_map(|pair| pair.split_once('='));
    let env: BTreeMap<String, String> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if !env.contains_key(SERVICE) || !env.contains_key(CONTAINER) {
        return None;
    }
    Some(Foreign {
        id: details.id.clone()?,
        name: details.name.as_deref()?.trim_start_matches('/').to_owned(),
        image: config.image.clone()?,
        image_id: details.image.clone()?,
        env,
        labels: labels(details).clone().into_iter().collect(),
        binds: host.binds.clone().unwrap_or_default(),
        publish: host.port_bindings.as_ref().map(published).unwrap_or_default(),
        nano_cpus: host.nano_cpus.unwrap_or(0),
        memory: host.memory.unwrap_or(0),
    })
}

fn published(ports: &PortMap) -> Vec<String> {
    let all = ports.iter().flat_map(|(port, bindings)| {
        bindings.iter().flatten().map(move |binding| {
            let address = binding.host_ip.as_deref().filter(|address| !address.is_empty());
            let address = address.map(|address| format!("{address}:")).unwrap_or_default();
            format!("{address}{}:{port}", binding.host_port.as_deref().unwrap_or_default())
        })
    });
    all.collect::<BTreeSet<_>>().into_iter().collect()
}
