//! The logs of a service: a bounded buffer, where one reads in it, and what is searched for.
//!
//! ```text
//! pattern.rs   what is searched for       sight.rs   which lines are shown for it
//! since.rs     since when is read
//! ```

mod pattern;
mod sight;
pub(crate) mod since;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use mypaas::api::{LogLine, LogStream, LogsOf};
use mypaas::name::ContainerName;
use serde::{Deserialize, Serialize};

pub(crate) use self::pattern::Pattern;
use self::sight::Sight;
use super::fleet::ServiceAt;
use super::line::Line;
use super::tape::{Flow, Place, Tape};

/// So many of the newest lines are wanted, where no moment is given since when.
const WANTED: usize = 2_000;

/// So many lines are kept …
pub(crate) const LINES: usize = 20_000;

/// … and so many bytes of text.
pub(crate) const BYTES: usize = 8 * 1024 * 1024;

/// So many lines are asked for: one more than is wanted. When it comes, there are older ones.
pub(crate) fn tail(since: Option<Timestamp>) -> usize {
    if since.is_some() { LINES } else { WANTED + 1 }
}

/// A stream that is later than this shows what was, not what is.
const LATE: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug, Clone)]
pub(crate) struct Logs {
    pub at: ServiceAt,
    /// Whose lines are read.
    pub of: LogsOf,
    pub tape: Tape<Entry>,
    bytes: usize,
    pub flow: Flow,
    pub place: Place,
    pub wrap: bool,
    pub times: Times,
    pub pattern: Pattern,
    /// Lines that do not match are hidden.
    pub only_matches: bool,
    sight: Sight,
    /// The match that was jumped to.
    pub current: Option<u64>,
    /// What was written before is not asked for; none: the newest lines.
    pub since: Option<Timestamp>,
    pub since_line: Line,
    /// Where to save what is shown, as it is typed.
    pub path: Line,
    sources: Vec<Source>,
    /// Lines that came faster than they could be kept, all in all.
    pub skipped: u64,
    /// When the stream began, and when it first did.
    began: Timestamp,
    first_began: Option<Timestamp>,
    /// So many lines were written before that.
    history: usize,
    behind: Option<Delay>,
}

/// What stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Written {
        at: Timestamp,
        stream: LogStream,
        /// Among the sources.
        source: usize,
        text: Box<str>,
    },
    /// So many lines are missing here.
    Gap(u64),
}

/// What comes from a stream of logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Caught {
    /// With its text made safe to show.
    Line(LogLine),
    /// So many lines were passed over here: they came faster than they could be taken.
    Skipped(u64),
}

/// Lines come so much later than they were written; known so until this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay {
    pub by: SignedDuration,
    pub until: Timestamp,
}

/// What of a line's time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Times {
    #[default]
    Hidden,
    /// The time of the day.
    Clock,
    /// The day, and milliseconds.
    Whole,
}

impl Times {
    pub(crate) fn next(self) -> Self {
        match self {
            Times::Hidden => Times::Clock,
            Times::Clock => Times::Whole,
            Times::Whole => Times::Hidden,
        }
    }
}

/// A container that wrote something.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub name: ContainerName,
    newest: Timestamp,
    /// What was seen before the stream began anew: lines up to there come again.
    seen: Option<Timestamp>,
}

impl Logs {
    pub(crate) fn of(at: ServiceAt, of: LogsOf) -> Self {
        Self {
            at,
            of,
            tape: Tape::holding(LINES),
            bytes: 0,
            flow: Flow::Waiting,
            place: Place::End,
            wrap: false,
            times: Times::default(),
            pattern: Pattern::default(),
            only_matches: true,
            sight: Sight::default(),
            current: None,
            since: None,
            since_line: Line::default(),
            path: Line::default(),
            sources: Vec::new(),
            skipped: 0,
            began: Timestamp::MAX,
            first_began: None,
            history: 0,
            behind: None,
        }
    }

