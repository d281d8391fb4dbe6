//! [`Machine`] in memory.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{CpuTime, Machine, Memory, Room};

const LARGE: u64 = 1 << 40;

const CPUS: u32 = 4;

/// A machine with much room and memory, unless it is told otherwise.
#[derive(Debug)]
pub struct MemoryMachine {
    disks: Mutex<Vec<Disk>>,
    memory: Mutex<Memory>,
    cpu: Mutex<Cpu>,
}

/// What its CPUs do.
#[derive(Debug, Clone, Copy)]
enum Cpu {
    Told(CpuTime),
    /// Goes up and down with time, unlike on another machine.
    Waves {
        since: Instant,
        number: u32,
    },
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
        let idle = CpuTime { cpus: CPUS, busy: Duration::ZERO, total: Duration::ZERO };
        Self { disks: Mutex::new(vec![whole]), memory: Mutex::new(memory), cpu: Mutex::new(Cpu::Told(idle)) }
    }
}

impl MemoryMachine {
    /// One that looks as if it were at work. Those with different numbers differ; nothing of a still one changes.
    pub fn at_work(number: usize, still: bool) -> Self {
        let number = number as u32;
        let gibibytes = |count: u64| count << 30;
        let machine = Self::default();
        let used = gibibytes(40 + u64::from(number % 16) * 9);
        machine.mount(Path::new("/"), gibibytes(200), move || used);
        let available_bytes = gibibytes(3 + u64::from(number % 9));
        machine.set_memory(Memory { total_bytes: gibibytes(16), available_bytes });
        if !still {
            *machine.cpu.lock().unwrap_or_else(PoisonError::into_inner) = Cpu::Waves { since: Instant::now(), number };
        }
        machine
    }

    /// What its CPUs have done by now.
    pub fn set_cpu(&self, time: CpuTime) {
        *self.cpu.lock().unwrap_or_else(PoisonError::into_inner) = Cpu::Told(time);
    }

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

    fn cpu(&self) -> io::Result<CpuTime> {
        Ok(match *self.cpu.lock().unwrap_or_else(PoisonError::into_inner) {
            Cpu::Told(time) => time,
            Cpu::Waves { since, number } => wave(since.elapsed().as_secs_f64(), number),
        })
    }
}

/// Between a tenth and a half of all CPUs on average, in waves of about a minute.
fn wave(seconds: f64, number: u32) -> CpuTime {
    let share = 0.1 + f64::from(number % 5) * 0.1;
    let pace = std::f64::consts::TAU / f64::from(40 + number % 30);
    let busy = share * (seconds + 0.7 * (1.0 - (seconds * pace).cos()) / pace);
    let time = |seconds: f64| Duration::from_secs_f64(seconds * f64::from(CPUS));
    CpuTime { cpus: CPUS, busy: time(busy), total: time(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_at_work_are_never_busier_than_they_can_be() {
        for number in 0..40 {
            let times: Vec<CpuTime> = (0..200).map(|at| wave(f64::from(at), number)).collect();
            for pair in times.windows(2) {
                let (busy, total) = (pair[1].busy.checked_sub(pair[0].busy), pair[1].total - pair[0].total);
                assert!(busy.is_some_and(|busy| busy <= total), "{number}: {pair:?}");
            }
        }
    }

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
