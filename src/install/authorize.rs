//! Lets further keys in: lines for `authorized_keys`.

use crate::keys::{AuthorizedKeys, LineError};

/// Why keys cannot be let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    #[error("{shown:?} is no line for authorized_keys")]
    Line { shown: String, source: LineError },
    #[error("no key was found in what was to be let in")]
    None,
}

/// The text of the file with these lines in it, and how many were new. A key that stands there keeps its rights.
pub fn add(text: &str, lines: &str) -> Result<(String, usize), AuthorizeError> {
    let (known, mut text) = (AuthorizedKeys::parse(text.as_bytes()), text.to_owned());
    let (mut seen, mut added) = (0, 0);
    for line in lines.lines().map(str::trim) {
        let parsed = AuthorizedKeys::parse(line.as_bytes());
        if let Some(mistake) = parsed.mistakes().first() {
            let shown = line.chars().take(60).collect();
            return Err(AuthorizeError::Line { shown, source: mistake.error.clone() });
        }
        let Some(new) = parsed.keys().next() else { continue };
        seen += 1;
        if known.keys().any(|known| known.key == new.key) {
            continue;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += line;
        text.push('\n');
        added += 1;
    }
    if seen == 0 { Err(AuthorizeError::None) } else { Ok((text, added)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../tests/fixtures/keys/ed25519.pub");
    const OTHER: &str = include_str!("../../tests/fixtures/keys/p256.pub");

    #[test]
    fn a_key_is_added_once_and_nothing_else_changes() {
        let before = format!("# ours\n{}", KEY.trim());
        let (text, added) = add(&before, &format!("{KEY}{OTHER}# whose?\n\n")).unwrap();
        assert_eq!((text.as_str(), added), (format!("{before}\n{OTHER}").as_str(), 1));
        assert_eq!(add(&text, OTHER).unwrap(), (text, 0));
    }

    #[test]
    fn the_rights_of_a_key_that_stands_there_are_kept() {
        let limited = format!("mypaas-role=\"viewer\" {KEY}");
        assert_eq!(add(&limited, KEY).unwrap(), (limited.clone(), 0));
        let (text, added) = add(OTHER, &limited).unwrap();
        assert!(added == 1 && text.contains("viewer"), "{text}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(matches!(add("", "hello\n"), Err(AuthorizeError::Line { .. })));
        assert!(matches!(add("", "# nobody\n"), Err(AuthorizeError::None)));
    }
}
