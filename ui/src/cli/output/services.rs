//! A server with its services, and one service with its containers.

use std::fmt::Write;

use jiff::Timestamp;
use mypaas::api::{
    CertificateView, ContainerState, ContainerView, DeployState, Failure, Outcome, Part, Problem, ServerView,
    ServiceDetail, ServiceState, ServiceView, Snapshot, Unreplaced,
};
use mypaas::manifest::{Manifest, Scale, Scheme, ServiceUrl};
use mypaas::name::ServerName;

use super::paint::{Paint, Style};
use super::table::{Cell, Table};
use super::{alerts, foreign, units, words};

/// Everything a server says about itself, as of `now`.
pub(crate) fn server(
    name: &ServerName,
    snapshot: &Snapshot,
    paint: Paint,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    let mut text = heading(name, &snapshot.server, paint);
    text += &doubts(&snapshot.server, paint);
    text += &alerts::beside(&snapshot.alerts, paint, now);
    if snapshot.services.is_empty() {
        let _ = writeln!(text, "no services yet; push one with `mypaas push {name} DIR`");
        return text;
    }
    let mut table = Table::new(&["SERVICE", "STATE", "READY", "RELEASE", "AGE", "LAST DEPLOY", "URL"]);
    for service in &snapshot.services {
        table.row(row(service, now));
    }
    text += &table.render(paint, width);
    for service in &snapshot.services {
        for (domain, words) in troubled(&service.certificates, now) {
            let _ = writeln!(text, "{}: {domain}: {}", paint.strong(service.name.as_str()), paint.bad(&words));
        }
    }
    for (service, failure) in snapshot.services.iter().filter_map(failed) {
        let _ = writeln!(
            text,
            "{}: {}",
            paint.strong(service.name.as_str()),
            paint.bad(&foreign::line(&failure.message, false))
        );
    }
    text
}

/// What is not as the server's settings have it, though all of it answers.
fn doubts(server: &ServerView, paint: Paint) -> String {
    let mut text = String::new();
    let mut tell = |what: &str, said: &[String], hint: Option<&str>| {
        let _ = writeln!(text, "{}", paint.bad(&foreign::line(what, false)));
        for line in said {
            let _ = writeln!(text, "  | {}", foreign::line(line, false));
        }
        if let Some(hint) = hint {
            let _ = writeln!(text, "  hint: {}", foreign::line(hint, false));
        }
    };
    if let Some(why) = server.router.up().and_then(|info| info.unreplaced.as_ref()) {
        tell(&why.headline(), &why.log, Some(Unreplaced::hint()));
    }
    if let Some(Problem { message, hint, .. }) = &server.unreached {
        tell(message, &[], hint.as_deref());
    }
    text
}

/// Domains whose certificate somebody has to do something about.
fn troubled(certificates: &[CertificateView], now: Timestamp) -> impl Iterator<Item = (&str, String)> {
    let told = move |view: &CertificateView| words::certificate(&view.standing, now);
    certificates.iter().filter_map(move |view| match told(view) {
        (words, Style::Bad | Style::Warning) => Some((view.domain.as_str(), foreign::line(&words, false))),
        _ => None,
    })
}

/// A service whose newest deploy failed, and why.
fn failed(service: &ServiceView) -> Option<(&ServiceView, &Failure)> {
    match &service.last_deploy.as_ref()?.state {
        DeployState::Finished { outcome: Outcome::Failed { failure }, .. } => Some((service, failure)),
        _ => None,
    }
}

/// One service: what it is made from, and what runs.
pub(crate) fn detail(
    server: &ServerName,
    detail: &ServiceDetail,
    paint: Paint,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    let mut text = summary(server, &detail.service, paint, now);
    for url in &detail.service.urls {
        let _ = writeln!(text, "{}", address(url, &detail.service.certificates, paint, now));
    }
    if let Some(manifest) = &detail.manifest {
        let _ = write!(text, "\n{}", options(manifest).render(paint, width));
    }
    if !detail.service.containers.is_empty() {
        let _ = write!(text, "\n{}", containers(&detail.service.containers, now).render(paint, width));
    }
    text
}

/// With how its certificate stands.
fn address(url: &ServiceUrl, certificates: &[CertificateView], paint: Paint, now: Timestamp) -> String {
    let of = certificates.iter().find(|view| url.scheme == Scheme::Https && view.domain == url.host);
    let Some(view) = of else { return url.to_string() };
    let (words, style) = words::certificate(&view.standing, now);
    format!("{url}  {}", paint.apply(style, &foreign::line(&words, false)))
}

/// As they stand in the Dockerfile.
pub(super) fn options(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["LINE", "OPTION", "VALUE"]);
    for option in &manifest.options {
        table.row([option.line.to_string().into(), (&option.key).into(), (&option.value).into()]);
    }
    table
}

