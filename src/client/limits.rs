//! How long an answer may take, and how large it may be: a server that hangs must not hang who asks, and one that means
//! ill must not fill their memory.

use std::time::Duration;

use tokio::time::timeout;

use super::{ClientError, Result};

/// How long a server may take to answer a question that needs no waiting.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Planning, accepting and opening a shell ask the engine and the router, which may be slow.
pub(super) const DECISION_LIMIT: Duration = Duration::from_secs(60);

/// A server looks through all of a context once it has it.
pub(super) const UPLOAD_LIMIT: Duration = Duration::from_secs(3 * 60);

/// Removing large images takes its time on a slow disk; it goes on when nobody waits any more.
pub(super) const PRUNE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The answer, unless it takes longer.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, answer).await.unwrap_or(Err(ClientError::TimedOut { limit }))
}
