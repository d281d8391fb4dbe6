//! What the machine has to spare, as a port: [`Machine`].
//!
//! ```text
//! memory.rs   the in-memory twin, whose disks are as large as a test wants them
//! ```

mod memory;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

pub use memory::MemoryMachine;
use nix::sys::statvfs::statvfs;

/// The machine that the server and its engine run on.
pub trait Machine: Send + Sync + fmt::Debug + 'static {
    /// The room on the file system that the folder lies on.
    fn room(&self, folder: &Path) -> io::Result<Room>;

    fn memory(&self) -> io::Result<Memory>;

    /// What its CPUs have done since it started.
    fn cpu(&self) -> io::Result<CpuTime>;
}

/// One file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Tells it from others.
    pub device: u64,
    pub total_bytes: u64,
    /// What may still be written; what is set aside for root does not count.
    pub free_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub total_bytes: u64,
    /// What programs may still take without that others must give way; no swap.
    pub available_bytes: u64,
}

/// Of all CPUs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTime {
    pub cpus: u32,
    /// Spent on anything but waiting.
    pub busy: Duration,
    /// Grows by as many seconds a second as there are CPUs.
    pub total: Duration,
}

/// The kernel counts CPU time in hundredths of a second, whatever else it does.
const TICK: Duration = Duration::from_millis(10);

/// Of a kernel's file; only machines with very many CPUs or devices have longer ones.
const USUAL_BYTES: usize = 16 * 1024;

/// The real one.
#[derive(Debug)]
pub struct ThisMachine {
    stat: KernelFile,
    meminfo: KernelFile,
}

impl Default for ThisMachine {
    fn default() -> Self {
        Self { stat: KernelFile::open("/proc/stat"), meminfo: KernelFile::open("/proc/meminfo") }
    }
}

/// A file that the kernel writes anew for each reading. It is read each second, so it stays open.
#[derive(Debug)]
struct KernelFile {
    path: &'static str,
    file: Option<File>,
}

impl KernelFile {
    fn open(path: &'static str) -> Self {
        Self { path, file: File::open(path).ok() }
    }

    fn read(&self) -> io::Result<String> {
        let mut text = vec![0; USUAL_BYTES];
        let length = match &self.file {
            Some(file) => file.read_at(&mut text, 0)?,
            None => USUAL_BYTES,
        };
        if length == USUAL_BYTES {
            return fs::read_to_string(self.path);
        }
        text.truncate(length);
        String::from_utf8(text).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
    }
}

impl Machine for ThisMachine {
    fn room(&self, folder: &Path) -> io::Result<Room> {
        let device = folder.metadata()?.dev();
        let found = statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
        Ok(Room { device, total_bytes: bytes(found.blocks()), free_bytes: bytes(found.blocks_available()) })
    }

    fn memory(&self) -> io::Result<Memory> {
        read_meminfo(&self.meminfo.read()?)
            .ok_or_else(|| io::Error::other("/proc/meminfo does not tell how much memory is available"))
    }

    fn cpu(&self) -> io::Result<CpuTime> {
        read_stat(&self.stat.read()?).ok_or_else(|| io::Error::other("/proc/stat does not tell what the CPUs did"))
    }
}

/// As in `cpu  9 0 8 70 3 0 1 0 0 0`: user, nice, system, idle, waiting for disks, interrupts (two), taken by the host,
/// and guests, which are in the first two already.
fn read_stat(text: &str) -> Option<CpuTime> {
    let cpus = text.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
    let ticks = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
    let ticks: Vec<u64> = ticks.map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let total: u64 = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4).copied().unwrap_or(0);
    let time = |ticks: u64| Duration::from_millis(ticks.saturating_mul(TICK.as_millis() as u64));
    Some(CpuTime { cpus: u32::try_from(cpus).ok()?.max(1), busy: time(total.saturating_sub(idle)), total: time(total) })
}

/// As in `MemAvailable:    8026368 kB`.
fn read_meminfo(text: &str) -> Option<Memory> {
    let bytes = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(Memory { total_bytes: bytes("MemTotal")?, available_bytes: bytes("MemAvailable")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_file_system_share_their_room() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        let machine = ThisMachine::default();
        let (one, two) = (machine.room(folder.path()).unwrap(), machine.room(&below).unwrap());
        assert_eq!((one.device, one.total_bytes), (two.device, two.total_bytes));
        assert!(one.free_bytes > 0 && one.free_bytes <= one.total_bytes);
        assert_ne!(one.device, machine.room(Path::new("/proc")).unwrap().device);
        let missing = machine.room(&folder.path().join("nowhere")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text =
            "MemTotal:       16384 kB\nMemFree:          100 kB\nMemAvailable:    8192 kB\nHugePages_Total:       0\n";
        assert_eq!(read_meminfo(text), Some(Memory { total_bytes: 16 << 20, available_bytes: 8 << 20 }));
        assert_eq!(read_meminfo("MemTotal: many\n"), None);
        let here = ThisMachine::default().memory().unwrap();
        assert!(here.available_bytes > 0 && here.available_bytes < here.total_bytes);
    }

    #[test]
    fn what_cpus_do_beside_waiting_is_being_busy() {
        let text = "cpu  9 1 8 70 3 1 1 7 4 0\ncpu0 5 0 4 35 1 0 1 3 2 0\ncpu1 4 1 4 35 2 1 0 4 2 0\nintr 7\n";
        let expected = CpuTime { cpus: 2, busy: Duration::from_millis(270), total: Duration::from_secs(1) };
        assert_eq!(read_stat(text), Some(expected));
        assert_eq!(read_stat("cpu  9 1 8\n"), None);
        assert_eq!(read_stat("cpu  a b c d\n"), None);
        let machine = ThisMachine::default();
        let (first, second) = (machine.cpu().unwrap(), machine.cpu().unwrap());
        assert!(first.cpus > 0 && first.busy <= first.total && second.total >= first.total);
        let by_path = ThisMachine { stat: KernelFile { path: "/proc/stat", file: None }, ..machine };
        assert!(by_path.cpu().unwrap().total >= second.total, "read by its path where it is not open");
    }
}
