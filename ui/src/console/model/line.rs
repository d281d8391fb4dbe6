//! One line of text being typed.

/// Longer input is cut: nothing that is typed here needs more.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// In bytes, on a character's boundary.
    cursor: usize,
}

impl Line {
    /// The text with the cursor behind it.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub(crate) fn after_cursor(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Characters that move the cursor or end a line are left out.
    pub(crate) fn insert(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_control()) {
            if self.text.len() + character.len_utf8() > LONGEST {
                return;
            }
            self.text.insert(self.cursor, character);
            self.cursor += character.len_utf8();
        }
    }

    pub(crate) fn left(&mut self) {
        self.cursor -= self.before_cursor().chars().next_back().map_or(0, char::len_utf8);
    }

    pub(crate) fn right(&mut self) {
        self.cursor += self.after_cursor().chars().next().map_or(0, char::len_utf8);
    }

    pub(crate) fn start(&mut self) {
        self.cursor = 0;
    }

    pub(crate) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    pub(crate) fn delete_back(&mut self) {
        let end = self.cursor;
        self.left();
        self.text.drain(self.cursor..end);
    }

    pub(crate) fn delete_forward(&mut self) {
        let start = self.cursor;
        let end = start + self.after_cursor().chars().next().map_or(0, char::len_utf8);
        self.text.drain(start..end);
    }

    /// Up to the start of the word before the cursor; a slash ends a word as a space does.
    pub(crate) fn delete_word(&mut self) {
        let before = self.before_cursor();
        let trimmed = before.trim_end_matches([' ', '/']);
        let start = trimmed.rfind([' ', '/']).map_or(0, |place| place + 1);
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }

    pub(crate) fn delete_to_start(&mut self) {
        self.text.drain(..self.cursor);
        self.cursor = 0;
    }
}

/// A line that nobody may see: what is typed is kept, and shown nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Unseen(pub Line);

impl std::fmt::Debug for Unseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unseen(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &Line) -> String {
        format!("{}|{}", line.before_cursor(), line.after_cursor())
    }

    #[test]
    fn typing_and_moving_respect_characters() {
        let mut line = Line::of("grün");
        line.left();
        line.left();
        line.insert("ä\n\u{7}");
        assert_eq!(shown(&line), "grä|ün");
        line.delete_back();
        line.delete_forward();
        assert_eq!(shown(&line), "gr|n");
        line.start();
        line.delete_back();
        line.left();
        assert_eq!(shown(&line), "|grn");
        line.end();
        line.right();
        line.delete_forward();
        assert_eq!(shown(&line), "grn|");
    }

    #[test]
    fn a_word_of_a_path_is_deleted_up_to_its_slash() {
        let mut line = Line::of("~/src/hello/");
        line.delete_word();
        assert_eq!(shown(&line), "~/src/|");
        line.delete_word();
        line.delete_word();
        assert_eq!(shown(&line), "|");
        line.delete_word();
        assert_eq!(shown(&line), "|");
    }

    #[test]
    fn what_is_typed_is_bounded() {
        let mut line = Line::default();
        line.insert(&"x".repeat(2 * LONGEST));
        assert_eq!(line.text().len(), LONGEST);
    }
}
