//! Warnings about options that are good alone and questionable together.

use std::net::IpAddr;
use std::path::Path;

use super::diagnostic::{Diagnostic, Problem};
use super::draft::{Draft, Given};
use super::option::Key;
use super::{HealthCheck, Publish, Scale, Scheme, ServiceUrl, Volume};

pub(super) fn about(draft: &Draft<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(draft.urls.iter().filter_map(|given| redirected(draft, given)));
    diagnostics.extend(draft.urls.iter().filter_map(without_certificate));
    diagnostics.extend(draft.volumes.iter().filter_map(|given| within_another(draft, given)));
    diagnostics.extend(draft.scale.as_ref().and_then(word_without_number));
    diagnostics.extend(draft.healthcheck.as_ref().and_then(slow_timeout));
    if let Some(scale) = scale(draft) {
        diagnostics.extend(draft.healthcheck.as_ref().and_then(|given| healthcheck_without_scale(given, scale)));
        diagnostics.extend(draft.publish.iter().filter_map(|given| contested_port(given, scale)));
    }
}

/// None where it was given and could not be read; nothing can be said about it then.
fn scale(draft: &Draft<'_>) -> Option<Scale> {
    match &draft.scale {
        Some(given) => Some(given.value),
        None => (!draft.is_given(Key::Scale)).then_some(Scale::Single),
    }
}

fn redirected(draft: &Draft<'_>, given: &Given<'_, ServiceUrl>) -> Option<Diagnostic> {
    let https = draft.redirecting(&given.value)?;
    let line = https.option.line.number;
    let problem = Problem::new(format!("requests here are redirected to the https URL in line {line}"));
    Some(given.option.warning(problem.hint("remove this line: an https URL brings the redirection with it")))
}

fn without_certificate(given: &Given<'_, ServiceUrl>) -> Option<Diagnostic> {
    let host = &given.value.host;
    let public = host.contains('.') && host.parse::<IpAddr>().is_err();
    (given.value.scheme == Scheme::Https && !public).then(|| {
        let problem = Problem::new(format!("Let's Encrypt gives no certificate for {host}"));
        given.option.warning(problem.hint("use a domain, or http://"))
    })
}

/// Docker follows the link at each start of the container, also at those that it makes by itself.
fn within_another(draft: &Draft<'_>, given: &Given<'_, Volume>) -> Option<Diagnostic> {
    let inner = Path::new(&given.value.server_dir);
    let outer = draft.volumes.iter().find(|other| {
        let outer = Path::new(&other.value.server_dir);
        !other.value.read_only && inner != outer && inner.starts_with(outer)
    })?;
    let line = outer.option.line.number;
    let problem = Problem::new(format!(
        "the folder lies in the volume of line {line}: whoever breaks into a container can make a link of it, and gets any \
         folder of the server at the next start"
    ));
    Some(given.option.warning(problem.hint("use folders that lie in no other volume, or make the outer one read only")))
}

fn word_without_number(given: &Given<'_, Scale>) -> Option<Diagnostic> {
    let has_word = given.option.value.contains(|c: char| c.is_ascii_alphabetic());
    (given.value == Scale::Single && has_word).then(|| {
        let problem =
            Problem::new("with a scale of 0 there is one container, which is replaced; the word means nothing");
        given.option.warning(problem.hint("use a scale of 1 or more, or remove the word"))
    })
}

fn healthcheck_without_scale(given: &Given<'_, HealthCheck>, scale: Scale) -> Option<Diagnostic> {
    (scale == Scale::Single).then(|| {
        let problem = Problem::new("a health check works only with a scale of 1 or more, so it is ignored");
        given.option.warning(problem.hint("add `# mypaas.scale=1`, or remove the line"))
    })
}

fn slow_timeout(given: &Given<'_, HealthCheck>) -> Option<Diagnostic> {
    let HealthCheck { interval, timeout, .. } = given.value;
    (timeout >= interval).then(|| {
        let problem =
            Problem::new("the timeout is not shorter than the interval, so checks are made less often than that");
        given.option.warning(problem.hint("the order is: path, interval, timeout, as in `/status 10s 2s`"))
    })
}

/// A port of the server can be held by one container only.
fn contested_port(given: &Given<'_, Vec<Publish>>, scale: Scale) -> Option<Diagnostic> {
    let port = given.value.iter().find_map(|entry| entry.host_port)?;
    let problem = match scale {
        Scale::Rolling { count } | Scale::Safe { count } if count.get() > 1 => Problem::new(format!(
            "{count} containers cannot all have port {port} of the server, so no deploy can succeed"
        )),
        Scale::Rolling { .. } => Problem::new(format!(
            "every deploy but the first must fail: the new container needs port {port} of the server while the old one \
             has it"
        )),
        Scale::Single | Scale::Safe { .. } => return None,
    };
    let hint = "use `# mypaas.scale=1 safe` or no scale, or leave the server's port out for a free one";
    Some(given.option.warning(problem.hint(hint)))
}
