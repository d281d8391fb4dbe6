//! What the page that is shown is about: a service, a server, a line. Keys that name none mean these.

use mypaas::api::ServiceDetail;
use mypaas::name::{ContainerName, DeployId, ReleaseId};

use super::concern::concern_ids;
use super::detail::Known;
use super::dialog::{Dialog, Guarded};
use super::entries::{Record, RecordId};
use super::fleet::{ServerEntry, ServiceAt};
use super::list::Item;
use super::{Focus, Model, Page, Ticket};

impl Model {
    /// The service that keys of the main page are about.
    pub(crate) fn selected_service(&self) -> Option<&ServiceAt> {
        self.list.selected.as_ref().and_then(Item::service)
    }

    /// The service that the page is about.
    pub(crate) fn service_in_view(&self) -> Option<&ServiceAt> {
        match &self.page {
            Page::Services => self.selected_service(),
            Page::Logs => self.logs.as_ref().map(|logs| &logs.at),
            Page::Deploy(page) => Some(&page.at),
            Page::Push(_)
            | Page::Fleet(_)
            | Page::Alerts(_)
            | Page::Journal(_)
            | Page::Variables(_)
            | Page::Disk(_) => None,
        }
    }

    /// A question is open, or a line is half typed: whatever takes the keyboard now takes it from that.
    pub(crate) fn is_asked_something(&self) -> bool {
        self.dialog.is_some() || self.typing.is_some()
    }

    /// Somebody waits for the plan with this ticket.
    pub(crate) fn awaits_plan(&self, ticket: Ticket) -> bool {
        match &self.dialog {
            Some(Dialog::Confirm(confirm)) => confirm.aims.iter().any(|aim| aim.ticket == ticket),
            Some(Dialog::Rollback(rollback)) => rollback.ticket == ticket,
            Some(Dialog::Scale(scale)) => scale.ticket == ticket,
            Some(Dialog::Unlock(unlock)) => matches!(&unlock.then, Guarded::Dialog(_)),
            _ => false,
        }
    }

    /// The server that the page is about: of the selected line, else the first one. None where a filter hides all.
    pub(crate) fn selected_server(&self) -> Option<&ServerEntry> {
        let about = match &self.page {
            Page::Fleet(selected) => return self.server_of_fleet_page(selected.as_ref()),
            Page::Variables(page) => self.fleet.server(&page.server),
            Page::Disk(page) => self.fleet.server(&page.server),
            Page::Push(page) => self.fleet.server(&page.server),
            Page::Logs | Page::Deploy(_) => self.service_in_view().and_then(|at| self.fleet.server(&at.server)),
            Page::Alerts(chosen) => {
                let concerns = self.shown_concerns();
                let place = chosen.place(&concern_ids(&concerns));
                concerns.get(place).and_then(|concern| self.fleet.server(&concern.server))
            }
            Page::Journal(page) => {
                let records = self.shown_records(page.half);
                let place = page.chosen.place(&record_ids(&records));
                records.get(place).and_then(|record| self.fleet.server(record.server()))
            }
            Page::Services => None,
        };
        let in_list = || self.list.selected.as_ref().and_then(|item| self.fleet.server(item.server()));
        about.or_else(in_list).or_else(|| self.fleet.servers.first())
    }

    /// What is known of the service beside the list, beyond the list.
    pub(crate) fn pane_detail(&self) -> Option<&ServiceDetail> {
        self.pane.of.as_ref().and_then(|at| self.details.get(at)).and_then(Known::detail)
    }

    /// The lines of the tab with the containers.
    pub(crate) fn pane_containers(&self) -> Vec<ContainerName> {
        let service = self.pane.of.as_ref().and_then(|at| self.fleet.service(at));
        service.into_iter().flat_map(|service| &service.containers).map(|container| container.name.clone()).collect()
    }

    /// The lines of the tab with the releases.
    pub(crate) fn pane_releases(&self) -> Vec<ReleaseId> {
        self.pane_detail().into_iter().flat_map(|detail| &detail.releases).map(|view| view.release.id).collect()
    }

    /// The lines of the tab with the deploys.
    pub(crate) fn pane_deploys(&self) -> Vec<DeployId> {
        self.pane_detail().into_iter().flat_map(|detail| &detail.deploys).map(|deploy| deploy.id).collect()
    }

    /// What is selected among lines stays so when they change, while somebody is at them.
    pub(crate) fn keep_chosen(&mut self) {
        match &self.page {
            Page::Services if self.focus != Focus::List => {
                let (containers, releases, deploys) =
                    (self.pane_containers(), self.pane_releases(), self.pane_deploys());
                self.pane.container.keep(&containers);
                self.pane.release.keep(&releases);
                self.pane.deploy.keep(&deploys);
            }
            Page::Alerts(_) | Page::Journal(_) => self.select_line(None),
            _ => {}
        }
    }

    /// Selects a line of the page with the alerts, or of the journal; none: the one that is selected stays so.
    pub(crate) fn select_line(&mut self, line: Option<usize>) {
        match &self.page {
            Page::Alerts(_) => {
                let ids = concern_ids(&self.shown_concerns());
                if let Page::Alerts(chosen) = &mut self.page {
                    chosen.choose_or_keep(line, &ids);
                }
            }
            Page::Journal(page) => {
                let ids = record_ids(&self.shown_records(page.half));
                if let Page::Journal(page) = &mut self.page {
                    page.chosen.choose_or_keep(line, &ids);
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn record_ids(records: &[Record<'_>]) -> Vec<RecordId> {
    records.iter().map(|record| record.id()).collect()
}
