//! Creating, starting, stopping and removing containers.

use std::net::Ipv4Addr;
use std::time::Duration;

use mypaas::engine::{ContainerState, EngineError, Restart, Role, SpecDigest};
use mypaas::manifest::{CpuLimit, MemoryLimit, Protocol, Publish};
use mypaas::name::{ContainerName, ImageName, ServiceName};

use crate::fixture::{App, Fixture, eventually};

const GRACE: Duration = Duration::from_secs(10);

pub(crate) async fn creating_twice_makes_one_container(on: &impl Fixture) {
    let spec = on.spec("web", App::Serves).await;
    on.engine().create(&spec).await.unwrap();
    let first = on.engine().inspect(&spec.name).await.unwrap();
    on.engine().create(&spec).await.unwrap();
    assert_eq!(on.engine().inspect(&spec.name).await.unwrap(), first);
    assert_eq!(first.state, ContainerState::Created);
    assert_eq!((first.role, first.digest, first.image), (spec.role, spec.digest, spec.image));
    assert_eq!((first.address, first.restart, first.restarts), (spec.address, Restart::Never, 0));
}

pub(crate) async fn another_spec_replaces_the_container(on: &impl Fixture) {
    let mut spec = on.spec("web", App::Serves).await;
    on.engine().create(&spec).await.unwrap();
    on.engine().start(&spec.name).await.unwrap();
    let first = on.engine().inspect(&spec.name).await.unwrap();
    assert!(first.is_running());
    spec.digest = SpecDigest("two".into());
    on.engine().create(&spec).await.unwrap();
    let second = on.engine().inspect(&spec.name).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!((second.digest, second.state), (spec.digest, ContainerState::Created));
    assert_eq!(on.engine().containers(None).await.unwrap().len(), 1);
}

pub(crate) async fn starting_and_stopping_twice_is_doing_it_once(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    on.engine().start(&container.name).await.unwrap();
    assert_eq!(on.engine().inspect(&container.name).await.unwrap().state, container.state);
    on.engine().stop(&container.name, GRACE).await.unwrap();
    let stopped = on.engine().inspect(&container.name).await.unwrap().state;
    assert!(matches!(&stopped, ContainerState::Exited { exit, .. } if exit.code == 0), "{stopped:?}");
    on.engine().stop(&container.name, GRACE).await.unwrap();
    assert_eq!(on.engine().inspect(&container.name).await.unwrap().state, stopped);
}

pub(crate) async fn a_container_that_ignores_sigterm_is_killed_after_the_grace_time(on: &impl Fixture) {
    let container = on.run("web", App::IgnoresSigterm).await;
    let (grace, begun) = (Duration::from_secs(1), tokio::time::Instant::now());
    on.engine().stop(&container.name, grace).await.unwrap();
    assert!(begun.elapsed() >= grace);
    let exit = on.exit_of(&container.name).await;
    assert_eq!((exit.code, exit.out_of_memory), (137, false));
}

pub(crate) async fn the_way_a_process_ended_is_known(on: &impl Fixture) {
    let container = on.run("web", App::ExitsAtOnce(3)).await;
    let exit = on.exit_of(&container.name).await;
    assert_eq!((exit.code, exit.out_of_memory), (3, false));
}

pub(crate) async fn limits_are_those_that_hold_now(on: &impl Fixture) {
    let limits = async |name: &ContainerName| {
        let seen = on.engine().inspect(name).await.unwrap();
        (seen.max_cpu, seen.max_mem)
    };
    let free = on.run("free", App::Serves).await;
    assert_eq!(limits(&free.name).await, (None, None));
    let mut spec = on.spec("web", App::Serves).await;
    spec.max_cpu = Some(CpuLimit { nano_cpus: 1_500_000_000 });
    spec.max_mem = Some(MemoryLimit { bytes: 64 << 20 });
    on.engine().create(&spec).await.unwrap();
    on.engine().start(&spec.name).await.unwrap();
    assert_eq!(limits(&spec.name).await, (spec.max_cpu, spec.max_mem));
    let container = on.engine().inspect(&spec.name).await.unwrap();
    let (max_cpu, max_mem) = (CpuLimit { nano_cpus: 500_000_000 }, MemoryLimit { bytes: 32 << 20 });
    on.set_limits(&container, max_cpu, max_mem).await;
    assert_eq!(limits(&spec.name).await, (Some(max_cpu), Some(max_mem)), "and not those it was made with");
}

