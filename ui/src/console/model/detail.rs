//! What is known of single services beyond the list, and how it is shown beside the list.

use mypaas::api::{Problem, ReleaseView, ServiceDetail, Span};
use mypaas::name::{ContainerName, DeployId, ReleaseId, ServerName};

use super::chosen::Chosen;
use super::fleet::ServiceAt;

/// So many services' details are remembered.
const MOST: usize = 64;

/// The tabs beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    #[default]
    Overview,
    Containers,
    Releases,
    Deploys,
    Graphs,
    Logs,
}

impl Tab {
    pub(crate) const ALL: [Tab; 6] =
        [Tab::Overview, Tab::Containers, Tab::Releases, Tab::Deploys, Tab::Graphs, Tab::Logs];

    pub(crate) fn next(self, forward: bool) -> Self {
        let count = Self::ALL.len();
        let step = if forward { 1 } else { count - 1 };
        Self::ALL[(self as usize + step) % count]
    }

    /// It has lines to choose from.
    pub(crate) fn has_lines(self) -> bool {
        matches!(self, Tab::Containers | Tab::Releases | Tab::Deploys)
    }
}

/// How the selected service is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pane {
    /// What the lines below belong to.
    pub of: Option<ServiceAt>,
    pub server: Option<ServerName>,
    pub tab: Tab,
    /// How far back the graphs reach.
    pub span: Span,
    /// The selected line of the tab with the containers.
    pub container: Chosen<ContainerName>,
    /// The selected line of the tab with the releases.
    pub release: Chosen<ReleaseId>,
    /// The selected line of the tab with the deploys.
    pub deploy: Chosen<DeployId>,
    /// The first line of the overview, of the graphs, or of what is told of a server, that is shown.
    pub scroll: usize,
}

impl Pane {
    /// Another service is shown now, or another server: from its start, in the same tab.
    pub(crate) fn turn_to(&mut self, server: Option<ServerName>, of: Option<ServiceAt>) {
        *self = Self { of, server, tab: self.tab, span: self.span, ..Self::default() };
    }
}

/// What asking for a service's detail gave.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Ready {
        detail: Box<ServiceDetail>,
    },
    /// Asking again failed; the detail is from before.
    Outdated {
        detail: Box<ServiceDetail>,
        problem: Problem,
    },
    Failed {
        problem: Problem,
    },
}

impl Known {
    pub(crate) fn detail(&self) -> Option<&ServiceDetail> {
        match self {
            Known::Ready { detail } | Known::Outdated { detail, .. } => Some(detail),
            Known::Failed { .. } => None,
        }
    }

    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Known::Outdated { problem, .. } | Known::Failed { problem } => Some(problem),
            Known::Ready { .. } => None,
        }
    }
}

/// The details that were loaded, the latest last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    known: Vec<(ServiceAt, Known)>,
}

impl Details {
    pub(crate) fn get(&self, at: &ServiceAt) -> Option<&Known> {
        self.known.iter().find(|(known, _)| known == at).map(|(_, known)| known)
    }

    pub(crate) fn take(&mut self, at: ServiceAt, result: Result<Box<ServiceDetail>, Problem>) {
        let place = self.known.iter().position(|(known, _)| *known == at);
        let before = place.map(|index| self.known.remove(index).1);
        let known = match (result, before) {
            (Ok(detail), _) => Known::Ready { detail },
            (Err(problem), Some(Known::Ready { detail } | Known::Outdated { detail, .. })) => {
                Known::Outdated { detail, problem }
            }
            (Err(problem), _) => Known::Failed { problem },
        };
        if self.known.len() == MOST {
            self.known.remove(0);
        }
        self.known.push((at, known));
    }

    /// A release is another now; the rest is as it was.
    pub(crate) fn take_release(&mut self, at: &ServiceAt, view: ReleaseView) {
        let known = self.known.iter_mut().find(|(known, _)| known == at).map(|(_, known)| known);
        if let Some(Known::Ready { detail } | Known::Outdated { detail, .. }) = known
            && let Some(before) = detail.releases.iter_mut().find(|before| before.release.id == view.release.id)
        {
            *before = view;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture::{self, service_at};

    #[test]
    fn a_failed_reload_keeps_what_was_known_and_says_so() {
        let mut details = Details::default();
        let at = service_at("local", "api");
        details.take(at.clone(), Err(fixture::problem("no")));
        assert!(details.get(&at).unwrap().detail().is_none());
        details.take(at.clone(), Ok(Box::new(fixture::detail("api"))));
        details.take(at.clone(), Err(fixture::problem("cut")));
        let known = details.get(&at).unwrap();
        assert!(known.detail().is_some() && known.problem().is_some());
    }

    #[test]
    fn tabs_go_round() {
        assert_eq!(Tab::Logs.next(true), Tab::Overview);
        assert_eq!(Tab::Overview.next(false), Tab::Logs);
    }
}
