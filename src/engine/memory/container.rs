//! One simulated container: a state machine that is told the time and what is done to it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use jiff::Timestamp;

use super::behaviour::{Behaviour, Moment, OnSigterm, StartScript};
use super::figures;
use crate::engine::{
    Container, ContainerSpec, ContainerState, Exit, Health, LogLine, LogQuery, LogStream, Probe, ProbeAnswer,
    PublishedPort, Restart, Role,
};

/// So many lines of a log are kept.
const LOG_KEPT: usize = 10_000;

/// Docker waits so long before it starts a dead container again, and twice as long each time, up to a limit.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Engines choose free ports from here on.
const FIRST_CHOSEN_PORT: u16 = 32_768;

/// What the kernel reports of a killed process.
pub(super) const KILLED: Exit = Exit { code: 137, out_of_memory: false };

#[derive(Debug, Clone)]
pub(super) struct Simulated {
    pub(super) spec: ContainerSpec,
    pub(super) id: String,
    created: Timestamp,
    pub(super) phase: Phase,
    pub(super) restart: Restart,
    restarts: u32,
    behaviour: Behaviour,
    /// How many probes this run has answered.
    probes: u32,
    /// This run works no more, though its process goes on.
    pub(super) unwell: bool,
    log: VecDeque<LogLine>,
    /// How many lines were ever written; the last kept one has this number.
    written: u64,
    /// When the last line was written that the process writes by itself.
    chattered: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Created,
    Running { since: Timestamp },
    Restarting { exit: Exit, until: Timestamp },
    Exited { exit: Exit, at: Timestamp },
}

impl Simulated {
    pub(super) fn new(spec: ContainerSpec, id: String, mut behaviour: Behaviour, now: Timestamp) -> Self {
        if matches!(spec.role, Role::Service { .. }) && !spec.command.is_empty() {
            behaviour.exit = Some((Moment::Probes(0), behaviour.command.clone()));
        }
        Self {
            spec,
            id,
            created: now,
            phase: Phase::Created,
            restart: Restart::Never,
            restarts: 0,
            behaviour,
            probes: 0,
            unwell: false,
            log: VecDeque::new(),
            written: 0,
            chattered: now,
        }
    }

    pub(super) fn is_still(&self) -> bool {
        self.behaviour.still
    }

    pub(super) fn seen(&self) -> Container {
        let state = match &self.phase {
            Phase::Created => ContainerState::Created,
            Phase::Running { since } => ContainerState::Running { since: *since, health: self.health() },
            Phase::Restarting { exit, .. } => ContainerState::Restarting { exit: exit.clone() },
            Phase::Exited { exit, at } => ContainerState::Exited { exit: exit.clone(), at: *at },
        };
        Container {
            name: self.spec.name.clone(),
            id: self.id.clone(),
            role: self.spec.role.clone(),
            image: self.spec.image.clone(),
            digest: self.spec.digest.clone(),
            address: self.spec.address,
            max_cpu: self.spec.max_cpu,
            max_mem: self.spec.max_mem,
            published: if self.is_running() { self.published() } else { Vec::new() },
            restart: self.restart,
            restarts: self.restarts,
            created: self.created,
            state,
        }
    }

    /// Ports that the engine is to choose are counted from the first that it would.
    fn published(&self) -> Vec<PublishedPort> {
        let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let published = self.spec.publish.iter().zip(FIRST_CHOSEN_PORT..).map(|(wanted, chosen)| PublishedPort {
            container_port: wanted.container_port.get(),
            protocol: wanted.protocol,
            address: wanted.address.unwrap_or(everywhere),
            host_port: wanted.host_port.map_or(chosen, NonZeroU16::get),
        });
        published.collect()
    }

    pub(super) fn start_script(&self) -> StartScript {
        self.behaviour.start.clone()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// What happened by itself until now.
    pub(super) fn settle(&mut self, now: Timestamp) {
        loop {
            match self.phase.clone() {
                Phase::Running { since } => match &self.behaviour.exit {
                    Some((Moment::After(time), exit)) if later(since, *time) <= now => {
                        let exit = exit.clone();
                        self.die(exit, later(since, *time));
                    }
                    _ => return,
                },
                Phase::Restarting { until, .. } if until <= now => {
                    self.restarts += 1;
                    self.run(until);
                }
                _ => return,
            }
        }
    }

    /// Started by hand: the count of restarts begins anew.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.restarts = 0;
        self.run(now);
    }

    fn run(&mut self, now: Timestamp) {
        self.phase = Phase::Running { since: now };
        self.probes = 0;
        self.unwell = false;
        self.chattered = now;
        for line in self.behaviour.logs.clone() {
            self.write(LogStream::Stdout, line, now);
        }
    }

