//! The lines of the journal: what its columns mean, and which lines it shows.

use jiff::Timestamp;
use mypaas::api::{AuditEntry, AuditResult, By, Deploy, state_word};
use mypaas::name::{ServerName, ServiceName};

use super::Model;
use super::column::{Columns, Value};
use super::filter::{Figure, TIMES, Text};
use super::journal::{Answer, Deed, Half};
use super::order::Direction;
use crate::console::words;

/// A line of one half or of the other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'a> {
    Own(&'a Deed),
    Noted {
        server: &'a ServerName,
        entry: &'a AuditEntry,
        /// By this console's clock.
        at: Timestamp,
        /// What came of it, as far as the server still tells.
        deploy: Option<&'a Deploy>,
    },
}

/// What tells a line from others, whatever becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordId {
    Own(u64),
    Noted(ServerName, Timestamp),
}

impl<'a> Record<'a> {
    pub(crate) fn id(self) -> RecordId {
        match self {
            Record::Own(deed) => RecordId::Own(deed.number),
            Record::Noted { server, entry, .. } => RecordId::Noted(server.clone(), entry.at),
        }
    }

    pub(crate) fn at(self) -> Timestamp {
        match self {
            Record::Own(deed) => deed.at,
            Record::Noted { at, .. } => at,
        }
    }

    pub(crate) fn server(self) -> &'a ServerName {
        match self {
            Record::Own(deed) => &deed.server,
            Record::Noted { server, .. } => server,
        }
    }

    pub(crate) fn service(self) -> Option<&'a ServiceName> {
        match self {
            Record::Own(deed) => deed.service.as_ref(),
            Record::Noted { entry, .. } => entry.service.as_ref(),
        }
    }

    pub(crate) fn what(self) -> String {
        match self {
            Record::Own(deed) => words::asked(&deed.what),
            Record::Noted { entry, .. } => entry.action.as_ref().map_or_else(|| entry.what(), words::action),
        }
    }

    /// Who it was. What this console asked for was asked by whoever sits here.
    pub(crate) fn who(self) -> Option<String> {
        match self {
            Record::Own(_) => None,
            Record::Noted { entry, .. } => Some(match &entry.by {
                By::Local { user } => user.clone(),
                By::Key(holder) => holder.name().to_owned(),
                By::Nobody { .. } => "nobody known".to_owned(),
            }),
        }
    }

    pub(crate) fn key(self) -> Option<String> {
        let Record::Noted { entry, .. } = self else { return None };
        match &entry.by {
            By::Local { .. } => None,
            By::Key(holder) => Some(words::key(&holder.fingerprint)),
            By::Nobody { claimed } => claimed.as_ref().map(words::key),
        }
    }

    pub(crate) fn from(self) -> Option<String> {
        let Record::Noted { entry, .. } = self else { return None };
        Some(entry.address.map_or_else(|| "on the server".to_owned(), |address| address.to_string()))
    }

    fn result(self) -> String {
        match self {
            Record::Own(deed) => match &deed.result {
                Answer::Waiting => "waiting".to_owned(),
                Answer::Done => "done".to_owned(),
                Answer::Refused(problem) => format!("not done: {}", problem.message),
                Answer::Deploy(deploy) => came_of(deploy),
            },
            Record::Noted { entry, deploy, .. } => match (&entry.result, deploy) {
                (AuditResult::Refused { message, .. }, _) => format!("refused: {message}"),
                (AuditResult::Done, Some(deploy)) => came_of(deploy),
                (AuditResult::Done, None) => "done".to_owned(),
            },
        }
    }
}

fn came_of(deploy: &Deploy) -> String {
    format!("{} {} {}", state_word(&deploy.state), deploy.id, words::ending(deploy).unwrap_or_default())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EntryColumn {
    #[default]
    Ago,
    Server,
    Who,
    Key,
    Service,
    What,
    Result,
    From,
}

fn has(text: Option<String>, wanted: &str) -> bool {
    text.is_some_and(|text| text.to_lowercase().contains(wanted))
}

impl Columns for EntryColumn {
    /// And the time it is now.
    type Line<'a> = (Record<'a>, Timestamp);

    const TEXTS: &'static [Text<Self>] = &[
        ("server", |(record, _), text| record.server().as_str().contains(text)),
        ("service", |(record, _), text| record.service().is_some_and(|service| service.as_str().contains(text))),
        ("by", |(record, _), text| has(record.who(), text)),
        ("key", |(record, _), text| has(record.key(), text)),
        ("what", |(record, _), text| has(Some(record.what()), text)),
        ("result", |(record, _), text| has(Some(record.result()), text)),
        ("from", |(record, _), text| has(record.from(), text)),
    ];
    const FIGURES: &'static [Figure<Self>] = &[("ago", TIMES, |line| EntryColumn::Ago.number_of(line))];

    /// Times in seconds.
    fn of(self, (record, now): Self::Line<'_>) -> Option<Value> {
        Some(match self {
            EntryColumn::Ago => Value::Number(now.duration_since(record.at()).as_secs()),
            EntryColumn::Server => Value::Text(record.server().to_string()),
            EntryColumn::Who => Value::Text(record.who()?),
            EntryColumn::Key => Value::Text(record.key()?),
            EntryColumn::Service => Value::Text(record.service()?.to_string()),
            EntryColumn::What => Value::Text(record.what()),
            EntryColumn::Result => Value::Text(record.result()),
            EntryColumn::From => Value::Text(record.from()?),
        })
    }

    /// The newest first.
    fn natural(self) -> Direction {
        Direction::Ascending
    }
}

