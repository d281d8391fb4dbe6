//! [`Machine`] in memory.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Machine, Memory, Room};

const LARGE: u64 = 1 << 40;

/// A machine with much room and memory, unless it is told otherwise.
#[derive(Debug)]
pub struct MemoryMachine {
    disks: Mutex<Vec<Disk>>,
    memory: Mutex<Memory>,
}

/// What takes room on a disk, in bytes.
type Used = Box<dyn Fn() -> u64 + Send + Sync>;

struct Disk {
    mounted_at: PathBuf,
    total_bytes: u64,
    used: Used,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.mounted_at.display(), self.total_bytes)
    }
}

impl Default for MemoryMachine {
    fn default() -> Self {
        let whole = Disk { mounted_at: "/".into(), total_bytes: LARGE, used: Box::new(|| 0) };
        let memory = Memory { total_bytes: LARGE, available_bytes: LARGE };
        Self { disks: Mutex::new(vec![whole]), memory: Mutex::new(memory) }
    }
}

impl MemoryMachine {
    /// From now on a disk of this size is mounted here, over what was there before.
    pub fn mount(&self, at: &Path, total_bytes: u64, used: impl Fn() -> u64 + Send + Sync + 'static) {
        self.disks().push(Disk { mounted_at: at.to_owned(), total_bytes, used: Box::new(used) });
    }

    pub fn set_memory(&self, memory: Memory) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }

    fn disks(&self) -> MutexGuard<'_, Vec<Disk>> {
        self.disks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine for MemoryMachine {
    fn room(&self, folder: &Path) -> io::Result<Room> {
        let disks = self.disks();
        let holding = disks.iter().enumerate().filter(|(_, disk)| folder.starts_with(&disk.mounted_at));
        let (index, disk) = holding
            .max_by_key(|(index, disk)| (disk.mounted_at.as_os_str().len(), *index))
            .ok_or(io::ErrorKind::NotFound)?;
        let free_bytes = disk.total_bytes.saturating_sub((disk.used)());
        Ok(Room { device: index as u64, total_bytes: disk.total_bytes, free_bytes })
    }

    fn memory(&self) -> io::Result<Memory> {
        Ok(*self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_on_the_disk_that_was_mounted_nearest_and_last() {
        let machine = MemoryMachine::default();
        machine.mount(Path::new("/data"), 100, || 30);
        machine.mount(Path::new("/data/images"), 50, || 60);
        let free = |folder: &str| machine.room(Path::new(folder)).unwrap().free_bytes;
        assert_eq!([free("/data/other"), free("/data/images/a"), free("/home")], [70, 0, LARGE]);
        machine.mount(Path::new("/data"), 10, || 0);
        assert_eq!(free("/data/other"), 10);
    }
}
