//! Situations to plan for, and a world in which the steps of a plan happen at once.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use jiff::Timestamp;
use mypaas::deploy::{
    Actual, Desired, Goal, Moved, Origin, Pace, Readiness, Release, Serving, Step, Strategy, Template,
};
use mypaas::engine::{Container, ContainerSpec, ContainerState, Exit, Restart, Role};
use mypaas::manifest::{HealthCheck, Manifest, Scale};
use mypaas::name::{DeployId, ImageName, InstanceName, ReleaseId, ServiceName};
use mypaas::router::Routes;

pub const PACE: Pace = Pace {
    drain: Duration::from_secs(10),
    grace: Duration::from_secs(10),
    hold: Duration::from_secs(70),
    again: Duration::from_secs(60),
};

pub fn service() -> ServiceName {
    "web".parse().unwrap()
}

pub fn release(number: u64, url: bool) -> Release {
    let instance = InstanceName::default();
    let id = ReleaseId::new(number);
    let urls = if url { vec!["http://web.example.com".to_owned().try_into().unwrap()] } else { Vec::new() };
    Release {
        service: service(),
        id,
        image: ImageName::of(&instance, &service(), id),
        image_id: format!("sha256:{number}"),
        image_bytes: 0,
        image_has_healthcheck: false,
        image_first_check: std::time::Duration::ZERO,
        image_volumes: Vec::new(),
        repositories: BTreeSet::new(),
        manifest: Manifest {
            service: service(),
            urls,
            volumes: Vec::new(),
            env: Vec::new(),
            port: 80.try_into().unwrap(),
            publish: Vec::new(),
            scale: Scale::Single,
            healthcheck: None,
            max_cpu: None,
            max_mem: None,
            release_command: None,
            pulls_latest: false,
            options: Vec::new(),
        },
        origin: Origin { who: "ada".to_owned(), key: None, folder: None, commit: None },
        built: Timestamp::UNIX_EPOCH,
        build_seconds: 0.0,
    }
}

/// The deploy has the number 100.
pub fn serving(number: u64, strategy: Strategy, count: u32, url: bool) -> Desired {
    let release = release(number, url);
    let template = Template::of(&InstanceName::default(), &release, count, [].into(), Vec::new());
    let readiness = Readiness::of(&release, Duration::from_secs(5), Duration::from_secs(60));
    let urls = release.manifest.urls;
    let serving =
        Serving { template, strategy, count, readiness, urls, healthcheck: None, fresh: false, command: None };
    Desired { deploy: DeployId::new(100), service: service(), goal: Goal::Serving(serving), pace: PACE }
}

pub fn fresh(mut desired: Desired) -> Desired {
    if let Goal::Serving(serving) = &mut desired.goal {
        serving.fresh = true;
    }
    desired
}

/// What the router asks containers for.
pub fn healthcheck() -> HealthCheck {
    HealthCheck { path: "/health".to_owned(), interval: Duration::from_secs(1), timeout: Duration::from_millis(500) }
}

/// The health check is there before and after.
pub fn checked(mut desired: Desired, mut actual: Actual) -> (Desired, Actual) {
    if let Goal::Serving(serving) = &mut desired.goal {
        serving.healthcheck = Some(healthcheck());
    }
    if let Some(routes) = &mut actual.routes {
        routes.healthcheck = Some(healthcheck());
    }
    (desired, actual)
}

pub fn without_containers(goal: Goal) -> Desired {
    Desired { deploy: DeployId::new(100), service: service(), goal, pace: PACE }
}

pub fn running() -> ContainerState {
    ContainerState::Running { since: Timestamp::UNIX_EPOCH, health: None }
}

pub fn stopped() -> ContainerState {
    ContainerState::Exited { exit: Exit { code: 0, out_of_memory: false }, at: Timestamp::UNIX_EPOCH }
}