impl Model {
    /// All lines of one half of the journal, the newest first.
    pub(crate) fn records(&self, half: Half) -> Vec<Record<'_>> {
        if half == Half::Own {
            return self.journal.own.iter().map(Record::Own).collect();
        }
        let noted = self.journal.noted();
        noted.into_iter().map(|(server, entry)| self.record(server, entry)).collect()
    }

    fn record<'a>(&'a self, server: &'a ServerName, entry: &'a AuditEntry) -> Record<'a> {
        let known = self.fleet.server(server);
        let at = known.map_or(entry.at, |server| server.here(entry.at));
        let told = known.and_then(|server| server.snapshot()).zip(entry.deploy);
        let deploy = told.and_then(|(snapshot, id)| snapshot.deploys.iter().find(|deploy| deploy.id == id));
        Record::Noted { server, entry, at, deploy }
    }

    /// Those that match the filter, in the order that was asked for.
    pub(crate) fn shown_records(&self, half: Half) -> Vec<Record<'_>> {
        let lines = self.records(half).into_iter().map(|record| (record, self.now));
        self.journal.arrangement.of(lines).into_iter().map(|(record, _)| record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::console::model::line::Line;

    /// Of what `local` noted, the services; `-` where it was about none.
    fn shown(filter: &str, by: EntryColumn, turns: usize) -> Vec<String> {
        let mut model = fixture::model();
        model.journal.audits.insert("local".parse().unwrap(), Ok(fixture::audit()));
        let arrangement = &mut model.journal.arrangement;
        arrangement.filter.line = Line::of(filter);
        arrangement.filter.read();
        (0..turns).for_each(|_| arrangement.order.turn_to(by));
        let records = model.shown_records(Half::Servers);
        records.iter().map(|record| record.service().map_or("-".into(), ToString::to_string)).collect()
    }

    #[test]
    fn entries_are_filtered_by_what_they_mean() {
        assert_eq!(shown("", EntryColumn::Ago, 0), ["shop", "blog", "api", "-", "docs"]);
        assert_eq!(shown("what:push", EntryColumn::Ago, 0), ["shop", "blog"]);
        assert_eq!(shown("result:refused", EntryColumn::Ago, 0), ["api"]);
        assert_eq!(shown("by:ada !docs", EntryColumn::Ago, 0), ["shop", "blog"]);
        assert_eq!(shown("from:server", EntryColumn::Ago, 0), ["-"]);
        assert_eq!(shown("ago<1h service:b", EntryColumn::Ago, 0), ["blog"]);
        assert_eq!(shown("9jm1", EntryColumn::Ago, 0).len(), 4, "a key is text too");
        assert_eq!(shown("server:s2", EntryColumn::Ago, 0), [""; 0]);
    }

    #[test]
    fn entries_are_sorted_by_any_column() {
        assert_eq!(shown("", EntryColumn::Ago, 1), ["docs", "-", "api", "blog", "shop"]);
        assert_eq!(shown("", EntryColumn::Service, 1), ["api", "blog", "docs", "shop", "-"]);
        assert_eq!(shown("", EntryColumn::Who, 1)[3..], ["-", "api"], "ada, root, the hall");
        assert_eq!(shown("", EntryColumn::What, 1)[3..], ["-", "api"], "set or unset a variable, stop");
        assert_eq!(shown("", EntryColumn::From, 1)[4], "-");
        assert_eq!(shown("", EntryColumn::Key, 1)[4], "-", "who has no key comes last");
    }

    #[test]
    fn what_was_asked_is_told_in_words_not_as_a_request() {
        let mut entry = fixture::audit().pop().unwrap();
        let server = "local".parse().unwrap();
        let what = |entry: &AuditEntry| Record::Noted { server: &server, entry, at: entry.at, deploy: None }.what();
        assert_eq!(what(&entry), "set or unset a variable");
        entry.detail = Some("set SECRET_KEY".into());
        assert_eq!(what(&entry), "set SECRET_KEY");
        (entry.detail, entry.request) = (None, "GET /daemon/v1/services/shop/shell".into());
        assert_eq!(what(&entry), "shell in shop");
    }
}
