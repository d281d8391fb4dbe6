//! The list of servers, services and containers: what of it is shown, and what is selected.

use std::collections::BTreeSet;

use mypaas::api::{ContainerView, ServiceView};
use mypaas::name::{ContainerName, ServerName};

use super::column::Column;
use super::filter::Filter;
use super::fleet::{Fleet, ServerEntry, ServiceAt};
use super::marks::Marks;
use super::order::Order;
use crate::console::command::Motion;

/// What can be selected, by its identity, so that the selection stays with it when the list changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Server(ServerName),
    Service(ServiceAt),
    Container(ServiceAt, ContainerName),
}

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'a> {
    Server {
        server: &'a ServerEntry,
        folded: bool,
    },
    Service {
        server: &'a ServerEntry,
        service: &'a ServiceView,
    },
    Container {
        server: &'a ServerEntry,
        service: &'a ServiceView,
        container: &'a ContainerView,
    },
    /// A server that has nothing to list: why.
    Empty,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    pub selected: Option<Item>,
    /// Where the selection was last, for when what was selected is gone.
    index: usize,
    /// The operator chose what is selected.
    is_chosen: bool,
    /// What is selected is shown although it may not match the filter any more: somebody works on it.
    keeps_selected: bool,
    /// What was selected when the filter hid everything.
    hidden: Option<Item>,
    /// The first line on the screen, as drawn last.
    pub top: usize,
    folded: BTreeSet<ServerName>,
    unfolded: BTreeSet<ServiceAt>,
    pub filter: Filter<Column>,
    pub order: Order<Column>,
    /// All services in one list, not below their servers.
    pub flat: bool,
    pub marks: Marks,
    /// It has the whole screen, and room for all its columns.
    pub alone: bool,
}

impl Item {
    pub(crate) fn server(&self) -> &ServerName {
        match self {
            Item::Server(server) => server,
            Item::Service(at) | Item::Container(at, _) => &at.server,
        }
    }

    pub(crate) fn service(&self) -> Option<&ServiceAt> {
        match self {
            Item::Server(_) => None,
            Item::Service(at) | Item::Container(at, _) => Some(at),
        }
    }
}

impl Row<'_> {
    /// None for a line that cannot be selected.
    pub(crate) fn item(&self) -> Option<Item> {
        let at = |server: &ServerEntry, service: &ServiceView| ServiceAt {
            server: server.name.clone(),
            service: service.name.clone(),
        };
        match self {
            Row::Server { server, .. } => Some(Item::Server(server.name.clone())),
            Row::Service { server, service, .. } => Some(Item::Service(at(server, service))),
            Row::Container { server, service, container } => {
                Some(Item::Container(at(server, service), container.name.clone()))
            }
            Row::Empty => None,
        }
    }

    fn is(&self, item: &Item) -> bool {
        match (self, item) {
            (Row::Server { server, .. }, Item::Server(name)) => server.name == *name,
            (Row::Service { server, service, .. }, Item::Service(at)) => {
                server.name == at.server && service.name == at.service
            }
            (Row::Container { server, service, container }, Item::Container(at, name)) => {
                server.name == at.server && service.name == at.service && container.name == *name
            }
            _ => false,
        }
    }
}

