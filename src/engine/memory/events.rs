//! What happens to containers: seen by looking again, whenever something was done and now and then.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};

use super::{Faults, Shared};
use crate::engine::{Container, EngineError, Result};
use crate::name::ContainerName;

/// What happens by itself is looked for so often.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

type Seen = BTreeMap<ContainerName, Container>;

pub(super) fn follow(shared: &Arc<Shared>, faults: &Arc<Faults>) -> BoxStream<'static, Result<ContainerName>> {
    let follower = Follower {
        seen: look(shared),
        shared: Arc::downgrade(shared),
        faults: Arc::clone(faults),
        news: VecDeque::new(),
    };
    stream::unfold(Some(follower), |follower| async move { follower?.step().await }).boxed()
}

struct Follower {
    shared: Weak<Shared>,
    faults: Arc<Faults>,
    seen: Seen,
    news: VecDeque<ContainerName>,
}

impl Follower {
    async fn step(mut self) -> Option<(Result<ContainerName>, Option<Self>)> {
        loop {
            if let Some(name) = self.news.pop_front() {
                return Some((Ok(name), Some(self)));
            }
            let shared = self.shared.upgrade()?;
            if self.faults.is_down() {
                let source = "it went down".into();
                return Some((Err(EngineError::Unreachable { endpoint: "memory".to_owned(), source }), None));
            }
            let changed = shared.changed.notified();
            self.compare(look(&shared));
            if self.news.is_empty() {
                let _ = tokio::time::timeout(LOOK_AGAIN, changed).await;
            }
        }
    }

    fn compare(&mut self, now: Seen) {
        let other = now.iter().filter(|(name, container)| self.seen.get(*name) != Some(container));
        let gone = self.seen.keys().filter(|name| !now.contains_key(*name));
        self.news.extend(other.map(|(name, _)| name.clone()));
        self.news.extend(gone.cloned());
        self.seen = now;
    }
}

fn look(shared: &Shared) -> Seen {
    let now = shared.now();
    let mut world = shared.world();
    world.settle(now);
    world.of_services(None).into_iter().map(|container| (container.name.clone(), container)).collect()
}
