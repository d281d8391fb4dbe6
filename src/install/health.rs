//! Whether the server of a folder answers, and is well.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::api::{Part, Problem, ServerView};
use crate::client::{Client, ClientError};
use crate::server::socket_path;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
pub enum Unwell {
    #[error("it does not answer within {limit:?}")]
    Silent { limit: Duration, source: ClientError },
    #[error("what answers within {limit:?} is still the one that ran before")]
    Old { limit: Duration },
    /// It answers; what it needs does not work.
    #[error("it answers, but {}", .0.message)]
    Part(Box<Problem>),
}

/// What a server has to show.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// It began later than this.
    pub since: Option<Timestamp>,
    /// Its engine and its router are well too.
    pub parts: bool,
    pub limit: Duration,
}

/// What the server says of itself now.
pub async fn look(home: &Path) -> Result<ServerView, ClientError> {
    Client::unix(&socket_path(home))?.server().await
}

/// Waits until the server is as it should be.
pub async fn wait(home: &Path, demand: Demand) -> Result<ServerView, Unwell> {
    let start = Instant::now();
    loop {
        let unwell = match look(home).await {
            Err(source) => Unwell::Silent { limit: demand.limit, source },
            Ok(view) if demand.since.is_some_and(|since| view.started < since) => Unwell::Old { limit: demand.limit },
            Ok(view) => match problem(&view).filter(|_| demand.parts) {
                Some(problem) => Unwell::Part(Box::new(problem.clone())),
                None => return Ok(view),
            },
        };
        if start.elapsed() >= demand.limit {
            return Err(unwell);
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

fn problem(view: &ServerView) -> Option<&Problem> {
    match (&view.engine, &view.router) {
        (Part::Down { problem }, _) | (_, Part::Down { problem }) => Some(problem),
        _ => None,
    }
}
