use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::api::{AlertKind, ServiceState};

fn six_services() -> Snapshot {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/snapshots/six_services.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Something that may happen between two snapshots.
#[derive(Debug, Clone)]
enum Happening {
    Gone(usize),
    Named(usize, String),
    Stopped(usize),
    Traffic(usize, Option<f32>),
    Cpu(usize, usize, Option<f32>),
    Memory(usize, usize, Option<u64>),
    ContainerGone(usize, usize),
    Restarted(usize, usize),
    DeployGone(usize),
    DeployAgain(usize, u64),
    DeploysSwapped(usize),
    Machine(Option<f32>),
    Upgraded(String),
    Alert(String),
    NoAlerts,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let service = 0_usize..8;
    let container = 0_usize..4;
    prop_oneof![
        service.clone().prop_map(Gone),
        (service.clone(), "[a-z]{1,3}").prop_map(|(at, name)| Named(at, name)),
        service.clone().prop_map(Stopped),
        (service.clone(), proptest::option::of(0.0_f32..1e4)).prop_map(|(at, rate)| Traffic(at, rate)),
        (service.clone(), container.clone(), proptest::option::of(0.0_f32..400.0)).prop_map(|(s, c, p)| Cpu(s, c, p)),
        (service.clone(), container.clone(), proptest::option::of(0_u64..1 << 40))
            .prop_map(|(s, c, b)| Memory(s, c, b)),
        (service.clone(), container.clone()).prop_map(|(s, c)| ContainerGone(s, c)),
        (service.clone(), container).prop_map(|(s, c)| Restarted(s, c)),
        service.clone().prop_map(DeployGone),
        (service.clone(), 1_u64..50).prop_map(|(at, id)| DeployAgain(at, id)),
        service.prop_map(DeploysSwapped),
        proptest::option::of(0.0_f32..100.0).prop_map(Machine),
        "[0-9]\\.[0-9]".prop_map(Upgraded),
        "[a-z ]{0,9}".prop_map(Alert),
        Just(NoAlerts),
    ]
}

fn happen(snapshot: &mut Snapshot, happening: Happening) {
    let services = snapshot.services.len().max(1);
    let container = |snapshot: &mut Snapshot, s: usize, c: usize, change: &dyn Fn(&mut ContainerView)| {
        if let Some(service) = snapshot.services.get_mut(s % services)
            && let Some(container) = service.containers.get_mut(c)
        {
            change(container);
        }
    };
    match happening {
        Happening::Gone(at) if at < snapshot.services.len() => drop(snapshot.services.remove(at)),
        Happening::DeployGone(at) if at < snapshot.deploys.len() => drop(snapshot.deploys.remove(at)),
        Happening::Gone(_) | Happening::DeployGone(_) => {}
        Happening::Named(at, name) => {
            if let Some(service) = snapshot.services.get_mut(at) {
                service.name = name.parse().unwrap();
            }
            snapshot.services.sort_by(|one, other| one.name.cmp(&other.name));
            snapshot.services.dedup_by(|one, other| one.name == other.name);
        }
        Happening::Stopped(at) => {
            if let Some(service) = snapshot.services.get_mut(at) {
                service.state = ServiceState::Stopped;
            }
        }
        Happening::Traffic(at, rate) => {
            if let Some(service) = snapshot.services.get_mut(at) {
                service.traffic = rate.map(traffic);
            }
        }
        Happening::Cpu(s, c, percent) => container(snapshot, s, c, &|it| it.cpu_percent = percent),
        Happening::Memory(s, c, bytes) => container(snapshot, s, c, &|it| it.memory_bytes = bytes),
        Happening::Restarted(s, c) => container(snapshot, s, c, &|it| it.restarts += 1),
        Happening::ContainerGone(s, c) => {
            if let Some(service) = snapshot.services.get_mut(s)
                && c < service.containers.len()
            {
                service.containers.remove(c);
            }
        }
        Happening::DeployAgain(at, id) => {
            if let Some(known) = snapshot.deploys.get(at).cloned() {
                snapshot.deploys.retain(|deploy| deploy.id != DeployId::new(id));
                snapshot.deploys.insert(0, Deploy { id: DeployId::new(id), ..known });
            }
        }
        Happening::DeploysSwapped(at) if at + 1 < snapshot.deploys.len() => snapshot.deploys.swap(at, at + 1),
        Happening::DeploysSwapped(_) => {}
        Happening::Machine(percent) => snapshot.server.machine = percent.map(machine),
        Happening::Upgraded(version) => snapshot.server.version = version,
        Happening::Alert(message) => snapshot.alerts.push(Alert {
            kind: AlertKind::Disk,
            since: snapshot.at,
            service: None,
            container: None,
            message,
            hint: None,
        }),
        Happening::NoAlerts => snapshot.alerts.clear(),
    }
}

fn traffic(requests_per_second: f32) -> Traffic {
    let (median, p95) = (Some(Duration::from_millis(20)), Some(Duration::from_millis(90)));
    Traffic { requests_per_second, error_share: 0.01, median, p95 }
}

fn machine(percent: f32) -> MachineFigures {
    MachineFigures {
        cpus: 2,
        cpu_percent: Some(percent),
        memory_bytes: 8 << 30,
        memory_used_bytes: 1 << 30,
        disk_bytes: 100 << 30,
        disk_used_bytes: 10 << 30,
    }
}

proptest! {
    #[test]
    fn whoever_folds_changes_knows_what_the_server_knows(
        steps in proptest::collection::vec(proptest::collection::vec(happening(), 0..6), 1..8)
    ) {
        let mut known = six_services();
        let mut now = known.clone();
        for step in steps {
            step.into_iter().for_each(|happening| happen(&mut now, happening));
            now.at += jiff::SignedDuration::from_secs(1);
            match Change::between(&known, &now) {
                Some(change) => {
                    let line = serde_json::to_vec(&WatchNews::Change(Box::new(change.clone()))).unwrap();
                    let read: WatchNews = serde_json::from_slice(&line).unwrap();
                    prop_assert_eq!(&read, &WatchNews::Change(Box::new(change.clone())));
                    known.apply(change);
                }
                None => known.at = now.at,
            }
            prop_assert_eq!(&known, &now);
        }
    }

    #[test]
    fn what_is_shown_is_never_far_from_what_is(percents in proptest::collection::vec(0.0_f32..300.0, 1..40)) {
        let mut shown = six_services();
        let at = shown.services.iter().position(|service| !service.containers.is_empty()).unwrap();
        for percent in percents {
            let mut now = shown.clone();
            now.services[at].containers[0].cpu_percent = Some(percent);
            now.settle_on(&shown);
            let told = now.services[at].containers[0].cpu_percent.unwrap();
            prop_assert!((told - percent).abs() <= (percent * 0.011).max(0.05), "{told} for {percent}");
            shown = now;
        }
    }
}

#[test]
fn figures_that_nobody_would_tell_apart_are_not_told() {
    let shown = six_services();
    let mut now = shown.clone();
    for service in &mut now.services {
        for container in &mut service.containers {
            container.cpu_percent = container.cpu_percent.map(|percent| percent + 0.01);
            container.memory_bytes = container.memory_bytes.map(|bytes| bytes + 100);
        }
    }
    assert!(Change::between(&shown, &now).is_some());
    now.settle_on(&shown);
    assert_eq!(Change::between(&shown, &now), None);
}

#[test]
fn a_change_of_one_container_is_some_bytes_long() {
    let shown = six_services();
    let mut now = shown.clone();
    let service = now.services.iter_mut().find(|service| !service.containers.is_empty()).unwrap();
    service.containers[0].cpu_percent = Some(12.5);
    service.containers[0].memory_bytes = Some(77 << 20);
    let change = Change::between(&shown, &now).unwrap();
    let line = serde_json::to_string(&change).unwrap();
    assert!(line.len() < 160 && line.contains("[0,12.5,80740352]"), "{line}");
}
