//! What was measured over time, as far as it was asked for.

use mypaas::api::{History, Problem, Span};
use mypaas::name::ServerName;
use serde::{Deserialize, Serialize};

use super::fleet::ServiceAt;

/// So many are remembered.
const MOST: usize = 24;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measured {
    Machine(ServerName),
    Service(ServiceAt),
}

/// What asking for a history gave.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The newest there is.
    pub history: Option<Box<History>>,
    /// Why there is no newer one.
    pub problem: Option<Problem>,
}

/// The histories that were loaded, the latest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histories {
    known: Vec<(Measured, Span, Known)>,
}

impl Histories {
    pub(crate) fn get(&self, of: &Measured, span: Span) -> Option<&Known> {
        self.known.iter().find(|(known, its, _)| known == of && *its == span).map(|(_, _, known)| known)
    }

    pub(crate) fn take(&mut self, of: Measured, span: Span, result: Result<Box<History>, Problem>) {
        let place = self.known.iter().position(|(known, its, _)| *known == of && *its == span);
        let before = place.map(|index| self.known.remove(index).2);
        let known = match result {
            Ok(history) => Known { history: Some(history), problem: None },
            Err(problem) => Known { history: before.and_then(|known| known.history), problem: Some(problem) },
        };
        if self.known.len() == MOST {
            self.known.remove(0);
        }
        self.known.push((of, span, known));
    }
}

/// The next longer span, or the next shorter one; the same at the ends.
pub(crate) fn next_span(span: Span, longer: bool) -> Span {
    match (span, longer) {
        (Span::Hour, true) | (Span::Month, false) => Span::Day,
        (Span::Day | Span::Month, true) => Span::Month,
        (Span::Day | Span::Hour, false) => Span::Hour,
    }
}

pub(crate) fn span_words(span: Span) -> &'static str {
    match span {
        Span::Hour => "the last hour",
        Span::Day => "the last day",
        Span::Month => "the last 30 days",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, service_at};

    #[test]
    fn what_cannot_be_asked_again_stays_with_the_reason() {
        let mut histories = Histories::default();
        let of = Measured::Service(service_at("local", "api"));
        histories.take(of.clone(), Span::Hour, Ok(Box::new(fixture::measured(Span::Hour))));
        histories.take(of.clone(), Span::Hour, Err(fixture::problem("cut")));
        let known = histories.get(&of, Span::Hour).unwrap();
        assert!(known.history.is_some() && known.problem.is_some());
        assert!(histories.get(&of, Span::Day).is_none());
    }

    #[test]
    fn spans_end_at_the_longest_and_the_shortest() {
        assert_eq!(next_span(next_span(Span::Hour, true), true), Span::Month);
        assert_eq!([next_span(Span::Month, true), next_span(Span::Hour, false)], [Span::Month, Span::Hour]);
    }
}
