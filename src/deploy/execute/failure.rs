//! Turns the error of a step into a [`Failure`]: the reason, the evidence, and what to do next.

use std::path::Path;

use super::{CommandEnd, StepError, last_lines};
use crate::atomic_file;
use crate::deploy::event::{Evidence, Failure, Phase, causes, in_words};
use crate::deploy::readiness::NotReady;
use crate::deploy::step::Step;
use crate::engine::{ContainerState, Engine, EngineError, Exit, Probe, ProbeAnswer};
use crate::name::ContainerName;

/// Enough to see a stack trace's end; the build's output and the container's whole log are kept elsewhere.
const LAST_LINES: u32 = 30;

pub(super) async fn of(engine: &dyn Engine, step: &Step, error: StepError) -> Failure {
    let phase = step.phase();
    match error {
        StepError::NotReady { container, why } => not_ready(engine, step, container, why).await,
        StepError::Engine { container, source } => {
            let hint = hint_for_engine(&source);
            let mut failure = Failure::plain(phase, source.to_string(), causes(&source), hint);
            let is_ours = !matches!(source, EngineError::NotOurs { .. });
            if let Some(container) = container.filter(|_| is_ours) {
                failure.container = Some(evidence(engine, container, None).await);
            }
            failure
        }
        StepError::Command { container, end } => {
            let hint = "Its last lines say why. Nothing was changed; mend it and push again.";
            let mut failure = Failure::plain(phase, ended(&end), Vec::new(), Some(hint.to_owned()));
            failure.container = Some(evidence(engine, container, None).await);
            failure
        }
        StepError::Router(error) => {
            let status = || "See `mypaas status` for the state of the router, then deploy again.".to_owned();
            let hint = error.hint().unwrap_or_else(status);
            Failure::plain(phase, error.to_string(), causes(&error), Some(hint))
        }
        StepError::Journal(error) => {
            let hint = error.hint();
            let message = "the journal could not be written, and nothing is changed without it".to_owned();
            let mut all = vec![error.to_string()];
            all.extend(causes(&error));
            Failure::plain(phase, message, all, hint)
        }
    }
}

/// For a deploy whose server died before the switch.
pub(super) fn cut_off() -> Failure {
    let message = "the server stopped while the deploy ran".to_owned();
    let hint = "What it had begun is undone; deploy again.".to_owned();
    Failure::plain(Phase::Undoing, message, Vec::new(), Some(hint))
}

/// For a warning, where the deploy goes on.
pub(super) fn sentence(step: &Step, error: &StepError) -> String {
    format!("could not {}: {}", step.describe(), words(error))
}

/// What went wrong and why.
pub(super) fn words(error: &StepError) -> String {
    match error {
        StepError::Engine { source, .. } => in_words(source),
        StepError::Router(source) => in_words(source),
        StepError::NotReady { container, why } => why_not_ready(container, why),
        StepError::Command { end, .. } => ended(end),
        StepError::Journal(source) => in_words(source),
    }
}

fn ended(end: &CommandEnd) -> String {
    match end {
        CommandEnd::Exited(exit) if exit.out_of_memory => {
            "the release command was killed because it used more memory than it may".to_owned()
        }
        CommandEnd::Exited(exit) => format!("the release command exited with code {}", exit.code),
        CommandEnd::TooLong { limit } => format!("the release command ran for more than {}s", limit.as_secs()),
    }
}

async fn not_ready(engine: &dyn Engine, step: &Step, container: ContainerName, why: NotReady) -> Failure {
    let message = why_not_ready(&container, &why);
    let (causes, last_probe, hint) = match why {
        NotReady::Exited { exit } => {
            let hint = hint_for_exit(&exit);
            (Vec::new(), Some(ProbeAnswer::Exited { exit }), Some(hint))
        }
        NotReady::TooLate { last, .. } => (Vec::new(), last, hint_for_silence(step)),
        NotReady::Engine(error) => {
            let hint = hint_for_engine(&error);
            let mut all = vec![error.to_string()];
            all.extend(causes(&error));
            (all, None, hint)
        }
    };
    let mut failure = Failure::plain(step.phase(), message, causes, hint);
    failure.container = Some(evidence(engine, container, last_probe).await);
    failure
}

fn why_not_ready(container: &ContainerName, why: &NotReady) -> String {
    match why {
        NotReady::Exited { exit } if exit.out_of_memory => {
            format!("{container} was killed because it used more memory than it may")
        }
        NotReady::Exited { exit } => format!("{container} exited with code {} before it was ready", exit.code),
        NotReady::TooLate { limit, last: Some(ProbeAnswer::NotReady { detail }) } => {
            format!("{container} was not ready within {limit:?}: {detail}")
        }
        NotReady::TooLate { limit, .. } => format!("{container} was not ready within {limit:?}"),
        NotReady::Engine(_) => format!("{container} could not be asked whether it is ready"),
    }
}

fn hint_for_exit(exit: &Exit) -> String {
    if exit.out_of_memory {
        return "Give it more with mypaas.maxmem, or have it use less.".to_owned();
    }
    "Its last lines say why. Mend it and push again.".to_owned()
}

fn hint_for_silence(step: &Step) -> Option<String> {
    let Step::AwaitReady { readiness, .. } = step else { return None };
    Some(match &readiness.probe {
        Probe::Connect { port, .. } => format!(
            "Does the process listen on port {port}, on all addresses and not only on 127.0.0.1? mypaas.port says \
             which port it is."
        ),
        Probe::Http { path, .. } => {
            format!(
                "mypaas.healthcheck asks for {path}; a service that needs longer gets it by ready_deadline under [deploy] in the server's config.toml."
            )
        }
        Probe::ImageHealth => {
            "The HEALTHCHECK of the image did not say healthy in time. Does it pass in the container? A \
                               shorter --interval has it asked sooner; ready_deadline under [deploy] in the server's \
                               config.toml gives it longer."
                .to_owned()
        }
        Probe::Running => "See its last lines.".to_owned(),
    })
}

fn hint_for_engine(error: &EngineError) -> Option<String> {
    Some(match error {
        EngineError::PortTaken { .. } => {
            "Another program or container holds the port: free it, or choose another in mypaas.publish.".to_owned()
        }
        EngineError::Unreachable { .. } | EngineError::TimedOut { .. } => {
            "Is the engine running? `systemctl status docker` on the server tells.".to_owned()
        }
        EngineError::Full { folder, .. } => atomic_file::make_room(Path::new(folder)),
        EngineError::Build { .. } => {
            "The build's output says which instruction failed. Mend it and push again.".to_owned()
        }
        _ => return None,
    })
}

async fn evidence(engine: &dyn Engine, container: ContainerName, last_probe: Option<ProbeAnswer>) -> Evidence {
    let exit = match engine.inspect(&container).await.map(|found| found.state) {
        Ok(ContainerState::Exited { exit, .. } | ContainerState::Restarting { exit }) => Some(exit),
        _ => None,
    };
    // Evidence that cannot be had must not hide the failure itself.
    let logs = last_lines::read(engine, &container, LAST_LINES).await;
    Evidence { container, exit, last_probe, logs }
}
