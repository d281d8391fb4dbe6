//! What text is made with: the styles, the time, and a note of when something written will be out of date.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::format;
use crate::console::model::progress::between;
use crate::console::theme::{Theme, Tone};

#[derive(Debug)]
pub(crate) struct Pen<'a> {
    theme: &'a Theme,
    now: Timestamp,
    zone: &'a TimeZone,
    /// When the first of the ages written so far will read otherwise.
    wake: Cell<Option<Timestamp>>,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(theme: &'a Theme, now: Timestamp, zone: &'a TimeZone) -> Self {
        Self { theme, now, zone, wake: Cell::new(None) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    pub(crate) fn span(&self, tone: Tone, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(tone))
    }

    pub(crate) fn line(&self, tone: Tone, text: impl Into<String>) -> Line<'static> {
        Line::from(self.span(tone, text))
    }

    /// How long ago, in one unit.
    pub(crate) fn age(&self, since: Timestamp) -> String {
        let time = between(since, self.now);
        self.note(format::age_changes_in(time));
        format::age(time)
    }

    /// How long already, in two units.
    pub(crate) fn elapsed(&self, since: Timestamp) -> String {
        let time = between(since, self.now);
        self.note(format::elapsed_changes_in(time));
        format::elapsed(time)
    }

    /// The time of day, as in `14:03:22`.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// The same without seconds, as in `14:03`.
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M").to_string()
    }

    /// The day of the year, as in `Nov 23`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%b %d").to_string()
    }

    /// Day and time, as in `2026-11-23 14:03`.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// The same with seconds and milliseconds.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
    }

    /// Something goes away at this moment.
    pub(crate) fn note_end(&self, at: Timestamp) {
        self.note(between(self.now, at));
    }

    fn note(&self, changes_in: Duration) {
        let at = self.now.checked_add(changes_in).unwrap_or(Timestamp::MAX);
        self.wake.set(Some(self.wake.get().map_or(at, |wake| wake.min(at))));
    }

    /// When what was written will be out of date; none when it never will.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        self.wake.get()
    }
}
