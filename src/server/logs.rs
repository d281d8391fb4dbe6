//! What the containers of a service wrote, merged in the order of time.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::core::Core;
use super::redact;
use crate::api::{Problem, ProblemCode};
use crate::engine::{LogLine, LogQuery, Result};
use crate::name::{ContainerName, ServiceName};

type Lines = BoxStream<'static, Result<LogLine>>;

/// Of one container, or of all.
pub(super) async fn of_service(
    core: &Core,
    service: &ServiceName,
    container: Option<&ContainerName>,
    query: LogQuery,
) -> std::result::Result<BoxStream<'static, LogLine>, Problem> {
    core.known(service)?;
    let all: Vec<_> = core.engine.containers(Some(service)).await?.into_iter().map(|found| found.name).collect();
    let wanted: Vec<_> = all.iter().filter(|name| container.is_none_or(|wanted| *name == wanted)).collect();
    if let (Some(name), true) = (container, wanted.is_empty()) {
        let names: Vec<_> = all.iter().map(ContainerName::as_str).collect();
        return Err(Problem::new(ProblemCode::NotFound, format!("{service} has no container {name}"))
            .hint(format!("It has {}.", if names.is_empty() { "none".to_owned() } else { names.join(", ") })));
    }
    let (past, tail) = (LogQuery { follow: false, ..query.clone() }, query.tail);
    let mut lines = Vec::new();
    for name in &wanted {
        lines.extend(readable(core.engine.logs(name, &past).await?).collect::<Vec<_>>().await);
    }
    lines.sort_by_key(|line| line.at);
    let surplus = tail.map_or(0, |tail| lines.len().saturating_sub(tail as usize));
    let past = stream::iter(lines.split_off(surplus));
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
