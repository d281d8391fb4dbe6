//! How well a line of the palette answers what is typed. Letters that are scattered over a sentence are no answer:
//! Enter would run what nobody meant.

use mypaas::name::ServerName;

use super::{Entry, Pick};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::list::Item;

/// The best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Its key was typed.
    Key,
    /// A command's own word begins like this.
    Command,
    /// It begins like this.
    Start,
    /// Words of it begin like this.
    Words,
    /// Some of the letters of a name.
    Letters,
}

/// The letters and digits of a text, in small letters, so that `rollback` finds `roll back`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letters {
    joined: String,
    /// Where its words begin.
    starts: Vec<usize>,
}

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        let mut letters = Self { joined: String::new(), starts: Vec::new() };
        for word in text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
            letters.starts.push(letters.joined.len());
            letters.joined.extend(word.chars().flat_map(char::to_lowercase));
        }
        letters
    }

    fn has_word(&self, begin: &str) -> bool {
        self.starts.iter().any(|start| self.joined[*start..].starts_with(begin))
    }

    /// As in `rb` for `roll back`.
    fn has_initials(&self, initials: &str) -> bool {
        let mut own = self.starts.iter().filter_map(|start| self.joined[*start..].chars().next());
        initials.chars().all(|initial| own.next() == Some(initial))
    }

    /// They come in this order.
    fn has_scattered(&self, letters: &str) -> bool {
        let mut rest = self.joined.chars();
        letters.chars().all(|letter| rest.any(|character| character == letter))
    }
}

/// What is typed, word by word.
pub(super) struct Typed<'a> {
    line: &'a str,
    words: Vec<String>,
}

impl<'a> Typed<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self { line, words: line.split_whitespace().map(|word| Letters::of(word).joined).collect() }
    }

    /// None where it is no answer.
    pub(super) fn rank(&self, entry: &Entry) -> Option<Rank> {
        if !entry.key.is_empty() && entry.key == self.line {
            return Some(Rank::Key);
        }
        let Some(first) = self.words.first() else { return Some(Rank::Words) };
        // A sign is no letter of anything.
        if self.words.iter().any(String::is_empty) {
            return None;
        }
        let is_word = |typed: &String| entry.letters.has_word(typed) || entry.letters.has_initials(typed);
        if !self.words.iter().all(is_word) {
            let name = Letters::of(name(&entry.what)?);
            let is_found = |typed: &String| is_word(typed) || name.has_scattered(typed);
            return self.words.iter().all(is_found).then_some(Rank::Letters);
        }
        let is_own = matches!(entry.what, Pick::Run(_)) && own_word(&entry.text).starts_with(&self.words.concat());
        Some(match (is_own, entry.letters.joined.starts_with(first)) {
            (true, _) => Rank::Command,
            (false, true) => Rank::Start,
            (false, false) => Rank::Words,
        })
    }

    /// Its name was typed in full.
    pub(super) fn names(&self, entry: &Entry) -> bool {
        name(&entry.what).is_some_and(|name| self.line.split_whitespace().any(|word| word == name))
    }

    /// How far it is from where one is, for what nothing else tells apart: about the selected service, about the server
    /// that one is at, about something else.
    pub(super) fn distance(&self, entry: &Entry, target: Option<&ServiceAt>, here: Option<&ServerName>) -> u8 {
        match &entry.what {
            Pick::Run(_) => 0,
            Pick::RunAt(at, _) if Some(at) == target && !self.words.is_empty() => 0,
            Pick::On(server, _) if Some(server) == here && !self.words.is_empty() => 1,
            _ => 2,
        }
    }
}

/// What stands before the colon, as in `logs: Read the logs`; the first word of a sentence without one.
fn own_word(text: &str) -> String {
    let own = text.split_once(": ").map(|(own, _)| own).or_else(|| text.split_whitespace().next());
    Letters::of(own.unwrap_or_default()).joined
}

/// Of the service, or the server, that it is about.
fn name(what: &Pick) -> Option<&str> {
    match what {
        Pick::RunAt(at, _) | Pick::Scale(at, _) | Pick::Go(Item::Service(at) | Item::Container(at, _)) => {
            Some(at.service.as_str())
        }
        Pick::Go(Item::Server(name)) | Pick::On(name, _) => Some(name.as_str()),
        Pick::Run(_) => None,
    }
}
