//! How long an answer may take, and how large it may be: a server that hangs must not hang who asks, and one that means
//! ill must not fill their memory.

use std::time::Duration;

use bytes::BytesMut;
use reqwest::Response;
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

/// No answer of ours that is read as a whole comes near it, in bytes.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

/// A Dockerfile may have many mistakes, each with its line.
pub(super) const LARGEST_REFUSAL: usize = 1 << 20;

/// The answer, unless it takes longer.
pub(super) async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(limit, answer).await.unwrap_or(Err(ClientError::TimedOut { limit }))
}

/// The whole body; none when it is larger.
pub(super) async fn whole(mut response: Response, largest: usize) -> reqwest::Result<Option<BytesMut>> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > largest - body.len() {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
