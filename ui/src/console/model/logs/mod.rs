//! The logs of a service: a bounded buffer, where one reads in it, and what is searched for.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use mypaas::api::LogLine;
use mypaas::name::ContainerName;
use regex::{Regex, RegexBuilder};

use super::clean::clean;
use super::fleet::ServiceAt;
use super::line::Line;
use super::tape::{Flow, Place, Tape};

/// So many lines are kept …
const LINES: usize = 20_000;

/// … and so many bytes of text.
const BYTES: usize = 8 * 1024 * 1024;

/// A regular expression that would need more memory than this is taken as plain text.
const PATTERN_BYTES: usize = 1024 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct Logs {
    pub at: ServiceAt,
    /// Only this container's lines; none means all of them, merged.
    pub container: Option<ContainerName>,
    pub tape: Tape<LogLine>,
    bytes: usize,
    pub flow: Flow,
    pub place: Place,
    pub wrap: bool,
    pub times: bool,
    pub pattern: Pattern,
    /// Lines that do not match are hidden.
    pub only_matches: bool,
    /// Numbers of the lines that match.
    matches: VecDeque<u64>,
    /// The match that was jumped to.
    pub current: Option<u64>,
    newest: BTreeMap<ContainerName, Timestamp>,
    /// What was seen before the stream began anew: lines up to there come again.
    seen: BTreeMap<ContainerName, Timestamp>,
}

/// What is searched for, as typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pattern {
    pub line: Line,
    regex: Option<Regex>,
}

impl Pattern {
    pub(crate) fn is_empty(&self) -> bool {
        self.regex.is_none()
    }

    /// To be called after the line changed. Small letters match capital ones too. What is no regular expression (yet)
    /// is looked for as it stands.
    fn read(&mut self) {
        let text = self.line.text();
        let any_case = !text.chars().any(char::is_uppercase);
        let built =
            |text: &str| RegexBuilder::new(text).case_insensitive(any_case).size_limit(PATTERN_BYTES).build().ok();
        self.regex = if text.is_empty() { None } else { built(text).or_else(|| built(&regex::escape(text))) };
    }

    /// Where it matches in a text, in bytes.
    pub(crate) fn ranges(&self, text: &str) -> Vec<(usize, usize)> {
        let Some(regex) = &self.regex else { return Vec::new() };
        regex.find_iter(text).map(|found| (found.start(), found.end())).filter(|(start, end)| start < end).collect()
    }

