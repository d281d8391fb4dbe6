//! A body on its way to a server, which may take as long as it takes; but not for ever when the server takes none of it.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Body;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::limits::UPLOAD_LIMIT;
use super::{ClientError, Result};

/// Who keeps the body from going on.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// There is nothing to send yet, as files are still being packed.
    Ours,
    Theirs,
}

/// Knows when something went on last.
#[derive(Debug)]
pub(super) struct Pace(watch::Receiver<Turn>);

/// The body to send, and what watches it.
pub(super) fn paced(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> (Body, Pace) {
    let (turn, watched) = watch::channel(Turn::Theirs);
    let mut chunks = Box::pin(chunks);
    let body = stream::poll_fn(move |context| {
        let chunk = chunks.as_mut().poll_next(context);
        turn.send_replace(if chunk.is_pending() { Turn::Ours } else { Turn::Theirs });
        chunk
    });
    (Body::wrap_stream(body), Pace(watched))
}

impl Pace {
    /// The answer to the body, unless the server neither takes the next piece nor answers for too long.
    pub(super) async fn keep<T>(mut self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            answer = answer => answer,
            () = self.stalled() => Err(ClientError::TimedOut { limit: UPLOAD_LIMIT }),
        }
    }

    async fn stalled(&mut self) {
        loop {
            let turn = *self.0.borrow_and_update();
            let moved = match turn {
                Turn::Ours => self.0.changed().await,
                Turn::Theirs => match timeout(UPLOAD_LIMIT, self.0.changed()).await {
                    Ok(moved) => moved,
                    Err(_) => return,
                },
            };
            if moved.is_err() {
                // It is all sent; what is left is the answer.
                return sleep(UPLOAD_LIMIT).await;
            }
        }
    }
}