impl List {
    /// The lines that are shown: what matches the filter and is not folded away.
    pub(crate) fn rows<'a>(&self, fleet: &'a Fleet) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        if self.flat {
            for (server, service) in self.matching(fleet.all_services()) {
                self.add_service(server, service, &mut rows);
            }
            return rows;
        }
        for server in &fleet.servers {
            self.add_server(server, &mut rows);
        }
        rows
    }

    /// Those that match the filter, in order.
    fn matching<'a>(
        &self,
        services: impl Iterator<Item = (&'a ServerEntry, &'a ServiceView)>,
    ) -> Vec<(&'a ServerEntry, &'a ServiceView)> {
        let mut matching: Vec<_> = services.filter(|line| self.passes(*line)).collect();
        // A server lists its services by name.
        if self.flat || self.order != Order::default() {
            self.order.sort(&mut matching);
        }
        matching
    }

    /// It matches the filter, or did when it was selected.
    fn passes(&self, (server, service): (&ServerEntry, &ServiceView)) -> bool {
        let is_kept = |at: &ServiceAt| at.server == server.name && at.service == service.name;
        self.filter.matches((server, service)) || self.kept().and_then(Item::service).is_some_and(is_kept)
    }

    fn kept(&self) -> Option<&Item> {
        self.selected.as_ref().filter(|_| self.keeps_selected)
    }

    /// The filter hides it.
    pub(crate) fn hides(&self, item: &Item, fleet: &Fleet) -> bool {
        let Some(server) = fleet.server(item.server()) else { return false };
        match item.service() {
            Some(at) => server.service(&at.service).is_some_and(|service| !self.passes((server, service))),
            None => !self.shows_server(server),
        }
    }

    fn shows_server(&self, server: &ServerEntry) -> bool {
        let is_kept = self.kept().is_some_and(|item| *item.server() == server.name);
        let has_nothing_to_find = server.services().is_empty() && self.filter.is_empty();
        is_kept || has_nothing_to_find || server.services().iter().any(|service| self.passes((server, service)))
    }

    fn add_server<'a>(&self, server: &'a ServerEntry, rows: &mut Vec<Row<'a>>) {
        if !self.shows_server(server) {
            return;
        }
        let folded = self.folded.contains(&server.name);
        rows.push(Row::Server { server, folded });
        if folded {
            return;
        }
        if server.services().is_empty() && server.snapshot().is_some() {
            rows.push(Row::Empty);
        }
        for (server, service) in self.matching(server.services().iter().map(|service| (server, service))) {
            self.add_service(server, service, rows);
        }
    }

    fn add_service<'a>(&self, server: &'a ServerEntry, service: &'a ServiceView, rows: &mut Vec<Row<'a>>) {
        let open = self.unfolded.iter().any(|at| at.server == server.name && at.service == service.name);
        rows.push(Row::Service { server, service });
        if open {
            let containers = service.containers.iter();
            rows.extend(containers.map(|container| Row::Container { server, service, container }));
        }
    }

    /// The selected line, when it is shown.
    pub(crate) fn position(&self, rows: &[Row<'_>]) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        rows.iter().position(|row| row.is(selected))
    }

    /// To be called after the filter was typed: what does not match is not shown any more, selected or not.
    pub(crate) fn narrow(&mut self) {
        self.filter.read();
        self.keeps_selected = false;
    }

    /// Puts the selection back on something that is shown, as near as can be to where it was. Where nothing is shown
    /// nothing is selected.
    pub(crate) fn settle(&mut self, fleet: &Fleet) {
        self.marks.keep_known(fleet);
        let rows = self.rows(fleet);
        self.keeps_selected = true;
        if rows.is_empty() {
            self.hidden = self.selected.take().or(self.hidden.take());
            return;
        }
        self.selected = self.selected.take().or(self.hidden.take());
        self.hidden = None;
        // Servers answer one after the other: until something is chosen the first service is what one wants to see.
        let first = if self.is_chosen { None } else { first_service(&rows) };
        match first.or_else(|| self.position(&rows)) {
            Some(position) => self.select_near(&rows, position, false),
            None => self.select_near(&rows, self.index, false),
        }
    }

    pub(crate) fn select(&mut self, item: Item, fleet: &Fleet) {
        self.folded.remove(item.server());
        // One list of all services has no lines for servers.
        self.flat &= !matches!(item, Item::Server(_));
        self.is_chosen = true;
        self.selected = Some(item);
        self.settle(fleet);
    }

    /// Somebody works on what is selected.
    pub(crate) fn choose(&mut self) {
        self.is_chosen = true;
    }

    pub(crate) fn go(&mut self, motion: Motion, page: usize, fleet: &Fleet) {
        self.is_chosen = true;
        let rows = self.rows(fleet);
        let place = self.position(&rows).unwrap_or(self.index);
        let wanted = motion.from(place, rows.len().saturating_sub(1), page);
        self.select_near(&rows, wanted, wanted < place);
    }

    /// The next service after the selection, or the one before it; round at the ends.
    pub(crate) fn next_service(&mut self, forward: bool, fleet: &Fleet) {
        self.is_chosen = true;
        let rows = self.rows(fleet);
        let place = self.position(&rows).unwrap_or(self.index);
        let is_service = |index: &usize| matches!(rows[*index], Row::Service { .. });
        let found = if forward {
            (place + 1..rows.len()).chain(0..place.min(rows.len())).find(is_service)
        } else {
            (0..place.min(rows.len())).rev().chain((place..rows.len()).rev()).find(is_service)
        };
        if let Some(index) = found {
            self.select_near(&rows, index, false);
        }
    }

    /// Marks the selected service, or not any more, and goes on to the next one. On a server: all its services.
    pub(crate) fn mark(&mut self, fleet: &Fleet) {
        match self.selected.clone() {
            Some(Item::Service(at) | Item::Container(at, _)) => self.marks.turn(at),
            Some(Item::Server(name)) => {
                let shown: Vec<_> = self.shown_services(fleet).into_iter().filter(|at| at.server == name).collect();
                self.marks.turn_all(&shown);
            }
            None => {}
        }
        self.is_chosen = true;
        let rows = self.rows(fleet);
        let after = self.position(&rows).unwrap_or(self.index) + 1;
        let is_next = |index: &usize| !matches!(rows[*index], Row::Container { .. } | Row::Empty);
        if let Some(next) = (after..rows.len()).find(is_next) {
            self.select_near(&rows, next, false);
        }
    }

    /// Marks all services that match the filter; where all are marked, none.
    pub(crate) fn mark_all(&mut self, fleet: &Fleet) {
        let shown = self.shown_services(fleet);
        self.marks.turn_all(&shown);
    }

    /// Those that match the filter, folded away or not.
    fn shown_services(&self, fleet: &Fleet) -> Vec<ServiceAt> {
        let at = |(server, service): (&ServerEntry, &ServiceView)| ServiceAt {
            server: server.name.clone(),
            service: service.name.clone(),
        };
        let all = fleet.all_services();
        all.filter(|line| self.filter.matches(*line)).map(at).collect()
    }

    fn select_near(&mut self, rows: &[Row<'_>], wanted: usize, upwards: bool) {
        let wanted = wanted.min(rows.len().saturating_sub(1));
        let selectable = |index: &usize| rows.get(*index).is_some_and(|row| row.item().is_some());
        let below = (wanted..rows.len()).find(selectable);
        let above = (0..=wanted).rev().find(selectable);
        let found = if upwards { above.or(below) } else { below.or(above) };
        if let Some(index) = found {
            self.index = index;
            self.selected = rows[index].item();
        }
    }

    /// Shows what belongs to the selected line; on a container nothing.
    pub(crate) fn unfold(&mut self) {
        match &self.selected {
            Some(Item::Server(name)) => drop(self.folded.remove(name)),
            Some(Item::Service(at)) => drop(self.unfolded.insert(at.clone())),
            Some(Item::Container(..)) | None => {}
        }
    }

    /// Hides what belongs to the selected line; where nothing does, goes up to what it belongs to.
    pub(crate) fn fold(&mut self, fleet: &Fleet) {
        self.is_chosen = true;
        match self.selected.clone() {
            Some(Item::Server(name)) => drop(self.folded.insert(name)),
            Some(Item::Service(at)) if self.unfolded.remove(&at) => {}
            Some(Item::Service(at)) => self.selected = Some(Item::Server(at.server)),
            Some(Item::Container(at, _)) => {
                self.unfolded.remove(&at);
                self.selected = Some(Item::Service(at));
            }
            None => {}
        }
        self.settle(fleet);
    }

    pub(crate) fn is_folded(&self, server: &ServerName) -> bool {
        self.folded.contains(server)
    }
}

fn first_service(rows: &[Row<'_>]) -> Option<usize> {
    rows.iter().position(|row| matches!(row, Row::Service { .. }))
}
