//! The last line of a terminal while something goes on: drawn over, and gone at the end, however that comes.

use crate::cli::output::Screen;
use crate::cli::output::paint::Style;
use crate::cli::output::table::cut;

/// A line that changes. Without a terminal there is none.
#[derive(Debug)]
pub(crate) struct LiveLine<'a> {
    screen: &'a Screen,
    shown: String,
}

impl<'a> LiveLine<'a> {
    pub(crate) fn new(screen: &'a Screen) -> Self {
        Self { screen, shown: String::new() }
    }

    /// Shows this text in place of what was shown before.
    pub(crate) fn show(&mut self, text: &str) -> anyhow::Result<()> {
        let Some(width) = self.screen.width().filter(|_| self.screen.redraws()) else { return Ok(()) };
        let text = cut(text, width.saturating_sub(1));
        if text == self.shown {
            return Ok(());
        }
        self.screen.redraw(&self.screen.paint().apply(Style::Muted, &text))?;
        self.shown = text;
        Ok(())
    }

    /// Prints a line that stays, above the one that changes.
    pub(crate) fn print(&mut self, line: &str) -> anyhow::Result<()> {
        self.clear()?;
        self.screen.print(&format!("{line}\n"))
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) -> anyhow::Result<()> {
        if self.shown.is_empty() {
            return Ok(());
        }
        self.shown.clear();
        self.screen.redraw("")
    }
}

impl Drop for LiveLine<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no tidying.
        let _ = self.clear();
    }
}
