//! One value of an option → its type, or what is wrong with it.
//!
//! ```text
//! service.rs      the name
//! url.rs          scheme, domain, path
//! volume.rs       server folder : container folder
//! env.rs          NAME=value, or NAME
//! publish.rs      ports as for Docker's --publish; also one port
//! release.rs      a command, as a Dockerfile's CMD
//! scale.rs        number, roll or safe
//! healthcheck.rs  /path interval timeout; durations
//! limits.rs       CPUs, memory
//! ```

mod env;
mod healthcheck;
mod limits;
mod publish;
mod release;
mod scale;
mod service;
mod url;
mod volume;

use std::ops::Range;

use super::diagnostic::{Problem, quoted};
use super::option::part_of;

pub(super) use env::{env, quote_without_partner};
pub(super) use healthcheck::healthcheck;
pub use healthcheck::{DurationError, parse_duration};
pub use limits::{LimitError, parse_cpus, parse_memory};
pub(super) use limits::{maxcpu, maxmem};
pub(super) use publish::{LARGEST_RANGE, port, publish};
pub(super) use release::release;
pub(super) use scale::scale;
pub(super) use service::service;
pub use url::UrlError;
pub(super) use url::url;
pub(super) use volume::volume;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// In bytes of the value; the whole value where there is none.
    pub(super) part: Option<Range<usize>>,
    pub(super) problem: Problem,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { part: None, problem: Problem::new(message) }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { problem: self.problem.hint(hint), ..self }
    }

    /// `part` was cut from `value`.
    fn at(self, value: &str, part: &str) -> Self {
        Self { part: Some(part_of(value, part)), ..self }
    }
}

/// What no value of any option may hold. A tab separates words like a blank.
pub(super) fn check_characters(value: &str) -> Result<(), Fault> {
    let Some((start, character)) = value.char_indices().find(|(_, c)| c.is_control() && *c != '\t') else {
        return Ok(());
    };
    let found = format!("U+{:04X}", u32::from(character));
    let fault = match character {
        '\r' => Fault::new("a carriage return does not end a line").hint("end lines with a line feed"),
        _ => Fault::new(format!("the control character {found} is not allowed here")).hint("remove it"),
    };
    Err(fault.at(value, &value[start..start + character.len_utf8()]))
}

/// A quote at one end of a value that takes none; the value would be wrong in a way that is hard to see.
pub(super) fn check_quotes(value: &str) -> Result<(), Fault> {
    let is_quote = |c: char| matches!(c, '"' | '\'');
    let first = value.chars().next().filter(|c| is_quote(*c)).map(|_| 0);
    let last = value.chars().next_back().filter(|c| is_quote(*c)).map(|_| value.len() - 1);
    match first.or(last) {
        Some(start) => {
            let fault =
                Fault::new("the quote has no partner at the other end").hint("remove it; quotes are not needed");
            Err(fault.at(value, &value[start..=start]))
        }
        None => Ok(()),
    }
}

/// A whole number without sign; None where it is no such thing, the largest one where it is too large to hold.
fn whole_number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A number with or without a fraction, in units of 10⁻⁹; further digits are cut off. What is
/// larger than 2⁶⁴ is taken for 2⁶⁴, which is too much of anything.
fn billionths(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().unwrap_or(u64::MAX) };
    let fraction = format!("{:0<9}", &fraction[..fraction.len().min(9)]);
    Some(u128::from(whole) * 1_000_000_000 + fraction.parse::<u128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is marked, and the message.
    pub(super) fn told<T: std::fmt::Debug>(value: &str, result: Result<T, Fault>) -> (String, String) {
        let fault = result.unwrap_err();
        let part = fault.part.unwrap_or(0..value.len());
        (value[part].to_owned(), fault.problem.message().to_owned())
    }

    #[test]
    fn control_characters_are_found_where_they_are() {
        assert!(check_characters("a\tb é").is_ok());
        let value = "aé\u{1b}[0m";
        assert_eq!(told(value, check_characters(value)).0, "\u{1b}");
        assert!(told("a\rb", check_characters("a\rb")).1.contains("carriage return"));
    }

    #[test]
    fn a_lone_quote_is_found_at_either_end() {
        assert!(check_quotes("a\"b").is_ok());
        for (value, start) in [("\"ab", 0), ("ab'", 2), ("'", 0)] {
            assert_eq!(check_quotes(value).unwrap_err().part, Some(start..start + 1), "{value}");
        }
    }

    #[test]
    fn numbers_are_plain_digits() {
        assert_eq!(whole_number("007"), Some(7));
        assert_eq!(whole_number("99999999999999999999"), Some(u64::MAX));
        for bad in ["", "+1", "-1", "1_0", "1 ", "１"] {
            assert_eq!(whole_number(bad), None, "{bad}");
        }
    }

    #[test]
    fn fractions_are_exact_to_nine_digits() {
        for (text, expected) in
            [("1", 1_000_000_000), (".5", 500_000_000), ("2.", 2_000_000_000), ("0.1234567899", 123_456_789)]
        {
            assert_eq!(billionths(text), Some(expected), "{text}");
        }
        assert_eq!(billionths("99999999999999999999"), Some(u128::from(u64::MAX) * 1_000_000_000));
        for bad in ["", ".", "1e3", "-1", "1.2.3", "inf", "1,5"] {
            assert_eq!(billionths(bad), None, "{bad}");
        }
    }
}
