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
    let temporary = hidden(path, staging, "new")?;
    let written = write_new(&temporary, contents, access).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The rename's or write's own error is the one to report; a left-over temporary file is not.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(path)
}

/// As [`write`], and keeps at `kept` what it replaces. Putting that back takes no room, so that it can be done when the
/// disk is full. `kept` must be on the same filesystem too.
pub fn write_keeping(path: &Path, kept: &Path, staging: &Path, contents: &[u8], access: Access) -> io::Result<()> {
    // Not the name that `write` uses: it would write into the file that is linked here.
    let aside = hidden(path, staging, "old")?;
    remove(&aside)?;
    match fs::hard_link(path, &aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = match fs::read(kept) {
        Ok(before) if before == contents => fs::rename(kept, path).and_then(|()| sync_folder(path)),
        _ => write(path, staging, contents, access),
    };
    match written {
        Ok(()) if aside.exists() => fs::rename(&aside, kept).and_then(|()| sync_folder(kept)),
        Ok(()) => remove(kept),
        Err(error) => {
            // The error to report is the one that led here.
            let _ = fs::remove_file(&aside);
            Err(error)
        }
    }
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
    format!(
        "`mypaas disk SERVER` shows what takes the room of the disk with {}, and `mypaas prune SERVER` makes some; then \
         try again.",
        folder.display()
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

fn hidden(path: &Path, staging: &Path, ending: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    Ok(staging.join(format!(".{}.{ending}", name.to_string_lossy())))
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
    fn what_was_replaced_is_kept_and_can_be_put_back_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let [live, before, staging] = ["live", "before", "staging"].map(|name| folder.path().join(name));
        [&live, &before, &staging].iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let [path, kept] = [live, before].map(|folder| folder.join("state"));
        let write = |text: &str| write_keeping(&path, &kept, &staging, text.as_bytes(), Access::Everyone);
        write("one").unwrap();
        assert!(!kept.exists());
        for (now, before) in [("two", "one"), ("one", "two"), ("two", "one"), ("three", "two"), ("two", "three")] {
            write(now).unwrap();
            let found = [&path, &kept].map(|path| fs::read_to_string(path).unwrap());
            assert_eq!(found, [now, before]);
        }
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0);
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
