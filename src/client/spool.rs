//! A context on its way over the network: it is put into a file first, because its digest goes ahead of it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use crate::proof::{BodyDigest, Hasher};

const CHUNK: usize = 64 * 1024;

/// How far a context is on its way over the network, for those who watch.
#[derive(Debug, Default)]
pub struct Sending {
    sent: AtomicU64,
    /// 0 while it is not known.
    size: AtomicU64,
}

impl Sending {
    /// Bytes that were sent, and how many there are; none before it is all packed, or when it is sent as it is packed.
    pub fn now(&self) -> Option<(u64, u64)> {
        let size = self.size.load(Ordering::Relaxed);
        (size > 0).then(|| (self.sent.load(Ordering::Relaxed), size))
    }
}

/// A context in a file that is gone with it.
#[derive(Debug)]
pub(super) struct Spooled {
    file: File,
    pub(super) bytes: u64,
    pub(super) digest: BodyDigest,
}

impl Spooled {
    pub(super) async fn take(context: impl Stream<Item = io::Result<Bytes>> + Send) -> io::Result<Self> {
        let mut file = File::from_std(tokio::task::spawn_blocking(tempfile::tempfile).await??);
        let mut context = pin!(context);
        let (mut hasher, mut bytes) = (Hasher::default(), 0);
        while let Some(chunk) = context.next().await.transpose()? {
            hasher.update(&chunk);
            bytes += chunk.len() as u64;
            file.write_all(&chunk).await?;
        }
        file.rewind().await?;
        Ok(Self { file, bytes, digest: hasher.finish() })
    }

    /// What a file holds.
    pub(super) async fn of(file: std::fs::File) -> io::Result<Self> {
        let mut file = File::from_std(file);
        let (mut hasher, mut bytes, mut chunk) = (Hasher::default(), 0, vec![0; CHUNK]);
        loop {
            let count = file.read(&mut chunk).await?;
            if count == 0 {
                break;
            }
            hasher.update(&chunk[..count]);
            bytes += count as u64;
        }
        file.rewind().await?;
        Ok(Self { file, bytes, digest: hasher.finish() })
    }

    pub(super) fn into_stream(self, sending: Arc<Sending>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        sending.size.store(self.bytes, Ordering::Relaxed);
        ReaderStream::with_capacity(self.file, CHUNK).inspect(move |chunk| {
            let bytes = chunk.as_ref().map_or(0, Bytes::len);
            sending.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_context_comes_out_as_it_went_in_with_its_digest_ahead() {
        let chunks: Vec<Bytes> = (0..40_u8).map(|number| vec![number; 7000].into()).collect();
        let whole = chunks.concat();
        let spooled = Spooled::take(stream::iter(chunks.into_iter().map(Ok))).await.unwrap();
        assert_eq!((spooled.bytes, spooled.digest), (whole.len() as u64, BodyDigest::of(&whole)));
        let sending = Arc::new(Sending::default());
        assert_eq!(sending.now(), None);
        let out: Vec<Bytes> = spooled.into_stream(Arc::clone(&sending)).map(Result::unwrap).collect().await;
        assert_eq!(out.concat(), whole);
        assert_eq!(sending.now(), Some((whole.len() as u64, whole.len() as u64)));
    }

    #[tokio::test]
    async fn a_context_that_cannot_be_packed_is_not_sent() {
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("unreadable"))]);
        assert_eq!(Spooled::take(broken).await.unwrap_err().to_string(), "unreadable");
    }
}
