//! Terms of a filter that compare a figure: `cpu>50`, `mem<200m`, `age<1h`, `restarts>0`.

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
}

const NAMES: [(&str, Figure); 4] =
    [("cpu", Figure::Cpu), ("mem", Figure::Memory), ("age", Figure::Age), ("restarts", Figure::Restarts)];

const SIZES: [(char, i64); 3] = [('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30)];

const TIMES: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

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
        let units: &[(char, i64)] = match self {
            Figure::Cpu => &[('%', 1000)],
            Figure::Memory => &SIZES,
            Figure::Age => &TIMES,
            Figure::Restarts => &[],
        };
        let unit = units.iter().find(|(sign, _)| text.ends_with(*sign));
        let (digits, factor) = match (unit, self) {
            (Some((sign, factor)), _) => (text.strip_suffix(*sign)?, *factor),
            (None, Figure::Cpu) => (text, 1000),
            (None, _) => (text, 1),
        };
        let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
        Some((number * factor as f64) as i64)
    }

    fn of(self, server: &ServerEntry, service: &ServiceView) -> Option<i64> {
        let column = match self {
            Figure::Cpu => Column::Cpu,
            Figure::Memory => Column::Memory,
            Figure::Age => Column::Age,
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
    }

    #[test]
    fn half_a_comparison_is_begun_but_not_read() {
        for word in ["cpu>", "mem<m", "age<-1h", "cpu>inf"] {
            assert_eq!((Comparison::read(word), is_begun(word)), (None, true), "{word}");
        }
        assert!(!is_begun("cpu") && !is_begun("a>b") && Comparison::read("a>1").is_none());
    }
}