fn heading(name: &ServerName, server: &ServerView, paint: Paint) -> String {
    let mut parts = vec![format!("mypaas {}", server.version)];
    let mut problems = Vec::new();
    match &server.engine {
        Part::Up { info } => parts.push(format!("{} {}", info.name, info.version)),
        Part::Down { problem } => problems.push(problem),
    }
    match &server.router {
        Part::Up { info } => {
            parts.push(format!("{} {} on ports {} and {}", info.name, info.version, info.http_port, info.https_port));
        }
        Part::Down { problem } => problems.push(problem),
    }
    let mut text = format!("{}: {}\n", paint.strong(name.as_str()), foreign::line(&parts.join(", "), false));
    // The router may be down because the engine is.
    problems.dedup();
    for problem in problems {
        let _ = writeln!(text, "{}", paint.bad(&foreign::line(&problem.message, false)));
        if let Some(cause) = problem.causes.first() {
            let _ = writeln!(text, "  {} {}", paint.muted("because"), foreign::line(cause, false));
        }
        if let Some(hint) = &problem.hint {
            let _ = writeln!(text, "  {} {}", paint.good("hint:"), foreign::line(hint, false));
        }
    }
    text
}

fn row(service: &ServiceView, now: Timestamp) -> [Cell; 7] {
    let (state, style) = words::service_state(service.state);
    [
        service.name.as_str().into(),
        Cell::new(style, state),
        ready(service).into(),
        words::release(service.release).into(),
        service.since.map_or_else(|| words::NONE.to_owned(), |since| units::age(since, now)).into(),
        last_deploy(service, now),
        urls(service).into(),
    ]
}

fn ready(service: &ServiceView) -> String {
    match service.state {
        ServiceState::Stopped | ServiceState::NeverLive => words::NONE.to_owned(),
        _ => format!("{}/{}", service.ready, service.wanted),
    }
}

fn last_deploy(service: &ServiceView, now: Timestamp) -> Cell {
    let Some(deploy) = &service.last_deploy else { return words::NONE.into() };
    let (state, style) = words::deploy_state(&deploy.state);
    let style = if style == Style::Good { Style::Plain } else { style };
    match &deploy.state {
        DeployState::Finished { finished, .. } => {
            Cell::new(style, format!("{state} {} ago", units::age(*finished, now)))
        }
        _ => Cell::new(style, state),
    }
}

fn urls(service: &ServiceView) -> String {
    match service.urls.as_slice() {
        [] => words::NONE.to_owned(),
        [url] => url.to_string(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}

fn summary(server: &ServerName, service: &ServiceView, paint: Paint, now: Timestamp) -> String {
    let (state, style) = words::service_state(service.state);
    let mut text = format!("{} on {server}: {}", paint.strong(service.name.as_str()), paint.apply(style, state));
    if !matches!(service.state, ServiceState::Stopped | ServiceState::NeverLive) {
        let _ = write!(text, ", {} of {} ready", service.ready, service.wanted);
    }
    if let Some(release) = service.release {
        let _ = write!(text, ", {release}");
    }
    if let Some(since) = service.since {
        let _ = write!(text, " live for {}", units::age(since, now));
    }
    if let Some(scale) = service.scale {
        let _ = write!(text, ", {}", scale_words(scale));
    }
    text + "\n"
}

fn scale_words(scale: Scale) -> String {
    match scale {
        Scale::Single => "does not scale".to_owned(),
        Scale::Rolling { count } => format!("scale {count}, rolling"),
        Scale::Safe { count } => format!("scale {count}, safe"),
    }
}

fn containers(containers: &[ContainerView], now: Timestamp) -> Table {
    let mut table = Table::new(&["CONTAINER", "STATE", "UP", "RESTARTS", "ROUTED", "CPU", "MEMORY", "ADDRESS"]);
    for container in containers {
        let (state, style) = words::container_state(container);
        table.row([
            container.name.as_str().into(),
            Cell::new(style, state),
            up(container, now).into(),
            container.restarts.to_string().into(),
            if container.routed { "yes" } else { "no" }.into(),
            container.cpu_percent.map_or_else(|| words::NONE.to_owned(), |percent| format!("{percent:.1}%")).into(),
            memory(container).into(),
            container.address.to_string().into(),
        ]);
    }
    table
}

fn up(container: &ContainerView, now: Timestamp) -> String {
    match &container.state {
        ContainerState::Running { since, .. } => units::age(*since, now),
        _ => words::NONE.to_owned(),
    }
}

fn memory(container: &ContainerView) -> String {
    match (container.memory_bytes, container.memory_limit_bytes) {
        (None, _) => words::NONE.to_owned(),
        (Some(used), None) => units::bytes(used),
        (Some(used), Some(limit)) => format!("{} of {}", units::bytes(used), units::bytes(limit)),
    }
}