pub(crate) async fn a_process_that_uses_too_much_memory_is_known_by_it(on: &impl Fixture) {
    let container = on.run("web", App::EatsMemory).await;
    let mut noticed = false;
    // Docker overlooks it when the process's end is reported before its cause.
    for _ in 0..5 {
        let exit = on.exit_of(&container.name).await;
        assert_eq!(exit.code, 137);
        noticed = exit.out_of_memory;
        if noticed {
            break;
        }
        on.engine().start(&container.name).await.unwrap();
    }
    assert!(noticed);
}

pub(crate) async fn the_address_and_the_id_stay_through_a_restart(on: &impl Fixture) {
    let first = on.run_until_it_listens("web", App::Serves).await;
    on.engine().stop(&first.name, GRACE).await.unwrap();
    on.engine().start(&first.name).await.unwrap();
    let second = on.engine().inspect(&first.name).await.unwrap();
    assert!(second.is_running());
    assert_eq!((second.address, second.id), (first.address, first.id));
}

pub(crate) async fn a_dead_container_is_restarted_only_when_told_so(on: &impl Fixture) {
    let container = on.run_until_it_listens("web", App::Serves).await;
    on.engine().set_restart(&container.name, Restart::UnlessStopped).await.unwrap();
    on.end(&container, 1).await;
    let again = eventually("it runs again", async || {
        let now = on.engine().inspect(&container.name).await.unwrap();
        (now.restarts > 0 && now.is_running()).then_some(now)
    })
    .await;
    assert_eq!((again.restart, again.address), (Restart::UnlessStopped, container.address));

    on.engine().set_restart(&container.name, Restart::Never).await.unwrap();
    eventually("it listens again", async || {
        on.end(&container, 4).await;
        let state = on.engine().inspect(&container.name).await.unwrap().state;
        matches!(state, ContainerState::Exited { exit, .. } if exit.code == 4).then_some(())
    })
    .await;
}

pub(crate) async fn a_stopped_container_stays_stopped(on: &impl Fixture) {
    let container = on.run("web", App::ExitsAtOnce(1)).await;
    on.engine().set_restart(&container.name, Restart::UnlessStopped).await.unwrap();
    on.engine().start(&container.name).await.unwrap();
    eventually("it crashed", async || (on.engine().inspect(&container.name).await.unwrap().restarts > 0).then_some(()))
        .await;
    on.engine().stop(&container.name, GRACE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let state = on.engine().inspect(&container.name).await.unwrap().state;
    assert!(matches!(state, ContainerState::Exited { .. }), "{state:?}");
}

pub(crate) async fn what_is_gone_may_be_stopped_and_removed_but_not_started(on: &impl Fixture) {
    let container = on.run("web", App::Serves).await;
    on.engine().remove(&container.name).await.unwrap();
    on.engine().remove(&container.name).await.unwrap();
    on.engine().stop(&container.name, GRACE).await.unwrap();
    let error = on.engine().start(&container.name).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { what: "container", .. }), "{error:?}");
    let error = on.engine().inspect(&container.name).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { what: "container", .. }), "{error:?}");
    assert!(on.engine().containers(None).await.unwrap().is_empty());
}

pub(crate) async fn a_stranger_s_container_is_neither_seen_nor_touched(on: &impl Fixture) {
    let mut spec = on.spec("web", App::Serves).await;
    spec.name = ContainerName::from_engine(&format!("stranger-{}", on.instance()));
    let (name, engine) = (spec.name.clone(), on.engine());
    on.make_stranger(&name).await;
    let refusals = [
        ("inspect", engine.inspect(&name).await.err()),
        ("create", engine.create(&spec).await.err()),
        ("start", engine.start(&name).await.err()),
        ("stop", engine.stop(&name, GRACE).await.err()),
        ("remove", engine.remove(&name).await.err()),
        ("set_restart", engine.set_restart(&name, Restart::UnlessStopped).await.err()),
        ("logs", engine.logs(&name, &Default::default()).await.err()),
        ("probe", engine.probe(&name, &mypaas::engine::Probe::Running).await.err()),
    ];
    for (action, refusal) in refusals {
        assert!(matches!(refusal, Some(EngineError::NotOurs { what: "container", .. })), "{action}: {refusal:?}");
    }
    assert!(engine.usage(std::slice::from_ref(&name)).await.unwrap().is_empty());
    assert!(engine.containers(None).await.unwrap().is_empty());
    assert!(on.stranger_runs(&name).await);
}

