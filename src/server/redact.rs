//! Takes the values of the environment out of what a deploy tells and a container writes.

use std::borrow::Cow;

use super::vault::Vault;
use crate::deploy::{Failure, Outcome, What};
use crate::engine::{LogLine, ProbeAnswer};

pub(super) fn what(what: &mut What, vault: &Vault) {
    match what {
        What::BuildOutput { line } => text(line, vault),
        What::Warning { message } => text(message, vault),
        What::Planned { notes, steps } => notes.iter_mut().chain(steps).for_each(|line| text(line, vault)),
        What::Probed { answer, .. } => probe(answer, vault),
        What::Undoing { because } => failure(because, vault),
        What::Finished { outcome: end } => outcome(end, vault),
        What::Queued { .. }
        | What::Phase { .. }
        | What::Built { .. }
        | What::Created { .. }
        | What::Started { .. }
        | What::Ready { .. }
        | What::Holding { .. }
        | What::Switched { .. }
        | What::Stopped { .. }
        | What::Removed { .. } => {}
    }
}

pub(super) fn outcome(outcome: &mut Outcome, vault: &Vault) {
    match outcome {
        Outcome::Failed { failure: why } => failure(why, vault),
        Outcome::Interrupted { detail } => text(detail, vault),
        Outcome::Succeeded | Outcome::Superseded { .. } | Outcome::Cancelled { .. } => {}
    }
}

pub(super) fn line(line: &mut LogLine, vault: &Vault) {
    text(&mut line.text, vault);
}

fn failure(failure: &mut Failure, vault: &Vault) {
    text(&mut failure.message, vault);
    failure.causes.iter_mut().chain(&mut failure.hint).for_each(|line| text(line, vault));
    if let Some(evidence) = &mut failure.container {
        evidence.last_probe.iter_mut().for_each(|answer| probe(answer, vault));
        evidence.logs.iter_mut().for_each(|logged| line(logged, vault));
    }
}

fn probe(answer: &mut ProbeAnswer, vault: &Vault) {
    match answer {
        ProbeAnswer::Ready { detail } | ProbeAnswer::NotReady { detail } => text(detail, vault),
        ProbeAnswer::Exited { .. } => {}
    }
}

fn text(text: &mut String, vault: &Vault) {
    if let Cow::Owned(redacted) = vault.redact(text) {
        *text = redacted;
    }
}
