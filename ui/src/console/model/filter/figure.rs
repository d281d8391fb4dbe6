//! Terms of a filter that compare a figure: `cpu>50`, `mem<200m`, `age<1h`, `restarts>0`, `req>10`, `p95>200ms`,
//! `errors>1%`, `cert<14d`.

use mypaas::api::ServiceView;

use crate::console::model::column::{Column, Value};
use crate::console::model::fleet::ServerEntry;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Comparison {
    figure: Figure,
    above: bool,
    /// In the figure's own unit.
    limit: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    /// Thousandths of a percent.
    Cpu,
    /// Bytes.
    Memory,
    /// Seconds.
    Age,
    Restarts,
    /// Thousandths a second.
    Requests,
    /// Microseconds.
    P95,
    /// Millionths of all requests.
    Errors,
    /// Seconds until it lapses.
    Certificate,
}

const NAMES: [(&str, Figure); 8] = [
    ("cpu", Figure::Cpu),
    ("mem", Figure::Memory),
    ("age", Figure::Age),
    ("restarts", Figure::Restarts),
    ("req", Figure::Requests),
    ("p95", Figure::P95),
    ("errors", Figure::Errors),
    ("cert", Figure::Certificate),
];

/// What a figure may be written in, and how much of its own unit that is; the first is meant where none is written.
type Units = [(&'static str, i64)];

const PERCENT_OF_CPU: &Units = &[("", 1000), ("%", 1000)];
const SIZES: &Units = &[("", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
const TIMES: &Units = &[("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
const COUNT: &Units = &[("", 1)];
const RATE: &Units = &[("", 1000), ("/s", 1000)];
const SHORT_TIMES: &Units = &[("", 1000), ("ms", 1000), ("s", 1_000_000)];
const PERCENT: &Units = &[("", 10_000), ("%", 10_000)];
const DAYS: &Units = &[("", 86_400), ("h", 3600), ("d", 86_400)];

/// Whether the word is meant as a comparison, also when it is only half typed.
pub(super) fn is_begun(word: &str) -> bool {
    word.find(['<', '>']).is_some_and(|place| NAMES.iter().any(|(name, _)| *name == &word[..place]))
}

impl Comparison {
    /// None when the word is no comparison, or not a whole one yet.
    pub(super) fn read(word: &str) -> Option<Self> {
        let place = word.find(['<', '>'])?;
        let (name, rest) = word.split_at(place);
        let (_, figure) = NAMES.iter().find(|(known, _)| *known == name)?;
        let limit = figure.amount(&rest[1..])?;
        Some(Self { figure: *figure, above: rest.starts_with('>'), limit })
    }

    /// A service that has no such figure does not match.
    pub(super) fn matches(&self, server: &ServerEntry, service: &ServiceView) -> bool {
        let Some(value) = self.figure.of(server, service) else { return false };
        if self.above { value > self.limit } else { value < self.limit }
    }
}

impl Figure {
    /// `50` percent, `1.5g`, `2h`, `3` times.
    fn amount(self, text: &str) -> Option<i64> {
        let units = match self {
            Figure::Cpu => PERCENT_OF_CPU,
            Figure::Memory => SIZES,
            Figure::Age => TIMES,
            Figure::Restarts => COUNT,
            Figure::Requests => RATE,
            Figure::P95 => SHORT_TIMES,
            Figure::Errors => PERCENT,
            Figure::Certificate => DAYS,
        };
        let written = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
        let (_, factor) = units.iter().find(|(unit, _)| *unit == written)?;
        let digits = &text[..text.len() - written.len()];
        let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
        Some((number * *factor as f64) as i64)
    }

    fn of(self, server: &ServerEntry, service: &ServiceView) -> Option<i64> {
        let column = match self {
            Figure::Cpu => Column::Cpu,
            Figure::Memory => Column::Memory,
            Figure::Age => Column::Age,
            Figure::Requests => Column::Requests,
            Figure::P95 => Column::P95,
            Figure::Errors => Column::Errors,
            Figure::Certificate => Column::Certificate,
            Figure::Restarts => {
                return Some(service.containers.iter().map(|container| i64::from(container.restarts)).sum());
            }
        };
        match column.of(server, service)? {
            Value::Number(number) => Some(number),
            Value::Text(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        let limit = |word| Comparison::read(word).map(|comparison| (comparison.above, comparison.limit));
        assert_eq!(limit("cpu>50"), Some((true, 50_000)));
        assert_eq!(limit("cpu>0.5%"), Some((true, 500)));
        assert_eq!(limit("mem<1.5g"), Some((false, 3 << 29)));
        assert_eq!(limit("mem>200"), Some((true, 200)));
        assert_eq!(limit("age<2h"), Some((false, 7200)));
        assert_eq!(limit("restarts>0"), Some((true, 0)));
        assert_eq!(limit("p95>200ms"), Some((true, 200_000)));
        assert_eq!(limit("p95>1.5s"), limit("p95>1500"));
        assert_eq!(limit("req<0.5/s"), Some((false, 500)));
        assert_eq!(limit("errors>1%"), Some((true, 10_000)));
        assert_eq!(limit("cert<14d"), Some((false, 14 * 86_400)));
    }

    #[test]
    fn half_a_comparison_is_begun_but_not_read() {
        for word in ["cpu>", "mem<m", "age<-1h", "cpu>inf"] {
            assert_eq!((Comparison::read(word), is_begun(word)), (None, true), "{word}");
        }
        assert!(!is_begun("cpu") && !is_begun("a>b") && Comparison::read("a>1").is_none());
    }
}
