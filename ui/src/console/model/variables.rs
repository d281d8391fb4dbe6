//! The page with the variables of a server's environment. Values are typed, sent, and never shown or kept.

use mypaas::api::{Problem, VariableView};
use mypaas::name::{ServerName, ServiceName, VariableName};

use super::Ticket;
use super::dialog::Stage;
use super::line::{Line, Unseen};

#[derive(Debug, Clone)]
pub(crate) struct Variables {
    pub server: ServerName,
    /// What was told last; it stays where nothing newer can be told.
    pub known: Option<Vec<VariableView>>,
    /// Why nothing newer can.
    pub problem: Option<Problem>,
    pub cursor: usize,
    /// The name of a new one, while it is typed; then of the one that a value is typed for.
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
        let (name, value) = (Line::default(), Unseen::default());
        Self { server, known: None, problem: None, cursor: 0, name, value }
    }

    pub(crate) fn selected(&self) -> Option<&VariableView> {
        self.known.as_ref()?.get(self.cursor)
    }

    pub(crate) fn last(&self) -> usize {
        self.known.as_ref().map_or(0, Vec::len).saturating_sub(1)
    }

    pub(crate) fn find(&self, name: &VariableName) -> Option<&VariableView> {
        self.known.as_ref()?.iter().find(|known| known.name == name.as_str())
    }

    /// The one that a value is typed for, whatever is selected meanwhile.
    pub(crate) fn meant(&self) -> Option<VariableName> {
        self.name.text().parse().ok()
    }

    /// What the server said. The selection stays with its variable. What was known stays where it cannot say.
    pub(crate) fn take(&mut self, result: Result<Vec<VariableView>, Problem>) {
        let selected = self.selected().map(|view| view.name.clone());
        match result {
            Ok(known) => (self.known, self.problem) = (Some(known), None),
            Err(problem) => self.problem = Some(problem),
        }
        let place = |name: String| self.known.as_ref()?.iter().position(|view| view.name == name);
        self.cursor = selected.and_then(place).unwrap_or(self.cursor).min(self.last());
    }
}
