//! What somebody should look at, of all servers: their alerts, and servers that do not answer.

use jiff::Timestamp;
use mypaas::api::{Alert, AlertKind};
use mypaas::name::{ContainerName, ServerName};

use super::fleet::{Connection, Fleet, ServerEntry, ServiceAt};

/// What tells it from others, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConcernId {
    server: ServerName,
    service: Option<ServiceAt>,
    container: Option<ContainerName>,
    kind: Kind,
    /// Among those that are alike else, as two certificates of one service.
    ordinal: usize,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    pub server: ServerName,
    /// None: it is about the server.
    pub service: Option<ServiceAt>,
    pub container: Option<ContainerName>,
    pub kind: Kind,
    /// By this machine's clock.
    pub since: Timestamp,
    pub message: String,
    pub hint: Option<String>,
    /// Its server does not answer any more, so that it may be over.
    pub is_outdated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server does not answer.
    Silent,
    /// The server says so itself.
    Told(AlertKind),
}

pub(crate) fn concern_ids(concerns: &[Concern]) -> Vec<ConcernId> {
    let mut ids: Vec<ConcernId> = Vec::new();
    for Concern { server, service, container, kind, .. } in concerns.iter().cloned() {
        let mut id = ConcernId { server, service, container, kind, ordinal: 0 };
        while ids.contains(&id) {
            id.ordinal += 1;
        }
        ids.push(id);
    }
    ids
}

impl Kind {
    /// The gravest first: what does not work now, then what will not for long, then the rest.
    pub(super) fn gravity(self) -> u8 {
        match self {
            Kind::Silent => 0,
            Kind::Told(AlertKind::Part) => 1,
            Kind::Told(AlertKind::Down) => 2,
            Kind::Told(AlertKind::CrashLoop) => 3,
            Kind::Told(AlertKind::Unhealthy) => 4,
            Kind::Told(AlertKind::Disk) => 5,
            Kind::Told(AlertKind::Memory) => 6,
            Kind::Told(AlertKind::Certificate) => 7,
            Kind::Told(AlertKind::DeployFailed) => 8,
            Kind::Told(AlertKind::Leftover) => 9,
            Kind::Told(AlertKind::Other) => 10,
        }
    }

    /// Requests fail, or are about to.
    pub(crate) fn is_grave(self) -> bool {
        self.gravity() <= Kind::Told(AlertKind::CrashLoop).gravity()
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Silent => "silent",
            Kind::Told(AlertKind::Part) => "part down",
            Kind::Told(AlertKind::Down) => "down",
            Kind::Told(AlertKind::CrashLoop) => "crash loop",
            Kind::Told(AlertKind::Unhealthy) => "unhealthy",
            Kind::Told(AlertKind::Disk) => "disk",
            Kind::Told(AlertKind::Memory) => "memory",
            Kind::Told(AlertKind::Certificate) => "certificate",
            Kind::Told(AlertKind::DeployFailed) => "deploy failed",
            Kind::Told(AlertKind::Leftover) => "left over",
            Kind::Told(AlertKind::Other) => "other",
        }
    }
}

impl Fleet {
    /// Everything to look at, the gravest first, of what is equally grave the newest.
    pub(crate) fn concerns(&self) -> Vec<Concern> {
        let mut concerns: Vec<_> = self.servers.iter().flat_map(of_server).collect();
        concerns.sort_by_key(|concern| (concern.kind.gravity(), std::cmp::Reverse(concern.since)));
        concerns
    }
}

/// How many concerns a server has, without a list of them.
pub(crate) fn count(server: &ServerEntry) -> usize {
    usize::from(silence(server).is_some()) + alerts(server).len()
}

fn of_server(server: &ServerEntry) -> Vec<Concern> {
    let told = alerts(server).iter().map(|alert| Concern {
        server: server.name.clone(),
        service: alert.service.clone().map(|service| ServiceAt { server: server.name.clone(), service }),
        container: alert.container.clone(),
        kind: Kind::Told(alert.kind),
        since: server.here(alert.since),
        message: alert.message.clone(),
        hint: alert.hint.clone(),
        is_outdated: !server.is_live(),
    });
    silence(server).into_iter().chain(told).collect()
}

/// What the server itself says.
fn alerts(server: &ServerEntry) -> &[Alert] {
    server.snapshot().map_or(&[], |snapshot| &snapshot.alerts)
}

fn silence(server: &ServerEntry) -> Option<Concern> {
    let (Connection::Stale { since, problem, .. } | Connection::Unreachable { since, problem }) = &server.connection
    else {
        return None;
    };
    Some(Concern {
        container: None,
        server: server.name.clone(),
        service: None,
        kind: Kind::Silent,
        since: *since,
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        is_outdated: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    #[test]
    fn concerns_that_are_alike_are_told_apart() {
        let fleet = fixture::fleet();
        let twice: Vec<Concern> = fleet.concerns().into_iter().flat_map(|concern| [concern.clone(), concern]).collect();
        let ids = concern_ids(&twice);
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(ids.iter().position(|other| other == id), Some(at), "{id:?}");
        }
    }

    #[test]
    fn what_is_gravest_comes_first_and_what_a_silent_server_said_is_marked() {
        let concerns = fixture::fleet().concerns();
        let told: Vec<_> = concerns.iter().map(|concern| (concern.server.as_str(), concern.kind.word())).collect();
        assert_eq!(
            told,
            [
                ("s2", "silent"),
                ("s3", "silent"),
                ("local", "crash loop"),
                ("local", "unhealthy"),
                ("s2", "disk"),
                ("local", "certificate"),
            ]
        );
        assert_eq!(concerns.iter().map(|concern| concern.is_outdated).collect::<Vec<_>>()[3..], [false, true, false]);
        let fleet = fixture::fleet();
        assert_eq!(fleet.servers.iter().map(count).sum::<usize>(), concerns.len());
    }
}
