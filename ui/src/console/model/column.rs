//! The columns of lists, by what they mean: for sorting and filtering, not for showing. Those of services are here.

use std::fmt::Debug;

use jiff::Timestamp;
use mypaas::api::{CertificateView, ServiceState, ServiceView, Standing};

use super::filter::{
    COUNT, DAYS, Figure, PERCENT, PERCENT_OF_CPU, RATE, SHORT_TIMES, SIZES, TIMES, Text, has_state, state_word,
};
use super::fleet::ServerEntry;
use super::order::Direction;

/// The columns of one kind of list.
pub(crate) trait Columns: Debug + Copy + Eq + Default + 'static {
    /// What a list of this kind has one line for.
    type Line<'a>: Copy;

    /// What a word of a filter is looked for in: everywhere, or behind its name and a colon in one only.
    const TEXTS: &'static [Text<Self>];
    /// The words that may stand behind some of these names; behind the others, anything may.
    const WORDS: &'static [(&'static str, &'static [&'static str])] = &[];
    /// What a filter compares.
    const FIGURES: &'static [Figure<Self>];

    /// What a line has in this column; none where there is nothing to compare.
    fn of(self, line: Self::Line<'_>) -> Option<Value>;

    /// Which end comes first unless one asks for the other: what one looks for, as what is worst, youngest, or uses
    /// most.
    fn natural(self) -> Direction;

    fn number_of(self, line: Self::Line<'_>) -> Option<i64> {
        match self.of(line)? {
            Value::Number(number) => Some(number),
            Value::Text(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Column {
    #[default]
    Name,
    Server,
    State,
    Live,
    Ready,
    Age,
    Cpu,
    Memory,
    Url,
    Requests,
    P95,
    Errors,
    Certificate,
}

/// What a service has in a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

impl Columns for Column {
    type Line<'a> = (&'a ServerEntry, &'a ServiceView);

    const TEXTS: &'static [Text<Self>] = &[
        ("name", |(_, service), text| service.name.as_str().contains(text)),
        ("server", |(server, _), text| server.name.as_str().contains(text)),
        ("state", |(_, service), text| is_state(service, text)),
        ("release", |(_, service), text| service.release.is_some_and(|release| release.to_string() == text)),
        ("url", |(_, service), text| service.urls.iter().any(|url| url.to_string().contains(text))),
    ];
    const WORDS: &'static [(&'static str, &'static [&'static str])] =
        &[("state", &["running", "degraded", "down", "stopped", "never", "deploying"])];
    const FIGURES: &'static [Figure<Self>] = &[
        ("cpu", PERCENT_OF_CPU, |line| Column::Cpu.number_of(line)),
        ("mem", SIZES, |line| Column::Memory.number_of(line)),
        ("age", TIMES, |line| Column::Age.number_of(line)),
        ("restarts", COUNT, |(_, service)| Some(restarts(service))),
        ("req", RATE, |line| Column::Requests.number_of(line)),
        ("p95", SHORT_TIMES, |line| Column::P95.number_of(line)),
        ("errors", PERCENT, |line| Column::Errors.number_of(line)),
        ("cert", DAYS, |line| Column::Certificate.number_of(line)),
    ];

    /// States count from the worst, what is ready in thousandths of what is wanted, ages in seconds, CPU in thousandths
    /// of a percent, memory in bytes, requests in thousandths a second, times in microseconds, errors in millionths of
    /// all requests, and of certificates the seconds until the first one lapses.
    fn of(self, (server, service): Self::Line<'_>) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match self {
            Column::Name => text(service.name.as_str()),
            Column::Server => text(server.name.as_str()),
            Column::Url => service.urls.first().and_then(|url| text(&format!("{}{}", url.host, url.path))),
            Column::State => Some(Value::Number(severity(service))),
            Column::Live => service.release.map(|release| number(release.number())),
            Column::Ready => ready(service),
            Column::Age => age(server, service).map(Value::Number),
            Column::Cpu => cpu(service).map(|percent| Value::Number((f64::from(percent) * 1000.0) as i64)),
            Column::Memory => memory(service).map(number),
            Column::Requests => {
                let traffic = service.traffic?;
                Some(Value::Number((f64::from(traffic.requests_per_second) * 1000.0) as i64))
            }
            Column::P95 => {
                let p95 = service.traffic?.p95?;
                Some(number(u64::try_from(p95.as_micros()).unwrap_or(u64::MAX)))
            }
            Column::Errors => {
                let traffic = service.traffic?;
                Some(Value::Number((f64::from(traffic.error_share) * 1_000_000.0) as i64))
            }
            Column::Certificate => {
                let lapses = lapse(&worst_certificate(service)?.standing)?;
                Some(Value::Number(lapses.duration_since(server.snapshot()?.at).as_secs()))
            }
        }
    }

    fn natural(self) -> Direction {
        match self {
            Column::Live | Column::Cpu | Column::Memory | Column::Requests | Column::P95 | Column::Errors => {
                Direction::Descending
            }
            Column::Name
            | Column::Server
            | Column::State
            | Column::Ready
            | Column::Age
            | Column::Url
            | Column::Certificate => Direction::Ascending,
        }
    }
}

