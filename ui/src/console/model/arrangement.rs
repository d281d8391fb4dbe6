//! What of a list is shown, and in which order.

use super::column::Columns;
use super::filter::Filter;
use super::order::Order;

#[derive(Debug, Clone)]
pub(crate) struct Arrangement<C: Columns> {
    pub filter: Filter<C>,
    pub order: Order<C>,
}

impl<C: Columns> Default for Arrangement<C> {
    fn default() -> Self {
        Self { filter: Filter::default(), order: Order::default() }
    }
}

impl<C: Columns> Arrangement<C> {
    /// Those that match the filter, in order.
    pub(crate) fn of<'a>(&self, lines: impl Iterator<Item = C::Line<'a>>) -> Vec<C::Line<'a>> {
        let mut shown: Vec<_> = lines.filter(|line| self.filter.matches(*line)).collect();
        self.order.sort(&mut shown);
        shown
    }
}
