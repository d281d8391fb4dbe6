//! [`ContainerSpec`] → what Docker's API wants to make a container from.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType,
    NetworkingConfig, PortBinding, PortMap, RestartPolicy, RestartPolicyNameEnum,
};

use super::label;
use crate::engine::{Bind, ContainerSpec, Restart};
use crate::manifest::{Protocol, Publish};
use crate::name::InstanceName;

/// A container's log may fill so much of the server's disk, in so many files.
const LOG_FILE_SIZE: &str = "10m";
const LOG_FILES: &str = "3";

pub(super) fn create_body(instance: &InstanceName, network: &str, spec: &ContainerSpec) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(spec.image.as_str().to_owned()),
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        env: Some(spec.env.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect()),
        labels: Some(label::of_container(instance, spec)),
        exposed_ports: Some(spec.publish.iter().map(container_port).collect()),
        host_config: Some(host_config(network, spec)),
        networking_config: Some(networking(network, spec)),
        ..Default::default()
    }
}

fn host_config(network: &str, spec: &ContainerSpec) -> HostConfig {
    HostConfig {
        mounts: Some(spec.binds.iter().map(mount).collect()),
        port_bindings: Some(port_bindings(&spec.publish)),
        nano_cpus: spec.max_cpu.map(|limit| limit.nano_cpus),
        memory: spec.max_mem.map(|limit| limit.bytes),
        network_mode: Some(network.to_owned()),
        restart_policy: Some(restart_policy(Restart::Never)),
        log_config: Some(log_config()),
        sysctls: (!spec.sysctls.is_empty()).then(|| spec.sysctls.clone().into_iter().collect()),
        init: Some(false),
        ..Default::default()
    }
}

fn networking(network: &str, spec: &ContainerSpec) -> NetworkingConfig {
    let endpoint = endpoint(spec.address, &spec.aliases);
    NetworkingConfig { endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])) }
}

/// A container's place on the network.
pub(super) fn endpoint(address: Ipv4Addr, aliases: &[String]) -> EndpointSettings {
    let address = EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..Default::default() };
    EndpointSettings { ipam_config: Some(address), aliases: Some(aliases.to_vec()), ..Default::default() }
}

fn log_config() -> HostConfigLogConfig {
    let limits = [("max-size", LOG_FILE_SIZE), ("max-file", LOG_FILES)];
    HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(limits.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
    }
}

pub(super) fn restart_policy(restart: Restart) -> RestartPolicy {
    let name = match restart {
        Restart::Never => RestartPolicyNameEnum::NO,
        Restart::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
    };
    RestartPolicy { name: Some(name), maximum_retry_count: None }
}

fn mount(bind: &Bind) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.server_dir.display().to_string()),
        target: Some(bind.container_dir.clone()),
        read_only: Some(bind.read_only),
        ..Default::default()
    }
}

fn port_bindings(entries: &[Publish]) -> PortMap {
    let mut map = PortMap::new();
    for entry in entries {
        let binding = PortBinding {
            host_ip: entry.address.map(|address| address.to_string()),
            host_port: Some(entry.host_port.map(|port| port.to_string()).unwrap_or_default()),
        };
        map.entry(container_port(entry)).or_default().get_or_insert_default().push(binding);
    }
    map
}

/// As in `53/udp`.
fn container_port(entry: &Publish) -> String {
    let protocol = match entry.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    };
    format!("{}/{protocol}", entry.container_port)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU16;

    use super::*;
    use crate::engine::{Role, Secret, SpecDigest};
    use crate::manifest::{CpuLimit, MemoryLimit};
    use crate::name::{ContainerName, DeployId, ImageName, ReleaseId};

    pub(in crate::engine::docker) fn web() -> ContainerSpec {
        let publish = |host_port, container_port, protocol| Publish {
            address: None,
            host_port: NonZeroU16::new(host_port),
            container_port: NonZeroU16::new(container_port).unwrap(),
            protocol,
        };
        ContainerSpec {
            name: ContainerName::from_engine("web.r3.2"),
            role: Role::Service {
                service: "web".parse().unwrap(),
                release: ReleaseId::new(3),
                slot: 2,
                deploy: DeployId::new(7),
            },
            image: ImageName::foreign("mypaas/web:r3"),
            command: vec![],
            env: BTreeMap::from([("TOKEN".to_owned(), Secret::new("s3cret".to_owned()))]),
            binds: vec![Bind { server_dir: "/home/ada/data".into(), container_dir: "/data".into(), read_only: true }],
            publish: vec![
                publish(53, 5353, Protocol::Udp),
                publish(0, 80, Protocol::Tcp),
                publish(81, 80, Protocol::Tcp),
            ],
            max_cpu: Some(CpuLimit { nano_cpus: 500_000_000 }),
            max_mem: Some(MemoryLimit { bytes: 64 << 20 }),
            sysctls: BTreeMap::new(),
            aliases: vec!["web".into(), "web.2".into()],
            address: Ipv4Addr::new(10, 201, 0, 5),
            digest: SpecDigest("abc".into()),
        }
    }

    pub(in crate::engine::docker) fn router() -> ContainerSpec {
        ContainerSpec {
            name: ContainerName::from_engine("mypaas-router"),
            role: Role::Router,
            command: vec!["--ping".into()],
            env: BTreeMap::new(),
            binds: vec![],
            publish: vec![],
            max_cpu: None,
            max_mem: None,
            sysctls: [("net.ipv4.tcp_tw_reuse".into(), "1".into())].into(),
            aliases: vec![],
            ..web()
        }
    }

    /// With sorted keys, so that it is the same each time.
    fn shown(spec: &ContainerSpec) -> serde_json::Value {
        serde_json::to_value(create_body(&InstanceName::default(), "mypaas-net", spec)).unwrap()
    }

    #[test]
    fn a_service_s_container_has_all_that_its_spec_says() {
        insta::assert_json_snapshot!(shown(&web()));
    }

    #[test]
    fn a_router_s_container_has_its_command_and_no_service() {
        insta::assert_json_snapshot!(shown(&router()));
    }
}
