//! What a failed deploy left behind.

use mypaas::deploy::Failure;
use mypaas::deploy::event::Evidence;
use mypaas::name::ServiceName;

use crate::cli::output::{foreign, words};

/// Everything that helps to find the reason, a line each.
pub(crate) fn evidence(service: &ServiceName, failure: &Failure) -> Vec<String> {
    let mut lines = failure.container.as_ref().map(container).unwrap_or_default();
    lines.push(match failure.still_serving {
        Some(release) => format!("{release} of {service} serves on, nothing was lost"),
        None => format!("no release of {service} serves now, as before"),
    });
    lines
}

fn container(evidence: &Evidence) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(exit) = &evidence.exit {
        lines.push(format!("{} {}", evidence.container, words::exit(exit)));
    }
    if let Some(answer) = &evidence.last_probe {
        lines.push(format!("last probe of {}: {}", evidence.container, words::probe(answer)));
    }
    if evidence.logs.is_empty() {
        lines.push(format!("{} wrote nothing", evidence.container));
    } else {
        lines.push(format!("last lines of {}:", evidence.container));
        lines.extend(evidence.logs.iter().map(|line| format!("  | {}", foreign::line(&line.text, false))));
    }
    lines
}
