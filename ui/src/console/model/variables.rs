//! The page with the variables of a server's environment. Values are typed, sent, and never shown or kept.

use mypaas::api::{Problem, VariableView};
use mypaas::name::{ServerName, ServiceName, VariableName};

use super::Ticket;
use super::dialog::{Load, Stage};
use super::line::{Line, Unseen};

#[derive(Debug, Clone)]
pub(crate) struct Variables {
    pub server: ServerName,
    pub known: Load<Vec<VariableView>>,
    pub cursor: usize,
    /// The name of a new one, while it is typed.
    pub name: Line,
    /// A value, while it is typed.
    pub value: Unseen,
}

/// A change that waits for a yes.
#[derive(Debug, Clone)]
pub(crate) struct VariableConfirm {
    pub server: ServerName,
    pub name: VariableName,
    /// None: its value is taken away.
    pub value: Option<Unseen>,
    pub had_value: bool,
    pub used_by: Vec<ServiceName>,
    pub stage: Stage,
    pub ticket: Ticket,
}

impl Variables {
    pub(crate) fn of(server: ServerName) -> Self {
        Self { server, known: Load::Waiting, cursor: 0, name: Line::default(), value: Unseen::default() }
    }

    pub(crate) fn selected(&self) -> Option<&VariableView> {
        self.known.ready()?.get(self.cursor)
    }

    pub(crate) fn last(&self) -> usize {
        self.known.ready().map_or(0, Vec::len).saturating_sub(1)
    }

    pub(crate) fn find(&self, name: &VariableName) -> Option<&VariableView> {
        self.known.ready()?.iter().find(|known| known.name == name.as_str())
    }

    /// The one that a value is typed for: the new one where a name was typed, else the selected one.
    pub(crate) fn meant(&self) -> Option<VariableName> {
        let typed = self.name.text();
        let text = if typed.is_empty() { self.selected()?.name.as_str() } else { typed };
        text.parse().ok()
    }

    /// What the server said. The selection stays with its variable. What was known stays where it cannot say.
    pub(crate) fn take(&mut self, result: Result<Vec<VariableView>, Problem>) {
        let selected = self.selected().map(|view| view.name.clone());
        self.known = Load::of(result);
        let place = |name: String| self.known.ready()?.iter().position(|view| view.name == name);
        self.cursor = selected.and_then(place).unwrap_or(self.cursor).min(self.last());
    }
}
