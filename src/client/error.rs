//! Why a request got no answer.

use std::time::Duration;

use crate::api::Problem;
use crate::keys::SignError;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no server answers at {endpoint}")]
    Unreachable { endpoint: String, source: reqwest::Error },
    #[error("the server did not answer within {limit:?}")]
    TimedOut { limit: Duration },
    /// The server answered why not; its message stands for this error.
    #[error("{}", .0.message)]
    Refused(Box<Problem>),
    #[error("the connection to the server broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the server's answer to {request} cannot be read")]
    Unreadable { request: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the server's answer to {request} is larger than {mebibytes} MiB, so it was read no further")]
    TooLarge { request: String, mebibytes: usize },
    #[error("the client could not be set up")]
    Setup(#[source] reqwest::Error),
    /// ssh did not get through to the server.
    #[error("no server answers at {endpoint}")]
    Ssh { endpoint: String, trouble: String },
    /// Something answers there, but not a server that this client understands.
    #[error("what answers at {endpoint} is no mypaas server (HTTP {status})")]
    NotTheServer { endpoint: String, status: u16 },
    /// It can be pushed to, as [`Client::push_as_original`] does, and asked for nothing.
    #[error("the server at {endpoint} is one of the Python original, which takes pushes and nothing else")]
    Original { endpoint: String },
    /// Client and server do not understand each other.
    #[error("{}", .0.message)]
    Version(Box<Problem>),
    #[error("a server that is reached over the network wants signed requests, and there is no key")]
    NoKey,
    #[error("the request could not be signed")]
    Sign(#[source] SignError),
    #[error("the way through ssh could not be set up")]
    Tunnel(#[source] std::io::Error),
    /// The pushed folder could not be packed; nothing was sent.
    #[error("the folder could not be packed")]
    Pack(#[source] std::io::Error),
}

impl ClientError {
    pub(super) fn too_large(request: &str, bytes: usize) -> Self {
        Self::TooLarge { request: request.to_owned(), mebibytes: bytes >> 20 }
    }
}
