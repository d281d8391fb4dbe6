//! What is written from now on, also by containers that come later: a deploy or a scaling ends no log.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use tokio::sync::watch;

use super::{after, is_wanted, readable};
use crate::api::LogsOf;
use crate::engine::{EngineError, LogLine, LogQuery};
use crate::name::{ContainerName, ServiceName};
use crate::server::core::Core;

pub(super) struct Following {
    core: Arc<Core>,
    service: ServiceName,
    of: LogsOf,
    known: BTreeSet<ContainerName>,
    lines: SelectAll<BoxStream<'static, LogLine>>,
    changes: watch::Receiver<u64>,
}

impl Following {
    pub(super) fn new(core: Arc<Core>, service: ServiceName, of: LogsOf) -> Self {
        let changes = core.roster.changes();
        Self { core, service, of, known: BTreeSet::new(), lines: SelectAll::new(), changes }
    }

    pub(super) async fn add(&mut self, name: ContainerName, query: &LogQuery) -> Result<(), EngineError> {
        self.lines.push(readable(self.core.engine.logs(&name, query).await?));
        self.known.insert(name);
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
        let wanted: Vec<_> = there.iter().filter(|one| is_wanted(one, &self.of)).map(|one| &one.name).collect();
        self.known.retain(|name| wanted.contains(&name));
        for name in wanted {
            if !self.known.contains(name)
                && let Err(error) = self.add(name.clone(), &after(None, None)).await
            {
                tracing::debug!(container = %name, %error, "its log cannot be followed");
            }
        }
    }
}
