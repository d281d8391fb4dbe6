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
    /// It cannot be meant so, for this reason; it hides nothing.
    Mistaken(String),
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
        let hides = |term: &Term<C>| !matches!(term.what, What::Mistaken(_)) && term.what.matches(line) == term.negated;
        !self.terms.iter().any(hides)
    }

    /// Why a word of it cannot be meant as it is written; `lines` are all that there are to find.
    pub(crate) fn mistake<'a>(&self, lines: &(impl Iterator<Item = C::Line<'a>> + Clone)) -> Option<String> {
        self.terms.iter().find_map(|Term { what, .. }| match what {
            What::Mistaken(why) => Some(why.clone()),
            What::In((name, _), text) => unknown_word::<C>(name, text),
            What::Anywhere(text) => unknown_column::<C>(text).filter(|_| !lines.clone().any(|line| what.matches(line))),
            What::Compares(_) => None,
        })
    }
}

impl<C: Columns> Term<C> {
    fn read(word: &str) -> Option<Self> {
        let lower = word.to_lowercase();
        let (negated, rest) = match lower.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, lower.as_str()),
        };
        if let Some(lack) = figure::lacks::<C>(rest) {
            let what = Comparison::read(rest).map_or(What::Mistaken(lack), What::Compares);
            return Some(Term { what, negated });
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
            What::Mistaken(_) => true,
        }
    }
}

/// `dwn` where the words are known that may stand behind `state:`.
fn unknown_word<C: Columns>(name: &str, text: &str) -> Option<String> {
    let (_, words) = C::WORDS.iter().find(|(known, _)| *known == name)?;
    let is_known = words.iter().any(|word| has_state(word, text));
    (!is_known).then(|| format!("no {name} is called {text}; there are {}", words.join(", ")))
}

/// `foo` of `foo:bar` and `foo>1`. Only of a text that no line has: an address with a colon may be looked for too.
fn unknown_column<C: Columns>(text: &str) -> Option<String> {
    let name = &text[..text.find([':', '<', '>'])?];
    let texts: Vec<_> = C::TEXTS.iter().map(|(name, _)| *name).collect();
    let is_word = !name.is_empty() && name.chars().all(char::is_alphanumeric);
    if !is_word || texts.contains(&name) || text.contains("://") {
        return None;
    }
    if let Some(compared) = figure::as_compared::<C>(name) {
        return Some(format!("{name} is a figure: compare it, as in {compared}"));
    }
    let figures = C::FIGURES.iter().map(|(name, ..)| *name);
    let all: Vec<_> = texts.into_iter().chain(figures).collect();
    Some(format!("no column is called {name}; there are {}", all.join(", ")))
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

    fn mistake(filter: &str) -> String {
        let fleet = fixture::fleet();
        let mut it = Filter::<Column> { line: Line::of(filter), terms: Vec::new() };
        it.read();
        it.mistake(&fleet.all_services()).unwrap_or_default()
    }

    #[test]
    fn a_mistyped_filter_says_what_there_is() {
        let states = "there are running, degraded, down, stopped, never, deploying";
        assert_eq!(mistake("state:dwn"), format!("no state is called dwn; {states}"));
        assert_eq!(mistake("shop !state:dwn"), format!("no state is called dwn; {states}"));
        assert_eq!(mistake("cpu>abc"), "cpu> takes a number, as in cpu>50");
        assert_eq!(names("cpu>abc").len(), names("").len());
        let columns = "name, server, state, release, url, cpu, mem, age, restarts, req, p95, errors, cert";
        assert_eq!(mistake("foo:bar"), format!("no column is called foo; there are {columns}"));
        assert_eq!(mistake("foo>1"), format!("no column is called foo; there are {columns}"));
        assert_eq!(mistake("cpu:50"), "cpu is a figure: compare it, as in cpu>50");
    }

    #[test]
    fn what_is_meant_is_no_mistake_though_it_finds_nothing() {
        for meant in [
            "zzz",
            "state:d",
            "state:",
            "state:never",
            "cpu>5000",
            "name:zzz",
            ":",
            "!",
            "!blog",
            "https://zzz",
            "zzz.com:80",
        ] {
            assert_eq!(mistake(meant), "", "{meant}");
        }
        assert_eq!((mistake("https://shop").as_str(), names("https://shop").len()), ("", 2), "a text with a colon");
    }

    #[test]
    fn the_states_that_there_are_are_those_that_match() {
        use ServiceState::{Degraded, Down, NeverLive, Running, Stopped};
        for state in [Running, Degraded, Down, Stopped, NeverLive].map(state_word) {
            assert_eq!(mistake(&format!("state:{}", state.split(' ').next().unwrap())), "");
        }
    }

    #[test]
    fn a_half_typed_filter_hides_nothing() {
        assert_eq!(names("state:").len(), names("").len());
        assert_eq!(names("!").len(), names("").len());
        assert_eq!(names("cpu>").len(), names("").len());
    }
}