pub fn crashing() -> ContainerState {
    ContainerState::Restarting { exit: Exit { code: 1, out_of_memory: false } }
}

/// Containers of earlier deploys, routed where they run; ten addresses from .100 on are free.
pub fn actual(containers: &[(u64, u32, ContainerState)], url: bool) -> Actual {
    let containers: Vec<_> = containers
        .iter()
        .enumerate()
        .map(|(index, (number, slot, state))| {
            let Goal::Serving(serving) = serving(*number, Strategy::Roll, 1, url).goal else { unreachable!() };
            let address = Ipv4Addr::new(10, 0, 0, 10 + u8::try_from(index).unwrap());
            made(&serving.template.container(*slot, address, DeployId::new(*number)), state.clone())
        })
        .collect();
    let targets: Vec<_> =
        containers.iter().filter(|c| c.is_running()).map(|c| SocketAddrV4::new(c.address, 80)).collect();
    let routes = (url && !containers.is_empty()).then(|| Routes {
        service: service(),
        urls: release(1, true).manifest.urls,
        targets,
        healthcheck: None,
        hold: None,
    });
    Actual { containers, routes, free: (100..110).map(|last| Ipv4Addr::new(10, 0, 0, last)).collect() }
}

fn made(spec: &ContainerSpec, state: ContainerState) -> Container {
    Container {
        name: spec.name.clone(),
        id: String::new(),
        role: spec.role.clone(),
        image: spec.image.clone(),
        digest: spec.digest.clone(),
        address: spec.address,
        max_cpu: spec.max_cpu,
        max_mem: spec.max_mem,
        published: Vec::new(),
        restart: Restart::Never,
        restarts: 0,
        created: Timestamp::UNIX_EPOCH,
        state,
    }
}

/// The world after the step.
pub fn happen(world: &mut Actual, step: &Step) {
    let of = |names: &[_], container: &Container| names.contains(&container.name);
    match step {
        Step::Create { containers } => {
            world.containers.extend(containers.iter().map(|spec| made(spec, ContainerState::Created)));
        }
        Step::Start { containers } => {
            for container in world.containers.iter_mut().filter(|c| of(containers, c)) {
                container.state = running();
            }
        }
        Step::Stop { containers, .. } => {
            for container in world.containers.iter_mut().filter(|c| of(containers, c)) {
                if matches!(container.state, ContainerState::Running { .. } | ContainerState::Restarting { .. }) {
                    container.state = stopped();
                }
            }
        }
        Step::Remove { containers } => world.containers.retain(|container| !of(containers, container)),
        Step::Hold { routes } | Step::Route { routes, .. } => world.routes = Some(routes.clone()),
        Step::Withdraw => world.routes = None,
        Step::Run { container, .. } => world.containers.push(made(container, stopped())),
        Step::Move { containers, .. } => {
            for Moved { container, to, .. } in containers {
                for there in world.containers.iter_mut().filter(|there| there.name == *container) {
                    if there.address != *to {
                        (there.address, there.state) = (*to, stopped());
                    }
                }
            }
        }
        Step::Keep { containers } => {
            for container in world.containers.iter_mut().filter(|c| of(containers, c)) {
                container.restart = Restart::UnlessStopped;
            }
        }
        Step::AwaitReady { .. } | Step::Drain { .. } => {}
    }
}

/// Whether a request that comes now is answered, or waits: every target runs, or the routes hold.
pub fn serves(world: &Actual) -> bool {
    let Some(routes) = &world.routes else { return true };
    let runs = |target: &SocketAddrV4| {
        world.containers.iter().any(|container| container.address == *target.ip() && container.is_running())
    };
    routes.hold.is_some() || routes.targets.iter().all(runs)
}

/// Who Role::Service says it is of.
pub fn release_of(container: &Container) -> Option<ReleaseId> {
    match &container.role {
        Role::Service { release, .. } => Some(*release),
        Role::Router => None,
    }
}
