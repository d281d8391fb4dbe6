//! How simulated images behave: what a test says beforehand.

use std::time::Duration;

use crate::engine::Exit;

/// What happens when a service is built, and to the containers that run the image. An image keeps the behaviour that
/// its service had when it was built, so an older release goes on behaving as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    pub build: BuildScript,
    pub start: StartScript,
    /// How many probes of a run are answered "not ready" before the first "ready"; `u32::MAX`: never ready.
    pub ready_after: u32,
    /// The process ends by itself; none: it runs until it is stopped.
    pub exit: Option<(Moment, Exit)>,
    /// How a container ends that is given a command in place of the image's own.
    pub command: Exit,
    pub on_sigterm: OnSigterm,
    /// The image has a HEALTHCHECK.
    pub healthcheck: bool,
    /// How long until the engine has its first answer.
    pub first_check: Duration,
    /// The image has VOLUMEs there.
    pub volumes: Vec<String>,
    /// What the process writes each time it starts, to its standard output.
    pub logs: Vec<String>,
    /// While it runs, it writes a line so often.
    pub chatter: Option<Duration>,
    /// Its memory stays as it is, and it uses as much CPU all the time.
    pub still: bool,
}

impl Default for Behaviour {
    /// Builds, starts, is ready at once, runs for ever, and stops at once when told.
    fn default() -> Self {
        Self {
            build: BuildScript::default(),
            start: StartScript::Works,
            ready_after: 0,
            exit: None,
            command: Exit { code: 0, out_of_memory: false },
            on_sigterm: OnSigterm::Exit { code: 0, after: Duration::ZERO },
            healthcheck: false,
            first_check: Duration::ZERO,
            volumes: Vec::new(),
            logs: vec!["listening".to_owned()],
            chatter: None,
            still: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildScript {
    /// Printed, a line each.
    pub output: Vec<String>,
    pub takes: Duration,
    /// The image is so many bytes larger than its context.
    pub adds: u64,
    /// So many bytes of layers stay without a name, however it ends, as of a stage.
    pub leaves: u64,
    /// It is killed when it may not use so many bytes of memory.
    pub needs_memory: u64,
    /// With this message it fails, after all output.
    pub failure: Option<String>,
}

impl Default for BuildScript {
    fn default() -> Self {
        let output = ["Step 1/1 : FROM scratch", "Successfully built"];
        Self {
            output: output.map(str::to_owned).into(),
            takes: Duration::ZERO,
            adds: 0,
            leaves: 0,
            needs_memory: 0,
            failure: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartScript {
    Works,
    /// Somebody else on the server listens on this port.
    PortTaken(String),
}

/// When in the life of a running process something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After it answered so many probes; 0: instead of answering the first.
    Probes(u32),
    /// So long after it started.
    After(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSigterm {
    Exit { code: i64, after: Duration },
    Ignore,
}