fn is_state(service: &ServiceView, text: &str) -> bool {
    let deploying = service.last_deploy.as_ref().is_some_and(|deploy| !deploy.is_finished());
    has_state(state_word(service.state), text) || deploying && has_state("deploying", text)
}

fn restarts(service: &ServiceView) -> i64 {
    service.containers.iter().map(|container| i64::from(container.restarts)).sum()
}

/// Of all its containers, in percent of one CPU.
pub(crate) fn cpu(service: &ServiceView) -> Option<f32> {
    service.containers.iter().filter_map(|container| container.cpu_percent).reduce(|sum, next| sum + next)
}

/// Of all its containers, in bytes.
pub(crate) fn memory(service: &ServiceView) -> Option<u64> {
    service.containers.iter().filter_map(|container| container.memory_bytes).reduce(|sum, next| sum + next)
}

/// The one to look at first: refused, else the one that lapses first. None where browsers are told of none.
pub(crate) fn worst_certificate(service: &ServiceView) -> Option<&CertificateView> {
    let asked_for = service.certificates.iter().filter(|view| !matches!(view.standing, Standing::None));
    asked_for.min_by_key(|view| lapse(&view.standing).unwrap_or(Timestamp::MAX))
}

/// When it is of no use any more; one that was refused never was. None while it is awaited.
fn lapse(standing: &Standing) -> Option<Timestamp> {
    match standing {
        Standing::Valid { expires, .. } | Standing::Expired { expires, .. } => Some(*expires),
        Standing::Refused { .. } => Some(Timestamp::UNIX_EPOCH),
        Standing::Pending | Standing::None => None,
    }
}

pub(super) fn number(value: u64) -> Value {
    Value::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The worst first; what is as it should be comes late.
fn severity(service: &ServiceView) -> i64 {
    let deploys = service.last_deploy.as_ref().is_some_and(|deploy| !deploy.is_finished());
    match service.state {
        ServiceState::Down => 0,
        ServiceState::Degraded => 1,
        _ if deploys => 2,
        ServiceState::NeverLive => 3,
        ServiceState::Running => 4,
        ServiceState::Stopped => 5,
    }
}

fn ready(service: &ServiceView) -> Option<Value> {
    let wanted = i64::from(service.wanted);
    (wanted > 0).then(|| Value::Number(1000 * i64::from(service.ready) / wanted))
}

/// How long the release is live, in seconds, as of what the server said last.
fn age(server: &ServerEntry, service: &ServiceView) -> Option<i64> {
    Some(server.snapshot()?.at.duration_since(service.since?).as_secs().max(0))
}
