//! In which order services are listed.

use std::cmp::Ordering;

use mypaas::api::ServiceView;

use super::column::Column;
use super::fleet::ServerEntry;

/// By a column, and which end of it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    pub by: Column,
    reversed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The smallest first.
    Ascending,
    Descending,
}

impl Order {
    /// By another column, or the other way round when it is this column already.
    pub(crate) fn turn_to(&mut self, by: Column) {
        *self = Self { by, reversed: self.by == by && !self.reversed };
    }

    pub(crate) fn reverse(&mut self) {
        self.reversed = !self.reversed;
    }

    pub(crate) fn direction(self) -> Direction {
        match (natural(self.by), self.reversed) {
            (direction, false) => direction,
            (Direction::Ascending, true) => Direction::Descending,
            (Direction::Descending, true) => Direction::Ascending,
        }
    }

    /// Puts services into this order. Those that are equal in it stay as they are; those that have nothing in the
    /// column come last either way.
    pub(crate) fn sort(self, services: &mut Vec<(&ServerEntry, &ServiceView)>) {
        let mut keyed: Vec<_> =
            services.iter().map(|&(server, service)| (self.by.of(server, service), (server, service))).collect();
        keyed.sort_by(|(one, _), (other, _)| match (one, other) {
            (Some(one), Some(other)) if self.direction() == Direction::Ascending => one.cmp(other),
            (Some(one), Some(other)) => other.cmp(one),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        *services = keyed.into_iter().map(|(_, service)| service).collect();
    }
}

/// What one looks for comes first: what is worst, youngest, or uses most.
fn natural(column: Column) -> Direction {
    match column {
        Column::Live | Column::Cpu | Column::Memory | Column::Requests | Column::P95 | Column::Errors => {
            Direction::Descending
        }
        Column::Name
        | Column::Server
        | Column::State
        | Column::Ready
        | Column::Age
        | Column::Url
        | Column::Certificate => Direction::Ascending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn sorted(by: Column, turns: usize) -> Vec<String> {
        let fleet = fixture::fleet();
        let mut order = Order { by: Column::Url, reversed: false };
        (0..turns).for_each(|_| order.turn_to(by));
        let mut services: Vec<_> = fleet.all_services().collect();
        order.sort(&mut services);
        services.into_iter().map(|(_, service)| service.name.to_string()).collect()
    }

    #[test]
    fn what_one_looks_for_comes_first_and_a_second_turn_reverses() {
        assert_eq!(sorted(Column::State, 1)[..3], ["blog", "docs", "shop"]);
        assert_eq!(sorted(Column::Cpu, 1)[0], "api");
        assert_eq!(sorted(Column::Age, 1)[..2], ["docs", "metrics"]);
        assert_eq!(sorted(Column::Name, 1)[..2], ["api", "blog"]);
        assert_eq!(sorted(Column::Name, 2)[..2], ["shop.worker", "shop"]);
        assert_eq!(sorted(Column::Requests, 1)[..2], ["api", "shop"]);
        assert_eq!(sorted(Column::P95, 1)[0], "shop");
        assert_eq!(sorted(Column::Errors, 1)[..2], ["shop", "api"]);
        assert_eq!(sorted(Column::Certificate, 1)[..2], ["shop", "blog"], "refused, then what lapses first");
        assert_eq!(sorted(Column::Live, 1)[..2], ["shop", "api"], "r21 is later than r14, though r3 looks greater");
    }

    #[test]
    fn what_has_nothing_to_be_sorted_by_comes_last_either_way() {
        for turns in [1, 2] {
            assert_eq!(sorted(Column::Age, turns).last().unwrap(), "draft");
            assert!(!["blog", "draft", "old-site"].contains(&sorted(Column::Cpu, turns)[0].as_str()));
        }
    }
}
