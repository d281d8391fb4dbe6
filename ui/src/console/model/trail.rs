//! Where one was before, as in a browser.

use mypaas::api::{Deploy, LogsOf};
use mypaas::name::ServerName;

use super::chosen::Chosen;
use super::concern::ConcernId;
use super::detail::Tab;
use super::fleet::ServiceAt;
use super::journal::JournalPage;
use super::list::Item;
use super::{Focus, Model, Page};

/// So many places are remembered.
const MOST: usize = 50;

#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    back: Vec<Place>,
    forward: Vec<Place>,
    step: Step,
}

/// How one came to where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Step {
    #[default]
    Walked,
    /// Straight to something named, which may look like walking.
    Jumped,
    /// Along this trail.
    Returned,
}

/// Something one looks at. Lines within it are no places of their own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    List { selected: Option<Item> },
    Pane { selected: Item, tab: Tab, whole: bool },
    Logs { at: ServiceAt, of: LogsOf },
    Deploy { at: ServiceAt, deploy: Box<Deploy> },
    Fleet { selected: Option<ServerName> },
    Alerts { selected: Chosen<ConcernId> },
    Journal(JournalPage),
    Variables { server: ServerName },
    Disk { server: ServerName },
}

impl Place {
    /// None where nothing is to come back to.
    pub(crate) fn of(model: &Model) -> Option<Self> {
        let selected = model.list.selected.clone();
        Some(match (&model.page, model.focus) {
            (Page::Services, Focus::List) => Place::List { selected },
            (Page::Services, Focus::Pane { whole }) => Place::Pane { selected: selected?, tab: model.pane.tab, whole },
            (Page::Logs, _) => {
                let logs = model.logs.as_ref()?;
                Place::Logs { at: logs.at.clone(), of: logs.of.clone() }
            }
            (Page::Deploy(page), _) => Place::Deploy { at: page.at.clone(), deploy: Box::new(page.deploy.clone()) },
            (Page::Fleet(selected), _) => Place::Fleet { selected: selected.clone() },
            (Page::Alerts(selected), _) => Place::Alerts { selected: selected.clone() },
            (Page::Journal(page), _) => Place::Journal(page.clone()),
            (Page::Variables(page), _) => Place::Variables { server: page.server.clone() },
            (Page::Disk(page), _) => Place::Disk { server: page.server.clone() },
            (Page::Push(_), _) => return None,
        })
    }

    /// One is somewhere else now, or where nothing is to come back to.
    pub(crate) fn is_left_for(&self, now: Option<&Place>) -> bool {
        now.is_none_or(|now| self.is_elsewhere(now))
    }

    fn is_elsewhere(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::List { .. }, Place::List { .. })
            | (Place::Fleet { .. }, Place::Fleet { .. })
            | (Place::Alerts { .. }, Place::Alerts { .. })
            | (Place::Journal(_), Place::Journal(_)) => false,
            (Place::Variables { server: one }, Place::Variables { server: other })
            | (Place::Disk { server: one }, Place::Disk { server: other }) => one != other,
            (Place::Pane { selected: one, .. }, Place::Pane { selected: other, .. }) => one != other,
            (Place::Logs { at: one, .. }, Place::Logs { at: other, .. }) => one != other,
            (Place::Deploy { at: one, deploy }, Place::Deploy { at: other, deploy: other_deploy }) => {
                (one, deploy.id) != (other, other_deploy.id)
            }
            _ => true,
        }
    }
}

impl Trail {
    /// What comes is a jump, also when it stays on the same page.
    pub(crate) fn jump(&mut self) {
        self.step = Step::Jumped;
    }

    /// Remembers `before`, unless one is still there.
    pub(crate) fn note(&mut self, before: Option<Place>, now: Option<&Place>) {
        let step = std::mem::take(&mut self.step);
        let Some(before) = before else { return };
        let left = match step {
            Step::Walked => before.is_left_for(now),
            Step::Jumped => now != Some(&before),
            Step::Returned => false,
        };
        if left {
            self.forward.clear();
            push(&mut self.back, before);
        }
    }

    /// The place one was at before this one, or the one that was left for it.
    pub(crate) fn turn(&mut self, back: bool, here: Option<Place>) -> Option<Place> {
        let (from, to) = if back { (&mut self.back, &mut self.forward) } else { (&mut self.forward, &mut self.back) };
        let mut place = from.pop()?;
        // From a page that is no place, as that of a push, one comes back to where one was.
        while here.as_ref() == Some(&place) {
            place = from.pop()?;
        }
        if let Some(here) = here {
            push(to, here);
        }
        self.step = Step::Returned;
        Some(place)
    }
}

fn push(places: &mut Vec<Place>, place: Place) {
    if places.len() == MOST {
        places.remove(0);
    }
    places.push(place);
}
