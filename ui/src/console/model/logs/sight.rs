//! Which lines of a log are shown: all of them, or those that match with some lines around each.

use std::collections::VecDeque;

/// More lines around a match are no help in finding it.
const MOST_AROUND: u64 = 50;

/// Numbers of lines, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// So many lines around each match are shown as well.
    around: u64,
    matches: VecDeque<u64>,
    /// The matches and what is around them.
    near: VecDeque<u64>,
    /// Up to here lines are near a match that was seen.
    near_until: Option<u64>,
}

impl Sight {
    pub(crate) fn around(&self) -> u64 {
        self.around
    }

    /// One line more around each match, or one less. To be filled anew then.
    pub(super) fn widen(&mut self, wider: bool) {
        self.around = if wider { (self.around + 1).min(MOST_AROUND) } else { self.around.saturating_sub(1) };
    }

    /// Nothing was seen yet.
    pub(super) fn clear(&mut self) {
        *self = Self { around: self.around, ..Self::default() };
    }

    /// The next line, and what it is; `first` is the oldest line that is kept.
    pub(super) fn take(&mut self, number: u64, matches: bool, always: bool, first: u64) {
        if matches {
            self.matches.push_back(number);
            let from = number.saturating_sub(self.around).max(first);
            let next = self.near.back().map_or(from, |last| from.max(last + 1));
            self.near.extend(next..=number);
            self.near_until = Some(number + self.around);
        } else if always || self.near_until.is_some_and(|until| number <= until) {
            self.near.push_back(number);
        }
        drop_before(first, &mut self.matches);
        drop_before(first, &mut self.near);
    }

    pub(crate) fn matches(&self) -> &VecDeque<u64> {
        &self.matches
    }

    pub(crate) fn near(&self) -> &VecDeque<u64> {
        &self.near
    }
}

fn drop_before(first: u64, numbers: &mut VecDeque<u64>) {
    while numbers.front().is_some_and(|number| *number < first) {
        numbers.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(around: u64, matches: &[u64], count: u64) -> Vec<u64> {
        let mut sight = Sight { around, ..Sight::default() };
        (0..count).for_each(|number| sight.take(number, matches.contains(&number), false, 0));
        sight.near.into()
    }

    #[test]
    fn matches_come_with_what_is_around_them_and_none_twice() {
        assert_eq!(near(0, &[2, 3, 9], 12), [2, 3, 9]);
        assert_eq!(near(1, &[2, 3, 9], 12), [1, 2, 3, 4, 8, 9, 10]);
        assert_eq!(near(3, &[1, 9], 11), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]);
        assert_eq!(near(2, &[], 5), [0; 0]);
    }

    #[test]
    fn what_fell_out_is_not_shown() {
        let mut sight = Sight { around: 2, ..Sight::default() };
        (0..10).for_each(|number| sight.take(number, number % 4 == 0, false, number.saturating_sub(3)));
        assert_eq!(sight.near, [6, 7, 8, 9]);
        assert_eq!(sight.matches, [8]);
    }
}
