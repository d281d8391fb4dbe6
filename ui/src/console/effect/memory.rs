//! What servers said last, kept for the next session: its first picture need not wait for any of them. A file a server
//! in the state folder; one that cannot be read, or that another version wrote otherwise, is as good as none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use mypaas::api::Snapshot;
use mypaas::atomic_file::{Access, write_beside};
use mypaas::name::ServerName;
use serde::{Deserialize, Serialize};

const FOLDER: &str = "last-known";

/// Changes whenever an older version would read the file wrongly.
const FORMAT: u32 = 1;

/// What takes more than this, in bytes, is not kept: some ten thousand containers.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Of a server that was not heard of for so long nothing is kept.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is kept of a server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Memory {
    format: u32,
    /// Another server may get the same name.
    endpoint: String,
    /// When it last gave a sign of life.
    heard: Timestamp,
    snapshot: Snapshot,
}

impl Memory {
    pub(super) fn new(endpoint: String, heard: Timestamp, snapshot: Snapshot) -> Self {
        Self { format: FORMAT, endpoint, heard, snapshot }
    }

    /// Keeps it in the state folder. That it cannot be kept hinders nothing.
    pub(super) fn keep(&self, state: &Path, server: &ServerName) {
        let folder = state.join(FOLDER);
        if let Err(error) = self.write(&folder, server).and_then(|()| forget_the_old(&folder)) {
            tracing::warn!(%error, %server, "what the server said could not be kept for the next session");
        }
    }

    fn write(&self, folder: &Path, server: &ServerName) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        if text.len() as u64 > LARGEST {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        write_beside(&path(folder, server), &text, Access::Owner)
    }
}

/// What the server at that endpoint said in an earlier session, and when it last gave a sign of life then.
pub(super) fn recall(state: &Path, server: &ServerName, endpoint: &str) -> Option<(Snapshot, Timestamp)> {
    let mut text = Vec::new();
    let file = File::open(path(&state.join(FOLDER), server)).ok()?;
    file.take(LARGEST).read_to_end(&mut text).ok()?;
    let memory: Memory = serde_json::from_slice(&text).ok()?;
    let is_known = memory.format == FORMAT && memory.endpoint == endpoint;
    is_known.then_some((memory.snapshot, memory.heard))
}

fn path(folder: &Path, server: &ServerName) -> PathBuf {
    folder.join(format!("{server}.json"))
}

/// Servers that were taken out of the fleet leave nothing behind for ever.
fn forget_the_old(folder: &Path) -> io::Result<()> {
    let Some(oldest) = SystemTime::now().checked_sub(LONGEST) else { return Ok(()) };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.metadata()?.modified()? < oldest {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::console::fixture::{self, at};

    const ENDPOINT: &str = "ssh://ada@s1";

    fn keep(state: &Path, name: &ServerName) {
        Memory::new(ENDPOINT.into(), at(5), fixture::snapshot(at(0))).keep(state, name);
    }

    #[test]
    fn what_was_kept_is_recalled_for_the_same_server_only() {
        let state = tempfile::tempdir().unwrap();
        let (name, other) = ("s1".parse().unwrap(), "s2".parse().unwrap());
        keep(state.path(), &name);
        assert_eq!(recall(state.path(), &name, ENDPOINT), Some((fixture::snapshot(at(0)), at(5))));
        assert_eq!(recall(state.path(), &name, "ssh://ada@elsewhere"), None);
        assert_eq!(recall(state.path(), &other, ENDPOINT), None);
        let mode = fs::metadata(state.path().join("last-known/s1.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_broken_or_of_another_version_is_as_good_as_none() {
        let state = tempfile::tempdir().unwrap();
        let name = "s1".parse().unwrap();
        keep(state.path(), &name);
        let file = state.path().join("last-known/s1.json");
        let text = fs::read_to_string(&file).unwrap();
        let other_format = text.replacen("\"format\":1", "\"format\":2", 1);
        let other_snapshot = text.replacen("\"services\"", "\"sevrices\"", 1);
        for broken in ["", "{}", &text[..text.len() / 2], &other_format, &other_snapshot] {
            fs::write(&file, broken).unwrap();
            assert_eq!(recall(state.path(), &name, ENDPOINT), None, "{broken}");
        }
        keep(state.path(), &name);
        assert!(recall(state.path(), &name, ENDPOINT).is_some());
    }

    #[test]
    fn what_is_old_goes_and_what_is_too_large_is_not_kept() {
        let state = tempfile::tempdir().unwrap();
        let (old, new): (ServerName, ServerName) = ("old".parse().unwrap(), "new".parse().unwrap());
        keep(state.path(), &old);
        let file = File::open(state.path().join("last-known/old.json")).unwrap();
        file.set_modified(SystemTime::now() - LONGEST - Duration::from_secs(60)).unwrap();
        let mut large = fixture::snapshot(at(0));
        large.server.version = "x".repeat(usize::try_from(LARGEST).unwrap());
        Memory::new(ENDPOINT.into(), at(5), large).keep(state.path(), &"large".parse().unwrap());
        keep(state.path(), &new);
        let names: Vec<_> =
            fs::read_dir(state.path().join(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["new.json"]);
    }
}
