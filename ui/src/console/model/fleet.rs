//! The servers, and what each of them last said.

use jiff::{SignedDuration, Timestamp};
use mypaas::api::{Deploy, Limits, Problem, Role, ServiceState, ServiceView, Snapshot};
use mypaas::fleet::Colour;
use mypaas::name::{ServerName, ServiceName};
use serde::{Deserialize, Serialize};

/// What a server says is kept for the next session so often.
const BETWEEN_MEMORIES: SignedDuration = SignedDuration::from_secs(60);

/// Clocks that differ by less than this are taken as equal.
const EQUAL_CLOCKS: SignedDuration = SignedDuration::from_secs(2);

/// A service of one of the servers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ServiceAt {
    pub server: ServerName,
    pub service: ServiceName,
}

impl std::fmt::Display for ServiceAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.service, self.server)
    }
}

/// All servers, in the order they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    pub servers: Vec<ServerEntry>,
}

#[derive(Debug, Clone)]
pub(crate) struct ServerEntry {
    pub name: ServerName,
    /// Where it is, for people.
    pub endpoint: String,
    /// To tell it from the others at a glance.
    pub colour: Option<Colour>,
    /// Its name has to be typed before anything is changed there.
    pub lock: bool,
    /// It can be tried.
    pub has_way: bool,
    pub connection: Connection,
    /// How far this machine's clock is ahead of the server's.
    skew: SignedDuration,
    /// When what it said was kept for the next session.
    kept: Option<Timestamp>,
}

/// What is known of a server, and how well.
#[derive(Debug, Clone)]
pub(crate) enum Connection {
    Connecting,
    /// It has not answered yet; what it said in an earlier session is shown with its age.
    Remembered {
        snapshot: Box<Snapshot>,
        /// When it last gave a sign of life then.
        heard: Timestamp,
    },
    Live {
        snapshot: Box<Snapshot>,
        /// When it last gave a sign of life.
        heard: Timestamp,
    },
    /// It answered before and does not any more; what it last said is shown with its age.
    Stale {
        snapshot: Box<Snapshot>,
        since: Timestamp,
        problem: Problem,
    },
    /// It never answered.
    Unreachable {
        since: Timestamp,
        problem: Problem,
    },
}

/// How many services are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub running: usize,
    pub degraded: usize,
    pub down: usize,
    pub stopped: usize,
    pub never_live: usize,
    /// Their servers do not answer.
    pub not_known: usize,
}

impl Tally {
    pub(crate) fn total(&self) -> usize {
        self.running + self.degraded + self.down + self.stopped + self.never_live + self.not_known
    }

    fn add(&mut self, state: ServiceState) {
        *match state {
            ServiceState::Running => &mut self.running,
            ServiceState::Degraded => &mut self.degraded,
            ServiceState::Down => &mut self.down,
            ServiceState::Stopped => &mut self.stopped,
            ServiceState::NeverLive => &mut self.never_live,
        } += 1;
    }
}

impl Fleet {
    pub(crate) fn server(&self, name: &ServerName) -> Option<&ServerEntry> {
        self.servers.iter().find(|server| server.name == *name)
    }

    pub(crate) fn server_mut(&mut self, name: &ServerName) -> Option<&mut ServerEntry> {
        self.servers.iter_mut().find(|server| server.name == *name)
    }

    /// The next one, round at the end.
    pub(crate) fn after(&self, name: &ServerName) -> Option<&ServerName> {
        let place = self.servers.iter().position(|server| server.name == *name).unwrap_or(0);
        self.servers.get((place + 1) % self.servers.len().max(1)).map(|next| &next.name)
    }

    pub(crate) fn service(&self, at: &ServiceAt) -> Option<&ServiceView> {
        self.server(&at.server)?.service(&at.service)
    }

    /// Of all servers, stale ones included, in their order.
    pub(crate) fn all_services(&self) -> impl Iterator<Item = (&ServerEntry, &ServiceView)> + Clone {
        self.servers.iter().flat_map(|server| server.services().iter().map(move |service| (server, service)))
    }

