//! What should be: the goal of a deploy, made from a release, the request and the server's configuration.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Release;
use super::readiness::Readiness;
use crate::engine::{Bind, ContainerSpec, Role, Secret, SpecDigest};
use crate::manifest::{CpuLimit, HealthCheck, MemoryLimit, Publish, Scale, ServiceUrl};
use crate::name::{ContainerName, DeployId, ImageName, InstanceName, ReleaseId, ServiceName};

/// The slot of the container that runs the release command; those that serve are counted from one.
const COMMAND_SLOT: u32 = 0;

/// What should be after the deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    pub deploy: DeployId,
    pub service: ServiceName,
    pub goal: Goal,
    pub pace: Pace,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// So many containers of this kind serve, and no others.
    Serving(Serving),
    /// No container runs; the URLs answer 503.
    Stopped,
    /// Nothing of the service is there.
    Gone,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Serving {
    pub template: Template,
    pub strategy: Strategy,
    pub count: u32,
    pub readiness: Readiness,
    pub urls: Vec<ServiceUrl>,
    pub healthcheck: Option<HealthCheck>,
    /// To be run once before a new container is made.
    pub command: Option<Command>,
    /// Only containers made by this very deploy will do, even where others are alike.
    pub fresh: bool,
}

/// A release command: a migration, say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub words: Vec<String>,
    pub limit: Duration,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// For requests in flight on a container that left the routes.
    pub drain: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long requests are held at most.
    pub hold: Duration,
    /// For a container that served before to serve again.
    pub again: Duration,
}

/// How new containers replace old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// One container; the old one stops before the new one starts.
    Replace,
    /// New ones start while the old serve.
    Roll,
    /// All old ones stop before the first new one starts.
    Safe,
}

impl From<Scale> for Strategy {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Single => Strategy::Replace,
            Scale::Rolling { .. } => Strategy::Roll,
            Scale::Safe { .. } => Strategy::Safe,
        }
    }
}

/// What all containers of a release have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub instance: InstanceName,
    pub service: ServiceName,
    pub release: ReleaseId,
    pub image: ImageName,
    /// The manifest's variables, resolved; those that mypaas adds come when a container is made.
    pub env: BTreeMap<String, Secret>,
    pub binds: Vec<Bind>,
    pub publish: Vec<Publish>,
    pub port: u16,
    pub scale: u32,
    pub max_cpu: Option<CpuLimit>,
    pub max_mem: Option<MemoryLimit>,
    pub digest: SpecDigest,
}

impl Template {
    /// `env` and `binds` are the manifest's, resolved against the server.
    pub fn of(
        instance: &InstanceName,
        release: &Release,
        scale: u32,
        env: BTreeMap<String, Secret>,
        binds: Vec<Bind>,
    ) -> Self {
        let manifest = &release.manifest;
        let mut template = Self {
            instance: instance.clone(),
            service: release.service.clone(),
            release: release.id,
            image: release.image.clone(),
            env,
            binds,
            publish: manifest.publish.clone(),
            port: manifest.port.get(),
            scale,
            max_cpu: manifest.max_cpu,
            max_mem: manifest.max_mem,
            digest: SpecDigest(String::new()),
        };
        template.digest = template.fingerprint(&release.image_id);
        template
    }

    /// Leaves out what differs between equal containers (name, address) and the scale, so that containers stay when
    /// only their number changes.
    fn fingerprint(&self, image_id: &str) -> SpecDigest {
        let env: Vec<_> = self.env.iter().map(|(name, value)| (name, value.expose())).collect();
        let parts =
            serde_json::json!([image_id, env, self.binds, self.publish, self.port, self.max_cpu, self.max_mem,]);
        let hash = Sha256::digest(parts.to_string().as_bytes());
        SpecDigest(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    pub fn name(&self, slot: u32) -> ContainerName {
        ContainerName::of(&self.instance, &self.service, self.release, slot)
    }

    pub fn target(&self, address: Ipv4Addr) -> SocketAddrV4 {
        SocketAddrV4::new(address, self.port)
    }

    /// One that runs a command instead of the service: nobody can reach it, and it is in nobody's way.
    pub fn command(&self, words: &[String], address: Ipv4Addr, deploy: DeployId) -> ContainerSpec {
        ContainerSpec {
            command: words.to_vec(),
            publish: Vec::new(),
            aliases: Vec::new(),
            ..self.container(COMMAND_SLOT, address, deploy)
        }
    }

    pub fn container(&self, slot: u32, address: Ipv4Addr, deploy: DeployId) -> ContainerSpec {
        let name = self.name(slot);
        let own = [
            ("MYPAAS_SERVICE", self.service.to_string()),
            ("MYPAAS_SCALE", self.scale.to_string()),
            ("MYPAAS_PORT", self.port.to_string()),
            ("MYPAAS_CONTAINER", name.to_string()),
        ];
        let mut env = self.env.clone();
        env.extend(own.map(|(key, value)| (key.to_owned(), Secret::new(value))));
        ContainerSpec {
            role: Role::Service { service: self.service.clone(), release: self.release, slot, deploy },
            image: self.image.clone(),
            command: Vec::new(),
            env,
            binds: self.binds.clone(),
            publish: self.publish.clone(),
            max_cpu: self.max_cpu,
            max_mem: self.max_mem,
            sysctls: BTreeMap::new(),
            aliases: vec![self.service.flat()],
            address,
            digest: self.digest.clone(),
            name,
        }
    }
}
