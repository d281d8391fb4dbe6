//! What is searched for in logs.

use regex::{Regex, RegexBuilder};

use crate::console::model::line::Line;

/// A regular expression that would need more memory than this is taken as plain text.
const PATTERN_BYTES: usize = 1024 * 1024;

/// As typed: a regular expression, or plain text where it is none (yet). Behind a `!`: what must not be there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pattern {
    pub line: Line,
    regex: Option<Regex>,
    negated: bool,
}

impl Pattern {
    pub(crate) fn is_empty(&self) -> bool {
        self.regex.is_none()
    }

    /// To be called after the line changed. Small letters match capital ones too.
    pub(super) fn read(&mut self) {
        let text = self.line.text();
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let any_case = !text.chars().any(char::is_uppercase);
        let built =
            |text: &str| RegexBuilder::new(text).case_insensitive(any_case).size_limit(PATTERN_BYTES).build().ok();
        self.regex = if text.is_empty() { None } else { built(text).or_else(|| built(&regex::escape(text))) };
        self.negated = negated;
    }

    /// Where it matches in a text, in bytes.
    pub(crate) fn ranges(&self, text: &str) -> Vec<(usize, usize)> {
        let Some(regex) = self.regex.as_ref().filter(|_| !self.negated) else { return Vec::new() };
        regex.find_iter(text).map(|found| (found.start(), found.end())).filter(|(start, end)| start < end).collect()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(text) != self.negated)
    }
}