    /// The process ended by itself, or was killed.
    pub(super) fn die(&mut self, exit: Exit, at: Timestamp) {
        self.catch_up(at);
        self.phase = match self.restart {
            Restart::Never => Phase::Exited { exit, at },
            Restart::UnlessStopped => Phase::Restarting { exit, until: later(at, pause(self.restarts)) },
        };
    }

    /// The engine goes down, and is back then.
    pub(super) fn go_down(&mut self, at: Timestamp, back: Timestamp) {
        if self.is_running() {
            self.die(KILLED, at);
        }
        if let Phase::Restarting { until, .. } = &mut self.phase {
            *until = back.max(*until);
        }
    }

    /// What stopping it with so much patience leads to, and when. None when it does not run.
    pub(super) fn stopping(&self, grace: Duration) -> Option<(Duration, Exit)> {
        if !self.is_running() {
            return None;
        }
        Some(match self.behaviour.on_sigterm {
            OnSigterm::Exit { code, after } if after <= grace => (after, Exit { code, out_of_memory: false }),
            _ => (grace, KILLED),
        })
    }

    /// Stopped by hand: it stays so, whatever the restart policy.
    pub(super) fn stopped(&mut self, exit: Exit, at: Timestamp) {
        self.catch_up(at);
        self.phase = Phase::Exited { exit, at };
    }

    pub(super) fn probe(&mut self, how: &Probe, now: Timestamp) -> ProbeAnswer {
        match &self.phase {
            Phase::Created => return ProbeAnswer::NotReady { detail: "not started".to_owned() },
            Phase::Exited { exit, .. } | Phase::Restarting { exit, .. } => {
                return ProbeAnswer::Exited { exit: exit.clone() };
            }
            Phase::Running { .. } => {}
        }
        if let Some((Moment::Probes(count), exit)) = self.behaviour.exit.clone()
            && self.probes >= count
        {
            self.die(exit.clone(), now);
            return ProbeAnswer::Exited { exit };
        }
        let (ready, health) = (self.is_ready(), self.health());
        self.probes = self.probes.saturating_add(1);
        answer(how, ready, health)
    }

    fn is_ready(&self) -> bool {
        !self.unwell && self.behaviour.ready_after < u32::MAX && self.probes >= self.behaviour.ready_after
    }

    fn health(&self) -> Option<Health> {
        let health = match (self.unwell, self.is_ready()) {
            (true, _) => Health::Unhealthy,
            (false, true) => Health::Healthy,
            (false, false) => Health::Starting,
        };
        self.behaviour.healthcheck.then_some(health)
    }

    pub(super) fn write(&mut self, stream: LogStream, text: String, at: Timestamp) {
        if self.log.len() == LOG_KEPT {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { container: self.spec.name.clone(), at, stream, text });
        self.written += 1;
    }

    /// Writes what the process has written by itself until now; of a long time only the end.
    pub(super) fn catch_up(&mut self, now: Timestamp) {
        let (Some(interval), true) = (self.behaviour.chatter.filter(|time| !time.is_zero()), self.is_running()) else {
            return;
        };
        let kept = interval.saturating_mul(LOG_KEPT as u32);
        self.chattered = self.chattered.max(now.saturating_sub(kept).unwrap_or(now));
        while later(self.chattered, interval) <= now {
            self.chattered = later(self.chattered, interval);
            let line = figures::line(&self.spec.name, self.written);
            self.write(LogStream::Stdout, line.to_owned(), self.chattered);
        }
    }

    /// The lines that the query asks for of those written so far, and the number of the first that comes after them.
    pub(super) fn lines(&self, query: &LogQuery) -> (Vec<LogLine>, u64) {
        let tail = query.tail.map_or(usize::MAX, |count| count as usize);
        let lines = self.log.iter().skip(self.log.len().saturating_sub(tail));
        let wanted = lines.filter(|line| query.since.is_none_or(|since| line.at >= since));
        (wanted.cloned().collect(), self.written)
    }

    /// The lines from this number on, as far as they are kept.
    pub(super) fn lines_from(&self, number: u64) -> (Vec<LogLine>, u64) {
        let new = usize::try_from(self.written.saturating_sub(number)).unwrap_or(usize::MAX);
        (self.log.iter().skip(self.log.len().saturating_sub(new)).cloned().collect(), self.written)
    }
}

