//! Reading a simulated log, and following it until its container is removed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;

use super::Shared;
use super::container::Simulated;
use crate::engine::{LogLine, LogQuery, Result};
use crate::name::ContainerName;

/// What a container writes by itself is looked for so often.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) fn logs(
    shared: Arc<Shared>,
    container: &mut Simulated,
    query: &LogQuery,
    now: Timestamp,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    container.catch_up(now);
    if !query.follow {
        let (lines, _) = container.lines(query);
        return Ok(stream::iter(lines.into_iter().map(Ok)).boxed());
    }
    let follower = Follower {
        shared,
        name: container.spec.name.clone(),
        id: container.id.clone(),
        query: query.clone(),
        next: None,
        found: VecDeque::new(),
    };
    Ok(stream::unfold(follower, Follower::step).boxed())
}

struct Follower {
    shared: Arc<Shared>,
    name: ContainerName,
    id: String,
    query: LogQuery,
    /// The number of the first line that was not looked at; none before the first look. As with Docker, that comes when
    /// the first line is asked for.
    next: Option<u64>,
    found: VecDeque<LogLine>,
}

impl Follower {
    /// The next line; none once the container is gone.
    async fn step(mut self) -> Option<(Result<LogLine>, Self)> {
        loop {
            if let Some(line) = self.found.pop_front() {
                return Some((Ok(line), self));
            }
            let shared = Arc::clone(&self.shared);
            let changed = shared.changed.notified();
            if !self.look() {
                return None;
            }
            if self.found.is_empty() {
                let _ = tokio::time::timeout(LOOK_AGAIN, changed).await;
            }
        }
    }

    /// Takes what was written since. False when the container is gone.
    fn look(&mut self) -> bool {
        let now = self.shared.now();
        let mut world = self.shared.world();
        world.settle(now);
        let Ok(container) = world.own(&self.name) else { return false };
        if container.id != self.id {
            return false;
        }
        container.catch_up(now);
        let (lines, next) = match self.next {
            Some(next) => container.lines_from(next),
            None => container.lines(&self.query),
        };
        self.next = Some(next);
        self.found.extend(lines.into_iter().filter(|line| self.query.since.is_none_or(|since| line.at >= since)));
        true
    }
}