    fn matches(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl Logs {
    pub(crate) fn of(at: ServiceAt, container: Option<ContainerName>) -> Self {
        Self {
            at,
            container,
            tape: Tape::holding(LINES),
            bytes: 0,
            flow: Flow::Waiting,
            place: Place::End,
            wrap: false,
            times: false,
            pattern: Pattern::default(),
            only_matches: true,
            matches: VecDeque::new(),
            current: None,
            newest: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Reads from another container, or from all; how it is shown stays.
    pub(crate) fn turn_to(&mut self, container: Option<ContainerName>) {
        let fresh = Self::of(self.at.clone(), container);
        let before = std::mem::replace(self, fresh);
        self.wrap = before.wrap;
        self.times = before.times;
        self.pattern = before.pattern;
        self.only_matches = before.only_matches;
    }

    /// The stream began, perhaps anew, with lines that were seen already.
    pub(crate) fn began(&mut self) {
        self.flow = Flow::Flowing;
        self.seen.clone_from(&self.newest);
    }

    pub(crate) fn take(&mut self, mut line: LogLine) {
        if self.seen.get(&line.container).is_some_and(|seen| line.at <= *seen) {
            return;
        }
        line.text = clean(&line.text);
        let newest = self.newest.entry(line.container.clone()).or_insert(line.at);
        *newest = line.at.max(*newest);
        if self.pattern.matches(&line.text) {
            self.matches.push_back(self.tape.end());
        }
        self.bytes += line.text.len();
        if let Some(dropped) = self.tape.push(line) {
            self.bytes -= dropped.text.len();
        }
        while self.bytes > BYTES {
            let Some(dropped) = self.tape.drop_oldest() else { break };
            self.bytes -= dropped.text.len();
        }
        while self.matches.front().is_some_and(|number| *number < self.tape.dropped()) {
            self.matches.pop_front();
        }
    }

    /// To be called after the pattern's line changed.
    pub(crate) fn search(&mut self) {
        self.pattern.read();
        self.current = None;
        let first = self.tape.dropped();
        let numbered = self.tape.iter().zip(first..);
        self.matches =
            numbered.filter(|(line, _)| self.pattern.matches(&line.text)).map(|(_, number)| number).collect();
    }

    /// The containers that wrote something.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &ContainerName> {
        self.newest.keys()
    }

    pub(crate) fn match_count(&self) -> usize {
        self.matches.len()
    }

    fn hides_lines(&self) -> bool {
        self.only_matches && !self.pattern.is_empty()
    }

    /// How many lines are shown, on the screen or beyond.
    pub(crate) fn shown_count(&self) -> usize {
        if self.hides_lines() { self.matches.len() } else { self.tape.len() }
    }

    /// The number of the line at a place among those that are shown.
    pub(crate) fn shown(&self, index: usize) -> Option<u64> {
        if self.hides_lines() {
            return self.matches.get(index).copied();
        }
        (index < self.tape.len()).then(|| self.tape.dropped() + index as u64)
    }

    /// The place among those shown of a line, or of the next one that is shown.
    pub(crate) fn index_of(&self, number: u64) -> usize {
        if self.hides_lines() {
            return self.matches.partition_point(|known| *known < number);
        }
        usize::try_from(number.saturating_sub(self.tape.dropped())).unwrap_or(usize::MAX)
    }

    /// Jumps to the next line that matches, or the one before; round at the ends.
    pub(crate) fn jump(&mut self, forward: bool, top: usize) {
        let from = self.current.or_else(|| self.shown(top)).unwrap_or_default();
        let after = self.matches.partition_point(|number| *number <= from);
        let before = self.matches.partition_point(|number| *number < from);
        let found = if forward {
            self.matches.get(after).or_else(|| self.matches.front())
        } else {
            before.checked_sub(1).and_then(|index| self.matches.get(index)).or_else(|| self.matches.back())
        };
        if let Some(number) = found.copied() {
            self.current = Some(number);
            self.place = Place::At(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, at, service_at};

    fn logs(texts: &[&str]) -> Logs {
        let mut logs = Logs::of(service_at("local", "api"), None);
        logs.began();
        for (second, text) in texts.iter().enumerate() {
            logs.take(fixture::log_line("api.r14.1", at(second as i64), text));
        }
        logs
    }

    fn search(logs: &mut Logs, text: &str) -> Vec<String> {
        logs.pattern.line = Line::of(text);
        logs.search();
        let numbers = (0..logs.shown_count()).filter_map(|index| logs.shown(index));
        numbers.filter_map(|number| logs.tape.get(number)).map(|line| line.text.clone()).collect()
    }

    #[test]
    fn a_search_is_a_regular_expression_or_plain_text() {
        let mut logs = logs(&["GET /a 200", "Error: no (such) file", "GET /b 500", "warning"]);
        assert_eq!(search(&mut logs, "error|warn"), ["Error: no (such) file", "warning"]);
        assert_eq!(search(&mut logs, "Warn"), [""; 0]);
        assert_eq!(search(&mut logs, "(such"), ["Error: no (such) file"]);
        assert_eq!(search(&mut logs, "").len(), 4);
    }

    #[test]
    fn new_lines_are_searched_as_they_come() {
        let mut logs = logs(&["a", "b"]);
        search(&mut logs, "b");
        logs.take(fixture::log_line("api.r14.1", at(10), "bb"));
        logs.take(fixture::log_line("api.r14.1", at(11), "c"));
        assert_eq!(logs.shown_count(), 2);
    }

    #[test]
    fn a_jump_goes_round_at_the_ends() {
        let mut logs = logs(&["x", "hit", "x", "hit", "x"]);
        logs.only_matches = false;
        search(&mut logs, "hit");
        for (forward, wanted) in [(true, 1), (true, 3), (true, 1), (false, 3), (false, 1)] {
            logs.jump(forward, 0);
            assert_eq!(logs.place, Place::At(wanted));
        }
    }

    #[test]
    fn lines_that_come_again_after_a_broken_connection_are_left_out() {
        let mut logs = logs(&["a", "b"]);
        logs.began();
        logs.take(fixture::log_line("api.r14.1", at(1), "b"));
        logs.take(fixture::log_line("api.r14.2", at(1), "other"));
        logs.take(fixture::log_line("api.r14.1", at(2), "c"));
        assert_eq!(search(&mut logs, ""), ["a", "b", "other", "c"]);
    }

    #[test]
    fn memory_is_bounded_by_lines_and_by_bytes() {
        let mut logs = logs(&[]);
        for second in 0..LINES as i64 + 5 {
            logs.take(fixture::log_line("api.r14.1", at(second), "line"));
        }
        assert_eq!((logs.tape.len(), logs.tape.dropped()), (LINES, 5));
        let long = "x".repeat(4000);
        for second in 0..3000 {
            logs.take(fixture::log_line("api.r14.1", at(100_000 + second), &long));
        }
        assert!(logs.bytes <= BYTES && logs.tape.len() < LINES);
    }
}