    /// Over all servers. What a silent one said is not how it is.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (server, service) in self.all_services() {
            if server.is_live() {
                tally.add(service.state);
            } else {
                tally.not_known += 1;
            }
        }
        tally
    }

    /// Deploys that wait or run on servers that answer.
    pub(crate) fn running_deploys(&self) -> impl Iterator<Item = (&ServerEntry, &Deploy)> {
        self.servers.iter().filter(|server| server.is_live()).flat_map(|server| {
            let deploys = server.snapshot().map_or(&[][..], |snapshot| &snapshot.deploys);
            deploys.iter().filter(|deploy| !deploy.is_finished()).map(move |deploy| (server, deploy))
        })
    }
}

impl ServerEntry {
    pub(crate) fn new(name: ServerName, endpoint: String) -> Self {
        let connection = Connection::Connecting;
        let skew = SignedDuration::ZERO;
        Self { name, endpoint, colour: None, lock: false, has_way: true, connection, skew, kept: None }
    }

    /// What the operator's key is limited to there, as far as that is known.
    pub(crate) fn limits(&self) -> Option<&Limits> {
        self.snapshot()?.server.limits.as_ref()
    }

    /// The operator's key may change nothing there.
    pub(crate) fn is_read_only(&self) -> bool {
        self.limits().is_some_and(|limits| limits.role < Role::Operator)
    }

