//! What is measured: of the machine, of services, and over time; and what gives cause for concern.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{ContainerName, ServiceName};

/// What the machine has, and how much of it is in use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MachineFigures {
    pub cpus: u32,
    /// Of all CPUs together: 100 is all of them. None until it was measured twice.
    pub cpu_percent: Option<f32>,
    pub memory_bytes: u64,
    /// What is neither free nor could be freed at once.
    pub memory_used_bytes: u64,
    /// Of the fullest disk that the server needs.
    pub disk_bytes: u64,
    pub disk_used_bytes: u64,
}

/// What the router saw of a service in the last seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    pub requests_per_second: f32,
    /// Of requests that were answered with 5xx: from 0 to 1.
    pub error_share: f32,
    /// Half of the requests took no longer. None when there were none.
    pub median: Option<Duration>,
    /// 95 of 100 requests took no longer. None when there were none.
    pub p95: Option<Duration>,
}

/// Something that somebody should look at. It is there for as long as its cause is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub kind: AlertKind,
    pub since: Timestamp,
    /// None: it is about the server.
    pub service: Option<ServiceName>,
    pub container: Option<ContainerName>,
    /// What is the matter, in a sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Nothing of a service answers that should.
    Down,
    /// A container dies again and again.
    CrashLoop,
    /// A container runs, and its health check fails.
    Unhealthy,
    /// The last deploy failed.
    DeployFailed,
    /// A disk is almost full.
    Disk,
    /// The machine, or a container with a limit, is almost out of memory.
    Memory,
    /// A certificate was not given, or is about to lapse.
    Certificate,
    /// The engine or the router does not answer.
    Part,
    /// A container still runs that a deploy was to take away.
    Leftover,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// How far back a history reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    #[default]
    Hour,
    Day,
    /// Thirty days.
    Month,
}

impl Span {
    pub fn duration(self) -> Duration {
        const HOUR: u64 = 60 * 60;
        Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        })
    }

    /// As it is written in a request.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// From one figure that is kept to the next.
    pub fn resolution(self) -> Duration {
        Duration::from_secs(if self == Self::Hour { 1 } else { 60 })
    }
}

/// Which history is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// None: the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    #[serde(default)]
    pub span: Span,
    /// At most so many figures a series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
}

/// What a history is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// In percent of one CPU; of the machine: of all of them.
    Cpu,
    /// In bytes.
    Memory,
    /// In bytes; of the machine only.
    Disk,
    /// Requests a second.
    Requests,
    /// Requests a second that were answered with 5xx.
    Errors,
    /// In seconds.
    Median,
    /// In seconds.
    P95,
}

/// Figures of a service, or of the machine, at equal distances in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    pub span: Span,
    /// Of the first figure of each series.
    pub from: Timestamp,
    /// From one figure to the next.
    pub step: Duration,
    /// All of the same length; none where nothing was measured. Where many figures stand for one, it is the largest.
    pub series: BTreeMap<Measure, Vec<Option<f32>>>,
}

/// What came of telling one webhook that this is a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTest {
    /// Where it goes, without what may be a secret: as in `slack at hooks.slack.com`.
    pub webhook: String,
    /// Why it was not taken; none when it was.
    pub problem: Option<String>,
}
