//! Which key means what, and where. Read from `keymap.toml`, which is compiled in; help, footer and palette are made
//! from it, so that a key is written down once.
//!
//! A context (what has the keys now) is a list of sections of the file. A key is looked up in all of them, and no two
//! bindings of a context may clash.
//!
//! ```text
//! context.rs   sections and contexts
//! own.rs       what the operator changes, in a file of their own
//! ```

mod context;
mod own;

use serde::Deserialize;

pub(crate) use self::context::{Context, Section};
pub use self::own::KeymapError;
use super::command::Command;
use super::key::{Key, KeyError, Sequence};

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/keymap.toml"));

/// One entry of the keymap file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub section: Section,
    pub command: Command,
    pub keys: Vec<Sequence>,
    /// One sentence.
    pub about: String,
    /// The word in the footer.
    pub hint: Option<String>,
}

/// What keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Command(Command),
    /// The beginning of a longer sequence.
    Prefix,
    Nothing,
}

/// All bindings, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keymap {
    bindings: Vec<Binding>,
}

/// What is wrong with the bindings of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub context: Context,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// Two commands want the same key, or one's keys are the beginning of the other's.
    Clash { keys: Sequence, one: Place, other: Place },
    /// A key that is to be text there is bound to a command.
    IsText { key: Sequence, by: Place },
    /// Nothing ends the console there, or nothing leads back.
    NoWayOut { command: Command },
}

/// Where a binding stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub section: Section,
    pub command: Command,
}

/// Why the compiled-in file cannot be used.
#[derive(Debug, thiserror::Error)]
enum CompiledInError {
    #[error("the keymap cannot be read")]
    Syntax(#[from] toml::de::Error),
    #[error("a key of the command {command:?} is wrong")]
    Key { command: Command, source: KeyError },
    #[error("the keymap is at odds with itself: {0:?}")]
    Fault(Fault),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    binding: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    section: Section,
    command: Command,
    keys: Vec<String>,
    about: String,
    hint: Option<String>,
}

impl Keymap {
    /// The keys that come with the console.
    pub(crate) fn compiled_in() -> anyhow::Result<Self> {
        Ok(Self::read(FILE)?)
    }

    fn read(text: &str) -> Result<Self, CompiledInError> {
        let file: File = toml::from_str(text)?;
        let bindings = file.binding.into_iter().map(Binding::try_from).collect::<Result<_, _>>()?;
        let keymap = Self { bindings };
        keymap.check().map_err(CompiledInError::Fault)?;
        Ok(keymap)
    }

    /// What the keys pressed so far mean in this context.
    pub(crate) fn meaning(&self, context: Context, pressed: &[Key]) -> Meaning {
        let mut prefix = false;
        for (sequence, binding) in self.sequences(context) {
            if sequence.0 == pressed {
                return Meaning::Command(binding.command);
            }
            prefix |= sequence.0.starts_with(pressed);
        }
        if prefix { Meaning::Prefix } else { Meaning::Nothing }
    }

    /// The bindings of a context, those of its first section first.
    pub(crate) fn of(&self, context: Context) -> impl Iterator<Item = &Binding> {
        context
            .sections()
            .iter()
            .flat_map(|section| self.bindings.iter().filter(move |binding| binding.section == *section))
    }

    /// What may follow the keys pressed so far: the rest of the sequence, and its binding.
    pub(crate) fn continuations<'a>(
        &'a self,
        context: Context,
        pressed: &'a [Key],
    ) -> impl Iterator<Item = (Sequence, &'a Binding)> {
        self.sequences(context).filter_map(move |(sequence, binding)| {
            let rest = sequence.0.strip_prefix(pressed).filter(|rest| !rest.is_empty())?;
            Some((Sequence(rest.to_vec()), binding))
        })
    }

    /// The first key bound to a command, for showing it beside the command.
    pub(crate) fn key_of(&self, command: Command) -> Option<&Sequence> {
        self.bindings.iter().find(|binding| binding.command == command).and_then(|binding| binding.keys.first())
    }

    fn sequences(&self, context: Context) -> impl Iterator<Item = (&Sequence, &Binding)> {
        self.of(context).flat_map(|binding| binding.keys.iter().map(move |sequence| (sequence, binding)))
    }

    fn check(&self) -> Result<(), Fault> {
        Context::ALL.into_iter().try_for_each(|context| {
            self.check_clashes(context)
                .and_then(|()| self.check_text(context))
                .and_then(|()| self.check_way_out(context))
                .map_err(|kind| Fault { context, kind })
        })
    }

