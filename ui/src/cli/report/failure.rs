//! What a failed deploy left behind.

use mypaas::api::{Evidence, Failure, ProbeAnswer};
use mypaas::name::ServiceName;

use crate::cli::output::{foreign, words};

/// Everything that helps to find the reason and is not in the failure's message, a line each.
pub(crate) fn evidence(service: &ServiceName, failure: &Failure) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(evidence) = &failure.container {
        lines.extend(exit(evidence).filter(|told| !failure.message.contains(told)));
        lines.extend(last_probe(evidence, &failure.message));
        lines.extend(last_lines(evidence));
    }
    lines.push(match (failure.still_serving, &failure.unrestored) {
        (_, Some(why)) => format!("{service} may not serve now, for mypaas {why}"),
        (Some(release), None) => format!("{release} of {service} serves on, nothing was lost"),
        (None, None) => format!("no release of {service} serves now, as before"),
    });
    lines
}

fn exit(evidence: &Evidence) -> Option<String> {
    let exit = evidence.exit.as_ref()?;
    Some(format!("{} {}", evidence.container, words::exit(exit)))
}

/// That it exited is told by its exit; and the message may have told the answer.
fn last_probe(evidence: &Evidence, message: &str) -> Option<String> {
    match evidence.last_probe.as_ref()? {
        ProbeAnswer::Exited { .. } => None,
        ProbeAnswer::NotReady { detail } if message.contains(detail) => None,
        answer => Some(format!("last probe of {}: {}", evidence.container, words::probe(answer))),
    }
}

fn last_lines(evidence: &Evidence) -> Vec<String> {
    if evidence.logs.is_empty() {
        return vec![format!("{} wrote nothing", evidence.container)];
    }
    let mut lines = vec![format!("last lines of {}:", evidence.container)];
    lines.extend(evidence.logs.iter().map(|line| format!("  | {}", foreign::line(&line.text, false))));
    lines
}
