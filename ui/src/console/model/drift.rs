//! Where what runs differs from what the live release's options ask for.

use mypaas::api::{ContainerState, ContainerView, Health, ServiceState, ServiceView};
use mypaas::manifest::{Manifest, MemoryLimit, Scale};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drift {
    /// The option that it is about; empty when it is about none.
    pub option: &'static str,
    pub wanted: String,
    pub is: String,
}

/// All differences, those that requests notice first. A deploy that runs explains many of them, so that none are told
/// meanwhile.
pub(crate) fn drift(manifest: &Manifest, service: &ServiceView) -> Vec<Drift> {
    if service.last_deploy.as_ref().is_some_and(|deploy| !deploy.is_finished()) {
        return Vec::new();
    }
    let stopped = stopped(service);
    if !stopped.is_empty() {
        return stopped;
    }
    let found = [
        missing(service),
        out_of_balance(service),
        scaled(manifest, service),
        strangers(service),
        max_cpu(manifest, service),
        max_mem(manifest, service),
        urls(manifest, service),
    ];
    found.into_iter().flatten().collect()
}

fn stopped(service: &ServiceView) -> Vec<Drift> {
    let is_stopped = service.state == ServiceState::Stopped;
    let drift = Drift { option: "", wanted: "the service runs".into(), is: "stopped by hand".into() };
    if is_stopped { vec![drift] } else { Vec::new() }
}

/// Containers that should be there and are not, or do not run.
fn missing(service: &ServiceView) -> Option<Drift> {
    let runs = |state: &ContainerState| matches!(state, ContainerState::Running { .. });
    let own = service.containers.iter().filter(|container| Some(container.release) == service.release);
    let running = own.filter(|container| runs(&container.state)).count();
    let wanted = service.wanted as usize;
    (running < wanted).then(|| Drift {
        option: "",
        wanted: format!("{wanted} of the live release run"),
        is: if running == 0 { "none does".into() } else { format!("{running} do") },
    })
}

/// Containers of the live release that run and get no requests, though the service has URLs.
fn out_of_balance(service: &ServiceView) -> Option<Drift> {
    let idle = |container: &&ContainerView| {
        let ContainerState::Running { health, .. } = &container.state else { return false };
        let is_held_back = !container.routed || matches!(health, Some(Health::Unhealthy));
        Some(container.release) == service.release && is_held_back
    };
    let names: Vec<_> = service.containers.iter().filter(idle).map(|container| container.name.to_string()).collect();
    (!service.urls.is_empty() && !names.is_empty()).then(|| Drift {
        option: "",
        wanted: "every container takes requests".into(),
        is: format!("{} out of the balance", names.join(", ")),
    })
}

/// Scaled by hand since.
fn scaled(manifest: &Manifest, service: &ServiceView) -> Option<Drift> {
    let declared = manifest.scale.count();
    let is_scaled = !matches!(manifest.scale, Scale::Single) && service.wanted != declared;
    is_scaled.then(|| Drift {
        option: "scale",
        wanted: declared.to_string(),
        is: format!("{} since it was scaled by hand", service.wanted),
    })
}

/// Containers of other releases that are still there.
fn strangers(service: &ServiceView) -> Option<Drift> {
    let old = service.containers.iter().filter(|container| Some(container.release) != service.release);
    let names: Vec<_> = old.map(|container| container.name.to_string()).collect();
    (!names.is_empty()).then(|| Drift {
        option: "",
        wanted: "containers of the live release only".into(),
        is: format!("{} there too", names.join(", ")),
    })
}

/// What somebody gave to a container by hand since it was made; the next deploy ends it.
fn max_cpu(manifest: &Manifest, service: &ServiceView) -> Option<Drift> {
    limit("maxcpu", manifest.max_cpu, service, |container| container.cpu_limit)
}

fn max_mem(manifest: &Manifest, service: &ServiceView) -> Option<Drift> {
    limit("maxmem", manifest.max_mem, service, |container| {
        let bytes = i64::try_from(container.memory_limit_bytes?).unwrap_or(i64::MAX);
        Some(MemoryLimit { bytes })
    })
}

fn limit<L: PartialEq + std::fmt::Display>(
    option: &'static str,
    wanted: Option<L>,
    service: &ServiceView,
    of: impl Fn(&ContainerView) -> Option<L>,
) -> Option<Drift> {
    let mut own = service.containers.iter().filter(|container| Some(container.release) == service.release);
    let (name, is) = own.find_map(|container| {
        let is = of(container);
        (is != wanted).then_some((&container.name, is))
    })?;
    let told = |limit: Option<L>| limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    Some(Drift { option, wanted: told(wanted), is: format!("{} in {name}", told(is)) })
}

fn urls(manifest: &Manifest, service: &ServiceView) -> Option<Drift> {
    let all = |urls: &[mypaas::manifest::ServiceUrl]| {
        let texts: Vec<_> = urls.iter().map(ToString::to_string).collect();
        if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
    };
    (manifest.urls != service.urls).then(|| Drift {
        option: "url",
        wanted: all(&manifest.urls),
        is: all(&service.urls),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use mypaas::manifest::CpuLimit;

    fn told(change: impl FnOnce(&mut ServiceView)) -> Vec<(&'static str, String)> {
        let manifest = fixture::detail("api").manifest.unwrap();
        let mut service = fixture::service("api");
        change(&mut service);
        drift(&manifest, &service).into_iter().map(|drift| (drift.option, drift.is)).collect()
    }

    #[test]
    fn what_runs_as_the_options_ask_for_has_not_drifted() {
        assert_eq!(told(|_| {}), []);
    }

    #[test]
    fn a_service_scaled_by_hand_has_drifted_from_its_option() {
        let scaled = told(|service| {
            service.wanted = 2;
            service.containers.truncate(2);
        });
        assert_eq!(scaled, [("scale", "2 since it was scaled by hand".into())]);
    }

    #[test]
    fn a_container_that_is_gone_or_takes_no_requests_is_told() {
        assert_eq!(told(|service| drop(service.containers.pop())), [("", "2 do".into())]);
        let idle = told(|service| service.containers[1].routed = false);
        assert_eq!(idle, [("", "api.r14.2 out of the balance".into())]);
    }

    #[test]
    fn another_release_and_another_limit_are_told() {
        let more = fixture::service("shop").containers[0].clone();
        let strange = told(|service| service.containers.push(more));
        assert_eq!(strange.len(), 1, "{strange:?}");
    }

    #[test]
    fn other_limits_than_those_asked_for_are_told_with_the_container_that_has_them() {
        let limit = told(|service| service.containers[0].memory_limit_bytes = None);
        assert_eq!(limit, [("maxmem", "no limit in api.r14.1".into())]);
        let both = told(|service| {
            service.containers[2].cpu_limit = Some(CpuLimit { nano_cpus: 500_000_000 });
            service.containers[1].memory_limit_bytes = Some(64 << 20);
        });
        assert_eq!(both, [("maxcpu", "0.5 in api.r14.3".into()), ("maxmem", "64m in api.r14.2".into())]);
    }

    #[test]
    fn a_deploy_that_runs_explains_what_differs() {
        let during = told(|service| {
            service.containers.clear();
            service.last_deploy = Some(fixture::running_deploy("api", 99));
        });
        assert_eq!(during, []);
    }
}
