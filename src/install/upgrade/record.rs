//! How an upgrade stands, for those who wait for it and those who come later.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::atomic_file::{self, Access};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    pub begun: Timestamp,
    pub ended: Option<Timestamp>,
    /// The version that ran before; none when nothing did.
    pub from: Option<String>,
    /// The version of the new program, as soon as it is known.
    pub to: Option<String>,
    pub stage: Stage,
    /// How often the new program was started after the upgrade's own process had ended.
    #[serde(default)]
    pub starts: u32,
    /// What became of how the server is started, where there is anything to say.
    #[serde(default)]
    pub unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    Trying,
    Swapping,
    Restarting,
    Reverting {
        reason: String,
    },
    Done,
    /// Nothing was changed.
    Refused {
        reason: String,
    },
    /// The old program runs again.
    Reverted {
        reason: String,
    },
    /// The new program does not come up, nor does the old one.
    Down {
        reason: String,
        then: String,
    },
}

/// Of the last upgrade of the server of this folder.
pub fn path(home: &Path) -> PathBuf {
    home.join("upgrade.json")
}

/// The last upgrade of the server of this folder; none when there was none.
pub fn read(home: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(path(home)).ok()?).ok()
}

impl Record {
    pub(super) fn begin(id: String) -> Self {
        Self {
            id,
            begun: Timestamp::now(),
            ended: None,
            from: None,
            to: None,
            stage: Stage::Trying,
            starts: 0,
            unit: None,
        }
    }

    /// Whether it is not known yet how it went.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    pub(super) fn end(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self.ended = Some(Timestamp::now());
        self
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        atomic_file::write_beside(path, &serde_json::to_vec(self)?, Access::Owner)
    }
}
