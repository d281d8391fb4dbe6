//! When a container may take requests. The first that applies: it exited → never; the image's HEALTHCHECK; the
//! manifest's health check, asked of the container itself; a connection to its port where it has a URL; else it has
//! to stay up for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::Release;
use super::event::What;
use crate::engine::{Engine, EngineError, Exit, Probe, ProbeAnswer};
use crate::name::ContainerName;

/// Soon after the start, so that a quick service is not kept waiting.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// A connection on the server's own bridge takes well under a millisecond.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// How a container shows that it is ready, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    pub probe: Probe,
    /// The probe must succeed for so long without a break.
    pub settle: Duration,
    pub deadline: Duration,
}

/// Why a container did not become ready.
#[derive(Debug)]
pub enum NotReady {
    Exited { exit: Exit },
    TooLate { limit: Duration, last: Option<ProbeAnswer> },
    Engine(EngineError),
}

impl Readiness {
    /// `settle` is for a service that can show nothing but that it runs. The deadline is later where the image asks for
    /// its first check only then.
    pub fn of(release: &Release, settle: Duration, deadline: Duration) -> Self {
        let (manifest, image_has_healthcheck) = (&release.manifest, release.image_has_healthcheck);
        let port = manifest.port.get();
        let none = Duration::ZERO;
        let (probe, settle) = match &manifest.healthcheck {
            _ if image_has_healthcheck => (Probe::ImageHealth, none),
            Some(check) => (Probe::Http { port, path: check.path.clone(), timeout: check.timeout }, none),
            None if !manifest.urls.is_empty() => (Probe::Connect { port, timeout: CONNECT_LIMIT }, none),
            None => (Probe::Running, settle),
        };
        Self { probe, settle, deadline: deadline.max(release.image_first_check) }
    }

    /// For a container that served before: it is back when its port answers, or when it runs.
    pub fn again(port: Option<u16>, deadline: Duration) -> Self {
        let probe = match port {
            Some(port) => Probe::Connect { port, timeout: CONNECT_LIMIT },
            None => Probe::Running,
        };
        Self { probe, settle: Duration::ZERO, deadline }
    }

    pub fn describe(&self) -> String {
        match &self.probe {
            Probe::ImageHealth => "the image's health check says healthy".to_owned(),
            Probe::Http { path, .. } => format!("{path} answers 2xx or 3xx"),
            Probe::Connect { port, .. } => format!("port {port} accepts a connection"),
            Probe::Running => format!("runs for {}s", self.settle.as_secs_f32()),
        }
    }
}

/// Asks until the container is ready, it exited, or the time is up. Answers that differ from the one before are
/// reported.
pub async fn await_ready(
    engine: &dyn Engine,
    container: &ContainerName,
    readiness: &Readiness,
    report: &(dyn Fn(What) + Sync),
) -> Result<Duration, NotReady> {
    let began = Instant::now();
    let mut last: Option<ProbeAnswer> = None;
    let mut ready_since: Option<Instant> = None;
    let mut pause = FIRST_PAUSE;
    while began.elapsed() < readiness.deadline {
        let answer = engine.probe(container, &readiness.probe).await.map_err(NotReady::Engine)?;
        if last.as_ref() != Some(&answer) {
            report(What::Probed { container: container.clone(), answer: answer.clone() });
        }
        match &answer {
            ProbeAnswer::Exited { exit } => return Err(NotReady::Exited { exit: exit.clone() }),
            ProbeAnswer::NotReady { .. } => ready_since = None,
            ProbeAnswer::Ready { .. } => {
                if ready_since.get_or_insert_with(Instant::now).elapsed() >= readiness.settle {
                    return Ok(began.elapsed());
                }
            }
        }
        last = Some(answer);
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
    Err(NotReady::TooLate { limit: readiness.deadline, last })
}