pub(crate) async fn given_addresses_are_in_use_until_the_container_is_removed(on: &impl Fixture) {
    let network = on.engine().ensure_network().await.unwrap();
    let created = on.create("made", App::Serves).await;
    let running = on.run("runs", App::Serves).await;
    let mut router = on.spec("router", App::Serves).await;
    router.role = Role::Router;
    on.engine().create(&router).await.unwrap();
    let taken = on.engine().addresses_in_use().await.unwrap();
    let expected = [network.gateway, created.address, running.address, router.address];
    assert_eq!(taken, expected.into());
    assert_eq!(taken.len(), expected.len(), "nobody gets another's address: {expected:?}");
    assert_eq!(on.engine().containers(None).await.unwrap().len(), 2, "a router is not a service");
    assert_eq!(on.engine().inspect(&router.name).await.unwrap().role, Role::Router);
    on.engine().remove(&created.name).await.unwrap();
    assert!(!on.engine().addresses_in_use().await.unwrap().contains(&created.address));
}

pub(crate) async fn two_containers_do_not_run_with_one_address(on: &impl Fixture) {
    let first = on.run("one", App::Serves).await;
    let mut second = on.spec("two", App::Serves).await;
    second.address = first.address;
    on.engine().create(&second).await.unwrap();
    let error = on.engine().start(&second.name).await.unwrap_err();
    assert!(matches!(&error, EngineError::AddressTaken { address, .. } if *address == first.address), "{error:?}");
    on.engine().stop(&first.name, GRACE).await.unwrap();
    on.engine().start(&second.name).await.unwrap();
    assert!(on.engine().inspect(&second.name).await.unwrap().is_running());
}

pub(crate) async fn nobody_is_connected_to_what_does_not_run(on: &impl Fixture) {
    let container = on.run("web", App::Serves).await;
    on.engine().stop(&container.name, Duration::from_secs(5)).await.unwrap();
    assert_eq!(on.engine().connections(&container.name).await.unwrap(), Some(0));
    on.engine().remove(&container.name).await.unwrap();
    let error = on.engine().connections(&container.name).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { .. }), "{error}");
}

pub(crate) async fn a_stopped_container_can_come_back_at_another_address(on: &impl Fixture) {
    let there = on.run_until_it_listens("web", App::Serves).await;
    let (to, aliases) = (on.free_address().await, ["other".to_owned()]);
    let error = on.engine().readdress(&there.name, to, &aliases).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "one that runs: {error:?}");
    on.engine().readdress(&there.name, there.address, &aliases).await.unwrap();
    on.engine().stop(&there.name, GRACE).await.unwrap();
    for _ in 0..2 {
        on.engine().readdress(&there.name, to, &aliases).await.unwrap();
    }
    let taken = on.engine().addresses_in_use().await.unwrap();
    assert!(taken.contains(&to) && !taken.contains(&there.address), "{taken:?}");
    on.engine().start(&there.name).await.unwrap();
    let back = on.engine().inspect(&there.name).await.unwrap();
    assert_eq!((back.address, back.id, back.digest), (to, there.id, there.digest));
    on.until_it_listens(&there.name).await;
}

pub(crate) async fn a_container_takes_another_name_and_stays_what_it_is(on: &impl Fixture) {
    let there = on.run_until_it_listens("web", App::Serves).await;
    let other = ContainerName::from_engine(&format!("{}-before", there.name));
    for _ in 0..2 {
        on.engine().rename(&there.name, &other).await.unwrap();
    }
    let renamed = on.engine().inspect(&other).await.unwrap();
    assert_eq!((renamed.id, renamed.state, renamed.digest), (there.id, there.state, there.digest));
    let error = on.engine().inspect(&there.name).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { .. }), "{error}");
    let taken = on.run("web", App::Serves).await;
    let error = on.engine().rename(&other, &taken.name).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "another one has the name: {error}");
}

