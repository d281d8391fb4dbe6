//! The digest of a body: RFC 9530, with SHA-256.

use std::error::Error;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use sfv::{DictSerializer, Dictionary, ListEntry, Parser, key_ref};
use sha2::{Digest, Sha256};

const SHA_256: &str = "sha-256";

/// Of a whole body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDigest([u8; 32]);

/// Takes a body in piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> BodyDigest {
        BodyDigest(self.0.finalize().into())
    }
}

impl BodyDigest {
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// As SHA-256 gives it.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The value of `Content-Digest`.
    pub fn field(&self) -> String {
        let mut field = DictSerializer::new();
        let _ = field.bare_item(key_ref(SHA_256), self.0.as_slice());
        field.finish().expect("a dictionary of one member is not empty")
    }

    /// Reads the value of `Content-Digest`; none unless it holds a digest of this kind.
    pub fn read(field: &str) -> Option<Self> {
        let digests: Dictionary = Parser::new(field).parse().ok()?;
        let ListEntry::Item(item) = digests.get(SHA_256)? else { return None };
        Some(Self(item.bare_item.as_byte_sequence()?.try_into().ok()?))
    }
}

/// The body is not the one that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not the one that was signed")]
pub struct Altered;

/// The body as it arrives; its end is an error unless its digest is the one that was signed. So whoever acts only on a
/// body that came to a good end acts on what was signed.
pub fn checked<S, E>(
    body: S,
    is_signed: impl FnOnce(BodyDigest) -> bool + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>> + Send + 'static
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    stream::unfold(Some((body, Hasher::default(), is_signed)), move |state| async move {
        let (mut body, mut hasher, is_signed) = state?;
        match body.next().await {
            Some(Ok(chunk)) => {
                hasher.update(&chunk);
                Some((Ok(chunk), Some((body, hasher, is_signed))))
            }
            Some(Err(error)) => Some((Err(error.into()), None)),
            None if is_signed(hasher.finish()) => None,
            None => Some((Err(Altered.into()), None)),
        }
    })
}
