//! What is written from now on, also by containers that come later: a deploy or a scaling ends no log.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use tokio::sync::watch;

use super::{after, is_wanted, readable};
use crate::api::LogsOf;
use crate::engine::{Container, EngineError, LogLine, LogQuery};
use crate::name::ServiceName;
use crate::server::core::Core;

pub(super) struct Following {
    core: Arc<Core>,
    service: ServiceName,
    of: LogsOf,
    /// By their ids: another container may have the name of one that is gone, and the roster may not have one yet that is
    /// followed already.
    known: BTreeSet<String>,
    lines: SelectAll<BoxStream<'static, LogLine>>,
    changes: watch::Receiver<u64>,
}

impl Following {
    pub(super) fn new(core: Arc<Core>, service: ServiceName, of: LogsOf) -> Self {
        let changes = core.roster.changes();
        Self { core, service, of, known: BTreeSet::new(), lines: SelectAll::new(), changes }
    }

    pub(super) async fn add(&mut self, container: &Container, query: &LogQuery) -> Result<(), EngineError> {
        self.lines.push(readable(self.core.engine.logs(&container.name, query).await?));
        self.known.insert(container.id.clone());
        Ok(())
    }

    /// Ends once none of the containers is there any more.
    pub(super) fn lines(self) -> BoxStream<'static, LogLine> {
        futures_util::stream::unfold(self, |mut following| async move {
            let line = following.next().await?;
            Some((line, following))
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<LogLine> {
        loop {
            tokio::select! {
                line = self.lines.next() => match line {
                    Some(line) => return Some(line),
                    None => {
                        self.add_new().await;
                        if self.lines.is_empty() {
                            return None;
                        }
                    }
                },
                Ok(()) = self.changes.changed() => self.add_new().await,
            }
        }
    }

    async fn add_new(&mut self) {
        let there = self.core.roster.of(Some(&self.service));
        let is_new = |one: &Container| is_wanted(one, &self.of) && !self.known.contains(&one.id);
        for container in there.into_iter().filter(is_new).collect::<Vec<_>>() {
            if let Err(error) = self.add(&container, &after(None, None)).await {
                tracing::debug!(container = %container.name, %error, "its log cannot be followed");
            }
        }
    }
}
