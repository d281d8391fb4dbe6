//! The user that a server runs as. What is set up for them is theirs.

use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, geteuid};

use crate::atomic_file::{self, Access};

/// Why there is no such user.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("there is no user {0} on this machine")]
    Unknown(String),
    #[error("the users of this machine could not be looked up")]
    LookUp(#[source] io::Error),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: PathBuf,
}

impl Account {
    /// The user of that name.
    pub fn named(name: &str) -> Result<Self, AccountError> {
        let user = User::from_name(name).map_err(|errno| AccountError::LookUp(errno.into()))?;
        user.map(Self::of).ok_or_else(|| AccountError::Unknown(name.to_owned()))
    }

    /// Whoever runs this process.
    pub fn current() -> Result<Self, AccountError> {
        let uid = geteuid();
        let user = User::from_uid(uid).map_err(|errno| AccountError::LookUp(errno.into()))?;
        user.map(Self::of).ok_or_else(|| AccountError::Unknown(uid.to_string()))
    }

    fn of(user: User) -> Self {
        Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), home: user.dir }
    }

    pub fn is_root(&self) -> bool {
        Uid::from_raw(self.uid).is_root()
    }

    /// Whether this process runs as somebody else.
    pub fn is_another(&self) -> bool {
        Uid::from_raw(self.uid) != geteuid()
    }

    /// Writes a file that they alone may read.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        atomic_file::write_beside(path, bytes, Access::Owner)?;
        self.own(path)
    }

    /// Makes a file or folder theirs.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        if self.is_another() { chown(path, Some(self.uid), Some(Gid::from_raw(self.gid).as_raw())) } else { Ok(()) }
    }
}
