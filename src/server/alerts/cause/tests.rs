use super::*;
use crate::api::{MachineFigures, ProblemCode};
use crate::name::ReleaseId;

fn six_services() -> Snapshot {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/snapshots/six_services.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Of the whole snapshot: what kind, of what.
fn found(snapshot: &Snapshot, active: &Book) -> Vec<(AlertKind, String)> {
    let sight = Sight {
        snapshot,
        restarts: &Restarts::default(),
        unwell: &BTreeSet::new(),
        certificate_time: Duration::from_secs(7 * 86_400),
        active,
    };
    let of = |cause: Cause| {
        let Key { kind, service, container, detail } = cause.key;
        let names = [service.map(|name| name.to_string()), container.map(|name| name.to_string()), Some(detail)];
        (kind, names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" "))
    };
    causes(&sight, snapshot.at).into_iter().map(of).collect()
}

fn machine(memory: u64, disk: u64) -> MachineFigures {
    MachineFigures {
        cpus: 2,
        cpu_percent: None,
        memory_bytes: 100,
        memory_used_bytes: memory,
        disk_bytes: 1000,
        disk_used_bytes: disk,
    }
}

/// A snapshot with one service, all of which is well, and how it became otherwise.
fn with(change: impl FnOnce(&mut Snapshot)) -> Vec<(AlertKind, String)> {
    let mut snapshot = six_services();
    snapshot.services.retain(|service| service.state == ServiceState::Running && service.containers.len() == 1);
    snapshot.services.truncate(1);
    let service = &mut snapshot.services[0];
    service.last_deploy = None;
    service.certificates.clear();
    service.name = "web".parse().unwrap();
    service.containers[0].name = ContainerName::from_engine("web.r1.1");
    service.containers[0].routed = true;
    change(&mut snapshot);
    found(&snapshot, &Book::default())
}

fn one(kind: AlertKind, names: &str) -> Vec<(AlertKind, String)> {
    vec![(kind, names.to_owned())]
}

#[test]
fn each_cause_is_found_where_it_is() {
    assert_eq!(with(|_| {}), []);
    assert_eq!(with(|all| all.services[0].state = ServiceState::Down), one(AlertKind::Down, "web"));
    let unhealthy = |all: &mut Snapshot| {
        let since = all.at;
        all.services[0].containers[0].state = ContainerState::Running { since, health: Some(Health::Unhealthy) };
    };
    assert_eq!(with(unhealthy), one(AlertKind::Unhealthy, "web web.r1.1"));
    let hungry = |percent| {
        move |all: &mut Snapshot| {
            let container = &mut all.services[0].containers[0];
            (container.memory_bytes, container.memory_limit_bytes) = (Some(percent), Some(100));
        }
    };
    assert_eq!(with(hungry(91)), []);
    assert_eq!(with(hungry(92)), one(AlertKind::Memory, "web web.r1.1"));
    assert_eq!(with(|all| all.server.machine = Some(machine(94, 899))), []);
    assert_eq!(with(|all| all.server.machine = Some(machine(95, 0))), one(AlertKind::Memory, ""));
    assert_eq!(with(|all| all.server.machine = Some(machine(0, 900))), one(AlertKind::Disk, ""));
    let unreached = |all: &mut Snapshot| all.server.unreached = Some(Problem::new(ProblemCode::Unavailable, "504"));
    assert_eq!(with(unreached), one(AlertKind::Part, "domain"));
    let unreplaced = |all: &mut Snapshot| {
        let Part::Up { info } = &mut all.server.router else { panic!("it is well") };
        info.unreplaced = Some(Unreplaced { reason: "it ended with code 1".to_owned(), log: Vec::new() });
    };
    assert_eq!(with(unreplaced), one(AlertKind::Part, "router's settings"));
}

#[test]
fn what_a_deploy_takes_away_for_a_moment_is_not_down_but_what_was_down_before_is() {
    let in_phase = |phase| {
        move |all: &mut Snapshot| {
            let service = &mut all.services[0];
            service.state = ServiceState::Down;
            let mut deploy = six_services().services.into_iter().find_map(|service| service.last_deploy).unwrap();
            deploy.state = DeployState::Running { started: all.at, phase };
            service.last_deploy = Some(deploy);
        }
    };
    for phase in [Phase::Queued, Phase::Building, Phase::Preparing] {
        assert_eq!(with(in_phase(phase)), one(AlertKind::Down, "web"), "{phase:?}");
    }
    for phase in [Phase::Starting, Phase::Probing, Phase::Retiring, Phase::Undoing] {
        assert_eq!(with(in_phase(phase)), [], "{phase:?}");
        let with_one_waiting = |all: &mut Snapshot| {
            in_phase(phase)(all);
            let service = &mut all.services[0];
            let deploy = service.last_deploy.take().unwrap();
            let waiting = Deploy { state: DeployState::Queued, ..deploy.clone() };
            (all.deploys, service.last_deploy) = (vec![deploy], Some(waiting));
            all.deploys[0].service = service.name.clone();
        };
        assert_eq!(with(with_one_waiting), [], "{phase:?}, and another waits");
    }
}

#[test]
fn what_a_deploy_left_running_is_told_unless_one_is_at_it() {
    let left = |all: &mut Snapshot| {
        let mut other = all.services[0].containers[0].clone();
        (other.name, other.release) = (ContainerName::from_engine("web.r90.1"), ReleaseId::new(90));
        all.services[0].containers.push(other);
    };
    assert_eq!(with(left), one(AlertKind::Leftover, "web web.r90.1"));
    for phase in [Phase::Preparing, Phase::Draining] {
        let while_deploying = |all: &mut Snapshot| {
            left(all);
            let mut deploy = six_services().services.into_iter().find_map(|service| service.last_deploy).unwrap();
            deploy.state = DeployState::Running { started: all.at, phase };
            all.services[0].last_deploy = Some(deploy);
        };
        assert_eq!(with(while_deploying), [], "{phase:?}");
    }
}

