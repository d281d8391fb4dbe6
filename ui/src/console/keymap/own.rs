//! The operator's own keys, as a file of theirs gives them: section by section, each command with the keys it is to
//! have. What is not named there stays as it is.
//!
//! ```toml
//! [services]
//! mark = ["space", "v"]
//! describe = []          # no key
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use mypaas::manifest::Diagnostic;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as NameError, StrDeserializer};
use toml::Spanned;

use super::{Binding, Fault, FaultKind, Keymap, Place, Section};
use crate::console::command::Command;
use crate::console::key::Sequence;

/// A keymap larger than this is something else.
const LARGEST_FILE: u64 = 256 * 1024;

/// Why an operator's own keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    #[error("the keymap {} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the keymap {} is larger than {LARGEST_FILE} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("the keymap {} has a mistake", path.display())]
    Invalid { path: PathBuf, diagnostic: Box<Diagnostic> },
}

type File = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<Vec<Spanned<String>>>>>;

/// A mistake, and the part of the text that is meant.
struct Mistake {
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

impl Keymap {
    /// The keys that come with the console, changed as the file says. That there is no file changes nothing.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let keymap = Self::compiled_in()?;
        let unreadable = |source| KeymapError::Read { path: path.to_owned(), source };
        let text = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(keymap),
            Err(error) => return Err(unreadable(error).into()),
            Ok(metadata) if metadata.len() > LARGEST_FILE => {
                return Err(KeymapError::TooLarge { path: path.to_owned() }.into());
            }
            Ok(_) => std::fs::read_to_string(path).map_err(unreadable)?,
        };
        let invalid = |diagnostic| KeymapError::Invalid { path: path.to_owned(), diagnostic };
        Ok(keymap.changed(&text).map_err(invalid)?)
    }

    /// From what [`Keymap::as_file`] made.
    pub(crate) fn of_file(text: &str) -> anyhow::Result<Self> {
        let mistake = |diagnostic: Box<Diagnostic>| anyhow::anyhow!("its keymap has a mistake: {}", diagnostic.message);
        Self::compiled_in()?.changed(text).map_err(mistake)
    }

    fn changed(mut self, text: &str) -> Result<Self, Box<Diagnostic>> {
        let told = |mistake: Mistake| Box::new(Diagnostic::in_text(text, mistake.span, mistake.message, mistake.hint));
        let file: File = toml::from_str(text).map_err(|error| told(syntax(&error)))?;
        let mut changes = BTreeMap::new();
        for (section_name, commands) in &file {
            let section = section(section_name).map_err(told)?;
            for (command_name, keys) in commands {
                let binding = self.binding(section, command_name).map_err(told)?;
                binding.keys = keys.get_ref().iter().map(sequence).collect::<Result<_, _>>().map_err(told)?;
                changes.insert(binding.place(), keys.span());
            }
        }
        self.check().map_err(|fault| told(explain(&fault, &changes)))?;
        Ok(self)
    }

    fn binding(&mut self, section: Section, name: &Spanned<String>) -> Result<&mut Binding, Mistake> {
        let command = named::<Command>(name.get_ref());
        let known = command.and_then(|command| {
            self.bindings.iter().position(|binding| binding.section == section && binding.command == command)
        });
        match known {
            Some(index) => Ok(&mut self.bindings[index]),
            None => Err(self.unknown_command(section, name)),
        }
    }

    fn unknown_command(&self, section: Section, name: &Spanned<String>) -> Mistake {
        let own = self.bindings.iter().filter(|binding| binding.section == section);
        let names: Vec<String> = own.map(|binding| word(binding.command)).collect();
        let message = format!("there is no command {} in [{}]", name.get_ref(), word(section));
        Mistake { span: name.span(), message, hint: nearest(name.get_ref(), &names) }
    }

    /// All bindings as such a file.
    pub(crate) fn as_file(&self) -> String {
        let mut text = String::from(
            "# The console's keys. Put what you want to have otherwise into keymap.toml in the configuration folder; what\n\
             # is not named there stays as it is, and [] takes the keys away from a command.\n",
        );
        for section in Section::ALL {
            text.push_str(&format!("\n[{}]\n", word(section)));
            for binding in self.bindings.iter().filter(|binding| binding.section == section) {
                let keys: Vec<String> = binding.keys.iter().map(|keys| format!("{:?}", keys.written())).collect();
                let line = format!("{} = [{}]", word(binding.command), keys.join(", "));
                text.push_str(&format!("{line:<40} # {}\n", binding.about));
            }
        }
        text
    }
}

fn syntax(error: &toml::de::Error) -> Mistake {
    let hint = "keys are written below their section, as in\n[services]\nmark = [\"space\"]";
    Mistake {
        span: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
        hint: Some(hint.replace('\n', " ")),
    }
}

fn section(name: &Spanned<String>) -> Result<Section, Mistake> {
    named(name.get_ref()).ok_or_else(|| {
        let names: Vec<String> = Section::ALL.into_iter().map(word).collect();
        let message = format!("there is no section {}", name.get_ref());
        Mistake { span: name.span(), message, hint: nearest(name.get_ref(), &names) }
    })
}

fn sequence(keys: &Spanned<String>) -> Result<Sequence, Mistake> {
    keys.get_ref().parse().map_err(|error: crate::console::key::KeyError| Mistake {
        span: keys.span(),
        message: error.to_string(),
        hint: Some("several keys pressed in a row have a blank between them: \"g g\"".into()),
    })
}

