//! What the console listens to, as it follows from what is shown.

use std::collections::BTreeSet;

use mypaas::api::ServiceView;

use super::detail::Tab;
use super::fleet::ServiceAt;
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

    fn wanted_logs(&self) -> Option<Subscription> {
        let logs = self.logs.as_ref().filter(|logs| self.shows(logs))?;
        let service = self.fleet.service(&logs.at)?;
        let running = service.containers.iter().map(|container| container.name.clone()).collect();
        Some(Subscription::Logs { at: logs.at.clone(), container: logs.container.clone(), since: logs.since, running })
    }

    fn shows(&self, logs: &Logs) -> bool {
        match &self.page {
            Page::Logs => true,
            Page::Services => {
                let pane_is_drawn = self.focus != Focus::List || self.breadth() != Breadth::Narrow;
                pane_is_drawn && self.logs_beside() == Some(&logs.at)
            }
            Page::Deploy(_) | Page::Push(_) => false,
        }
    }

    /// The service whose logs belong beside the list now.
    pub(crate) fn logs_beside(&self) -> Option<&ServiceAt> {
        let is_beside = match self.pane.tab {
            Tab::Logs => true,
            Tab::Overview => self.shows_log_tail(),
            Tab::Releases | Tab::Deploys => false,
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
