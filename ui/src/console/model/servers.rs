//! The page with all servers: what its columns mean, which servers it shows, which one is selected.

use mypaas::api::MachineFigures;
use mypaas::name::ServerName;

use super::column::{Columns, Value, number};
use super::concern;
use super::filter::{COUNT, Figure, PERCENT, TIMES, Text, has_state};
use super::fleet::{Connection, ServerEntry};
use super::order::Direction;
use super::{Model, Page};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ServerColumn {
    /// As the operator listed them; no column that is shown.
    #[default]
    Given,
    Name,
    State,
    Cpu,
    Memory,
    Disk,
    Services,
    Alerts,
    Version,
    Up,
    Address,
}

impl Columns for ServerColumn {
    type Line<'a> = &'a ServerEntry;

    const TEXTS: &'static [Text<Self>] = &[
        ("name", |server, text| server.name.as_str().contains(text)),
        ("state", |server, text| states(server).any(|word| has_state(word, text))),
        ("service", |server, text| server.services().iter().any(|service| service.name.as_str().contains(text))),
        ("version", |server, text| version(server).is_some_and(|version| version.starts_with(text))),
        ("address", |server, text| server.endpoint.to_lowercase().contains(text)),
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("state", &["live", "connecting", "silent", "read-only", "locked"])];
    const FIGURES: &'static [Figure<Self>] = &[
        ("cpu", PERCENT, |server| ServerColumn::Cpu.number_of(server)),
        ("mem", PERCENT, |server| ServerColumn::Memory.number_of(server)),
        ("disk", PERCENT, |server| ServerColumn::Disk.number_of(server)),
        ("services", COUNT, |server| ServerColumn::Services.number_of(server)),
        ("down", COUNT, |server| server.snapshot().map(|_| count(server.tally().down))),
        ("alerts", COUNT, |server| ServerColumn::Alerts.number_of(server)),
        ("up", TIMES, |server| ServerColumn::Up.number_of(server)),
    ];

    /// States count from the worst, what is in use in millionths of all there is, times in seconds.
    fn of(self, server: &ServerEntry) -> Option<Value> {
        let machine = || server.snapshot()?.server.machine.as_ref();
        let share = |(used, all): (u64, u64)| Some(Value::Number(millionths(share(used, all)?)));
        match self {
            ServerColumn::Given => None,
            ServerColumn::Name => Some(Value::Text(server.name.to_string())),
            ServerColumn::State => Some(Value::Number(severity(server))),
            ServerColumn::Cpu => Some(Value::Number(millionths(f64::from(machine()?.cpu_percent?) / 100.0))),
            ServerColumn::Memory => share(machine().map(memory)?),
            ServerColumn::Disk => share(machine().map(disk)?),
            ServerColumn::Services => server.snapshot().map(|_| Value::Number(count(server.services().len()))),
            ServerColumn::Alerts => Some(Value::Number(count(concern::count(server)))),
            ServerColumn::Version => version(server).and_then(version_number),
            ServerColumn::Up => {
                let snapshot = server.snapshot()?;
                Some(Value::Number(snapshot.at.duration_since(snapshot.server.started).as_secs()))
            }
            ServerColumn::Address => Some(Value::Text(server.endpoint.clone())),
        }
    }

    fn natural(self) -> Direction {
        match self {
            ServerColumn::Cpu
            | ServerColumn::Memory
            | ServerColumn::Disk
            | ServerColumn::Services
            | ServerColumn::Alerts => Direction::Descending,
            ServerColumn::Given
            | ServerColumn::Name
            | ServerColumn::State
            | ServerColumn::Version
            | ServerColumn::Up
            | ServerColumn::Address => Direction::Ascending,
        }
    }
}

/// How much of the machine's memory is in use, and of how much.
pub(crate) fn memory(machine: &MachineFigures) -> (u64, u64) {
    (machine.memory_used_bytes, machine.memory_bytes)
}

/// The same of its fullest disk.
pub(crate) fn disk(machine: &MachineFigures) -> (u64, u64) {
    (machine.disk_used_bytes, machine.disk_bytes)
}

pub(crate) fn share(used: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| used as f64 / all as f64)
}

fn millionths(share: f64) -> i64 {
    (share * 1_000_000.0) as i64
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn version(server: &ServerEntry) -> Option<&str> {
    server.snapshot().map(|snapshot| snapshot.server.version.as_str())
}

/// So that 0.10.0 is later than 0.9.0.
fn version_number(version: &str) -> Option<Value> {
    const PARTS: u32 = 3;
    const ROOM: u64 = 10_000;
    let release = version.split(['-', '+']).next()?;
    let mut total = 0;
    for (place, part) in (0..PARTS).rev().zip(release.split('.')) {
        total += part.parse::<u64>().ok()?.min(ROOM - 1) * ROOM.pow(place);
    }
    Some(number(total))
}

/// The words for how well it is known.
fn states(server: &ServerEntry) -> impl Iterator<Item = &'static str> {
    let state = match server.connection {
        Connection::Unreachable { .. } | Connection::Stale { .. } => "silent",
        Connection::Connecting | Connection::Remembered { .. } => "connecting",
        Connection::Live { .. } => "live",
    };
    let marks = [(server.is_read_only(), "read-only"), (server.lock, "locked")];
    std::iter::once(state).chain(marks.into_iter().filter_map(|(holds, word)| holds.then_some(word)))
}

