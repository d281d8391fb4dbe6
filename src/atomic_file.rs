//! The one way state is written to disk: a temporary file, sync, rename, sync of the folder. A reader sees the old
//! text or the new one, never half of either, also after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// 0600: keys, credentials, values of the environment.
    Owner,
    /// 0644.
    Everyone,
}

/// Replaces the file at `path`. The temporary file lies in `staging`, which must be on the same filesystem: a folder
/// that is watched by another program must not see temporary files.
pub fn write(path: &Path, staging: &Path, contents: &[u8], access: Access) -> io::Result<()> {
    let temporary = temporary_path(path, staging)?;
    let written = write_new(&temporary, contents, access).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The rename's or write's own error is the one to report; a left-over temporary file is not.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(path)
}

/// Replaces the file at `path` with the temporary file beside it.
pub fn write_beside(path: &Path, contents: &[u8], access: Access) -> io::Result<()> {
    let folder = parent(path)?;
    write(path, folder, contents, access)
}

/// Removes the file for good; that it was not there is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(path),
    }
}

/// For the operator, when there was no room for a file.
pub fn make_room(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "`df -h {folder}` shows the disk, `docker system df` what Docker could give back. Make room, then try again."
    )
}

fn write_new(temporary: &Path, contents: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::Everyone => 0o644,
    };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(temporary)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn temporary_path(path: &Path, staging: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".new");
    Ok(staging.join(hidden))
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::other("the path has no folder"))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(parent(path)?)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write_beside(&path, b"a long first text", Access::Everyone).unwrap();
        write_beside(&path, b"second", Access::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write_beside(&path, b"old", Access::Everyone).unwrap();
        assert!(write(&path, &folder.path().join("missing"), b"new", Access::Everyone).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn removing_twice_is_removing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write_beside(&path, b"old", Access::Everyone).unwrap();
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
    }
}
