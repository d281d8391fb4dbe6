//! What the Python original (0.5.9) says on the wire, for both ends of it.
//!
//! A push is a `POST` of a zip, with what it is signed with in the query: who signs (`id`), a token that is good once and
//! for a few seconds (`token`), and two signatures, over the token (`sig1`) and over the zip (`sig2`). The server's time
//! is asked for first. The answer is text, a line a step; a line that begins with `FAIL:` says that it failed.
//!
//! ```text
//! token.rs     the token
//! signed.rs    the query
//! ```

mod signed;
mod token;

pub use signed::Signed;
pub use token::{LIFETIME_SECONDS, Token};

/// Where the server's time is asked for: seconds since 1970, as text.
pub const TIME: &str = "/daemon/time";

/// Where zips are pushed to.
pub const PUSH: &str = "/daemon/push";

/// What a line begins with that says why a push failed.
pub const FAIL: &str = "FAIL:";

/// The answer to who may not push, and to a zip that is not the one that was signed.
pub const DENIED: &str = "Access denied";
pub const NOT_VERIFIED: &str = "Payload could not be verified.";

/// A server of the original takes no larger zip, in bytes.
pub const LARGEST_ZIP: u64 = 100 * 1024 * 1024;
