//! What the console listens to, as it follows from what is shown.

use std::collections::BTreeSet;

use mypaas::api::ServiceView;

use super::detail::Tab;
use super::fleet::{ServerEntry, ServiceAt};
use super::histories::Measured;
use super::journal::Half;
use super::list::Item;
use super::logs::Logs;
use super::push::Step;
use super::tape::Flow;
use super::{Breadth, Focus, Model, Page};
use crate::console::effect::Subscription;

impl Model {
    pub(crate) fn wanted(&self) -> BTreeSet<Subscription> {
        let mut wanted: BTreeSet<_> =
            self.fleet.servers.iter().map(|server| Subscription::Server(server.name.clone())).collect();
        wanted.extend(self.wanted_detail());
        wanted.extend(self.wanted_logs());
        wanted.extend(self.wanted_histories());
        wanted.extend(self.wanted_of_servers());
        if let Page::Push(page) = &self.page {
            if let Step::Choosing(choosing) = &page.step {
                wanted.extend(choosing.unknown().map(Subscription::Glance));
            }
            wanted.extend(page.looked_at().map(|folder| Subscription::Dockerfile(folder.to_owned())));
        }
        if let Page::Deploy(page) = &self.page {
            let of = |id| Subscription::Deploy { server: page.at.server.clone(), id };
            wanted.extend((page.flow != Flow::Ended).then(|| of(page.deploy.id)));
            let before = page.before.as_ref().filter(|before| before.progress.finished.is_none());
            wanted.extend(before.map(|before| of(before.id)));
        }
        wanted
    }

    fn wanted_detail(&self) -> Option<Subscription> {
        let at = self.service_in_view()?;
        let server = self.fleet.server(&at.server).filter(|server| server.is_live())?;
        let service = server.service(&at.service)?;
        Some(Subscription::Detail { at: at.clone(), revision: revision(service) })
    }

    /// Figures over time, where they are drawn.
    fn wanted_histories(&self) -> Option<Subscription> {
        let is_drawn = matches!(self.page, Page::Services) && self.draws_pane();
        let of = self.measured().filter(|_| is_drawn)?;
        let server = match &of {
            Measured::Machine(server) => server,
            Measured::Service(at) => &at.server,
        };
        let is_live = self.fleet.server(server).is_some_and(ServerEntry::is_live);
        is_live.then_some(Subscription::History { of, span: self.pane.span })
    }

    /// What the graphs beside the list are of, when there are any.
    pub(crate) fn measured(&self) -> Option<Measured> {
        match self.list.selected.as_ref()? {
            Item::Server(server) => Some(Measured::Machine(server.clone())),
            Item::Service(at) | Item::Container(at, _) if self.pane.tab == Tab::Graphs => {
                Some(Measured::Service(at.clone()))
            }
            Item::Service(_) | Item::Container(..) => None,
        }
    }

