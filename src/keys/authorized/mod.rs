//! `authorized_keys`: who may ask this server for something, and for what.
//!
//! ```text
//! # a comment
//! ssh-ed25519 AAAA… ada@laptop
//! mypaas-role="viewer" ssh-rsa AAAA… the dashboard in the hall
//! mypaas-services="blog,api" ecdsa-sha2-nistp256 AAAA… ci@builder
//! rsa-pub-MIIB…                                            (as the Python original writes it)
//! ```
//!
//! ```text
//! line.rs      one line → a key with its rights, or why not
//! options.rs   the options before a key
//! file.rs      the file, read again when it changed
//! ```

mod file;
mod line;
mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use self::file::KeyFile;
pub use self::line::LineError;
pub use self::options::{Role, RoleError};
use super::public::{Fingerprint, PublicKey};
use crate::name::ServiceName;

/// A key that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizedKey {
    pub key: PublicKey,
    /// Whose it is, as the operator wrote it; perhaps empty.
    pub comment: String,
    pub rights: Rights,
    /// Its line is written as the Python original writes them; only such a key may push by the original's protocol, which
    /// proves less than ours.
    pub is_original: bool,
}

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    pub role: Role,
    /// None: with all services.
    pub services: Option<BTreeSet<ServiceName>>,
    /// None: for ever.
    pub until: Option<Timestamp>,
}

impl Rights {
    pub const ALL: Rights = Rights { role: Role::Operator, services: None, until: None };

    pub fn includes(&self, service: &ServiceName) -> bool {
        self.services.as_ref().is_none_or(|services| services.contains(service))
    }
}

/// A line that lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from one.
    pub line: u32,
    pub error: LineError,
}

/// All keys of a file, and the lines that are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizedKeys {
    keys: Vec<(u32, AuthorizedKey)>,
    mistakes: Vec<Mistake>,
}

impl AuthorizedKeys {
    /// Reads the text of a file. A bad line hides no good one.
    pub fn parse(text: &[u8]) -> Self {
        let mut found = Self::default();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = String::from_utf8_lossy(line);
            let read = line::parse(line.trim()).and_then(|key| found.admit(key));
            match read {
                Ok(Some(key)) => found.keys.push((number, key)),
                Ok(None) => {}
                Err(error) => found.mistakes.push(Mistake { line: number, error }),
            }
        }
        found
    }

    /// The key of that name, unless it has expired.
    pub fn find(&self, fingerprint: &Fingerprint, now: Timestamp) -> Option<&AuthorizedKey> {
        let mut keys = self.keys.iter().map(|(_, key)| key);
        let key = keys.find(|key| key.key.fingerprint() == fingerprint)?;
        key.rights.until.is_none_or(|until| now < until).then_some(key)
    }

    /// The keys of the original's lines that the Python original calls so, unless they have expired; there may be several.
    pub fn called_by_original(&self, id: &str, now: Timestamp) -> impl Iterator<Item = &AuthorizedKey> {
        let current = move |key: &&AuthorizedKey| key.is_original && key.rights.until.is_none_or(|until| now < until);
        self.keys().filter(current).filter(move |key| key.key.original_id().as_deref() == Some(id))
    }

    pub fn keys(&self) -> impl Iterator<Item = &AuthorizedKey> {
        self.keys.iter().map(|(_, key)| key)
    }

    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// A key that stands there already has the rights of its first line.
    fn admit(&self, key: Option<AuthorizedKey>) -> Result<Option<AuthorizedKey>, LineError> {
        let Some(key) = key else { return Ok(None) };
        let twice = self.keys.iter().find(|(_, known)| known.key == key.key);
        twice.map_or(Ok(Some(key)), |(line, _)| Err(LineError::Twice { line: *line }))
    }
}
