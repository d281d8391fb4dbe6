//! A deploy while it runs: lines for people, with a last one that lives when there is a terminal; or events as JSON.
//!
//! ```text
//! story.rs    events → lines; pure
//! live.rs     the terminal's last line
//! retell.rs   one that ended, as a whole
//! ```

pub(crate) mod live;
pub(crate) mod retell;
pub(crate) mod story;

use jiff::Timestamp;
use mypaas::api::{Deploy, Event};
use serde::Serialize;

use super::output::paint::Paint;
use super::output::{Screen, words};
use live::LiveLine;
use story::Story;

/// Tells what a deploy does.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    story: Story,
    live: LiveLine<'a>,
    json: bool,
}

/// The line before a deploy's events: that it was accepted, and as what.
#[derive(Serialize)]
struct Accepted<'a> {
    seq: u64,
    at: Timestamp,
    event: &'static str,
    deploy: &'a Deploy,
}

impl<'a> Progress<'a> {
    pub(crate) fn start(screen: &'a Screen, deploy: &Deploy, json: bool) -> anyhow::Result<Self> {
        let progress = Self { screen, story: Story::of(deploy), live: LiveLine::new(screen), json };
        if json {
            screen.print_json_line(&Accepted { seq: 0, at: deploy.accepted, event: "accepted", deploy })?;
        } else {
            screen.print(&(headline(screen.paint(), deploy) + "\n"))?;
        }
        Ok(progress)
    }

    /// Tells an event.
    pub(crate) fn event(&mut self, event: &Event) -> anyhow::Result<()> {
        if self.json {
            return self.screen.print_json_line(event);
        }
        for line in self.story.tell(event) {
            self.live.print(&line.text(self.screen.paint()))?;
        }
        Ok(())
    }

    /// Time went by.
    pub(crate) fn tick(&mut self, now: Timestamp) -> anyhow::Result<()> {
        match self.story.present(now) {
            Some(present) if !self.json => self.live.show(&present),
            _ => Ok(()),
        }
    }
}

fn headline(paint: Paint, deploy: &Deploy) -> String {
    let now = deploy.from.map_or_else(String::new, |release| format!(", {release} serves now"));
    title(paint, deploy) + &now
}

fn title(paint: Paint, deploy: &Deploy) -> String {
    format!("{}: {}", deploy.id, paint.strong(&words::deed(&deploy.action, &deploy.service)))
}

#[cfg(test)]
mod tests;
