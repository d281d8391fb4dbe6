//! Which key means what, and where. Read from `keymap.toml`, which is compiled in; help, footer and palette are made
//! from it, so that a key is written down once.
//!
//! A context (what has the keys now) is a list of sections of the file. A key is looked up in all of them, and no two
//! bindings of a context may clash.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::command::Command;
use super::key::{Key, KeyError, Sequence};

const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/keymap.toml"));

/// A part of the keymap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Section {
    Always,
    Anywhere,
    Moving,
    Services,
    Service,
    Logs,
    Tabs,
    Deploy,
    Folder,
    Review,
    Mistakes,
    Confirm,
    Pick,
    Scale,
    Reading,
    Line,
    Choices,
    Typing,
}

impl Section {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Section::Always | Section::Anywhere => "Everywhere",
            Section::Moving => "Moving",
            Section::Services => "Services",
            Section::Service => "The selected service",
            Section::Logs => "Logs",
            Section::Tabs => "Tabs",
            Section::Deploy => "A deploy",
            Section::Folder => "Choosing a folder",
            Section::Review | Section::Mistakes => "Before a push",
            Section::Confirm => "Before an action",
            Section::Pick => "Choosing a release",
            Section::Scale => "Scaling",
            Section::Reading => "Reading",
            Section::Line | Section::Choices | Section::Typing => "Typing",
        }
    }
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Context {
    /// The list of services, or the pane beside it.
    Services,
    /// The logs as a tab beside the list.
    LogsTab,
    /// The logs on the whole screen.
    Logs,
    Deploy,
    Folder,
    Review,
    /// A folder that cannot be pushed.
    Mistakes,
    Confirm,
    Pick,
    Scale,
    Palette,
    /// One line of text: a filter.
    Line,
    /// Text on top of everything: help, a problem.
    Reading,
    /// Something that can only be waited for, or left.
    Waiting,
}

impl Context {
    const ALL: [Context; 14] = [
        Context::Services,
        Context::LogsTab,
        Context::Logs,
        Context::Deploy,
        Context::Folder,
        Context::Review,
        Context::Mistakes,
        Context::Confirm,
        Context::Pick,
        Context::Scale,
        Context::Palette,
        Context::Line,
        Context::Reading,
        Context::Waiting,
    ];

    /// The sections that hold here, those that matter most first.
    pub(crate) fn sections(self) -> &'static [Section] {
        use Section::{
            Always, Anywhere, Choices, Confirm, Deploy, Folder, Line, Logs, Mistakes, Moving, Pick, Reading, Review,
            Scale, Service, Services, Tabs, Typing,
        };
        match self {
            Context::Services => &[Services, Service, Moving, Anywhere, Always],
            Context::LogsTab => &[Logs, Tabs, Moving, Anywhere, Always],
            Context::Logs => &[Logs, Moving, Anywhere, Always],
            Context::Deploy => &[Deploy, Moving, Anywhere, Always],
            Context::Folder => &[Folder, Typing, Always],
            Context::Review => &[Review, Moving, Always],
            Context::Mistakes => &[Mistakes, Moving, Always],
            Context::Confirm => &[Confirm, Moving, Always],
            Context::Pick => &[Pick, Moving, Always],
            Context::Scale => &[Scale, Always],
            Context::Palette => &[Line, Choices, Typing, Always],
            Context::Line => &[Line, Typing, Always],
            Context::Reading => &[Reading, Moving, Always],
            Context::Waiting => &[Anywhere, Always],
        }
    }

    /// Keys that are bound to nothing are text.
    pub(crate) fn types(self) -> bool {
        matches!(self, Context::Folder | Context::Palette | Context::Line | Context::Scale)
    }
}

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

/// Why a keymap file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeymapError {
    #[error("the keymap cannot be read")]
    Syntax(#[from] toml::de::Error),
    #[error("a key of the command {command:?} is wrong")]
    Key { command: Command, source: KeyError },
    #[error("{keys} means both {one:?} and {other:?} in the same place ({context:?})")]
    Clash { keys: String, one: Command, other: Command, context: Context },
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
    pub(crate) fn compiled_in() -> Result<Self, KeymapError> {
        Self::read(FILE)
    }

    fn read(text: &str) -> Result<Self, KeymapError> {
        let file: File = toml::from_str(text)?;
        let bindings = file.binding.into_iter().map(Binding::try_from).collect::<Result<_, _>>()?;
        let keymap = Self { bindings };
        Context::ALL.into_iter().try_for_each(|context| keymap.check(context))?;
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

    /// Two bindings of one context that want the same key, or of which one begins like the other.
    fn check(&self, context: Context) -> Result<(), KeymapError> {
        let mut seen: BTreeMap<&Sequence, Command> = BTreeMap::new();
        for (sequence, binding) in self.sequences(context) {
            let clash =
                seen.iter().find(|(known, _)| known.0.starts_with(&sequence.0) || sequence.0.starts_with(&known.0));
            if let Some((_, other)) = clash {
                let keys = sequence.to_string();
                return Err(KeymapError::Clash { keys, one: binding.command, other: *other, context });
            }
            seen.insert(sequence, binding.command);
        }
        Ok(())
    }
}

impl TryFrom<Entry> for Binding {
    type Error = KeymapError;

    fn try_from(entry: Entry) -> Result<Self, KeymapError> {
        let Entry { section, command, keys, about, hint } = entry;
        let keys = keys
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(|source| KeymapError::Key { command, source })?;
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

    #[test]
    fn every_context_can_be_left_and_quit() {
        let keymap = Keymap::compiled_in().unwrap();
        for context in Context::ALL {
            assert_eq!(keymap.meaning(context, &keys("ctrl-c")), Meaning::Command(Command::Quit), "{context:?}");
            let escape = keymap.meaning(context, &keys("esc"));
            assert!(matches!(escape, Meaning::Command(Command::Back | Command::Cancel)), "{context:?}: {escape:?}");
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
        let error = Keymap::read(text).unwrap_err();
        assert_eq!(error.to_string(), "g means both Help and First in the same place (Services)");
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
