//! What a deploy reports while it runs. Data, never sentences: who shows it finds the words.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::step;
use crate::engine::{Exit, LogLine, ProbeAnswer};
use crate::name::{ContainerName, DeployId, ImageName, ReleaseId};

/// One thing that happened in a deploy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from one within the deploy, without gaps.
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// Another deploy of the service runs; this one waits for it.
    Queued {
        behind: DeployId,
    },
    /// A phase began; the one before it ended.
    Phase {
        phase: Phase,
    },
    BuildOutput {
        line: String,
    },
    Built {
        image: ImageName,
        bytes: u64,
    },
    /// What is going to be done, and why.
    Planned {
        notes: Vec<String>,
        steps: Vec<String>,
    },
    Created {
        container: ContainerName,
    },
    Started {
        container: ContainerName,
    },
    /// A container answered a probe. Equal answers in a row are reported once.
    Probed {
        container: ContainerName,
        answer: ProbeAnswer,
    },
    Ready {
        container: ContainerName,
        after: Duration,
    },
    /// Requests wait until the new containers answer.
    Holding {
        limit: Duration,
    },
    /// The router confirmed: requests go to these containers (and no others).
    Switched {
        containers: Vec<ContainerName>,
    },
    Stopped {
        container: ContainerName,
    },
    Removed {
        container: ContainerName,
    },
    /// The release serves and is kept, and what served before had its time to finish requests. That is stopped and removed
    /// next, and however that goes, the deploy has succeeded. Not told where what goes is all that was asked for; told
    /// again where a server that died right there takes the deploy up.
    Done,
    /// Something went wrong that does not change how the deploy ends.
    Warning {
        message: String,
    },
    /// It failed before the switch; what it did is being undone.
    Undoing {
        because: Failure,
    },
    Finished {
        outcome: Outcome,
    },
    /// A newer server tells more than this program knows.
    #[serde(other)]
    Other,
}

/// The stations of a deploy, in order; a deploy passes through those it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Queued,
    Building,
    /// The release command runs in the new image.
    Preparing,
    /// Containers are made and started.
    Starting,
    /// Waiting for them to be ready.
    Probing,
    /// The routes change.
    Switching,
    /// The old containers finish their last requests.
    Draining,
    /// The old containers are stopped and removed.
    Retiring,
    Undoing,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Building,
        Self::Preparing,
        Self::Starting,
        Self::Probing,
        Self::Switching,
        Self::Draining,
        Self::Retiring,
        Self::Undoing,
    ];

    /// As it is called everywhere: on the wire, in lists, in the console.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Probing => "probing",
            Self::Switching => "switching",
            Self::Draining => "draining",
            Self::Retiring => "retiring",
            Self::Undoing => "undoing",
        }
    }
}

/// How a deploy ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    /// What served before serves still.
    Failed {
        failure: Failure,
    },
    /// A newer deploy of the service took its place in the queue.
    Superseded {
        by: DeployId,
    },
    /// Before it changed anything.
    Cancelled {
        by: String,
    },
    /// The server died while it ran; what was found and done at the next start.
    Interrupted {
        detail: String,
    },
}

impl Outcome {
    pub fn succeeded(&self) -> bool {
        matches!(self, Outcome::Succeeded)
    }
}

/// Why a deploy failed, with all there is to find the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub phase: Phase,
    /// What went wrong, as one sentence without a full stop.
    pub message: String,
    /// Its causes, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// About the container that failed, when one did.
    pub container: Option<Evidence>,
    /// The release that serves on.
    pub still_serving: Option<ReleaseId>,
    /// Why what served before could not be brought back, where that was tried in vain. Servers before this one never told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrestored: Option<String>,
}

/// What a failed container left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub container: ContainerName,
    pub exit: Option<Exit>,
    pub last_probe: Option<ProbeAnswer>,
    /// Its last lines.
    pub logs: Vec<LogLine>,
}

impl Failure {
    /// A failure that is not about one container.
    pub fn plain(phase: Phase, message: String, causes: Vec<String>, hint: Option<String>) -> Self {
        Self { phase, message, causes, hint, container: None, still_serving: None, unrestored: None }
    }
}

/// The switch in words, as in `requests go to web.r2.1 to 8`.
pub fn requests_go_to(containers: &[ContainerName]) -> String {
    let where_to = if containers.is_empty() { "no container".to_owned() } else { step::list(containers) };
    format!("requests go to {where_to}")
}

/// What lies behind an error, outermost first, without the error itself.
pub fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut all = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push(error.to_string());
        cause = error.source();
    }
    all
}

/// An error with its causes.
pub fn in_words(error: &dyn std::error::Error) -> String {
    [vec![error.to_string()], causes(error)].concat().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_server_tells_does_not_end_the_story() {
        let newer = r#"{"seq": 3, "at": "2026-01-02T03:04:05Z", "event": "applauded", "by": "all"}"#;
        let event: Event = serde_json::from_str(newer).unwrap();
        assert_eq!((event.seq, event.what), (3, What::Other));
    }

    #[test]
    fn a_phase_is_called_as_on_the_wire() {
        for phase in Phase::ALL {
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{}\"", phase.word()));
        }
    }
}