pub(crate) async fn published_ports_are_known_while_it_runs(on: &impl Fixture) {
    let mut spec = on.spec("web", App::Serves).await;
    let (address, port) = (Some(Ipv4Addr::LOCALHOST.into()), 80.try_into().unwrap());
    spec.publish = vec![Publish { address, host_port: None, container_port: port, protocol: Protocol::Tcp }];
    on.engine().create(&spec).await.unwrap();
    assert_eq!(on.engine().inspect(&spec.name).await.unwrap().published, []);
    on.engine().start(&spec.name).await.unwrap();
    let published = on.engine().inspect(&spec.name).await.unwrap().published;
    let [one] = published[..] else { panic!("{published:?}") };
    assert_eq!((Some(one.address), one.container_port, one.protocol), (address, 80, Protocol::Tcp));
    assert_ne!(one.host_port, 0);
    on.engine().stop(&spec.name, GRACE).await.unwrap();
    assert_eq!(on.engine().inspect(&spec.name).await.unwrap().published, []);
}

pub(crate) async fn two_containers_do_not_run_with_one_published_port(on: &impl Fixture) {
    let port = on.free_port();
    let publish = Publish {
        address: None,
        host_port: port.try_into().ok(),
        container_port: 80.try_into().unwrap(),
        protocol: Protocol::Tcp,
    };
    let mut names = Vec::new();
    for service in ["one", "two"] {
        let mut spec = on.spec(service, App::Serves).await;
        spec.publish = vec![publish.clone()];
        on.engine().create(&spec).await.unwrap();
        names.push(spec.name);
    }
    on.engine().start(&names[0]).await.unwrap();
    let error = on.engine().start(&names[1]).await.unwrap_err();
    assert!(matches!(&error, EngineError::PortTaken { port: taken, .. } if *taken == port.to_string()), "{error:?}");
    on.engine().remove(&names[0]).await.unwrap();
    on.engine().start(&names[1]).await.unwrap();
}

pub(crate) async fn eight_containers_start_at_once(on: &impl Fixture) {
    let image = on.build("web", 1, App::Serves).await;
    let mut specs = Vec::new();
    for slot in 1..=8 {
        let spec = on.spec_of("web", image.clone(), App::Serves, slot).await;
        on.engine().create(&spec).await.unwrap();
        specs.push(spec);
    }
    let starts = specs.iter().map(|spec| on.engine().start(&spec.name));
    futures_util::future::try_join_all(starts).await.unwrap();
    let seen = on.engine().containers(Some(&"web".parse().unwrap())).await.unwrap();
    assert!(seen.iter().all(|container| container.is_running()));
    let names: Vec<_> = seen.into_iter().map(|container| (container.name, container.address)).collect();
    let expected: Vec<_> = specs.into_iter().map(|spec| (spec.name, spec.address)).collect();
    assert_eq!(names, expected);
    let stops = names.iter().map(|(name, _)| on.engine().stop(name, GRACE));
    futures_util::future::try_join_all(stops).await.unwrap();
}

pub(crate) async fn a_service_is_told_apart_from_one_whose_name_begins_alike(on: &impl Fixture) {
    let api = on.create("rob.api", App::Serves).await;
    let rob = on.create("rob", App::Serves).await;
    let of = async |service: Option<&str>| {
        let service: Option<ServiceName> = service.map(|name| name.parse().unwrap());
        let seen = on.engine().containers(service.as_ref()).await.unwrap();
        seen.into_iter().map(|container| container.id).collect::<Vec<_>>()
    };
    assert_eq!(of(Some("rob")).await, [rob.id.as_str()]);
    assert_eq!(of(Some("rob.api")).await, [api.id.as_str()]);
    assert!(of(Some("ro")).await.is_empty());
    assert_eq!(of(None).await, [api.id, rob.id]);
}

pub(crate) async fn a_container_needs_its_image(on: &impl Fixture) {
    let mut spec = on.spec("web", App::Serves).await;
    spec.image = ImageName::of(on.instance(), &"web".parse().unwrap(), mypaas::name::ReleaseId::new(99));
    let error = on.engine().create(&spec).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::NotFound { what: "image", name } if name == spec.image.as_str()),
        "{error:?}"
    );
}
