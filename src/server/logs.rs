//! What the containers of a service wrote, merged in the order of time; of those that are gone what was kept.
//!
//! ```text
//! newest.rs     of what was written, what there is room for
//! places.rs     how many may have much of it at once
//! following.rs  what is written from now on
//! ```

mod following;
mod newest;
mod places;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use jiff::Timestamp;

use self::following::Following;
use self::newest::{MOST_LINES, Newest};
pub(super) use self::places::Places;
use super::core::Core;
use super::redact;
use crate::api::{LogsOf, Problem, ProblemCode};
use crate::deploy::execute::LastLines;
use crate::engine::{Container, EngineError, LogLine, LogQuery, Result, Role};
use crate::keys::Holder;
use crate::name::{ContainerName, ReleaseId, ServiceName};

type Lines = BoxStream<'static, Result<LogLine>>;

pub(super) async fn of_service(
    core: &Arc<Core>,
    holder: Option<&Holder>,
    service: &ServiceName,
    of: &LogsOf,
    query: LogQuery,
) -> std::result::Result<BoxStream<'static, LogLine>, Problem> {
    core.known(service)?;
    let place = core.long_logs.take(&query, holder)?;
    let mut following = Following::new(Arc::clone(core), service.clone(), of.clone());
    let all = core.engine.containers(Some(service)).await?;
    let wanted: Vec<&Container> = all.iter().filter(|one| is_wanted(one, of)).collect();
    let mut lines = match of {
        LogsOf::Service => Vec::new(),
        LogsOf::Container(name) if wanted.is_empty() => return Err(no_container(service, name, &all)),
        LogsOf::Container(_) => Vec::new(),
        LogsOf::Release(id) => kept(core, service, *id, &wanted)?,
    };
    lines.retain(|line| query.since.is_none_or(|since| line.at >= since));
    let mut newest = Newest::new(query.tail);
    lines.into_iter().for_each(|line| newest.add(line));
    // The last line of each is looked at in any case: those after it are the ones to follow.
    let past = LogQuery { tail: Some(newest.of_each().max(1)), follow: false, since: query.since };
    let mut last = Vec::new();
    for container in &wanted {
        let Some(lines) = while_there(core.engine.logs(&container.name, &past).await)? else {
            last.push(None);
            continue;
        };
        let mut lines = readable(lines);
        let mut at = None;
        while let Some(line) = lines.next().await {
            at = at.max(Some(line.at));
            newest.add(line);
        }
        last.push(at);
    }
    let past = stream::iter(newest.lines()).map(move |line| {
        let _until_read = &place;
        line
    });
    if !query.follow {
        return Ok(redacted(core, past));
    }
    for (container, last) in wanted.into_iter().zip(last) {
        while_there(following.add(container, &after(last, query.since)).await)?;
    }
    let stopped = core.stopped.clone().cancelled_owned();
    Ok(redacted(core, past.chain(following.lines()).take_until(stopped)))
}

/// None of a container that went since it was listed, as those of a release do that another one replaces.
fn while_there<T>(read: Result<T>) -> std::result::Result<Option<T>, Problem> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(EngineError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What comes after a log's last line, also while the lines before it are on their way to who asked: an engine may begin
/// to follow only once the first line is taken. Of a log without a line, all that there will be.
fn after(last: Option<Timestamp>, since: Option<Timestamp>) -> LogQuery {
    const NEXT: Duration = Duration::from_nanos(1);
    let after = last.map(|last| last.saturating_add(NEXT).unwrap_or(last));
    LogQuery { tail: after.is_none().then_some(MOST_LINES), since: after.or(since), follow: true }
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
    there: &[&Container],
) -> std::result::Result<Vec<LogLine>, Problem> {
    core.release(service, release)?;
    let lines: Vec<Vec<LogLine>> = core.store.last_lines(service, release)?;
    Ok(lines
        .into_iter()
        .flatten()
        .filter(|line| there.iter().all(|container| container.name != line.container))
        .collect())
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
