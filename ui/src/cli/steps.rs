//! What is done one step after another, told as it is done, with the time that it took.

use std::time::{Duration, Instant};

use super::output::{Screen, foreign, units};

/// So many columns for a step's name.
const NAME: usize = 10;

#[derive(Debug)]
pub(crate) struct Steps<'a> {
    screen: &'a Screen,
    begun: Instant,
    /// When the current step began.
    since: Instant,
}

impl<'a> Steps<'a> {
    pub(crate) fn begin(screen: &'a Screen) -> Self {
        Self { screen, begun: Instant::now(), since: Instant::now() }
    }

    /// A step is done; the next one begins.
    pub(crate) fn done(&mut self, name: &str, detail: &str) -> anyhow::Result<()> {
        let took = std::mem::replace(&mut self.since, Instant::now()).elapsed();
        let paint = self.screen.paint();
        let took = paint.muted(&units::duration(took));
        self.screen.print(&format!("{} {name:<NAME$} {detail}  {took}\n", paint.good("✓")))
    }

    /// A step that would be done.
    pub(crate) fn would(&self, name: &str, detail: &str) -> anyhow::Result<()> {
        self.screen.print(&format!("{} {name:<NAME$} {detail}\n", self.screen.paint().muted("·")))
    }

    /// Passes on what a step on another machine tells.
    pub(crate) fn pass_on(&self, line: &str) {
        // That nobody reads it any more must not end the step.
        let _ = self.screen.print(&format!("  {}\n", foreign::line(line, false)));
    }

    /// Since the first step began.
    pub(crate) fn total(&self) -> Duration {
        self.begun.elapsed()
    }
}
