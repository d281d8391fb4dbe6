//! The two binaries of an upgrade: the one that is run, and beside it the one that it replaced.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::UpgradeError;

/// Where the binary that was replaced lies.
pub fn kept(program: &Path) -> PathBuf {
    beside(program, "previous")
}

/// The binary stays beside the one that will replace it.
pub(super) fn keep(program: &Path) -> Result<(), UpgradeError> {
    link(program, &kept(program))
}

/// The binary that was replaced is the one that is run again. It stays beside it.
pub(super) fn put_back(program: &Path) -> Result<(), UpgradeError> {
    let back = beside(program, "back");
    link(&kept(program), &back)?;
    put_in_place(&back, program)
}

/// Has `to` be the same file as `from`, at once, whatever it was before.
fn link(from: &Path, to: &Path) -> Result<(), UpgradeError> {
    let staging = beside(to, "link");
    let failed = |source| UpgradeError::File { action: "keep", path: from.to_owned(), source };
    match fs::remove_file(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::hard_link(from, &staging).map_err(failed)?;
    // Of two links to one file a rename does nothing at all, and leaves both.
    fs::rename(&staging, to).and_then(|()| remove(&staging)).map_err(failed)
}

/// Moves a binary to where it is run from.
pub(super) fn put_in_place(from: &Path, to: &Path) -> Result<(), UpgradeError> {
    let failed = |source| UpgradeError::File { action: "replace", path: to.to_owned(), source };
    File::open(from).and_then(|file| file.sync_all()).and_then(|()| fs::rename(from, to)).map_err(failed)?;
    remove(from).map_err(failed)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_binary_is_kept_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| fs::read_to_string(path(name)).unwrap();
        fs::write(path("mypaas"), "old").unwrap();
        for (new, before) in [("new", "old"), ("newer", "new"), ("newer", "newer")] {
            fs::write(path("upload"), new).unwrap();
            keep(&path("mypaas")).unwrap();
            put_in_place(&path("upload"), &path("mypaas")).unwrap();
            assert_eq!((text("mypaas").as_str(), text("mypaas.previous").as_str()), (new, before));
            put_back(&path("mypaas")).unwrap();
            assert_eq!(text("mypaas"), before);
            fs::write(path("upload"), new).unwrap();
            put_in_place(&path("upload"), &path("mypaas")).unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
    }
}
