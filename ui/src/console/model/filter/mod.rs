//! A filter of a list's lines by what they are, not by what happens to be drawn.
//!
//! Words that all must match: a plain word is looked for in everything that is text, `state:down` in one of it;
//! `cpu>50`, `mem>200m`, `age<1h` and `restarts>0` compare figures; `!word` must not match. What there is to look for
//! and to compare is the list's: see `Columns`.

mod figure;

use mypaas::api::ServiceState;

use self::figure::Comparison;
pub(crate) use self::figure::{COUNT, DAYS, Figure, PERCENT, PERCENT_OF_CPU, RATE, SHORT_TIMES, SIZES, TIMES};
use super::column::Columns;
use super::line::Line;

/// A name in front of a colon, and whether a line has a text there. The text is in lower case.
pub(crate) type Text<C> = (&'static str, for<'a, 't> fn(<C as Columns>::Line<'a>, &'t str) -> bool);

/// The filter as it is typed, and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Filter<C: Columns> {
    pub line: Line,
    terms: Vec<Term<C>>,
}

#[derive(Debug, Clone)]
struct Term<C: Columns> {
    what: What<C>,
    negated: bool,
}

#[derive(Debug, Clone)]
enum What<C: Columns> {
    Anywhere(String),
    In(&'static Text<C>, String),
    Compares(Comparison<C>),
}

impl<C: Columns> Default for Filter<C> {
    fn default() -> Self {
        Self { line: Line::default(), terms: Vec::new() }
    }
}

impl<C: Columns> Filter<C> {
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// To be called after the line changed.
    pub(crate) fn read(&mut self) {
        self.terms = self.line.text().split_whitespace().filter_map(Term::read).collect();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn matches(&self, line: C::Line<'_>) -> bool {
        self.terms.iter().all(|term| term.what.matches(line) != term.negated)
    }
}

impl<C: Columns> Term<C> {
    fn read(word: &str) -> Option<Self> {
        let lower = word.to_lowercase();
        let (negated, rest) = match lower.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, lower.as_str()),
        };
        if figure::is_begun::<C>(rest) {
            return Comparison::read(rest).map(|comparison| Term { what: What::Compares(comparison), negated });
        }
        let named = C::TEXTS.iter().find_map(|text| Some((text, rest.strip_prefix(text.0)?.strip_prefix(':')?)));
        let (what, text) = match named {
            Some((field, text)) => (What::In(field, text.to_owned()), text),
            None => (What::Anywhere(rest.to_owned()), rest),
        };
        (!text.is_empty()).then_some(Term { what, negated })
    }
}

impl<C: Columns> What<C> {
    fn matches(&self, line: C::Line<'_>) -> bool {
        match self {
            What::Anywhere(text) => C::TEXTS.iter().any(|(_, has)| has(line, text)),
            What::In((_, has), text) => has(line, text),
            What::Compares(comparison) => comparison.matches(line),
        }
    }
}

/// A state matches by the beginning of its word, so that `down` typed half narrows already.
pub(crate) fn has_state(word: &str, text: &str) -> bool {
    word.starts_with(text)
}

/// The state of a service in one word.
pub(crate) fn state_word(state: ServiceState) -> &'static str {
    match state {
        ServiceState::Running => "running",
        ServiceState::Degraded => "degraded",
        ServiceState::Down => "down",
        ServiceState::Stopped => "stopped",
        ServiceState::NeverLive => "never live",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::console::model::column::Column;

    fn names(filter: &str) -> Vec<String> {
        let fleet = fixture::fleet();
        let mut it = Filter::<Column> { line: Line::of(filter), terms: Vec::new() };
        it.read();
        let matching = fleet.all_services().filter(|line| it.matches(*line));
        matching.map(|(_, service)| service.name.to_string()).collect()
    }

    #[test]
    fn a_filter_looks_at_meanings() {
        assert_eq!(names("state:down"), ["blog"]);
        assert_eq!(names("shop.example"), ["shop", "shop.worker"]);
        assert_eq!(names("server:s2 !cron"), ["metrics"]);
        assert_eq!(names("r14"), ["api"]);
        assert_eq!(names("deploying"), ["shop"]);
        assert_eq!(names("state:r14"), [""; 0]);
        assert_eq!(names("BLOG"), ["blog"]);
    }

    #[test]
    fn a_filter_compares_figures_not_their_digits() {
        assert_eq!(names("cpu>15"), ["api"]);
        assert_eq!(names("mem>100m !api"), ["shop"]);
        assert_eq!(names("age<1d"), ["docs", "metrics"]);
        assert_eq!(names("restarts>4"), ["blog"]);
        assert_eq!(names("req>10"), ["api"]);
        assert_eq!(names("errors>1%"), ["shop"]);
        assert_eq!(names("p95>500ms"), ["shop"]);
        assert_eq!(names("cert<14d"), ["blog", "shop"]);
        assert_eq!(names("!cpu>0 state:never"), ["draft"]);
    }

    #[test]
    fn a_half_typed_filter_hides_nothing() {
        assert_eq!(names("state:").len(), names("").len());
        assert_eq!(names("!").len(), names("").len());
        assert_eq!(names("cpu>").len(), names("").len());
    }
}
