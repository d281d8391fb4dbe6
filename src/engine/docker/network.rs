//! The instance's own network, and which addresses on it are taken.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerInspectResponse, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
    NetworkInspect,
};
use bollard::query_parameters::{InspectNetworkOptions, ListNetworksOptions};

use super::container::state;
use super::error::Asked;
use super::{DockerEngine, QUICK, WORK, label, spec};
use crate::engine::{ContainerState, EngineError, Network, Result, Subnet};
use crate::name::ContainerName;

/// Networks to choose from, 10.201.0.0/16 to 10.254.0.0/16: far from the ones that Docker, home routers and clouds
/// like to take.
const CANDIDATES: std::ops::RangeInclusive<u8> = 201..=254;

/// The kernel's table of IPv4 routes.
const ROUTES: &str = "/proc/net/route";

impl DockerEngine {
    pub(super) fn network_name(&self) -> String {
        format!("{}-net", self.instance)
    }

    pub(super) async fn find_or_make_network(&self) -> Result<Network> {
        let _alone = self.making_network.lock().await;
        if let Some(found) = self.find_network().await? {
            return self.checked_network(&found);
        }
        match self.subnet {
            Some(subnet) => self.make_network(subnet).await,
            None => self.make_network_somewhere().await,
        }
    }

    pub(super) async fn taken_addresses(&self) -> Result<BTreeSet<Ipv4Addr>> {
        let mut taken = BTreeSet::new();
        if let Some(network) = self.find_network().await? {
            taken.extend(subnet_of(&network).map(|subnet| subnet.gateway()));
            taken.extend(live_addresses(&network));
        }
        for summary in self.summaries(vec![self.own_label()]).await? {
            let networks = summary.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
            let endpoint = networks.get(&self.network_name()).and_then(|endpoint| endpoint.ipam_config.as_ref());
            taken.extend(endpoint.and_then(|config| config.ipv4_address.as_deref()?.parse::<Ipv4Addr>().ok()));
        }
        for id in self.adopted.ids(None) {
            match self.look(id).await {
                Ok(details) => taken.extend(self.configured_address(&details)),
                Err(EngineError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Whether our network's name is that of a network that somebody else made, as the original does.
    pub async fn has_foreign_network(&self) -> Result<bool> {
        let found = self.find_network().await?;
        Ok(found
            .is_some_and(|network| !label::carries_instance(&self.instance, label::present(network.labels.as_ref()))))
    }

    /// Whether the container was started on a network that was removed since. It cannot be started again, although a
    /// network of the same name may be there.
    pub(super) async fn lost_its_network(&self, container: &ContainerInspectResponse) -> Result<bool> {
        let networks = container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
        let endpoint = networks.and_then(|networks| networks.get(&self.network_name()));
        let Some(joined) = endpoint.and_then(|endpoint| endpoint.network_id.as_deref()).filter(|id| !id.is_empty())
        else {
            return Ok(false);
        };
        Ok(self.find_network().await?.is_none_or(|network| network.id.as_deref() != Some(joined)))
    }

    /// Docker changes no endpoint: the old one goes, and a new one comes. Doing it again goes on from between the two.
    pub(super) async fn move_container(&self, name: &ContainerName, to: Ipv4Addr, aliases: &[String]) -> Result<()> {
        let (there, network) = (self.own(name).await?, self.network_name());
        if self.configured_address(&there) == Some(to) {
            return Ok(());
        }
        let asked = Asked::container("give another address to", name.as_str());
        if matches!(there.state.as_ref().map(state), Some(ContainerState::Running { .. })) {
            return Err(asked.refused("it runs"));
        }
        let container = there.id.unwrap_or_else(|| name.to_string());
        let networks = there.network_settings.and_then(|settings| settings.networks);
        if networks.is_some_and(|networks| networks.contains_key(&network)) {
            let leave = NetworkDisconnectRequest { container: container.clone(), force: Some(true) };
            self.call(asked, QUICK, self.docker.disconnect_network(&network, leave)).await?;
        }
        let join = NetworkConnectRequest { container, endpoint_config: Some(spec::endpoint(to, aliases)) };
        self.call(asked, QUICK, self.docker.connect_network(&network, join)).await
    }

    async fn find_network(&self) -> Result<Option<NetworkInspect>> {
        let name = self.network_name();
        let inspect = self.docker.inspect_network(&name, None::<InspectNetworkOptions>);
        match self.call(Asked::network("inspect", &name), QUICK, inspect).await {
            Ok(found) => Ok(Some(found)),
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn checked_network(&self, found: &NetworkInspect) -> Result<Network> {
        let name = self.network_name();
        if !label::carries_instance(&self.instance, label::present(found.labels.as_ref())) {
            return Err(EngineError::NotOurs { what: "network", name });
        }
        let Some(subnet) = subnet_of(found) else {
            return Err(Asked::network("use", &name).refused("it has no IPv4 network; remove it, it is made anew"));
        };
        if self.subnet.is_some_and(|wanted| wanted != subnet) {
            tracing::warn!(network = name, %subnet, "the network is not the configured one; remove it to change it");
        }
        Ok(Network { name, subnet, gateway: subnet.gateway() })
    }

    /// Another Docker network may take a candidate at any moment, so Docker decides.
    async fn make_network_somewhere(&self) -> Result<Network> {
        let avoid = self.networks_in_use().await?;
        let mut last = None;
        for second in CANDIDATES {
            let candidate = Subnet::around(Ipv4Addr::new(10, second, 0, 0), 16);
            if avoid.iter().any(|used| used.overlaps(&candidate)) {
                continue;
            }
            match self.make_network(candidate).await {
                Err(error) if is_overlap(&error) => last = Some(error),
                made => return made,
            }
        }
        let none_free = "no network from 10.201.0.0/16 to 10.254.0.0/16 is free; configure one";
        let name = self.network_name();
        Err(last.unwrap_or_else(|| Asked::network("make", &name).refused(none_free)))
    }

    async fn make_network(&self, subnet: Subnet) -> Result<Network> {
        let name = self.network_name();
        let config = IpamConfig {
            subnet: Some(subnet.to_string()),
            gateway: Some(subnet.gateway().to_string()),
            // Whoever else joins gets an address from here, not one that we are about to give away.
            ip_range: Some(subnet.top().to_string()),
            ..Default::default()
        };
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![config]), ..Default::default() }),
            labels: Some(label::of_network(&self.instance)),
            ..Default::default()
        };
        self.call(Asked::network("make", &name), WORK, self.docker.create_network(request)).await?;
        Ok(Network { name, subnet, gateway: subnet.gateway() })
    }

    /// Of Docker and of this machine.
    async fn networks_in_use(&self) -> Result<Vec<Subnet>> {
        let asked = Asked { verb: "list", what: "networks of", name: &self.endpoint };
        let networks = self.call(asked, QUICK, self.docker.list_networks(None::<ListNetworksOptions>)).await?;
        let ipams = networks.into_iter().filter_map(|network| network.ipam?.config);
        let mut used: Vec<Subnet> = ipams.flatten().filter_map(|config| loose(config.subnet.as_deref()?)).collect();
        match std::fs::read_to_string(ROUTES) {
            Ok(table) => used.extend(routes(&table)),
            Err(error) => tracing::debug!(%error, "the machine's routes cannot be read; Docker's are avoided"),
        }
        Ok(used)
    }
}

fn is_overlap(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused { source, .. } if source.to_string().to_lowercase().contains("overlap"))
}

fn subnet_of(network: &NetworkInspect) -> Option<Subnet> {
    network.ipam.as_ref()?.config.as_ref()?.iter().find_map(|config| loose(config.subnet.as_deref()?))
}

fn live_addresses(network: &NetworkInspect) -> impl Iterator<Item = Ipv4Addr> + '_ {
    let endpoints = network.containers.iter().flat_map(|containers| containers.values());
    endpoints.filter_map(|endpoint| endpoint.ipv4_address.as_deref()?.split('/').next()?.parse().ok())
}

