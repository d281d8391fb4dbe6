//! What is selected among lines that come, go and move: by what it is, not by where it stands.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen<T> {
    /// None until something was there to choose.
    what: Option<T>,
    /// Where it stood last, for when it is gone.
    place: usize,
}

impl<T> Default for Chosen<T> {
    fn default() -> Self {
        Self { what: None, place: 0 }
    }
}

impl<T: Clone + PartialEq> Chosen<T> {
    /// The number of its line; when it is gone, of the line that took its place.
    pub(crate) fn place(&self, lines: &[T]) -> usize {
        let found = self.what.as_ref().and_then(|what| lines.iter().position(|line| line == what));
        found.unwrap_or(self.place).min(lines.len().saturating_sub(1))
    }

    pub(crate) fn choose(&mut self, place: usize, lines: &[T]) {
        *self = Self { what: lines.get(place).cloned(), place };
    }

    pub(crate) fn choose_or_keep(&mut self, place: Option<usize>, lines: &[T]) {
        match place {
            Some(place) => self.choose(place, lines),
            None => self.keep(lines),
        }
    }

    /// What it stands on now stays selected, wherever it moves. To be called whenever the lines may have changed.
    pub(crate) fn keep(&mut self, lines: &[T]) {
        if !lines.is_empty() {
            self.choose(self.place(lines), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_stays_with_its_line_and_when_that_is_gone_with_its_place() {
        let mut chosen = Chosen::default();
        assert_eq!(chosen.place(&["a", "b"]), 0);
        chosen.choose(1, &["a", "b", "c"]);
        assert_eq!(chosen.place(&["new", "a", "b", "c"]), 2);
        chosen.keep(&["new", "a", "b", "c"]);
        chosen.keep(&[]);
        assert_eq!(chosen.place(&["new", "a", "c"]), 2, "what took its place");
        assert_eq!(chosen.place(&["new"]), 0);
    }
}