#[test]
fn a_container_beside_those_that_are_wanted_is_told_and_one_that_is_missing_too() {
    let beside = |routed| {
        move |all: &mut Snapshot| {
            let mut other = all.services[0].containers[0].clone();
            (other.name, other.routed) = (ContainerName::from_engine("web.r1.2"), routed);
            all.services[0].containers.push(other);
        }
    };
    assert_eq!(with(beside(false)), one(AlertKind::Leftover, "web web.r1.2"));
    assert_eq!(with(beside(true)), []);
    let lacks_one = |all: &mut Snapshot| {
        (all.services[0].wanted, all.services[0].state) = (2, ServiceState::Degraded);
    };
    assert_eq!(with(lacks_one), one(AlertKind::Unhealthy, "web"));
}

#[test]
fn a_release_that_was_taken_back_by_itself_is_told_until_the_next_deploy() {
    let rolled_back = |origin: Origin| {
        move |all: &mut Snapshot| {
            let mut deploy = six_services().services.into_iter().find_map(|service| service.last_deploy).unwrap();
            deploy.state = DeployState::Finished { started: None, finished: all.at, outcome: Outcome::Succeeded };
            (deploy.action, deploy.from) = (Action::Rollback { to: ReleaseId::new(1) }, Some(ReleaseId::new(2)));
            deploy.origin = origin;
            all.services[0].last_deploy = Some(deploy);
        }
    };
    assert_eq!(with(rolled_back(Origin::server())), one(AlertKind::DeployFailed, "web"));
    assert_eq!(with(rolled_back(Origin { who: "ada@laptop".to_owned(), ..Origin::server() })), []);
}

#[test]
fn a_certificate_is_told_before_it_lapses() {
    let stands = |of: fn(Timestamp) -> Standing| {
        with(|all| {
            let standing = of(all.at);
            all.services[0].certificates = vec![CertificateView { domain: "a.test".to_owned(), standing }];
        })
    };
    let valid = |hours: i64, at: Timestamp| Standing::Valid {
        issuer: "us".to_owned(),
        expires: at + jiff::SignedDuration::from_hours(hours),
        refusal: None,
    };
    assert_eq!(stands(|_| Standing::Pending), []);
    assert_eq!(stands(|_| Standing::None), []);
    let told = one(AlertKind::Certificate, "web a.test");
    assert_eq!(stands(|at| Standing::Refused { reason: "no such domain".to_owned(), at }), told);
    for (hours, expected) in [(6 * 24, told), (8 * 24, vec![])] {
        let found = with(|all| {
            let standing = valid(hours, all.at);
            all.services[0].certificates = vec![CertificateView { domain: "a.test".to_owned(), standing }];
        });
        assert_eq!(found, expected, "{hours}");
    }
}

#[test]
fn without_the_engine_nothing_is_said_of_services_that_was_not_said_before() {
    let down = |all: &mut Snapshot| {
        all.services[0].state = ServiceState::Down;
        let problem = Problem::new(crate::api::ProblemCode::Unavailable, "the engine does not answer");
        all.server.engine = Part::Down { problem };
    };
    assert_eq!(with(down), one(AlertKind::Part, "engine"));
}

#[test]
fn what_is_told_takes_more_to_be_over() {
    let mut snapshot = six_services();
    snapshot.services.clear();
    let mut book = Book::default();
    let mut at_percent = |percent: u64, book: &mut Book| {
        snapshot.server.machine = Some(machine(0, percent * 10));
        snapshot.at += jiff::SignedDuration::from_secs(40);
        let found = found(&snapshot, book);
        let causes = found.iter().map(|(kind, _)| Cause {
            key: Key { kind: *kind, ..Key::default() },
            since: None,
            message: String::new(),
            hint: None,
        });
        book.update(causes.collect(), snapshot.at);
        found.len()
    };
    let counts = [89, 90, 90, 89, 88, 87, 86, 89, 89].map(|percent| at_percent(percent, &mut book));
    assert_eq!(counts, [0, 1, 1, 1, 1, 1, 0, 1, 1], "between the limits it stays as it was until it is over");
}

#[test]
fn a_container_that_dies_again_and_again_is_told_and_one_that_died_once_is_not() {
    let mut snapshot = six_services();
    let at = snapshot.services.iter().position(|service| !service.containers.is_empty()).unwrap();
    snapshot.services[at].state = ServiceState::Running;
    let (mut restarts, book) = (Restarts::default(), Book::default());
    let mut loops = |died: u32, seconds: i64| {
        snapshot.at += jiff::SignedDuration::from_secs(seconds);
        snapshot.services[at].containers[0].restarts += died;
        restarts.see(&snapshot, snapshot.at);
        let sight = Sight {
            snapshot: &snapshot,
            restarts: &restarts,
            unwell: &BTreeSet::new(),
            certificate_time: Duration::ZERO,
            active: &book,
        };
        causes(&sight, snapshot.at).iter().any(|cause| cause.key.kind == AlertKind::CrashLoop)
    };
    let seen = [(7, 0), (1, 10), (1, 10), (1, 10), (0, 500), (0, 120), (1, 1)].map(|(died, after)| loops(died, after));
    assert_eq!(seen, [false, false, false, true, true, false, false]);
}
