//! CPU, memory and disks of the machine.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::api::MachineFigures;
use crate::machine::{CpuTime, Machine, Room};

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct MachineMeter {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    cpu: Option<CpuTime>,
    /// Of the fullest disk.
    room: Option<Room>,
}

impl MachineMeter {
    /// None where the machine does not tell. Disks fill slowly: `with_disks` looks at them too.
    pub(super) fn read(&self, machine: &dyn Machine, folders: &[PathBuf], with_disks: bool) -> Option<MachineFigures> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if with_disks || last.room.is_none() {
            let rooms = folders.iter().filter_map(|folder| machine.room(folder).ok());
            last.room = rooms.max_by(|one, other| used_share(one).total_cmp(&used_share(other)));
        }
        let (cpu, memory, room) = (machine.cpu().ok()?, machine.memory().ok()?, last.room?);
        let before = last.cpu.replace(cpu);
        Some(MachineFigures {
            cpus: cpu.cpus,
            cpu_percent: before.and_then(|before| percent(before, cpu)),
            memory_bytes: memory.total_bytes,
            memory_used_bytes: memory.total_bytes.saturating_sub(memory.available_bytes),
            disk_bytes: room.total_bytes,
            disk_used_bytes: room.total_bytes.saturating_sub(room.free_bytes),
        })
    }
}

fn used_share(room: &Room) -> f64 {
    1.0 - room.free_bytes as f64 / room.total_bytes.max(1) as f64
}

fn percent(before: CpuTime, now: CpuTime) -> Option<f32> {
    let (busy, total) = (now.busy.checked_sub(before.busy)?, now.total.checked_sub(before.total)?);
    (!total.is_zero()).then(|| (100.0 * busy.as_secs_f64() / total.as_secs_f64()) as f32)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::machine::{Memory, MemoryMachine};

    #[test]
    fn the_fullest_disk_counts_and_cpu_is_of_all_cpus() {
        let machine = MemoryMachine::default();
        machine.mount(Path::new("/a"), 1000, || 300);
        machine.mount(Path::new("/b"), 100, || 90);
        machine.set_memory(Memory { total_bytes: 50, available_bytes: 20 });
        let folders = [PathBuf::from("/a"), PathBuf::from("/b")];
        let meter = MachineMeter::default();
        let at = |busy, total| CpuTime { cpus: 4, busy: Duration::from_secs(busy), total: Duration::from_secs(total) };
        machine.set_cpu(at(10, 100));
        let first = meter.read(&machine, &folders, false).unwrap();
        assert_eq!((first.cpu_percent, first.disk_used_bytes, first.disk_bytes), (None, 90, 100));
        machine.set_cpu(at(11, 104));
        let second = meter.read(&machine, &folders, false).unwrap();
        assert_eq!((second.cpu_percent, second.memory_used_bytes), (Some(25.0), 30));
        assert_eq!(meter.read(&machine, &folders, false).unwrap().cpu_percent, None, "no time has passed");
    }
}