    fn check_clashes(&self, context: Context) -> Result<(), FaultKind> {
        let mut seen: Vec<(&Sequence, &Binding)> = Vec::new();
        for (sequence, binding) in self.sequences(context) {
            let begins_like = |known: &Sequence| known.0.starts_with(&sequence.0) || sequence.0.starts_with(&known.0);
            if let Some((known, other)) = seen.iter().find(|(known, _)| begins_like(known)) {
                let keys = if known.0.len() < sequence.0.len() { (*known).clone() } else { sequence.clone() };
                return Err(FaultKind::Clash { keys, one: binding.place(), other: other.place() });
            }
            seen.push((sequence, binding));
        }
        Ok(())
    }

    /// While text is typed, characters are text.
    fn check_text(&self, context: Context) -> Result<(), FaultKind> {
        let is_text = |sequence: &Sequence| sequence.0.first().is_some_and(|key| key.typed().is_some());
        let found = self.sequences(context).find(|(sequence, _)| context.takes_text() && is_text(sequence));
        found.map_or(Ok(()), |(key, binding)| Err(FaultKind::IsText { key: key.clone(), by: binding.place() }))
    }

    fn check_way_out(&self, context: Context) -> Result<(), FaultKind> {
        let has = |command| self.sequences(context).any(|(_, binding)| binding.command == command);
        if !has(Command::Quit) {
            return Err(FaultKind::NoWayOut { command: Command::Quit });
        }
        if !has(Command::Back) && !has(Command::Cancel) {
            let command = if context.sections().contains(&Section::Anywhere) { Command::Back } else { Command::Cancel };
            return Err(FaultKind::NoWayOut { command });
        }
        Ok(())
    }
}

impl Binding {
    fn place(&self) -> Place {
        Place { section: self.section, command: self.command }
    }
}

impl TryFrom<Entry> for Binding {
    type Error = CompiledInError;

    fn try_from(entry: Entry) -> Result<Self, CompiledInError> {
        let Entry { section, command, keys, about, hint } = entry;
        let keys = keys
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(|source| CompiledInError::Key { command, source })?;
        Ok(Self { section, command, keys, about, hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        text.parse::<Sequence>().unwrap().0
    }

    #[test]
    fn the_compiled_in_keys_do_not_clash() {
        Keymap::compiled_in().unwrap();
    }

    fn fault(text: &str) -> Fault {
        match Keymap::read(text) {
            Err(CompiledInError::Fault(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_clash_is_found_and_named() {
        let text = r#"
            [[binding]]
            section = "moving"
            command = "first"
            keys = ["g g"]
            about = "First line"
            [[binding]]
            section = "anywhere"
            command = "help"
            keys = ["g"]
            about = "Help"
        "#;
        let place = |section, command| Place { section, command };
        let clash = FaultKind::Clash {
            keys: "g".parse().unwrap(),
            one: place(Section::Anywhere, Command::Help),
            other: place(Section::Moving, Command::First),
        };
        assert_eq!(fault(text), Fault { context: Context::Services, kind: clash });
    }

    #[test]
    fn a_context_that_cannot_be_left_or_typed_in_is_found() {
        let fault = fault("[[binding]]\nsection = 'moving'\ncommand = 'up'\nkeys = ['k']\nabout = ''");
        assert_eq!(fault.kind, FaultKind::NoWayOut { command: Command::Quit });
        let mut keymap = Keymap::compiled_in().unwrap();
        let quit = keymap.bindings.iter_mut().find(|binding| binding.section == Section::Always).unwrap();
        quit.keys = vec!["Q".parse().unwrap()];
        assert!(matches!(keymap.check().unwrap_err().kind, FaultKind::IsText { .. }));
    }

    #[test]
    fn a_wrong_key_names_its_command() {
        let text = "[[binding]]\nsection = 'moving'\ncommand = 'up'\nkeys = ['upp']\nabout = ''";
        let error = Keymap::read(text).unwrap_err();
        assert_eq!(error.to_string(), "a key of the command Up is wrong");
    }

    #[test]
    fn a_sequence_is_a_prefix_until_it_is_whole() {
        let keymap = Keymap::compiled_in().unwrap();
        assert_eq!(keymap.meaning(Context::Services, &keys("g")), Meaning::Prefix);
        assert_eq!(keymap.meaning(Context::Services, &keys("g g")), Meaning::Command(Command::First));
        assert_eq!(keymap.meaning(Context::Services, &keys("g x")), Meaning::Nothing);
        let follow: Vec<_> =
            keymap.continuations(Context::Services, &keys("y")).map(|(rest, _)| rest.to_string()).collect();
        assert_eq!(follow, ["u", "n", "c"]);
    }
}