fn answer(how: &Probe, ready: bool, health: Option<Health>) -> ProbeAnswer {
    let (yes, no) = match (how, health) {
        (Probe::Running, _) => return ProbeAnswer::Ready { detail: "running".to_owned() },
        (Probe::ImageHealth, None) => {
            return ProbeAnswer::Ready { detail: "running, without a health check".to_owned() };
        }
        (Probe::ImageHealth, Some(Health::Unhealthy)) => ("healthy", "unhealthy"),
        (Probe::ImageHealth, Some(_)) => ("healthy", "starting"),
        (Probe::Http { .. }, _) => ("HTTP 200", "HTTP 503"),
        (Probe::Connect { .. }, _) => ("connected", "connection refused"),
    };
    if ready { ProbeAnswer::Ready { detail: yes.to_owned() } } else { ProbeAnswer::NotReady { detail: no.to_owned() } }
}

fn pause(restarts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(restarts)).min(LONGEST_PAUSE)
}

/// Simulated times stay far from the end of what a timestamp can say.
fn later(at: Timestamp, time: Duration) -> Timestamp {
    at.saturating_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::engine::{Role, SpecDigest};
    use crate::name::{ContainerName, ImageName};

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, SECOND * seconds as u32)
    }

    fn container(behaviour: Behaviour) -> Simulated {
        let spec = ContainerSpec {
            name: ContainerName::from_engine("web.r1.1"),
            role: Role::Router,
            image: ImageName::foreign("web"),
            command: vec![],
            env: BTreeMap::new(),
            binds: vec![],
            publish: vec![],
            max_cpu: None,
            max_mem: None,
            sysctls: BTreeMap::new(),
            aliases: vec![],
            address: Ipv4Addr::new(10, 201, 0, 2),
            digest: SpecDigest("one".into()),
        };
        Simulated::new(spec, "1".into(), behaviour, at(0))
    }

    fn crashes_after(time: Duration) -> Behaviour {
        let exit = Exit { code: 1, out_of_memory: false };
        Behaviour { exit: Some((Moment::After(time), exit)), ..Behaviour::default() }
    }

    #[test]
    fn a_crash_loop_slows_down_until_it_goes_once_a_minute() {
        let mut looping = container(crashes_after(Duration::ZERO));
        looping.restart = Restart::UnlessStopped;
        looping.start(at(0));
        looping.settle(at(1));
        assert_eq!(looping.seen().restarts, 3, "after 100, 300 and 700 ms");
        looping.settle(at(3600));
        let early = looping.seen().restarts;
        looping.settle(at(3600 + 600));
        assert_eq!(looping.seen().restarts - early, 10);
        assert!(matches!(looping.seen().state, ContainerState::Restarting { .. }));
    }

    #[test]
    fn a_container_ends_when_told_and_not_before() {
        let mut ending = container(crashes_after(10 * SECOND));
        ending.start(at(5));
        ending.settle(at(14));
        assert!(ending.is_running());
        ending.settle(at(60));
        let expected = ContainerState::Exited { exit: Exit { code: 1, out_of_memory: false }, at: at(15) };
        assert_eq!(ending.seen().state, expected);
    }

    #[test]
    fn probes_bring_about_what_was_told() {
        let exit = Exit { code: 9, out_of_memory: true };
        let told = Behaviour { ready_after: 1, exit: Some((Moment::Probes(3), exit.clone())), ..Behaviour::default() };
        let mut probed = container(told);
        probed.start(at(0));
        let how = Probe::Connect { port: 80, timeout: SECOND };
        let mut ask = || probed.probe(&how, at(1));
        assert!(matches!(ask(), ProbeAnswer::NotReady { .. }));
        assert!(matches!(ask(), ProbeAnswer::Ready { .. }));
        assert!(matches!(ask(), ProbeAnswer::Ready { .. }));
        assert_eq!(ask(), ProbeAnswer::Exited { exit });
    }

    #[test]
    fn chatter_is_written_as_time_goes_on_and_stays_bounded() {
        let mut talking = container(Behaviour { chatter: Some(SECOND), logs: vec![], ..Behaviour::default() });
        talking.start(at(0));
        talking.catch_up(at(3));
        assert_eq!(talking.lines(&LogQuery::default()).0.len(), 3);
        talking.catch_up(at(1_000_000));
        let (lines, _) = talking.lines(&LogQuery::default());
        assert_eq!(lines.len(), LOG_KEPT);
        assert_eq!(lines.last().unwrap().at, at(1_000_000));
        talking.stopped(KILLED, at(1_000_001));
        talking.catch_up(at(1_000_100));
        assert_eq!(talking.lines(&LogQuery::default()).0.last().unwrap().at, at(1_000_001));
    }
}
