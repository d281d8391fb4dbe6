//! Who asks, and whether they may: every request comes in here before anything is done.
//!
//! ```text
//! endpoint.rs   what each endpoint needs, declared with its route
//! guard.rs      request → caller → the endpoint → audit log; or a refusal
//! prove.rs      a signed request → the key that it proves
//! original.rs   the same for a push of the Python original's client
//! denied.rs     why a request proves nothing, in words
//! nonces.rs     each proof is good for one request; since.rs: also when the server starts anew
//! attempts.rs   failed attempts, by address
//! busy.rs       what of a key is under way: requests, uploads
//! stay.rs       how long an answer may go on
//! caller.rs     who it is, and what they may ask for
//! ```
//!
//! What a caller may see of services is decided at the desk (`desk.rs`), through which all endpoints go.

mod attempts;
mod busy;
mod caller;
mod denied;
mod endpoint;
mod guard;
mod nonces;
mod original;
mod prove;
mod since;
mod stay;

use std::net::IpAddr;
use std::path::Path;
use std::time::Instant;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use jiff::Timestamp;
use nix::unistd::{Uid, User};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

pub(super) use self::busy::{Busy, UnderWay};
pub(super) use self::caller::Caller;
pub(super) use self::endpoint::LARGEST_SMALL;
pub use self::endpoint::{Endpoint, Payload};
pub(super) use self::guard::{About, Guard, Note, guard};
pub(super) use self::stay::Stay;
use super::config::Config;
use crate::keys::{Holder, KeyFile};

/// Requests of one key at once. A console needs five or so for each server.
const MOST_REQUESTS: usize = 64;

/// Pushes of the original's client that are read to their end although they were refused, at once. It takes nobody's key
/// to send one, so they may take few of the connections.
const MOST_HEARD_OUT: usize = 16;

/// The name of the file with the keys, in the server folder; the original's too.
pub const AUTHORIZED_KEYS: &str = "authorized_keys";

/// Where a connection comes from; told by whoever accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// The server's own socket, which the system lets only its user and root open.
    Socket { user: String },
    /// The router, or whoever else may connect to the network listener.
    Network { address: IpAddr },
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let user = stream.io().peer_cred().map_or_else(|_| "unknown".to_owned(), |peer| user_name(peer.uid()));
        Peer::Socket { user }
    }
}

fn user_name(id: u32) -> String {
    let user = User::from_uid(Uid::from_raw(id)).ok().flatten();
    user.map_or_else(|| format!("uid {id}"), |user| user.name)
}

/// What is remembered of requests that come over the network.
#[derive(Debug)]
pub(super) struct Gate {
    keys: KeyFile,
    /// The server's domain; without one nobody can prove that a request is meant for it.
    audience: Option<String>,
    since: since::Since,
    nonces: nonces::Nonces,
    attempts: attempts::Attempts,
    busy: Busy,
    heard_out: Semaphore,
}

impl Gate {
    pub(super) fn new(home: &Path, config: &Config) -> Self {
        Self {
            keys: KeyFile::new(home.join(AUTHORIZED_KEYS)),
            audience: config.init.domain.as_deref().map(str::to_ascii_lowercase),
            since: since::Since::new(home, Instant::now()),
            nonces: nonces::Nonces::default(),
            attempts: attempts::Attempts::default(),
            busy: Busy::new(MOST_REQUESTS),
            heard_out: Semaphore::new(MOST_HEARD_OUT),
        }
    }

    /// Whether a key is for some services only, or for none any more.
    pub(super) fn limits(&self, holder: &Holder) -> bool {
        let keys = self.keys.keys();
        keys.find(&holder.fingerprint, Timestamp::now()).is_none_or(|key| key.rights.services.is_some())
    }
}
