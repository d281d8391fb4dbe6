//! A filter that cannot be meant as it is written.

use super::{Model, Page, Typing};

impl Typing {
    /// Of a list; that of logs is a regular expression.
    pub(crate) fn is_filter(self) -> bool {
        use Typing::{AlertFilter, JournalFilter, ServerFilter, ServiceFilter};
        matches!(self, ServiceFilter | ServerFilter | AlertFilter | JournalFilter)
    }
}

impl Model {
    /// Why that of what the page shows cannot.
    pub(crate) fn filter_mistake(&self) -> Option<String> {
        match &self.page {
            Page::Services => self.list.filter.mistake(&self.fleet.all_services()),
            Page::Fleet(_) => self.servers.filter.mistake(&self.fleet.servers.iter()),
            Page::Alerts(_) => {
                let concerns = self.fleet.concerns();
                self.alerts.filter.mistake(&concerns.iter().map(|concern| (concern, self.now)))
            }
            Page::Journal(page) => {
                let records = self.records(page.half);
                self.journal.arrangement.filter.mistake(&records.iter().map(|record| (*record, self.now)))
            }
            _ => None,
        }
    }
}
