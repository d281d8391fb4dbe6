//! What the containers of a service wrote, merged in the order of time; of those that are gone what was kept.

mod newest;

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use self::newest::Newest;
use super::core::Core;
use super::redact;
use crate::api::{LogsOf, Problem, ProblemCode};
use crate::deploy::execute::LastLines;
use crate::engine::{Container, LogLine, LogQuery, Result, Role};
use crate::name::{ContainerName, ReleaseId, ServiceName};

type Lines = BoxStream<'static, Result<LogLine>>;

pub(super) async fn of_service(
    core: &Core,
    service: &ServiceName,
    of: &LogsOf,
    query: LogQuery,
) -> std::result::Result<BoxStream<'static, LogLine>, Problem> {
    core.known(service)?;
    let all = core.engine.containers(Some(service)).await?;
    let wanted: Vec<&ContainerName> = all.iter().filter(|one| is_wanted(one, of)).map(|one| &one.name).collect();
    let mut lines = match of {
        LogsOf::Service => Vec::new(),
        LogsOf::Container(name) if wanted.is_empty() => return Err(no_container(service, name, &all)),
        LogsOf::Container(_) => Vec::new(),
        LogsOf::Release(id) => kept(core, service, *id, &wanted)?,
    };
    lines.retain(|line| query.since.is_none_or(|since| line.at >= since));
    let mut newest = Newest::new(query.tail);
    lines.into_iter().for_each(|line| newest.add(line));
    let past = LogQuery { tail: Some(newest.of_each()), follow: false, since: query.since };
    for name in &wanted {
        let mut lines = readable(core.engine.logs(name, &past).await?);
        while let Some(line) = lines.next().await {
            newest.add(line);
        }
    }
    let past = stream::iter(newest.lines());
    if !query.follow {
        return Ok(redacted(core, past));
    }
    let now = LogQuery { tail: Some(0), since: None, follow: true };
    let mut following = Vec::new();
    for name in wanted {
        following.push(readable(core.engine.logs(name, &now).await?));
    }
    let stopped = core.stopped.clone().cancelled_owned();
    Ok(redacted(core, past.chain(stream::select_all(following)).take_until(stopped)))
}

fn is_wanted(container: &Container, of: &LogsOf) -> bool {
    match of {
        LogsOf::Service => true,
        LogsOf::Container(name) => container.name == *name,
        LogsOf::Release(id) => matches!(container.role, Role::Service { release, .. } if release == *id),
    }
}

fn no_container(service: &ServiceName, name: &ContainerName, all: &[Container]) -> Problem {
    let names: Vec<_> = all.iter().map(|container| container.name.as_str()).collect();
    Problem::new(ProblemCode::NotFound, format!("{service} has no container {name}"))
        .hint(format!("It has {}.", if names.is_empty() { "none".to_owned() } else { names.join(", ") }))
}

/// What was kept of the release's containers that are gone.
fn kept(
    core: &Core,
    service: &ServiceName,
    release: ReleaseId,
    there: &[&ContainerName],
) -> std::result::Result<Vec<LogLine>, Problem> {
    core.release(service, release)?;
    let lines: Vec<Vec<LogLine>> = core.store.last_lines(service, release)?;
    Ok(lines.into_iter().flatten().filter(|line| !there.contains(&&line.container)).collect())
}

impl LastLines for Core {
    fn keep(&self, service: &ServiceName, release: ReleaseId, container: &ContainerName, mut lines: Vec<LogLine>) {
        lines.iter_mut().for_each(|line| redact::line(line, &self.vault));
        if let Err(error) = self.store.keep_last_lines(service, release, container, &lines) {
            tracing::warn!(%container, %error, "what it wrote last is lost");
        }
    }
}

fn redacted(core: &Core, lines: impl Stream<Item = LogLine> + Send + 'static) -> BoxStream<'static, LogLine> {
    let vault = Arc::clone(&core.vault);
    lines
        .map(move |mut line| {
            redact::line(&mut line, &vault);
            line
        })
        .boxed()
}

fn readable(lines: Lines) -> BoxStream<'static, LogLine> {
    lines
        .filter_map(|line| async move {
            line.inspect_err(|error| tracing::debug!(%error, "a log line could not be read")).ok()
        })
        .boxed()
}
