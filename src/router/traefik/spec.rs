//! What Traefik's container is made from.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;

use sha2::{Digest, Sha256};

use super::container::{API, HTTP, HTTPS, Keeper};
use super::files::{AUTHORITY, Files};
use super::setup::{OWN_CERTIFICATES, Setup};
use crate::engine::{Bind, ContainerSpec, Role, SpecDigest};
use crate::manifest::{Protocol, Publish};
use crate::router::Result;

const CONFIG_DIR: &str = "/etc/traefik";
const STORAGE: &str = "/acme.json";

/// For connections to containers. A thousand new ones a second, as when all come that were held, use up the 28,000 ports
/// that the kernel has for each container, because it keeps each for a minute after its use: then every further one costs it
/// a search through all of them. The first has it use such a port again after a second, which is what it is for.
const OUTGOING: [(&str, &str); 2] = [("net.ipv4.tcp_tw_reuse", "1"), ("net.ipv4.ip_local_port_range", "10240 65535")];

impl Keeper {
    /// Writes the settings down that Traefik is to read when it starts, and says what its container is to be.
    pub(super) async fn wanted(&self, files: &Files, address: Ipv4Addr) -> Result<Wanted> {
        let text = self.setup().render();
        let file = files.write_setup(&text).await?;
        let mut spec = self.spec(files, address, &file);
        spec.digest = digest(&spec, &text);
        Ok(Wanted { spec, setup: file })
    }

    fn setup(&self) -> Setup {
        Setup {
            http: format!(":{HTTP}"),
            https: format!(":{HTTPS}"),
            api: format!(":{API}"),
            routes: format!("{CONFIG_DIR}/{}", self.routes),
            certificates: STORAGE.to_owned(),
            authority: format!("{CONFIG_DIR}/{AUTHORITY}"),
            acme: self.settings.acme.clone(),
        }
    }

    fn spec(&self, files: &Files, address: Ipv4Addr, setup: &str) -> ContainerSpec {
        let bind = |server_dir, container_dir: &str, read_only| Bind {
            server_dir,
            container_dir: container_dir.to_owned(),
            read_only,
        };
        ContainerSpec {
            name: self.name.clone(),
            role: Role::Router,
            image: self.settings.image.clone(),
            command: vec![format!("--configFile={CONFIG_DIR}/{setup}")],
            env: [].into(),
            binds: vec![
                bind(files.config(), CONFIG_DIR, true),
                bind(self.settings.storage.clone(), STORAGE, false),
                bind(self.settings.own_certificates.clone(), OWN_CERTIFICATES, true),
            ],
            publish: [(self.settings.http_port, HTTP), (self.settings.https_port, HTTPS)]
                .into_iter()
                .filter(|_| self.is_published)
                .map(|(port, inside)| self.publish(port, inside))
                .collect(),
            sysctls: OUTGOING.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            max_cpu: None,
            max_mem: None,
            aliases: vec![],
            address,
            digest: SpecDigest(String::new()),
        }
    }

    /// All addresses of the server means those of IPv6 too.
    pub(super) fn publish(&self, host_port: u16, container_port: NonZeroU16) -> Publish {
        let address = Some(self.settings.bind).filter(|bind| *bind != IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Publish { address, host_port: NonZeroU16::new(host_port), container_port, protocol: Protocol::Tcp }
    }
}

/// A container as the settings want it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) spec: ContainerSpec,
    /// The file that it reads when it starts.
    pub(super) setup: String,
}

fn digest(spec: &ContainerSpec, setup: &str) -> SpecDigest {
    let json = serde_json::to_string(spec).expect("a specification is texts, numbers and lists");
    let hash = Sha256::new().chain_update(json).chain_update(setup).finalize();
    SpecDigest(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
