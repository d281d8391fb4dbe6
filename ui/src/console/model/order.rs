//! In which order the lines of a list are shown.

use std::cmp::Ordering;

use super::column::Columns;

/// By a column, and which end of it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order<C> {
    pub by: C,
    reversed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The smallest first.
    Ascending,
    Descending,
}

impl<C: Columns> Order<C> {
    /// By another column, or the other way round when it is this column already.
    pub(crate) fn turn_to(&mut self, by: C) {
        *self = Self { by, reversed: self.by == by && !self.reversed };
    }

    pub(crate) fn reverse(&mut self) {
        self.reversed = !self.reversed;
    }

    pub(crate) fn direction(self) -> Direction {
        match (self.by.natural(), self.reversed) {
            (direction, false) => direction,
            (Direction::Ascending, true) => Direction::Descending,
            (Direction::Descending, true) => Direction::Ascending,
        }
    }

    /// Puts lines into this order. Those that are equal in it stay as they are; those that have nothing in the column
    /// come last either way.
    pub(crate) fn sort(self, lines: &mut Vec<C::Line<'_>>) {
        let mut keyed: Vec<_> = lines.iter().map(|&line| (self.by.of(line), line)).collect();
        keyed.sort_by(|(one, _), (other, _)| match (one, other) {
            (Some(one), Some(other)) if self.direction() == Direction::Ascending => one.cmp(other),
            (Some(one), Some(other)) => other.cmp(one),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        *lines = keyed.into_iter().map(|(_, line)| line).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::console::model::column::Column;

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
