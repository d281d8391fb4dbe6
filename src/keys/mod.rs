//! Keys of operators: whose they are, what they may do, and how they sign.
//!
//! ```text
//! public.rs      a public key: read, named by its fingerprint, verifies signatures
//! private.rs     a private key: read from text, perhaps with a passphrase, signs
//! agent.rs       keys that an ssh-agent holds
//! signer.rs      whichever of the two signs
//! pss.rs         signatures as the Python original makes them
//! generate.rs    new keys
//! authorized/    `authorized_keys`: lines → keys with their rights, and mistakes by line
//! ```
//!
//! Formats are read by `ssh-key` and `rsa`; all signatures but the original's are made and verified by `ring`.

pub mod agent;
mod authorized;
mod generate;
mod private;
mod pss;
mod public;
mod signer;
#[cfg(test)]
mod tests;

pub use authorized::{AuthorizedKey, AuthorizedKeys, KeyFile, LineError, Mistake, Rights, Role, RoleError};
pub use generate::{Generated, Kind, generate};
pub use private::{KeyText, LockedKey, PrivateKey, PrivateKeyError};
pub use public::{Algorithm, Fingerprint, FingerprintError, PublicKey, PublicKeyError};
pub use signer::{SignError, Signer};

use serde::{Deserialize, Serialize};

/// Whose key did something: what stays of a key in the server's memory, also when it is not authorized any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub fingerprint: Fingerprint,
    /// As it stands in `authorized_keys`; perhaps empty.
    pub comment: String,
}

impl Holder {
    /// The holder's name for people: the comment, else the fingerprint's beginning.
    pub fn name(&self) -> &str {
        if self.comment.is_empty() { self.fingerprint.short() } else { &self.comment }
    }
}
