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
//! audit.rs      what was asked of a server
//! disk.rs       room on the disks
//! plan.rs       what a deploy would do
//! alerts.rs     what gives cause for concern
//! figures.rs    figures over time
//! variables.rs  variables of the environment
//! ```

pub(crate) mod alerts;
pub(crate) mod audit;
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

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use mypaas::name::ServerName;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use self::paint::Paint;
use super::report::Report;

/// Takes away what the last line of a terminal shows.
const ERASE: &str = "\r\u{1b}[2K";

/// Between the name of a server and what it is about.
const SEPARATOR: &str = " │ ";

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
    /// What every line begins with, where the lines of several servers are mixed.
    label: Option<Label>,
    /// Nobody reads our output any more.
    closed: Arc<AtomicBool>,
}

/// The server that a line is of.
#[derive(Debug)]
struct Label {
    server: ServerName,
    /// Of the longest name among all labels.
    width: usize,
}

/// JSON of one server among several.
#[derive(Serialize)]
struct Labelled<'a, T> {
    server: &'a ServerName,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    Answer(T),
    Problem(T),
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
        Self { out_terminal, err_terminal, out, err, label: None, closed: Arc::default() }
    }

    /// The same screen, with each line told to be of this server. `width` is that of the longest name that is used so.
    pub(crate) fn labelled(&self, server: &ServerName, width: usize) -> Self {
        let Self { out_terminal, err_terminal, out, err, .. } = *self;
        let label = Some(Label { server: server.clone(), width });
        Self { out_terminal, err_terminal, out, err, label, closed: Arc::clone(&self.closed) }
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

    /// A line of it may be drawn over: it is a terminal, and nothing else is written there meanwhile.
    pub(crate) fn redraws(&self) -> bool {
        self.out_terminal && self.label.is_none()
    }

    /// How many columns there are; none when it is no terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = self.out_terminal.then(crossterm::terminal::size)?;
        let columns = size.ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)?;
        let label = self.label.as_ref().map_or(0, |label| label.width + SEPARATOR.width());
        Some(columns.saturating_sub(label).max(1))
    }

    /// Writes to the standard output. That its reader went away is no error: what the verb does, it does all the same.
    /// Whatever servers and containers brought into the text, only colours get through, and those only where ours do.
    pub(crate) fn print(&self, text: &str) -> anyhow::Result<()> {
        self.print_raw(&self.safe(text, self.out))
    }

    /// The same of what a container wrote, which a program that reads it gets as it is.
    pub(crate) fn pass_on(&self, text: &str) -> anyhow::Result<()> {
        if self.out_terminal { self.print(text) } else { self.print_raw(&self.with_label(text, self.out)) }
    }

    /// Writes over the last line of a terminal.
    pub(crate) fn redraw(&self, text: &str) -> anyhow::Result<()> {
        self.print_raw(&format!("{ERASE}{}", foreign::lines(text, self.out.colour)))
    }

    fn print_raw(&self, text: &str) -> anyhow::Result<()> {
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
        let Some(Label { server, .. }) = &self.label else {
            return self.print_raw(&(serde_json::to_string_pretty(value)? + "\n"));
        };
        let labelled = Labelled { server, value: Answer::Answer(value) };
        self.print_raw(&(serde_json::to_string(&labelled)? + "\n"))
    }

    /// One JSON value of many, a line each.
    pub(crate) fn print_json_line(&self, value: &impl Serialize) -> anyhow::Result<()> {
        match &self.label {
            Some(_) => self.print_json(value),
            None => self.print_raw(&(serde_json::to_string(value)? + "\n")),
        }
    }

    /// Writes to the standard error what is beside the output, made safe as in [`Screen::print`].
    pub(crate) fn tell(&self, text: &str) {
        tell_raw(&self.safe(text, self.err));
    }

    /// Tells what went wrong; as JSON, it stays what it is.
    pub(crate) fn tell_problem(&self, report: &Report, json: bool) {
        if !json {
            return self.tell(&report.text(self.err));
        }
        let problem = report.problem();
        let text = match &self.label {
            Some(Label { server, .. }) => serde_json::to_string(&Labelled { server, value: Answer::Problem(problem) }),
            None => serde_json::to_string(problem),
        };
        tell_raw(&(text.unwrap_or_default() + "\n"));
    }

    fn safe(&self, text: &str, paint: Paint) -> String {
        self.with_label(&foreign::lines(text, paint.colour), paint).into_owned()
    }

    fn with_label<'a>(&self, text: &'a str, paint: Paint) -> Cow<'a, str> {
        let Some(Label { server, width }) = &self.label else { return text.into() };
        let label = paint.muted(&format!("{:width$}{SEPARATOR}", server.as_str()));
        text.split_inclusive('\n').map(|line| format!("{label}{line}")).collect::<String>().into()
    }
}

/// There is no better place to report a failure to.
fn tell_raw(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests;