    /// Whether this is what is read.
    pub(crate) fn is_of(&self, at: &ServiceAt, of: &LogsOf, since: Option<Timestamp>) -> bool {
        self.at == *at && self.of == *of && self.since == since
    }

    /// Reads from others or from another moment on; how it is shown stays.
    pub(crate) fn turn_to(&mut self, of: LogsOf, since: Option<Timestamp>) {
        let fresh = Self::of(self.at.clone(), of);
        let before = std::mem::replace(self, fresh);
        self.since = since;
        self.since_line = before.since_line;
        self.wrap = before.wrap;
        self.times = before.times;
        self.pattern = before.pattern;
        self.only_matches = before.only_matches;
        self.sight = before.sight;
        self.sight.clear();
    }

    /// The stream began, perhaps anew, with lines that were seen already.
    pub(crate) fn began(&mut self, now: Timestamp) {
        self.flow = Flow::Flowing;
        self.began = now;
        self.first_began.get_or_insert(now);
        self.sources.iter_mut().for_each(|source| source.seen = Some(source.newest));
    }

    /// Takes what came at once. `here` tells a moment of the server's clock by this machine's.
    pub(crate) fn take_all(&mut self, caught: Vec<Caught>, now: Timestamp, here: impl Fn(Timestamp) -> Timestamp) {
        for caught in caught {
            let is_history = |line: &LogLine| self.first_began.is_some_and(|began| here(line.at) <= began);
            let old = matches!(&caught, Caught::Line(line) if is_history(line));
            let is_new_here = self.take(caught);
            self.history += usize::from(old && is_new_here);
        }
        let newest = self.tape.iter().next_back().and_then(|entry| match entry {
            Entry::Written { at, .. } => Some(here(*at)),
            Entry::Gap(_) => None,
        });
        // What was written before the stream began is history, not late.
        let late = newest.filter(|written| *written > self.began).map(|written| now.duration_since(written));
        self.behind =
            late.filter(|late| *late > LATE).map(|by| Delay { by, until: now.saturating_add(LATE).unwrap_or(now) });
    }

    /// How late the lines come now, when they come late.
    pub(crate) fn behind(&self, now: Timestamp) -> Option<Delay> {
        self.behind.filter(|delay| delay.until > now)
    }

    /// Lines were written before the oldest one that is here, and were not asked for.
    pub(crate) fn begins_late(&self) -> bool {
        self.tape.dropped() == 0 && self.history >= tail(self.since)
    }

    /// Says whether it was not here before.
    pub(crate) fn take(&mut self, caught: Caught) -> bool {
        let entry = match caught {
            Caught::Skipped(count) => {
                self.skipped += count;
                Entry::Gap(count)
            }
            Caught::Line(line) => match self.entry(line) {
                Some(entry) => entry,
                None => return false,
            },
        };
        let number = self.tape.end();
        let (matches, is_gap) = self.judge(&entry);
        self.bytes += entry.bytes();
        if let Some(dropped) = self.tape.push(entry) {
            self.bytes -= dropped.bytes();
        }
        while self.bytes > BYTES {
            let Some(dropped) = self.tape.drop_oldest() else { break };
            self.bytes -= dropped.bytes();
        }
        if !self.pattern.is_empty() {
            self.sight.take(number, matches, is_gap, self.tape.dropped());
        }
        true
    }

    /// None for a line that was seen before.
    fn entry(&mut self, line: LogLine) -> Option<Entry> {
        let LogLine { container, at, stream, text } = line;
        let known = self.sources.iter().position(|source| source.name == container);
        let source = known.unwrap_or_else(|| {
            self.sources.push(Source { name: container, newest: at, seen: None });
            self.sources.len() - 1
        });
        let from = &mut self.sources[source];
        if from.seen.is_some_and(|seen| at <= seen) {
            return None;
        }
        from.newest = from.newest.max(at);
        Some(Entry::Written { at, stream, source, text: text.into() })
    }

