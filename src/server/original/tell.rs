//! What a deploy reports, in lines of text for whoever reads them in a terminal or in the log of a build server.

use bytes::Bytes;

use crate::api::Problem;
use crate::deploy::event::requests_go_to;
use crate::deploy::{Deploy, Event, Failure, Outcome, What};
use crate::engine::{LogLine, ProbeAnswer};
use crate::original::FAIL;
use crate::store::StoreError;

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line(String);

impl Line {
    /// Whatever it holds stays one line and does nothing to a terminal.
    fn of(text: &str) -> Self {
        Self(text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect())
    }

    /// The last line of what failed.
    fn failure(text: &str) -> Self {
        Self::of(&format!("{FAIL} {text}"))
    }

    pub(super) fn bytes(&self) -> Bytes {
        format!("{}\n", self.0).into()
    }

    pub(super) fn is_failure(&self) -> bool {
        self.0.starts_with(FAIL)
    }
}

pub(super) fn accepted(deploy: &Deploy) -> Line {
    let Deploy { id, service, origin, .. } = deploy;
    let version = env!("CARGO_PKG_VERSION");
    Line::of(&format!("mypaas {version} deploys {service} for {} ({id})", origin.who))
}

/// Why nothing is going to happen.
pub(super) fn problem(problem: &Problem) -> Vec<Line> {
    let mistakes = problem.diagnostics.iter().map(|mistake| {
        let hint = mistake.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Line::of(&format!("Dockerfile:{}:{}: {}{hint}", mistake.line, mistake.column, mistake.message))
    });
    let reasons = [vec![problem.message.clone()], problem.causes.clone()].concat().join(": ");
    let hint = problem.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
    mistakes.chain([Line::failure(&format!("{reasons}{hint}"))]).collect()
}

/// A deploy that is told.
#[derive(Debug)]
pub(super) struct Story {
    deploy: Deploy,
    is_over: bool,
}

impl Story {
    pub(super) fn of(deploy: Deploy) -> Self {
        Self { deploy, is_over: false }
    }

    /// What is new by this event; none: there are no more.
    pub(super) fn tell(&mut self, event: Option<Result<Event, StoreError>>) -> Vec<Line> {
        let id = self.deploy.id;
        match event {
            Some(Ok(Event { what: What::Done, .. })) => self.end(&Outcome::Succeeded),
            Some(Ok(Event { what: What::Finished { outcome }, .. })) => self.end(&outcome),
            Some(Ok(event)) => happening(&event.what).iter().map(|text| Line::of(text)).collect(),
            Some(Err(error)) => vec![Line::failure(&format!("how {id} goes on cannot be told: {error}"))],
            None => vec![Line::failure(&format!("the server stops before {id} has come to its end"))],
        }
    }

    /// Whether all was told.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    fn end(&mut self, outcome: &Outcome) -> Vec<Line> {
        self.is_over = true;
        end(&self.deploy, outcome)
    }
}

fn end(deploy: &Deploy, outcome: &Outcome) -> Vec<Line> {
    let (id, service) = (deploy.id, &deploy.service);
    match outcome {
        Outcome::Succeeded => vec![Line::of(&format!("done: {service} is deployed ({id})"))],
        Outcome::Failed { failure } => failed(deploy, failure),
        Outcome::Superseded { by } => vec![Line::failure(&format!("{by}, a newer push of {service}, took its place"))],
        Outcome::Cancelled { by } => vec![Line::failure(&format!("cancelled by {by}; nothing was changed"))],
        Outcome::Interrupted { detail } => vec![Line::failure(detail)],
    }
}

fn failed(deploy: &Deploy, failure: &Failure) -> Vec<Line> {
    let evidence = failure.container.as_ref();
    let logs = evidence.map(|evidence| evidence.logs.as_slice()).unwrap_or_default();
    let mut lines: Vec<Line> = logs.iter().map(|LogLine { text, .. }| Line::of(&format!("  | {text}"))).collect();
    let serving = match failure.still_serving {
        Some(release) => format!("{release} of {} serves as before", deploy.service),
        None if failure.unrestored.is_some() => format!("{} may not serve at all now", deploy.service),
        None => format!("no release of {} serves, as before", deploy.service),
    };
    let mut reasons = [vec![failure.message.clone()], failure.causes.clone()].concat().join(": ");
    reasons.extend(failure.unrestored.iter().map(|why| format!("; then mypaas {why}")));
    let hint = failure.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
    lines.push(Line::failure(&format!("while {}: {reasons}; {serving}{hint}", failure.phase.word())));
    lines
}

/// What happened on the way.
fn happening(what: &What) -> Vec<String> {
    match what {
        What::Queued { behind } => vec![format!("waits for {behind}")],
        What::Phase { phase } => vec![phase.word().to_owned()],
        // Docker's builder names what it makes on the way.
        What::BuildOutput { line } if line.trim_start().starts_with("--->") || line.starts_with("Removing interm") => {
            Vec::new()
        }
        What::BuildOutput { line } => vec![format!("  {line}")],
        What::Built { image, .. } => vec![format!("  built {image}")],
        What::Planned { notes, .. } => notes.iter().map(|note| format!("  {note}")).collect(),
        What::Created { .. } | What::Probed { answer: ProbeAnswer::Ready { .. }, .. } => Vec::new(),
        What::Started { container } => vec![format!("  {container} started")],
        What::Probed { container, answer: ProbeAnswer::NotReady { detail } } => {
            vec![format!("  {container} is not ready yet: {detail}")]
        }
        What::Probed { container, answer: ProbeAnswer::Exited { exit } } => {
            vec![format!("  {container} exited with code {}", exit.code)]
        }
        What::Ready { container, .. } => vec![format!("  {container} is ready")],
        What::Holding { limit } => vec![format!("  requests wait, for up to {limit:?}")],
        What::Switched { containers } => vec![format!("  {}", requests_go_to(containers))],
        What::Stopped { container } => vec![format!("  {container} stopped")],
        What::Removed { container } => vec![format!("  {container} removed")],
        What::Warning { message } => vec![format!("  warning: {message}")],
        What::Undoing { because } => vec![format!("  goes back, because {}", because.message)],
        What::Done | What::Finished { .. } | What::Other => Vec::new(),
    }
}
