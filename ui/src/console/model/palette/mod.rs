//! The command palette: everything one can do or go to, found by a few letters; rank.rs says what answers them best.

mod rank;

use std::cmp::Reverse;

use mypaas::api::ServiceView;
use mypaas::name::ServerName;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use self::rank::{Letters, Rank, Typed};
use super::fleet::{Fleet, ServerEntry, ServiceAt};
use super::line::Line;
use super::list::Item;
use crate::console::command::Command;
use crate::console::keymap::{Binding, Context, Keymap, Section};

#[derive(Debug, Clone)]
pub(crate) struct Palette {
    pub line: Line,
    entries: Vec<Entry>,
    /// The selected service when it was opened: what a bare `scale 5` is about.
    target: Option<ServiceAt>,
    /// The server that the page is about: of lines about several it goes first.
    here: Option<ServerName>,
    /// What the line matches, best first.
    pub hits: Vec<Hit>,
    pub cursor: usize,
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub text: String,
    letters: Letters,
    /// The key that does the same.
    pub key: String,
    pub what: Pick,
}

impl Entry {
    fn new(text: String, key: String, what: Pick) -> Self {
        Self { letters: Letters::of(&text), text, key, what }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    Run(Command),
    /// With this service selected.
    RunAt(ServiceAt, Command),
    Go(Item),
    /// With this server selected.
    On(ServerName, Command),
    Scale(ServiceAt, u32),
}

/// An entry that matches, and which of its characters do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub entry: Entry,
    pub characters: Vec<u32>,
}

/// More hits are not of use to anybody.
const MOST_HITS: usize = 200;

/// What can be done to any service by its name.
const DEEDS: [(&str, Command); 10] = [
    ("logs", Command::Logs),
    ("describe", Command::Describe),
    ("redeploy", Command::Redeploy),
    ("roll back", Command::Rollback),
    ("scale", Command::ScaleUp),
    ("restart", Command::Restart),
    ("stop or start", Command::StopOrStart),
    ("remove", Command::Remove),
    ("shell in", Command::Shell),
    ("watch the deploy of", Command::Watch),
];

impl Palette {
    /// Everything that can be done in this context, and every place to go to.
    pub(crate) fn open(
        keymap: &Keymap,
        context: Context,
        fleet: &Fleet,
        target: Option<ServiceAt>,
        here: Option<ServerName>,
    ) -> Self {
        let mut entries: Vec<Entry> = keymap.of(context).filter(|binding| is_command(binding)).map(command).collect();
        for server in &fleet.servers {
            add_server(server, &mut entries);
        }
        let services = fleet.servers.iter().flat_map(|server| {
            let at = |service: &ServiceView| ServiceAt { server: server.name.clone(), service: service.name.clone() };
            server.services().iter().map(at)
        });
        for at in services {
            add_service(&at, keymap, &mut entries);
        }
        let mut palette = Self { line: Line::default(), entries, target, here, hits: Vec::new(), cursor: 0 };
        palette.search();
        palette
    }

    /// To be called after the line changed.
    pub(crate) fn search(&mut self) {
        self.cursor = 0;
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(self.line.text(), CaseMatching::Ignore, Normalization::Smart);
        let typed = Typed::of(self.line.text());
        let mut buffer = Vec::new();
        let mut ranked = Vec::new();
        for entry in &self.entries {
            let Some(rank) = typed.rank(entry) else { continue };
            let score = pattern.score(Utf32Str::new(&entry.text, &mut buffer), &mut matcher);
            let distance = typed.distance(entry, self.target.as_ref(), self.here.as_ref());
            ranked.push(((rank, !typed.names(entry), Reverse(score.filter(|_| rank != Rank::Key)), distance), entry));
        }
        ranked.sort_by_key(|(place, _)| *place);
        let hit = |(_, entry): (_, &Entry)| {
            let mut characters = Vec::new();
            pattern.indices(Utf32Str::new(&entry.text, &mut Vec::new()), &mut matcher, &mut characters);
            characters.sort_unstable();
            Hit { entry: entry.clone(), characters }
        };
        let best = ranked.into_iter().take(MOST_HITS).map(hit);
        self.hits = self.scale_by_number().into_iter().chain(best).collect();
    }

    pub(crate) fn selected(&self) -> Option<&Pick> {
        self.hits.get(self.cursor).map(|hit| &hit.entry.what)
    }

    /// `scale 5`, or `scale 5 blog`.
    fn scale_by_number(&self) -> Option<Hit> {
        let mut words = self.line.text().split_whitespace();
        if words.next()? != "scale" {
            return None;
        }
        let count = words.next()?.parse().ok()?;
        let at = match words.next() {
            Some(name) => self.entries.iter().find_map(|entry| match &entry.what {
                Pick::RunAt(at, _) if at.service.as_str() == name => Some(at.clone()),
                _ => None,
            })?,
            None => self.target.clone()?,
        };
        let entry = Entry::new(format!("scale {at} to {count}"), String::new(), Pick::Scale(at, count));
        Some(Hit { entry, characters: Vec::new() })
    }
}

fn is_order(section: Section) -> bool {
    matches!(section, Section::Order | Section::FleetOrder | Section::AlertOrder | Section::JournalOrder)
}

fn is_command(binding: &Binding) -> bool {
    binding.section != Section::Moving && !matches!(binding.command, Command::Palette | Command::Back)
}

