//! One server a folder: a lock that the kernel drops when the process ends, however it ends.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use super::ServerError;

/// Held for as long as the server runs.
#[derive(Debug)]
pub(super) struct Lock {
    _held: Flock<File>,
}

impl Lock {
    pub(super) fn take(home: &Path) -> Result<Self, ServerError> {
        let path = home.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| ServerError::Folder { path: path.clone(), source })?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => Ok(Self { _held: held }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(ServerError::AlreadyRuns { home: home.to_owned() }),
            Err((_, errno)) => Err(ServerError::Folder { path, source: errno.into() }),
        }
    }
}
