//! `mypaas.env=FOO=bar`, or `FOO` alone.

use super::super::diagnostic::Problem;
use super::super::option::paired;
use super::{Fault, quoted};
use crate::manifest::EnvVar;

pub(in crate::manifest) fn env(value: &str) -> Result<EnvVar, Fault> {
    let Some((written, text)) = value.split_once('=') else {
        return Ok(EnvVar::Server { name: name(value, value)? });
    };
    Ok(EnvVar::Dockerfile { name: name(value, written.trim())?, value: content(text).to_owned() })
}

fn name(value: &str, name: &str) -> Result<String, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() {
        return Err(Fault::new("the variable has no name"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Fault::new("the name of a variable does not start with a digit").at(value, name));
    }
    match name.char_indices().find(|(_, c)| !allowed(*c)) {
        None => Ok(name.to_owned()),
        Some((start, character)) => {
            let shown = quoted(&character.to_string());
            let fault = Fault::new(format!("{shown} is not allowed in the name of a variable"));
            let fault = fault.hint("a name has letters, digits and _ . -, and stands right before the `=`");
            Err(fault.at(value, &name[start..start + character.len_utf8()]))
        }
    }
}

/// Quotes around it keep the blanks within.
fn content(text: &str) -> &str {
    let text = text.trim_matches([' ', '\t']);
    paired(text).unwrap_or(text)
}

/// The original strips a quote at the end of the line, with or without a partner; here it stays.
pub(in crate::manifest) fn quote_without_partner(value: &str) -> Option<Problem> {
    let (_, text) = value.split_once('=')?;
    let text = text.trim_matches([' ', '\t']);
    let quote = text.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
    let alone = paired(text).is_none() && text.matches(quote).count() % 2 == 1;
    alone.then(|| {
        Problem::new(format!("the {quote} at the end has no partner, so it is a part of the variable's value"))
            .hint("remove it, or put quotes around all of the value")
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn a_name_with_a_value_or_alone() {
        let dockerfile = |name: &str, value: &str| EnvVar::Dockerfile { name: name.into(), value: value.into() };
        assert_eq!(env("FOO=bar"), Ok(dockerfile("FOO", "bar")));
        assert_eq!(env("FOO = a=b "), Ok(dockerfile("FOO", "a=b")));
        assert_eq!(env("FOO="), Ok(dockerfile("FOO", "")));
        assert_eq!(env("FOO=' a '"), Ok(dockerfile("FOO", " a ")));
        assert_eq!(env("FOO=\"it's\""), Ok(dockerfile("FOO", "it's")));
        assert_eq!(env("discovery.type=single-node"), Ok(dockerfile("discovery.type", "single-node")));
        assert_eq!(env("_TOKEN"), Ok(EnvVar::Server { name: "_TOKEN".into() }));
    }

    #[test]
    fn the_character_that_is_wrong_in_a_name_is_marked() {
        for (written, marked) in
            [("=x", "=x"), ("1A=x", "1A"), ("A B=x", " "), ("$A", "$"), ("Aé=x", "é"), ("A:x", ":")]
        {
            assert_eq!(told(written, env(written)).0, marked, "{written}");
        }
    }

    #[test]
    fn only_a_lone_quote_at_the_end_is_told() {
        for (value, alone) in [
            ("A=5\"", true),
            ("A=\"x\" and y'", true),
            ("A=\"", true),
            ("A=\"x\"", false),
            ("A=say \"x\"", false),
            ("A=\"x", false),
            ("A", false),
        ] {
            assert_eq!(quote_without_partner(value).is_some(), alone, "{value}");
        }
    }
}
