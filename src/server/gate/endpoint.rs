//! What each endpoint needs, declared with its route.

use crate::keys::Role;

/// What a small payload may hold, in bytes.
pub(in crate::server) const LARGEST_SMALL: usize = 2 * 1024 * 1024;

/// One endpoint, as it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    /// The least that a caller has to be. What an operator's endpoint does goes into the audit log.
    pub role: Role,
    pub payload: Payload,
}

/// What comes with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// At most so much that it is read whole, and compared with its digest, before the endpoint sees it.
    Small,
    /// Anything; the endpoint reads it as it comes, and its end fails when it is not what was signed.
    Stream,
    /// The same, but signed as the Python original's client does.
    Original,
}
