//! Terms of a filter that compare a figure: `cpu>50`, `mem<200m`, `age<1h`, `restarts>0`, `req>10`, `p95>200ms`,
//! `errors>1%`, `cert<14d`.

use crate::console::model::column::Columns;

/// What a figure may be written in.
#[derive(Debug)]
pub(crate) struct Units {
    /// And how much of the unit that it is compared in each one is.
    known: &'static [(&'static str, i64)],
    example: &'static str,
}

/// A name in front of `<` or `>`, what its limit may be written in, and what a line has.
pub(crate) type Figure<C> = (&'static str, &'static Units, for<'a> fn(<C as Columns>::Line<'a>) -> Option<i64>);

/// Thousandths of a percent.
pub(crate) const PERCENT_OF_CPU: &Units = &Units { known: &[("", 1000), ("%", 1000)], example: "50" };
/// Bytes.
pub(crate) const SIZES: &Units =
    &Units { known: &[("", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)], example: "200m" };
/// Seconds.
pub(crate) const TIMES: &Units =
    &Units { known: &[("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)], example: "2h" };
pub(crate) const COUNT: &Units = &Units { known: &[("", 1)], example: "3" };
/// Thousandths a second.
pub(crate) const RATE: &Units = &Units { known: &[("", 1000), ("/s", 1000)], example: "10" };
/// Microseconds.
pub(crate) const SHORT_TIMES: &Units =
    &Units { known: &[("", 1000), ("ms", 1000), ("s", 1_000_000)], example: "200ms" };
/// Millionths of the whole.
pub(crate) const PERCENT: &Units = &Units { known: &[("", 10_000), ("%", 10_000)], example: "1%" };
/// Seconds.
pub(crate) const DAYS: &Units = &Units { known: &[("", 86_400), ("h", 3600), ("d", 86_400)], example: "14d" };

#[derive(Debug, Clone)]
pub(super) struct Comparison<C: Columns> {
    figure: &'static Figure<C>,
    above: bool,
    /// In the unit it is compared in.
    limit: i64,
}

/// What is missing from a word that is meant as a comparison; none where it is meant as something else.
pub(super) fn lacks<C: Columns>(word: &str) -> Option<String> {
    let begun = &word[..=word.find(['<', '>'])?];
    let (_, units, _) = C::FIGURES.iter().find(|(name, ..)| *name == &begun[..begun.len() - 1])?;
    Some(format!("{begun} takes a number, as in {begun}{}", units.example))
}

/// How a figure of this name is compared, if there is one: `cpu>50`.
pub(super) fn as_compared<C: Columns>(name: &str) -> Option<String> {
    let (name, units, _) = C::FIGURES.iter().find(|(known, ..)| *known == name)?;
    Some(format!("{name}>{}", units.example))
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
fn amount(text: &str, units: &Units) -> Option<i64> {
    let written = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let (_, factor) = units.known.iter().find(|(unit, _)| *unit == written)?;
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
            assert!(read(word).is_none() && lacks::<Column>(word).is_some(), "{word}");
        }
        assert_eq!(lacks::<Column>("mem<m"), Some("mem< takes a number, as in mem<200m".to_owned()));
        assert!(lacks::<Column>("cpu").is_none() && lacks::<Column>("a>b").is_none() && read("a>1").is_none());
    }
}
