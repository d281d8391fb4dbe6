//! Terms of a filter that compare a figure: `cpu>50`, `mem<200m`, `age<1h`, `restarts>0`, `req>10`, `p95>200ms`,
//! `errors>1%`, `cert<14d`.

use crate::console::model::column::Columns;

/// What a figure may be written in, and how much of the unit it is compared in that is; the first is meant where none
/// is written.
pub(crate) type Units = &'static [(&'static str, i64)];

/// A name in front of `<` or `>`, what its limit may be written in, and what a line has.
pub(crate) type Figure<C> = (&'static str, Units, for<'a> fn(<C as Columns>::Line<'a>) -> Option<i64>);

/// Thousandths of a percent.
pub(crate) const PERCENT_OF_CPU: Units = &[("", 1000), ("%", 1000)];
/// Bytes.
pub(crate) const SIZES: Units = &[("", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
/// Seconds.
pub(crate) const TIMES: Units = &[("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
pub(crate) const COUNT: Units = &[("", 1)];
/// Thousandths a second.
pub(crate) const RATE: Units = &[("", 1000), ("/s", 1000)];
/// Microseconds.
pub(crate) const SHORT_TIMES: Units = &[("", 1000), ("ms", 1000), ("s", 1_000_000)];
/// Millionths of the whole.
pub(crate) const PERCENT: Units = &[("", 10_000), ("%", 10_000)];
/// Seconds.
pub(crate) const DAYS: Units = &[("", 86_400), ("h", 3600), ("d", 86_400)];

#[derive(Debug, Clone)]
pub(super) struct Comparison<C: Columns> {
    figure: &'static Figure<C>,
    above: bool,
    /// In the unit it is compared in.
    limit: i64,
}

/// Whether the word is meant as a comparison, also when it is only half typed.
pub(super) fn is_begun<C: Columns>(word: &str) -> bool {
    word.find(['<', '>']).is_some_and(|place| C::FIGURES.iter().any(|(name, ..)| *name == &word[..place]))
}

impl<C: Columns> Comparison<C> {
    /// None when the word is no comparison, or not a whole one yet.
    pub(super) fn read(word: &str) -> Option<Self> {
        let place = word.find(['<', '>'])?;
        let (name, rest) = word.split_at(place);
        let figure = C::FIGURES.iter().find(|(known, ..)| *known == name)?;
        let limit = amount(&rest[1..], figure.1)?;
        Some(Self { figure, above: rest.starts_with('>'), limit })
    }

    /// A line that has no such figure does not match.
    pub(super) fn matches(&self, line: C::Line<'_>) -> bool {
        let (_, _, of) = self.figure;
        of(line).is_some_and(|value| if self.above { value > self.limit } else { value < self.limit })
    }
}

/// `50` percent, `1.5g`, `2h`, `3` times.
fn amount(text: &str, units: Units) -> Option<i64> {
    let written = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let (_, factor) = units.iter().find(|(unit, _)| *unit == written)?;
    let digits = &text[..text.len() - written.len()];
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    Some((number * *factor as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::model::column::Column;

    fn read(word: &str) -> Option<(bool, i64)> {
        Comparison::<Column>::read(word).map(|comparison| (comparison.above, comparison.limit))
    }

    #[test]
    fn amounts_are_read_with_their_units() {
        assert_eq!(read("cpu>50"), Some((true, 50_000)));
        assert_eq!(read("cpu>0.5%"), Some((true, 500)));
        assert_eq!(read("mem<1.5g"), Some((false, 3 << 29)));
        assert_eq!(read("mem>200"), Some((true, 200)));
        assert_eq!(read("age<2h"), Some((false, 7200)));
        assert_eq!(read("restarts>0"), Some((true, 0)));
        assert_eq!(read("p95>200ms"), Some((true, 200_000)));
        assert_eq!(read("p95>1.5s"), read("p95>1500"));
        assert_eq!(read("req<0.5/s"), Some((false, 500)));
        assert_eq!(read("errors>1%"), Some((true, 10_000)));
        assert_eq!(read("cert<14d"), Some((false, 14 * 86_400)));
    }

    #[test]
    fn half_a_comparison_is_begun_but_not_read() {
        for word in ["cpu>", "mem<m", "age<-1h", "cpu>inf"] {
            assert_eq!((read(word), is_begun::<Column>(word)), (None, true), "{word}");
        }
        assert!(!is_begun::<Column>("cpu") && !is_begun::<Column>("a>b") && read("a>1").is_none());
    }
}