    /// Whether it matches, and whether it is a gap, which is always shown.
    fn judge(&self, entry: &Entry) -> (bool, bool) {
        match entry {
            Entry::Written { text, .. } => (self.pattern.matches(text), false),
            Entry::Gap(_) => (false, true),
        }
    }

    /// To be called after the pattern's line changed.
    pub(crate) fn search(&mut self) {
        self.pattern.read();
        self.current = None;
        self.look_again();
    }

    /// More lines around each match, or fewer.
    pub(crate) fn widen(&mut self, wider: bool) {
        self.sight.widen(wider);
        self.look_again();
    }

    fn look_again(&mut self) {
        let mut sight = std::mem::take(&mut self.sight);
        sight.clear();
        let first = self.tape.dropped();
        for (entry, number) in self.tape.iter().zip(first..) {
            let (matches, is_gap) = self.judge(entry);
            sight.take(number, matches, is_gap, first);
        }
        self.sight = sight;
    }

    /// The containers that wrote something.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn match_count(&self) -> usize {
        self.sight.matches().len()
    }

    /// So many lines around each match are shown too.
    pub(crate) fn around(&self) -> u64 {
        self.sight.around()
    }

    pub(crate) fn hides_lines(&self) -> bool {
        self.only_matches && !self.pattern.is_empty()
    }

    /// How many lines are shown, on the screen or beyond.
    pub(crate) fn shown_count(&self) -> usize {
        if self.hides_lines() { self.sight.near().len() } else { self.tape.len() }
    }

    /// The number of the line at a place among those that are shown.
    pub(crate) fn shown(&self, index: usize) -> Option<u64> {
        if self.hides_lines() {
            return self.sight.near().get(index).copied();
        }
        (index < self.tape.len()).then(|| self.tape.dropped() + index as u64)
    }

    /// Lines are hidden between this one and the one shown before it, and both have others around them.
    pub(crate) fn is_apart(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|before| self.shown(before));
        self.around() > 0
            && self.hides_lines()
            && before.zip(self.shown(index)).is_some_and(|(before, this)| this > before + 1)
    }

    /// The place among those shown of a line, or of the next one that is shown.
    pub(crate) fn index_of(&self, number: u64) -> usize {
        if self.hides_lines() {
            return self.sight.near().partition_point(|known| *known < number);
        }
        usize::try_from(number.saturating_sub(self.tape.dropped())).unwrap_or(usize::MAX)
    }

    /// Jumps to the next line that matches, or the one before; round at the ends.
    pub(crate) fn jump(&mut self, forward: bool, top: usize) {
        let matches = self.sight.matches();
        let from = self.current.or_else(|| self.shown(top)).unwrap_or_default();
        let after = matches.partition_point(|number| *number <= from);
        let before = matches.partition_point(|number| *number < from);
        let found = if forward {
            matches.get(after).or_else(|| matches.front())
        } else {
            before.checked_sub(1).and_then(|index| matches.get(index)).or_else(|| matches.back())
        };
        if let Some(number) = found.copied() {
            self.current = Some(number);
            self.place = Place::At(number);
        }
    }

    /// What is shown, as text: `from` a place on, so many lines.
    pub(crate) fn text(&self, from: usize, count: usize, with_origin: bool) -> String {
        let entries = (from..self.shown_count()).take(count).filter_map(|index| self.tape.get(self.shown(index)?));
        entries.map(|entry| self.line_of(entry, with_origin)).collect()
    }

    fn line_of(&self, entry: &Entry, with_origin: bool) -> String {
        match entry {
            Entry::Gap(count) => format!("({count} lines are missing here)\n"),
            Entry::Written { text, .. } if !with_origin => format!("{text}\n"),
            Entry::Written { at, source, text, .. } => format!("{at} {} | {text}\n", self.sources[*source].name),
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Entry::Written { text, .. } => text.len(),
            Entry::Gap(_) => 0,
        }
    }
}
