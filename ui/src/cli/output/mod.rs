//! What the verbs show, and where it goes.
//!
//! ```text
//! paint.rs      colours by meaning
//! table.rs      columns
//! units.rs      ages, durations, sizes
//! foreign.rs    text of others, made safe for a terminal
//! words.rs      the words for states, actions and outcomes
//! services.rs   servers, their services, and one service with its containers
//! history.rs    releases and deploys
//! disk.rs       room on the disks
//! plan.rs       what a deploy would do
//! alerts.rs     what gives cause for concern
//! figures.rs    figures over time
//! variables.rs  variables of the environment
//! ```

pub(crate) mod alerts;
pub(crate) mod disk;
pub(crate) mod figures;
pub(crate) mod foreign;
pub(crate) mod history;
pub(crate) mod paint;
pub(crate) mod plan;
pub(crate) mod services;
pub(crate) mod table;
pub(crate) mod units;
pub(crate) mod variables;
pub(crate) mod words;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde::Serialize;

use paint::Paint;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColourWhen {
    #[default]
    Auto,
    Always,
    Never,
}

/// The standard streams, and what is known about them.
#[derive(Debug)]
pub(crate) struct Screen {
    out_terminal: bool,
    err_terminal: bool,
    out: Paint,
    err: Paint,
    /// Nobody reads our output any more.
    closed: AtomicBool,
}

impl Screen {
    pub(crate) fn new(when: ColourWhen, no_colour: bool) -> Self {
        let out_terminal = io::stdout().is_terminal();
        let err_terminal = io::stderr().is_terminal();
        let paint = |terminal: bool| Paint {
            colour: match when {
                ColourWhen::Auto => terminal && !no_colour,
                ColourWhen::Always => true,
                ColourWhen::Never => false,
            },
        };
        let (out, err) = (paint(out_terminal), paint(err_terminal));
        Self { out_terminal, err_terminal, out, err, closed: AtomicBool::new(false) }
    }

    /// The colours of what goes to [`Screen::print`].
    pub(crate) fn paint(&self) -> Paint {
        self.out
    }

    /// The colours of what goes to [`Screen::tell`].
    pub(crate) fn tell_paint(&self) -> Paint {
        self.err
    }

    /// A person looks at the output right now.
    pub(crate) fn is_terminal(&self) -> bool {
        self.out_terminal
    }

    /// A person looks at what is told beside the output.
    pub(crate) fn tells_a_person(&self) -> bool {
        self.err_terminal
    }

    /// How many columns there are; none when it is no terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = self.out_terminal.then(crossterm::terminal::size)?;
        size.ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
    }

    /// Writes to the standard output. That its reader went away is no error: what the verb does, it does all the same.
    pub(crate) fn print(&self, text: &str) -> anyhow::Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            other => other.context("the output could not be written"),
        }
    }

    /// Whether what is printed still reaches anybody.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// One JSON document.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.print(&(text + "\n"))
    }

    /// One JSON value of many, a line each.
    pub(crate) fn print_json_line(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(value)?;
        self.print(&(text + "\n"))
    }

    /// Writes to the standard error what is beside the output. There is no better place to report a failure to.
    pub(crate) fn tell(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
