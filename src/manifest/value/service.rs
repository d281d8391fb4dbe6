//! `mypaas.service=NAME`.

use super::{Fault, quoted};
use crate::name::{NameError, ServiceName};

pub(in crate::manifest) fn service(value: &str) -> Result<ServiceName, Fault> {
    value.parse().map_err(|error: NameError| explain(value, &error))
}

fn explain(value: &str, error: &NameError) -> Fault {
    let fault = match error {
        NameError::Character { character, position } => {
            let start = value.char_indices().nth(*position).map_or(value.len(), |(start, _)| start);
            let shown = quoted(&character.to_string());
            let where_ = if is_separator(*character) { " here" } else { "" };
            Fault::new(format!("{shown} is not allowed in the name of a service{where_}"))
                .at(value, &value[start..(start + character.len_utf8()).min(value.len())])
        }
        other => Fault::new(other.to_string()),
    };
    match nearest(value) {
        Some(name) => fault.hint(format!("did you mean `{name}`?")),
        None => fault.hint("a name has a-z and 0-9, with a single . _ - or / between them"),
    }
}

/// The good name that is nearest to what was written.
fn nearest(value: &str) -> Option<ServiceName> {
    let mut name = String::new();
    for character in value.chars().flat_map(char::to_lowercase).take(200) {
        let plain = character.is_ascii_lowercase() || character.is_ascii_digit();
        if plain {
            name.push(character);
        } else if name.ends_with(|c: char| !is_separator(c)) {
            name.push(if is_separator(character) { character } else { '-' });
        }
    }
    name.trim_end_matches(is_separator).parse().ok()
}

fn is_separator(character: char) -> bool {
    "._-/".contains(character)
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn names_are_what_name_rs_allows() {
        assert_eq!(service("team/rob.api").unwrap().as_str(), "team/rob.api");
        assert_eq!(told("a b", service("a b")), (" ".into(), "` ` is not allowed in the name of a service".into()));
        assert_eq!(
            told("a--b", service("a--b")),
            ("-".into(), "`-` is not allowed in the name of a service here".into())
        );
        assert_eq!(told("é", service("é")).0, "é");
        assert!(told(&"a".repeat(51), service(&"a".repeat(51))).1.contains("51 characters"));
    }

    #[test]
    fn a_good_name_is_proposed() {
        for (written, proposed) in
            [("Hello World", "hello-world"), ("_a..b_", "a.b"), ("Blog!", "blog"), ("x (y)", "x-y")]
        {
            assert_eq!(nearest(written).map(|name| name.to_string()).as_deref(), Some(proposed), "{written}");
        }
        assert_eq!(nearest("日本"), None);
    }
}