    /// Why the operator may not change this service there, or what concerns all services.
    pub(crate) fn forbids(&self, service: Option<&ServiceName>) -> Option<String> {
        let limits = self.limits()?;
        if self.is_read_only() {
            return Some(format!("your key may look at {} and change nothing: it has the role viewer", self.name));
        }
        let services = limits.services.as_ref()?;
        if service.is_some_and(|service| services.contains(service)) {
            return None;
        }
        let names: Vec<_> = services.iter().map(ServiceName::as_str).collect();
        let what = service.map_or_else(|| "what concerns all services".to_owned(), ToString::to_string);
        Some(format!("your key is for {} on {} only, not for {what}", names.join(", "), self.name))
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.connection, Connection::Live { .. })
    }

    /// It was asked, and did not answer.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.connection, Connection::Stale { .. } | Connection::Unreachable { .. })
    }

    /// Since when nothing of it is from now, though something of it is known.
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        match self.connection {
            Connection::Remembered { heard: since, .. } | Connection::Stale { since, .. } => Some(since),
            Connection::Connecting | Connection::Live { .. } | Connection::Unreachable { .. } => None,
        }
    }

    /// What it last said, however long ago.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        match &self.connection {
            Connection::Live { snapshot, .. }
            | Connection::Stale { snapshot, .. }
            | Connection::Remembered { snapshot, .. } => Some(snapshot),
            Connection::Connecting | Connection::Unreachable { .. } => None,
        }
    }

    pub(crate) fn services(&self) -> &[ServiceView] {
        self.snapshot().map_or(&[], |snapshot| &snapshot.services)
    }

    pub(crate) fn service(&self, name: &ServiceName) -> Option<&ServiceView> {
        self.services().iter().find(|service| service.name == *name)
    }

    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.services().iter().for_each(|service| tally.add(service.state));
        tally
    }

    /// It sent a snapshot. The one before it is handed back, if the server was live.
    pub(crate) fn hear(&mut self, snapshot: Box<Snapshot>, now: Timestamp) -> Option<Box<Snapshot>> {
        self.compare_clocks(&snapshot, now);
        match std::mem::replace(&mut self.connection, Connection::Live { snapshot, heard: now }) {
            Connection::Live { snapshot, .. } | Connection::Stale { snapshot, .. } => Some(snapshot),
            Connection::Connecting | Connection::Remembered { .. } | Connection::Unreachable { .. } => None,
        }
    }

    /// What it said in an earlier session, the last sign of life being from `heard`. Of no interest once it answered.
    pub(crate) fn recall(&mut self, snapshot: Box<Snapshot>, heard: Timestamp) {
        if matches!(self.connection, Connection::Connecting) {
            self.compare_clocks(&snapshot, heard);
            self.connection = Connection::Remembered { snapshot, heard };
        }
    }

    /// Whether what it says is to be kept for the next session now; notes that it is.
    pub(crate) fn is_to_be_kept(&mut self, now: Timestamp) -> bool {
        let due = self.kept.is_none_or(|kept| now.duration_since(kept).abs() >= BETWEEN_MEMORIES);
        if due {
            self.kept = Some(now);
        }
        due
    }

    fn compare_clocks(&mut self, snapshot: &Snapshot, heard: Timestamp) {
        let skew = heard.duration_since(snapshot.at);
        self.skew = if skew.abs() < EQUAL_CLOCKS { SignedDuration::ZERO } else { skew };
    }

    /// It is there, though it has nothing to say.
    pub(crate) fn hear_of_it(&mut self, now: Timestamp) {
        if let Connection::Live { heard, .. } = &mut self.connection {
            *heard = now;
        }
    }

    /// It does not answer, the reason being `problem`. Says whether that is news.
    pub(crate) fn lose(&mut self, problem: Problem, now: Timestamp) -> bool {
        let before = std::mem::replace(&mut self.connection, Connection::Connecting);
        let (after, news) = match before {
            Connection::Live { snapshot, heard } => (Connection::Stale { snapshot, since: heard, problem }, true),
            Connection::Stale { snapshot, since, .. } => (Connection::Stale { snapshot, since, problem }, false),
            Connection::Remembered { snapshot, heard } => (Connection::Stale { snapshot, since: heard, problem }, true),
            Connection::Connecting => (Connection::Unreachable { since: now, problem }, true),
            Connection::Unreachable { since, .. } => (Connection::Unreachable { since, problem }, false),
        };
        self.connection = after;
        news
    }

    /// A moment of the server's clock as this machine's clock would have shown it.
    pub(crate) fn here(&self, there: Timestamp) -> Timestamp {
        there.checked_add(self.skew).unwrap_or(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, at};

    #[test]
    fn a_server_that_stops_answering_is_stale_since_its_last_sign_of_life() {
        let mut entry = ServerEntry::new("s".parse().unwrap(), "s".into());
        assert!(entry.lose(fixture::problem("refused"), at(5)));
        assert!(matches!(entry.connection, Connection::Unreachable { .. }));
        entry.hear(Box::new(fixture::snapshot(at(10))), at(10));
        entry.hear_of_it(at(15));
        assert!(entry.lose(fixture::problem("cut"), at(20)));
        assert!(!entry.lose(fixture::problem("cut again"), at(30)));
        match &entry.connection {
            Connection::Stale { since, problem, .. } => {
                assert_eq!((*since, problem.message.as_str()), (at(15), "cut again"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_server_said_in_an_earlier_session_is_shown_until_it_answers() {
        let mut entry = ServerEntry::new("s".parse().unwrap(), "s".into());
        entry.recall(Box::new(fixture::snapshot(at(-90))), at(-90));
        assert!(!entry.is_live() && !entry.is_silent() && !entry.services().is_empty());
        assert_eq!(entry.as_of(), Some(at(-90)));
        let mut unanswered = entry.clone();
        unanswered.lose(fixture::problem("refused"), at(1));
        assert!(unanswered.is_silent());
        assert_eq!(unanswered.as_of(), Some(at(-90)));
        assert!(entry.hear(Box::new(fixture::snapshot(at(1))), at(1)).is_none(), "that is no change of this session");
        entry.recall(Box::new(fixture::snapshot(at(-90))), at(-90));
        assert_eq!((entry.is_live(), entry.as_of()), (true, None));
    }

    #[test]
    fn what_a_server_says_is_kept_once_a_minute() {
        let mut entry = ServerEntry::new("s".parse().unwrap(), "s".into());
        let kept = [0, 1, 59, 60, 61].map(|second| entry.is_to_be_kept(at(second)));
        assert_eq!(kept, [true, false, false, true, false]);
    }

    #[test]
    fn a_server_whose_clock_is_behind_does_not_look_younger() {
        let mut entry = ServerEntry::new("s".parse().unwrap(), "s".into());
        entry.hear(Box::new(fixture::snapshot(at(0))), at(3600));
        assert_eq!(entry.here(at(-60)), at(3540));
        entry.hear(Box::new(fixture::snapshot(at(0))), at(1));
        assert_eq!(entry.here(at(-60)), at(-60));
    }
}
