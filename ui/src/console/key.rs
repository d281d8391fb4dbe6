//! A key as the keymap file writes it: `j`, `G`, `ctrl-c`, `shift-tab`, `space`, `pgdn`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::{Deserialize, Serialize};

/// One key press. Shift is part of the character it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Code {
    Char(char),
    Named(Named),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Named {
    Enter,
    Esc,
    Tab,
    ShiftTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// The names of the keys that are not characters, as written and shown.
const NAMES: [(&str, Named); 14] = [
    ("enter", Named::Enter),
    ("esc", Named::Esc),
    ("tab", Named::Tab),
    ("shift-tab", Named::ShiftTab),
    ("backspace", Named::Backspace),
    ("del", Named::Delete),
    ("up", Named::Up),
    ("down", Named::Down),
    ("left", Named::Left),
    ("right", Named::Right),
    ("home", Named::Home),
    ("end", Named::End),
    ("pgup", Named::PageUp),
    ("pgdn", Named::PageDown),
];

impl Key {
    /// The character, when the press would type one.
    pub(crate) fn typed(self) -> Option<char> {
        match self {
            Key { code: Code::Char(character), ctrl: false, alt: false } => Some(character),
            _ => None,
        }
    }

    /// None for keys that mean nothing here (media keys, lone modifiers, …).
    pub(crate) fn of_terminal(event: KeyEvent) -> Option<Self> {
        let named = |named| Some(Code::Named(named));
        let code = match event.code {
            KeyCode::Char(character) => Some(Code::Char(character)),
            KeyCode::Enter => named(Named::Enter),
            KeyCode::Esc => named(Named::Esc),
            KeyCode::Tab => named(Named::Tab),
            KeyCode::BackTab => named(Named::ShiftTab),
            KeyCode::Backspace => named(Named::Backspace),
            KeyCode::Delete => named(Named::Delete),
            KeyCode::Up => named(Named::Up),
            KeyCode::Down => named(Named::Down),
            KeyCode::Left => named(Named::Left),
            KeyCode::Right => named(Named::Right),
            KeyCode::Home => named(Named::Home),
            KeyCode::End => named(Named::End),
            KeyCode::PageUp => named(Named::PageUp),
            KeyCode::PageDown => named(Named::PageDown),
            _ => None,
        }?;
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        Some(Self { code, ctrl, alt })
    }
}

impl From<Named> for Key {
    fn from(named: Named) -> Self {
        Self { code: Code::Named(named), ctrl: false, alt: false }
    }
}

/// A text in the keymap file that names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key; keys are written like j, G, ctrl-c, space, esc, pgdn")]
pub(crate) struct KeyError(String);

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if let Some((_, named)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Key::from(*named));
        }
        if let Some(rest) = text.strip_prefix("ctrl-") {
            return Ok(Key { ctrl: true, ..rest.parse()? });
        }
        if let Some(rest) = text.strip_prefix("alt-") {
            return Ok(Key { alt: true, ..rest.parse()? });
        }
        let mut characters = text.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(character), None) => Code::Char(character),
            _ if text == "space" => Code::Char(' '),
            _ => return Err(KeyError(text.to_owned())),
        };
        Ok(Key { code, ctrl: false, alt: false })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("space"),
            Code::Char(character) => write!(f, "{character}"),
            Code::Named(named) => {
                let name = NAMES.iter().find(|(_, known)| *known == named).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

/// Keys pressed one after the other, as in `g g`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequence(pub Vec<Key>);

impl FromStr for Sequence {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let keys = text.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError(text.to_owned())) } else { Ok(Self(keys)) }
    }
}

impl Sequence {
    /// As the keymap file writes it.
    pub(crate) fn written(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// As it is shown: without blanks.
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_they_are_written() {
        for text in ["j", "G", "ctrl-c", "alt-x", "shift-tab", "space", "pgdn", "?", "-", "ctrl-left"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        assert_eq!("g g".parse::<Sequence>().unwrap().to_string(), "gg");
    }

    #[test]
    fn texts_that_name_no_key_are_refused() {
        for text in ["", "jj", "ctrl-", "strg-c"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        assert!(" ".parse::<Sequence>().is_err());
    }

    #[test]
    fn only_plain_characters_type() {
        assert_eq!("G".parse::<Key>().unwrap().typed(), Some('G'));
        assert_eq!("ctrl-g".parse::<Key>().unwrap().typed(), None);
        assert_eq!("enter".parse::<Key>().unwrap().typed(), None);
    }
}