/// Any IPv4 network, of any size: others' networks need not be fit for us.
fn loose(text: &str) -> Option<Subnet> {
    let (base, prefix) = text.split_once('/')?;
    Some(Subnet::around(base.parse().ok()?, prefix.parse().ok()?))
}

/// The networks in the kernel's table, without the default route. Its numbers are in the machine's byte order.
fn routes(table: &str) -> Vec<Subnet> {
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|bits| Ipv4Addr::from(bits.to_ne_bytes()));
    let lines = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let (destination, mask) = (address(columns.next()?)?, address(columns.nth(5)?)?);
        let prefix = u8::try_from(mask.to_bits().leading_ones()).ok()?;
        (prefix > 0).then(|| Subnet::around(destination, prefix))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_machine_s_routes_are_read_without_the_default_route() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
                     eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let found: Vec<String> = routes(table).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["172.17.0.0/16", "192.0.2.0/24"]);
    }

    #[test]
    fn a_table_that_is_not_one_gives_no_routes() {
        assert!(routes("").is_empty());
        assert!(routes("header\nshort line\nx y z").is_empty());
    }

    #[test]
    fn networks_of_others_may_have_any_size() {
        assert_eq!(loose("192.168.1.7/30").map(|subnet| subnet.to_string()).as_deref(), Some("192.168.1.4/30"));
        assert_eq!(loose("fd00::/64"), None);
    }
}