    /// What is asked of servers while their pages are shown.
    fn wanted_of_servers(&self) -> Vec<Subscription> {
        match &self.page {
            Page::Variables(page) => vec![Subscription::Variables(page.server.clone())],
            Page::Disk(page) => vec![Subscription::Disk { server: page.server.clone(), reading: page.reading }],
            Page::Journal(page) if page.half == Half::Servers => {
                let live = self.fleet.servers.iter().filter(|server| server.is_live());
                live.map(|server| Subscription::Audit(server.name.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn draws_pane(&self) -> bool {
        let has_list_alone = self.list.alone || self.breadth() == Breadth::Narrow;
        self.focus != Focus::List || !has_list_alone
    }

    fn wanted_logs(&self) -> Option<Subscription> {
        let logs = self.logs.as_ref().filter(|logs| self.shows(logs))?;
        let service = self.fleet.service(&logs.at)?;
        let running = service.containers.iter().map(|container| container.name.clone()).collect();
        Some(Subscription::Logs { at: logs.at.clone(), of: logs.of.clone(), since: logs.since, running })
    }

    fn shows(&self, logs: &Logs) -> bool {
        match &self.page {
            Page::Logs => true,
            Page::Services => self.draws_pane() && self.logs_beside() == Some(&logs.at),
            Page::Deploy(_)
            | Page::Push(_)
            | Page::Fleet(_)
            | Page::Alerts(_)
            | Page::Journal(_)
            | Page::Variables(_)
            | Page::Disk(_) => false,
        }
    }

    /// The service whose logs belong beside the list now.
    pub(crate) fn logs_beside(&self) -> Option<&ServiceAt> {
        let is_beside = match self.pane.tab {
            Tab::Logs => true,
            Tab::Overview => self.shows_log_tail(),
            Tab::Containers | Tab::Releases | Tab::Deploys | Tab::Graphs => false,
        };
        self.selected_service().filter(|_| is_beside && matches!(self.page, Page::Services))
    }

    /// The screen is large enough for the newest log lines to be part of the overview.
    pub(crate) fn shows_log_tail(&self) -> bool {
        self.breadth() == Breadth::Wide && self.size.height >= 40
    }
}

/// Changes whenever the detail may have.
fn revision(service: &ServiceView) -> String {
    let deploy = service.last_deploy.as_ref().map(|deploy| (deploy.id, mypaas::api::state_word(&deploy.state)));
    format!("{:?} {:?} {:?}", service.release, service.since, deploy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::console::model::Size;

    fn kinds(model: &Model) -> Vec<&'static str> {
        let kind = |wanted: &Subscription| match wanted {
            Subscription::Server(_) => "server",
            Subscription::Detail { .. } => "detail",
            Subscription::Deploy { .. } => "deploy",
            Subscription::Logs { .. } => "logs",
            Subscription::Dockerfile(_) => "dockerfile",
            Subscription::Glance(_) => "glance",
            Subscription::History { .. } => "history",
            Subscription::Variables(_) => "variables",
            Subscription::Disk { .. } => "disk",
            Subscription::Audit(_) => "audit",
        };
        model.wanted().iter().map(kind).collect()
    }

    #[test]
    fn only_what_is_shown_is_listened_to() {
        let mut model = fixture::model();
        assert_eq!(kinds(&model), ["server", "server", "server", "detail"]);
        fixture::press(&mut model, "l");
        assert_eq!(kinds(&model), ["server", "server", "server", "detail", "logs"]);
        fixture::press(&mut model, "esc");
        assert_eq!(kinds(&model), ["server", "server", "server", "detail"]);
    }

    #[test]
    fn what_servers_noted_is_asked_for_while_it_is_looked_at() {
        let mut model = fixture::model();
        fixture::press(&mut model, "g j");
        assert_eq!(kinds(&model), ["server", "server", "server"]);
        fixture::press(&mut model, "tab");
        assert_eq!(kinds(&model), ["server", "server", "server", "audit"], "only of servers that answer");
        fixture::press(&mut model, "g e");
        assert_eq!(kinds(&model), ["server", "server", "server", "variables"]);
    }

    #[test]
    fn graphs_are_asked_for_where_they_are_drawn() {
        let mut model = fixture::model();
        fixture::press(&mut model, "[ [");
        assert_eq!(kinds(&model), ["server", "server", "server", "detail", "history"]);
        fixture::press(&mut model, "z");
        assert!(!kinds(&model).contains(&"history"), "the list is alone on the screen");
    }

    #[test]
    fn the_logs_beside_the_list_are_not_listened_to_where_there_is_no_room_for_them() {
        let mut model = fixture::model();
        fixture::press(&mut model, "[");
        assert!(kinds(&model).contains(&"logs"));
        model.size = Size::new(80, 24);
        assert!(!kinds(&model).contains(&"logs"));
        fixture::press(&mut model, "tab");
        assert!(kinds(&model).contains(&"logs"));
    }

    #[test]
    fn a_large_screen_shows_the_newest_log_lines_of_what_is_selected() {
        let mut model = fixture::model();
        model.size = Size::new(200, 50);
        fixture::press(&mut model, "j");
        assert!(kinds(&model).contains(&"logs"));
        fixture::press(&mut model, "]");
        assert!(!kinds(&model).contains(&"logs"));
    }

    #[test]
    fn a_new_deploy_makes_a_new_revision() {
        let mut service = fixture::service("api");
        let before = revision(&service);
        service.last_deploy = Some(fixture::running_deploy("api", 99));
        assert_ne!(revision(&service), before);
    }
}