/// The one of which least is known first.
fn severity(server: &ServerEntry) -> i64 {
    match server.connection {
        Connection::Unreachable { .. } => 0,
        Connection::Stale { .. } => 1,
        Connection::Connecting => 2,
        Connection::Remembered { .. } => 3,
        Connection::Live { .. } => 4,
    }
}

impl Model {
    /// The servers that the page with all of them shows.
    pub(crate) fn shown_servers(&self) -> Vec<&ServerEntry> {
        self.servers.of(self.fleet.servers.iter())
    }

    /// The selected one of them; the first where that one is not shown.
    pub(super) fn server_of_fleet_page(&self, selected: Option<&ServerName>) -> Option<&ServerEntry> {
        let shown = self.shown_servers();
        shown.get(place_of(selected, &shown)).copied()
    }

    /// To the server that stands there on the page.
    pub(crate) fn select_shown_server(&mut self, place: usize) {
        let name = self.shown_servers().get(place).map(|server| server.name.clone());
        self.page = Page::Fleet(name);
    }
}

/// Where the selected one of these stands.
pub(crate) fn place_of(selected: Option<&ServerName>, shown: &[&ServerEntry]) -> usize {
    shown.iter().position(|server| Some(&server.name) == selected).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::console::model::line::Line;

    /// The names of the servers that such a filter shows, sorted by the column as often as said.
    fn shown(filter: &str, by: ServerColumn, turns: usize) -> Vec<String> {
        let mut model = fixture::model();
        let mut young = fixture::snapshot(fixture::at(0));
        young.server.version = "0.10.0".into();
        young.server.started = fixture::at(-60);
        young.services.truncate(1);
        if let Some(machine) = &mut young.server.machine {
            machine.cpu_percent = Some(91.0);
            machine.memory_used_bytes = machine.memory_bytes / 10;
        }
        model.fleet.servers[0].hear(Box::new(young), fixture::at(0));
        model.fleet.servers[0].lock = true;
        let old = model.fleet.servers[1].snapshot().cloned().map(|mut snapshot| {
            snapshot.server.version = "0.9.0".into();
            Box::new(snapshot)
        });
        model.fleet.servers[1].hear(old.unwrap(), fixture::at(-130));
        model.fleet.servers[1].lose(fixture::problem("cut"), fixture::at(0));
        model.servers.filter.line = Line::of(filter);
        model.servers.filter.read();
        (0..turns).for_each(|_| model.servers.order.turn_to(by));
        model.shown_servers().into_iter().map(|server| server.name.to_string()).collect()
    }

    #[test]
    fn servers_are_shown_as_they_were_given_until_they_are_sorted() {
        assert_eq!(shown("", ServerColumn::Given, 0), ["local", "s2", "s3"]);
        assert_eq!(shown("", ServerColumn::Name, 2), ["s3", "s2", "local"]);
        assert_eq!(shown("", ServerColumn::State, 1), ["s3", "s2", "local"]);
        assert_eq!(shown("", ServerColumn::Cpu, 1), ["local", "s2", "s3"]);
        assert_eq!(shown("", ServerColumn::Memory, 1), ["s2", "local", "s3"]);
        assert_eq!(shown("", ServerColumn::Services, 1), ["s2", "local", "s3"]);
        assert_eq!(shown("", ServerColumn::Up, 1), ["local", "s2", "s3"]);
        assert_eq!(shown("", ServerColumn::Version, 1), ["s2", "local", "s3"], "0.9.0 is earlier than 0.10.0");
        assert_eq!(shown("", ServerColumn::Version, 2), ["local", "s2", "s3"], "and none at all comes last either way");
    }

    #[test]
    fn a_filter_of_servers_looks_at_meanings() {
        let filtered = |filter| shown(filter, ServerColumn::Given, 0);
        assert_eq!(filtered("state:silent"), ["s2", "s3"]);
        assert_eq!(filtered("state:live"), ["local"]);
        assert_eq!(filtered("locked"), ["local"]);
        assert_eq!(filtered("cpu>90"), ["local"]);
        assert_eq!(filtered("mem>50%"), ["s2"]);
        assert_eq!(filtered("up<1h"), ["local"]);
        assert_eq!(filtered("service:metrics"), ["s2"]);
        assert_eq!(filtered("address:ssh !service:metrics"), ["s3"]);
        assert_eq!(filtered("version:0.10"), ["local"]);
        assert_eq!(filtered("alerts>0 services<2"), ["local"]);
    }
}
