//! What was done: by this console, and on the servers by anybody.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use mypaas::api::{Action, AuditEntry, Deploy, Problem, Snapshot, Target};
use mypaas::name::{DeployId, ReleaseId, ServerName, ServiceName};

use super::Ticket;
use super::arrangement::Arrangement;
use super::chosen::Chosen;
use super::entries::{EntryColumn, RecordId};
use crate::console::effect::Effect;
use crate::console::message::Message;

/// So many of the console's own deeds are remembered.
const MOST: usize = 500;

#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    /// What this console asked for, newest first.
    pub own: VecDeque<Deed>,
    /// What the servers' audit logs say, newest first; or why that is not known.
    pub audits: BTreeMap<ServerName, Result<Vec<AuditEntry>, Problem>>,
    /// Of both halves.
    pub arrangement: Arrangement<EntryColumn>,
}

/// Something that this console asked a server for.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// Later ones have greater numbers.
    pub number: u64,
    pub at: Timestamp,
    pub server: ServerName,
    pub what: What,
    pub service: Option<ServiceName>,
    pub result: Answer,
    pub ticket: Option<Ticket>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Action(Action),
    Cancel(DeployId),
    SetVariable(String),
    UnsetVariable(String),
    Pin(ReleaseId),
    Unpin(ReleaseId),
    Prune,
    Shell,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Waiting,
    Done,
    /// Taken on as this deploy, as it was last heard of.
    Deploy(Box<Deploy>),
    Refused(Problem),
}

/// Which half of the journal is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Half {
    /// This console's deeds.
    #[default]
    Own,
    /// What the servers noted.
    Servers,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct JournalPage {
    pub half: Half,
    pub chosen: Chosen<RecordId>,
}

impl Half {
    pub(crate) fn other(self) -> Self {
        match self {
            Half::Own => Half::Servers,
            Half::Servers => Half::Own,
        }
    }
}

impl Journal {
    /// Notes what is asked of a server, and what is only looked up not.
    pub(crate) fn note(&mut self, effect: &Effect, now: Timestamp) {
        let (ticket, server, what, service) = match effect {
            Effect::Deploy { ticket, server, target: Target::Service { service, action } } => {
                (Some(*ticket), server, What::Action(action.clone()), Some(service.clone()))
            }
            Effect::Push { ticket, server, .. } => (Some(*ticket), server, What::Action(Action::Push), None),
            Effect::Cancel { ticket, server, id } => (Some(*ticket), server, What::Cancel(*id), None),
            Effect::ChangeVariable { ticket, server, change } => {
                let name = change.name.to_string();
                let what = if change.value.is_some() { What::SetVariable(name) } else { What::UnsetVariable(name) };
                (Some(*ticket), server, what, None)
            }
            Effect::Pin { ticket, at, release, pinned } => {
                let what = if *pinned { What::Pin(*release) } else { What::Unpin(*release) };
                (Some(*ticket), &at.server, what, Some(at.service.clone()))
            }
            Effect::Prune { ticket, server } => (Some(*ticket), server, What::Prune, None),
            Effect::Shell { at, .. } => (None, &at.server, What::Shell, Some(at.service.clone())),
            _ => return,
        };
        let result = if ticket.is_some() { Answer::Waiting } else { Answer::Done };
        let number = self.own.front().map_or(0, |newest| newest.number + 1);
        self.own.truncate(MOST - 1);
        self.own.push_front(Deed { number, at: now, server: server.clone(), what, service, result, ticket });
    }

    /// Notes what came of something that was asked for.
    pub(crate) fn hear(&mut self, message: &Message) {
        match message {
            Message::Answered { ticket, result, .. } => self.answered(*ticket, result.clone().map(Some)),
            Message::Cancelled { ticket, result } => self.answered(*ticket, result.clone().map(|()| None)),
            Message::VariableChanged { ticket, result, .. } => {
                self.answered(*ticket, result.clone().map(|_| None));
            }
            Message::Pinned { ticket, result, .. } => self.answered(*ticket, result.clone().map(|_| None)),
            Message::Pruned { ticket, result, .. } => self.answered(*ticket, result.clone().map(|_| None)),
            _ => {}
        }
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Option<Box<Deploy>>, Problem>) {
        let Some(deed) = self.own.iter_mut().find(|deed| deed.ticket == Some(ticket)) else { return };
        deed.result = match result {
            Ok(Some(deploy)) => {
                deed.service = Some(deploy.service.clone());
                Answer::Deploy(deploy)
            }
            Ok(None) => Answer::Done,
            Err(problem) => Answer::Refused(problem),
        };
    }

    /// What is on its way to a server, the newest first: leaving now would lose it.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = &Deed> {
        self.own.iter().filter(|deed| matches!(deed.result, Answer::Waiting))
    }

    /// A server told how its deploys are.
    pub(crate) fn follow(&mut self, server: &ServerName, snapshot: &Snapshot) {
        for deed in self.own.iter_mut().filter(|deed| deed.server == *server) {
            if let Answer::Deploy(deploy) = &mut deed.result
                && let Some(now) = snapshot.deploys.iter().find(|now| now.id == deploy.id)
            {
                deploy.clone_from(&Box::new(now.clone()));
            }
        }
    }

    /// What all servers noted, newest first.
    pub(crate) fn noted(&self) -> Vec<(&ServerName, &AuditEntry)> {
        let known = self.audits.iter().filter_map(|(server, audit)| Some((server, audit.as_ref().ok()?)));
        let mut all: Vec<_> =
            known.flat_map(|(server, entries)| entries.iter().map(move |entry| (server, entry))).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.at));
        all
    }
}