/// Sections and commands are called in the file as their types are in the code, but with small letters and dashes.
fn named<T: for<'de> Deserialize<'de>>(name: &str) -> Option<T> {
    let deserializer: StrDeserializer<'_, NameError> = name.into_deserializer();
    T::deserialize(deserializer).ok()
}

fn word(name: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for character in format!("{name:?}").chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(character.to_lowercase());
    }
    word
}

fn nearest(name: &str, known: &[String]) -> Option<String> {
    let near = known.iter().map(|other| (strsim::damerau_levenshtein(name, other), other)).min();
    let near = near.filter(|(distance, _)| *distance <= (name.len() / 3).max(1));
    Some(match near {
        Some((_, other)) => format!("did you mean {other}?"),
        None => format!("there is {}", known.join(", ")),
    })
}

/// A fault of the whole, told at the change that brought it about.
fn explain(fault: &Fault, changes: &BTreeMap<Place, Range<usize>>) -> Mistake {
    let span = |places: &[Place]| places.iter().find_map(|place| changes.get(place)).cloned();
    let context = fault.context.words();
    match &fault.kind {
        FaultKind::Clash { keys, one, other } => Mistake {
            span: span(&[*one, *other]).unwrap_or(0..0),
            message: format!("{} means both {} and {} {context}", keys.written(), told(*one), told(*other)),
            hint: Some(format!("give one of them another key; {} = [] takes its keys away", word(other.command))),
        },
        FaultKind::IsText { key, by } => Mistake {
            span: span(&[*by]).unwrap_or(0..0),
            message: format!("{} is text {context}, so it cannot be {}", key.written(), told(*by)),
            hint: Some("take one with ctrl or alt, as in ctrl-g".into()),
        },
        FaultKind::NoWayOut { command } => Mistake {
            span: changes.iter().find(|(place, _)| place.command == *command).map_or(0..0, |(_, span)| span.clone()),
            message: format!("there would be no key for {} {context}", word(*command)),
            hint: Some("leave it one".into()),
        },
    }
}

/// As in `anywhere.quit`.
fn told(place: Place) -> String {
    format!("{}.{}", word(place.section), word(place.command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::{Context, Meaning};

    fn changed(text: &str) -> Result<Keymap, Box<Diagnostic>> {
        Keymap::compiled_in().unwrap().changed(text)
    }

    /// What is told, the marked part, and the hint.
    fn mistake(text: &str) -> (String, String, String) {
        let found = *changed(text).unwrap_err();
        let marked = found.excerpt().map(|excerpt| excerpt.marked.to_owned());
        (found.message, marked.unwrap_or_default(), found.hint.unwrap_or_default())
    }

    fn meaning(keymap: &Keymap, keys: &str) -> Meaning {
        keymap.meaning(Context::Services, &keys.parse::<Sequence>().unwrap().0)
    }

    #[test]
    fn named_commands_get_their_keys_and_the_others_keep_theirs() {
        let keymap = changed("[services]\nmark = ['v', 'x x']\npush = []\n[moving]\nfirst = ['home']").unwrap();
        for keys in ["v", "x x"] {
            assert_eq!(meaning(&keymap, keys), Meaning::Command(Command::Mark));
        }
        for keys in ["space", "p", "g g"] {
            assert_eq!(meaning(&keymap, keys), Meaning::Nothing);
        }
        assert_eq!(meaning(&keymap, "q"), Meaning::Command(Command::Quit));
        assert!(changed("").is_ok());
    }

    #[test]
    fn a_clash_says_what_with_and_where() {
        let (message, marked, hint) = mistake("[services]\nmark = ['q']");
        assert_eq!(message, "q means both anywhere.quit and services.mark in the list of services");
        assert_eq!((marked.as_str(), hint.contains("mark = []")), ("['q']", true), "{hint}");
        let (message, ..) = mistake("[services]\nmark = ['g']");
        assert_eq!(message, "g means both moving.first and services.mark in the list of services");
    }

    #[test]
    fn names_that_are_not_known_are_marked_with_what_is_near() {
        let cases = [
            ("[servces]\nmark = ['v']", "there is no section servces", "servces", "did you mean services?"),
            ("[services]\nmrak = ['v']", "there is no command mrak in [services]", "mrak", "did you mean mark?"),
            ("[pick]\nmark = ['v']", "there is no command mark in [pick]", "mark", "there is accept, cancel"),
        ];
        for (text, message, marked, hint) in cases {
            assert_eq!(mistake(text), (message.into(), marked.into(), hint.into()));
        }
        let (message, marked, _) = mistake("[services]\nmark = ['strg-v']");
        assert!(message.starts_with("\"strg-v\" is not a key") && marked == "'strg-v'", "{message} {marked}");
        assert_eq!(mistake("[services\n").0, "unclosed table, expected `]`");
    }

    #[test]
    fn what_is_typed_stays_text_and_there_is_always_a_way_out() {
        let (message, ..) = mistake("[typing]\nline-end = ['e']");
        assert_eq!(message, "e is text where a folder is chosen, so it cannot be typing.line-end");
        let (message, marked, _) = mistake("[always]\nquit = []");
        assert_eq!(
            (message.as_str(), marked.as_str()),
            ("there would be no key for quit where a folder is chosen", "[]")
        );
    }

    #[test]
    fn the_keys_can_be_written_as_a_file_and_read_again() {
        let keymap = Keymap::compiled_in().unwrap();
        let text = keymap.as_file();
        assert!(text.contains("[services]") && text.contains("first = [\"g g\", \"home\"]"), "{text}");
        assert_eq!(changed(&text).unwrap(), keymap);
    }
}
