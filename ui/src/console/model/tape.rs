//! Lines that keep coming: a bounded buffer that numbers what it holds, counts what it dropped, and remembers where
//! one reads in it.

use std::collections::VecDeque;

/// The newest items, each with a number that it keeps; the oldest fall out.
#[derive(Debug, Clone)]
pub(crate) struct Tape<T> {
    items: VecDeque<T>,
    dropped: u64,
    most: usize,
}

impl<T> Tape<T> {
    pub(crate) fn holding(most: usize) -> Self {
        Self { items: VecDeque::new(), dropped: 0, most }
    }

    /// Hands back what fell out.
    pub(crate) fn push(&mut self, item: T) -> Option<T> {
        self.items.push_back(item);
        if self.items.len() > self.most { self.drop_oldest() } else { None }
    }

    pub(crate) fn drop_oldest(&mut self) -> Option<T> {
        let oldest = self.items.pop_front()?;
        self.dropped += 1;
        Some(oldest)
    }

    /// How many fell out; also the number of the oldest item that is left.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The number that the next item will have.
    pub(crate) fn end(&self) -> u64 {
        self.dropped + self.items.len() as u64
    }

    /// By its number.
    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        let index = number.checked_sub(self.dropped)?;
        self.items.get(usize::try_from(index).ok()?)
    }

    /// By its place in what is left, the oldest being 0.
    pub(crate) fn at(&self, index: usize) -> Option<&T> {
        self.items.get(index)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }
}

/// Where one reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// The newest line is always shown.
    #[default]
    End,
    /// This line is the first one on the screen.
    At(u64),
}

/// Whether a stream that fills a buffer still does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Flow {
    /// Asked for, nothing came yet.
    #[default]
    Waiting,
    Flowing,
    /// There will be no more.
    Ended,
    /// Broken; it is tried again.
    Broken {
        problem: mypaas::api::Problem,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_numbers_when_older_ones_fall_out() {
        let mut tape = Tape::holding(3);
        for item in 0..5 {
            tape.push(item);
        }
        assert_eq!((tape.dropped(), tape.len(), tape.end()), (2, 3, 5));
        assert_eq!((tape.get(1), tape.get(2), tape.get(4), tape.get(5)), (None, Some(&2), Some(&4), None));
        assert_eq!(tape.at(0), Some(&2));
    }
}