fn command(binding: &Binding) -> Entry {
    let key = binding.keys.first().map(ToString::to_string).unwrap_or_default();
    let text = match &binding.hint {
        None if is_order(binding.section) => format!("sort the list: {}", binding.about),
        Some(hint) => format!("{hint}: {}", binding.about),
        None => binding.about.clone(),
    };
    Entry::new(text, key, Pick::Run(binding.command))
}

fn add_server(server: &ServerEntry, entries: &mut Vec<Entry>) {
    let name = &server.name;
    let mut add = |text: String, what| entries.push(Entry::new(text, String::new(), what));
    add(format!("go to server {name}"), Pick::Go(Item::Server(name.clone())));
    add(format!("describe server {name}"), Pick::On(name.clone(), Command::Describe));
    add(format!("push a folder to {name}"), Pick::On(name.clone(), Command::Push));
    add(format!("variables of {name}"), Pick::On(name.clone(), Command::ShowVariables));
    add(format!("disk of {name}"), Pick::On(name.clone(), Command::ShowDisk));
    add(format!("prune {name}"), Pick::On(name.clone(), Command::Prune));
}

fn add_service(at: &ServiceAt, keymap: &Keymap, entries: &mut Vec<Entry>) {
    let go = Pick::Go(Item::Service(at.clone()));
    entries.push(Entry::new(format!("go to {at}"), String::new(), go));
    entries.extend(DEEDS.map(|(verb, command)| {
        let key = keymap.key_of(command).map(ToString::to_string).unwrap_or_default();
        Entry::new(format!("{verb} {at}"), key, Pick::RunAt(at.clone(), command))
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, service_at};

    fn palette(typed: &str) -> Palette {
        let keymap = Keymap::compiled_in().unwrap();
        let target = Some(service_at("local", "api"));
        let here = Some("s2".parse().unwrap());
        let mut palette = Palette::open(&keymap, Context::Services, &fixture::fleet(), target, here);
        palette.line = Line::of(typed);
        palette.search();
        palette
    }

    fn first(typed: &str) -> Pick {
        palette(typed).selected().cloned().unwrap()
    }

    #[test]
    fn a_few_letters_find_a_deed_and_its_service() {
        assert_eq!(first("restart blog"), Pick::RunAt(service_at("local", "blog"), Command::Restart));
        assert_eq!(first("rb shop"), Pick::RunAt(service_at("local", "shop"), Command::Rollback));
        assert_eq!(first("go metr"), Pick::Go(Item::Service(service_at("s2", "metrics"))));
    }

    #[test]
    fn screens_and_servers_are_found_too() {
        assert_eq!(first("to the alerts"), Pick::Run(Command::ShowAlerts));
        assert_eq!(first("journal"), Pick::Run(Command::ShowJournal));
        assert_eq!(first("vari s2"), Pick::On("s2".parse().unwrap(), Command::ShowVariables));
    }

    #[test]
    fn of_what_can_be_done_on_each_server_the_one_here_goes_first() {
        assert_eq!(first("disk"), Pick::On("s2".parse().unwrap(), Command::ShowDisk));
        assert_eq!(first("prune"), Pick::On("s2".parse().unwrap(), Command::Prune));
        assert_eq!(first("prune local"), Pick::On("local".parse().unwrap(), Command::Prune));
    }

    #[test]
    fn a_key_finds_its_command() {
        assert_eq!(first("R"), Pick::Run(Command::Redeploy));
        assert_eq!(first("?"), Pick::Run(Command::Help));
    }

    #[test]
    fn scale_takes_a_number_and_perhaps_a_name() {
        assert_eq!(first("scale 5"), Pick::Scale(service_at("local", "api"), 5));
        assert_eq!(first("scale 2 blog"), Pick::Scale(service_at("local", "blog"), 2));
    }

    #[test]
    fn a_command_s_own_word_goes_before_words_of_sentences() {
        assert_eq!(first("logs"), Pick::Run(Command::Logs));
        assert_eq!(first("rest"), Pick::Run(Command::Restart));
        assert_eq!(first("stop"), Pick::Run(Command::StopOrStart));
        assert_eq!(first("alert"), Pick::Run(Command::ShowAlerts));
        assert_eq!(first("rollback shop"), Pick::RunAt(service_at("local", "shop"), Command::Rollback));
    }

    #[test]
    fn the_service_that_is_named_in_full_goes_first_and_then_the_selected_one() {
        assert_eq!(first("describe"), Pick::RunAt(service_at("local", "api"), Command::Describe));
        assert_eq!(first("restart shop"), Pick::RunAt(service_at("local", "shop"), Command::Restart));
        assert_eq!(first("restart shop.w"), Pick::RunAt(service_at("local", "shop.worker"), Command::Restart));
        assert_eq!(first("go mtrcs"), Pick::Go(Item::Service(service_at("s2", "metrics"))), "letters of a name");
    }

    #[test]
    fn letters_scattered_over_a_sentence_find_nothing() {
        let texts = |typed: &str| palette(typed).hits.into_iter().map(|hit| hit.entry.text).collect::<Vec<_>>();
        assert_eq!(texts("theme"), [""; 0]);
        assert_eq!(texts("risk"), [""; 0]);
        assert!(texts("alert").iter().all(|text| text.contains("alert")), "{:?}", texts("alert"));
    }

    #[test]
    fn nothing_is_found_for_nonsense() {
        assert!(palette("qqqqzzzz").hits.is_empty());
        assert!(!palette("").hits.is_empty());
    }
}
