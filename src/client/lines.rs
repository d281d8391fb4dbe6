//! An answer that goes on: one JSON value a line.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::Response;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{ClientError, Result};

/// A line longer than this is no answer of ours.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// A quiet server sends a blank line every ten seconds; one that is silent for longer is not there any more.
const SILENCE: Duration = Duration::from_secs(35);

struct Reader {
    request: String,
    response: Response,
    buffer: BytesMut,
    /// In bytes, of all its lines.
    largest: usize,
    read: usize,
    ended: bool,
}

/// The values of a response's lines. Ends at the first error. Blank lines keep a quiet connection alive.
pub(super) fn parsed<T: DeserializeOwned + Send + 'static>(
    request: String,
    response: Response,
) -> BoxStream<'static, Result<T>> {
    let reader = Reader::new(request, response, usize::MAX);
    stream::unfold(reader, |mut reader| async move {
        let value = reader.next().await?;
        reader.ended = value.is_err();
        Some((value, reader))
    })
    .boxed()
}

/// All values of a response whose lines come to an end, unless they are more than so many bytes.
pub(super) async fn all<T: DeserializeOwned>(request: String, response: Response, largest: usize) -> Result<Vec<T>> {
    let mut reader = Reader::new(request, response, largest);
    let mut values = Vec::new();
    while let Some(value) = reader.next().await.transpose()? {
        values.push(value);
    }
    Ok(values)
}

impl Reader {
    fn new(request: String, response: Response, largest: usize) -> Self {
        Self { request, response, buffer: BytesMut::new(), largest, read: 0, ended: false }
    }

    async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T>> {
        while !self.ended {
            if let Some(line) = self.take_line() {
                if line.is_empty() {
                    continue;
                }
                return Some(serde_json::from_slice(&line).map_err(|error| self.unreadable(error)));
            }
            if self.buffer.len() > LONGEST_LINE {
                return Some(Err(self.unreadable(std::io::Error::other("a line of the answer has no end"))));
            }
            match timeout(SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if chunk.len() > self.largest - self.read => {
                    return Some(Err(ClientError::too_large(&self.request, self.largest)));
                }
                Ok(Ok(Some(chunk))) => {
                    self.read = self.read.saturating_add(chunk.len());
                    self.buffer.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) => return None,
                Ok(Err(error)) => return Some(Err(ClientError::Broken(Box::new(error)))),
                Err(_) => return Some(Err(ClientError::TimedOut { limit: SILENCE })),
            }
        }
        None
    }

    fn take_line(&mut self) -> Option<BytesMut> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let line = self.buffer.split_to(end);
        self.buffer.advance(1);
        Some(line)
    }

    fn unreadable(&self, error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
        ClientError::Unreadable { request: self.request.clone(), source: Box::new(error) }
    }
}
