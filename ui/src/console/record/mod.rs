//! A session as the sequence of its messages, in a file: for telling a fault of the console so that somebody else sees
//! it. Played again it shows the same, on any terminal, without a server.
//!
//! The file is JSON, a line each: first what the session began with, then each message with its time, and where a
//! picture was drawn. What is typed unseen is not in it, nor is any value of a server's environment; what services
//! wrote into their logs is, when it was looked at.
//!
//! ```text
//! recorder.rs   writes it, of bounded size
//! replay.rs     plays it
//! ```

mod recorder;
mod replay;

use jiff::Timestamp;
use mypaas::fleet::Colour;
use mypaas::name::ServerName;
use ratatui::layout::Size;
use serde::{Deserialize, Serialize};

pub(super) use self::recorder::{Ended, Recorder};
pub use self::replay::replay;
use super::message::{Message, Stamped};
use super::model::Model;

/// Changes whenever an older version would read the file wrongly.
const FORMAT: u32 = 1;

/// What a session begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Beginning {
    /// Tells what the file is.
    pub mypaas_recording: u32,
    /// Of the program that wrote it.
    pub version: String,
    pub at: Timestamp,
    /// The name of the time zone, where it has one.
    pub zone: Option<String>,
    pub size: Size,
    pub mouse: bool,
    /// As a file of the operator's.
    pub keymap: String,
    pub servers: Vec<Recorded>,
}

/// A server that was shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Recorded {
    pub name: ServerName,
    pub endpoint: String,
    pub colour: Option<Colour>,
    pub lock: bool,
}

/// What this session begins with.
pub(super) fn beginning(model: &Model) -> Beginning {
    let servers = model.fleet.servers.iter();
    let recorded = servers.map(|server| Recorded {
        name: server.name.clone(),
        endpoint: server.endpoint.clone(),
        colour: server.colour,
        lock: server.lock,
    });
    Beginning {
        mypaas_recording: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: model.now,
        zone: model.zone.iana_name().map(str::to_owned),
        size: model.size,
        mouse: model.mouse,
        keymap: model.keymap.as_file(),
        servers: recorded.collect(),
    }
}

/// A line after the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Message {
        at: Timestamp,
        message: Message,
    },
    /// What was known then was drawn.
    Drawn,
}

impl From<Stamped> for Entry {
    fn from(Stamped { at, message }: Stamped) -> Self {
        Entry::Message { at, message }
    }
}
