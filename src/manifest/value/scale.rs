//! `mypaas.scale=N`, with the word `roll` or `safe` before or behind it.

use std::num::NonZeroU32;

use super::{Fault, quoted, whole_number};
use crate::manifest::Scale;

pub(in crate::manifest) fn scale(value: &str) -> Result<Scale, Fault> {
    let mut count = None;
    let mut how = None;
    for word in words(value) {
        let taken = match word {
            "roll" | "safe" => how.replace(word).is_some(),
            _ => count.replace(number(value, word)?).is_some(),
        };
        if taken {
            return Err(Fault::new("a scale is one number and at most one of the words roll and safe").at(value, word));
        }
    }
    let Some(count) = count else {
        return Err(Fault::new("the number of containers is missing"));
    };
    Ok(match NonZeroU32::new(count) {
        None => Scale::Single,
        Some(count) if how == Some("safe") => Scale::Safe { count },
        Some(count) => Scale::Rolling { count },
    })
}

/// The original also takes number and word without a blank between them.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split_whitespace().flat_map(|word| {
        let split = ["roll", "safe"].into_iter().find_map(|how| {
            let (first, second) = match (word.strip_prefix(how), word.strip_suffix(how)) {
                (Some(number), _) => (how.len(), number),
                (None, Some(number)) => (number.len(), number),
                (None, None) => return None,
            };
            whole_number(second).map(|_| word.split_at(first))
        });
        let (first, second) = split.map_or((word, None), |(first, second)| (first, Some(second)));
        std::iter::once(first).chain(second)
    })
}

fn number(value: &str, word: &str) -> Result<u32, Fault> {
    let Some(number) = whole_number(word) else {
        let fault = Fault::new(format!("{} is neither a number nor one of the words roll and safe", quoted(word)));
        return Err(fault.at(value, word));
    };
    let count = u32::try_from(number).ok().filter(|count| *count <= Scale::LARGEST);
    count.ok_or_else(|| {
        Fault::new(format!("at most {} containers of a service can run", Scale::LARGEST)).at(value, word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn number_and_word_stand_in_any_order() {
        let count = NonZeroU32::new(3).unwrap();
        for text in ["3", "3 roll", "roll 3", "roll3", "03"] {
            assert_eq!(scale(text), Ok(Scale::Rolling { count }), "{text}");
        }
        for text in ["3 safe", "safe\t3", "3safe", "safe3"] {
            assert_eq!(scale(text), Ok(Scale::Safe { count }), "{text}");
        }
        for text in ["0", "0 safe", "roll 0"] {
            assert_eq!(scale(text), Ok(Scale::Single), "{text}");
        }
    }

    #[test]
    fn the_word_that_is_wrong_is_marked() {
        for (written, marked) in [
            ("three", "three"),
            ("-1", "-1"),
            ("1.5", "1.5"),
            ("3 Safe", "Safe"),
            ("3 safe roll", "roll"),
            ("3 safe safe", "safe"),
            ("3 4", "4"),
            ("safe", "safe"),
            ("saferoll", "saferoll"),
            ("1001", "1001"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            assert_eq!(told(written, scale(written)).0, marked, "{written}");
        }
    }
}
