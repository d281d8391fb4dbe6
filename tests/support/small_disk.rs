//! A disk that is soon full.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

/// Says that this thread's mounts are its own, and those of the threads and processes that it starts from now on. So
/// they are gone with the process, whatever happens to that. To be made before there is any such thread.
#[derive(Debug)]
pub(crate) struct Alone(());

impl Alone {
    /// Only root may.
    pub(crate) fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).expect("only root may have mounts of its own");
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        Self(())
    }
}

/// Mounted as long as it is not dropped.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Over this folder.
    pub(crate) fn mount(_alone: &Alone, folder: &Path, bytes: usize) -> Self {
        let options = format!("size={bytes}");
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("small-disk"), folder, Some("tmpfs"), flags, Some(options.as_str())).unwrap();
        Self { path: folder.to_owned() }
    }

    /// Takes all room that there is.
    pub(crate) fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.ballast()).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = vec![0; size];
            let full = loop {
                if let Err(full) = file.write_all(&bytes) {
                    break full;
                }
            };
            assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        }
    }

    /// Gives so many bytes of it back.
    pub(crate) fn leave(&self, bytes: u64) {
        let file = File::options().write(true).open(self.ballast()).unwrap();
        file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
    }

    /// Gives it back.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It goes with the process at the latest.
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
    }
}
