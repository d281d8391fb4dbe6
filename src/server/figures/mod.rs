//! What is measured: each second, whether anybody watches or not, and as cheaply as can be.
//!
//! ```text
//! sampler.rs   the task that measures
//! gauge.rs     CPU and memory of containers, from two readings
//! meter.rs     requests, from two counts
//! machine.rs   CPU, memory and disks of the machine
//! archive.rs   figures over time
//! ```

mod archive;
mod gauge;
mod machine;
mod meter;
mod sampler;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use self::archive::Archive;
use self::gauge::Gauge;
pub(super) use self::gauge::Load;
use self::machine::MachineMeter;
use self::meter::Meter;
use crate::api::{MachineFigures, Traffic};
use crate::name::{ContainerName, ServiceName};

/// Everything that was measured last, and what it takes to measure it again.
#[derive(Debug)]
pub(super) struct Figures {
    gauge: Gauge,
    meter: Meter,
    machine: MachineMeter,
    pub(super) archive: Archive,
    board: Mutex<Board>,
}

/// The figures of now. Each part is replaced as a whole, so whoever reads takes it along without a copy.
#[derive(Debug, Clone, Default)]
pub(super) struct Board {
    pub(super) loads: Arc<BTreeMap<ContainerName, Load>>,
    pub(super) traffic: Arc<BTreeMap<ServiceName, Traffic>>,
    /// Containers that fail the router's health check.
    pub(super) unwell: Arc<BTreeSet<SocketAddrV4>>,
    pub(super) machine: Option<MachineFigures>,
}

impl Figures {
    pub(super) fn new(home: &Path) -> Self {
        Self {
            gauge: Gauge::default(),
            meter: Meter::default(),
            machine: MachineMeter::default(),
            archive: Archive::open(&home.join("figures.db")),
            board: Mutex::default(),
        }
    }

    pub(super) fn board(&self) -> Board {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
