//! Takes the values of the environment out of what a deploy tells and a container writes, and cuts what is too long to be
//! told: in that order, for of a value that is cut nobody knows any more what it is.

use std::borrow::Cow;

use super::vault::Vault;
use crate::deploy::{Failure, Outcome, What};
use crate::engine::{LogLine, ProbeAnswer};

/// So much of what a container said of its health is worth telling; Docker keeps 4 KiB of it.
const LONGEST_ANSWER: usize = 250;

/// Of a line of a build.
const LONGEST_LINE: usize = 4_000;

pub(super) fn what(what: &mut What, vault: &Vault) {
    match what {
        What::BuildOutput { line } => {
            text(line, vault);
            cut(line, LONGEST_LINE);
        }
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
        | What::Removed { .. }
        | What::Done
        | What::Other => {}
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
    let more = failure.causes.iter_mut().chain(&mut failure.hint).chain(&mut failure.unrestored);
    more.for_each(|line| text(line, vault));
    if let Some(evidence) = &mut failure.container {
        evidence.last_probe.iter_mut().for_each(|answer| probe(answer, vault));
        evidence.logs.iter_mut().for_each(|logged| line(logged, vault));
    }
}

fn probe(answer: &mut ProbeAnswer, vault: &Vault) {
    match answer {
        ProbeAnswer::Ready { detail } | ProbeAnswer::NotReady { detail } => {
            text(detail, vault);
            cut(detail, LONGEST_ANSWER);
        }
        ProbeAnswer::Exited { .. } => {}
    }
}

fn text(text: &mut String, vault: &Vault) {
    if let Cow::Owned(redacted) = vault.redact(text) {
        *text = redacted;
    }
}

fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::Phase;
    use crate::server::config::Config;

    const SECRET: &str = "postgres://me:hunter2@db/all";

    fn vault() -> Vault {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), format!("[env]\nDSN = \"{SECRET}\"\n")).unwrap();
        Vault::new(folder.path(), &Config::read(folder.path()).unwrap())
    }

    #[test]
    fn a_value_at_the_end_of_what_is_told_is_taken_out_before_the_text_is_cut() {
        let vault = vault();
        for most in [LONGEST_LINE, LONGEST_ANSWER] {
            let long = format!("{}{SECRET}{}", "ü".repeat(most - 5), "y".repeat(100));
            let mut told = [
                What::BuildOutput { line: long.clone() },
                What::Probed {
                    container: crate::name::ContainerName::from_engine("web.r1.1"),
                    answer: ProbeAnswer::NotReady { detail: long },
                },
            ];
            told.iter_mut().for_each(|told| what(told, &vault));
            let told = serde_json::to_string(&told).unwrap();
            assert!(!told.contains("postg") && told.contains("…"), "{told}");
        }
    }

    #[test]
    fn why_nothing_was_brought_back_is_told_without_values() {
        let plain = Failure::plain(Phase::Starting, "it failed".to_owned(), Vec::new(), None);
        let mut end = Outcome::Failed { failure: Failure { unrestored: Some(format!("no {SECRET}")), ..plain } };
        outcome(&mut end, &vault());
        assert!(!format!("{end:?}").contains(SECRET), "{end:?}");
    }
}
