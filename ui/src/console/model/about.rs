//! What the page that is shown is about: a service, a server, a line. Keys that name none mean these.

use super::dialog::{Dialog, Guarded};
use super::fleet::{ServerEntry, ServiceAt};
use super::list::Item;
use super::{Model, Page, Ticket};

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
            Page::Alerts(place) => {
                let concerns = self.shown_concerns();
                concerns.get(*place).or(concerns.last()).and_then(|concern| self.fleet.server(&concern.server))
            }
            Page::Journal(page) => {
                let records = self.shown_records(page.half);
                let record = records.get(page.cursor).or(records.last());
                record.and_then(|record| self.fleet.server(record.server()))
            }
            Page::Services => None,
        };
        let in_list = || self.list.selected.as_ref().and_then(|item| self.fleet.server(item.server()));
        about.or_else(in_list).or_else(|| self.fleet.servers.first())
    }
}
