//! What is drawn → the bytes that make the terminal show it: only what changed, at once (synchronized output), and
//! nothing when nothing changed.

use std::io;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

#[derive(Debug)]
pub(crate) struct Canvas {
    /// What the terminal shows.
    shown: Buffer,
    next: Buffer,
    cursor: Option<Position>,
    /// Nothing is known of what the terminal shows.
    lost: bool,
}

impl Canvas {
    pub(crate) fn new(size: Size) -> Self {
        let area = Rect::from((Position::ORIGIN, size));
        Self { shown: Buffer::empty(area), next: Buffer::empty(area), cursor: None, lost: true }
    }

    /// The terminal has another size now.
    pub(crate) fn resize(&mut self, size: Size) {
        if self.shown.area().as_size() != size {
            *self = Self::new(size);
        }
    }

    /// Everything is drawn anew next time.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.shown.area().as_size());
    }

    /// Where the next picture is drawn: empty.
    pub(crate) fn sheet(&mut self) -> &mut Buffer {
        self.next.reset();
        &mut self.next
    }

    /// The bytes that make the terminal show what was drawn.
    pub(crate) fn bytes(&mut self, cursor: Option<Position>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let changes = self.shown.diff(&self.next);
        if changes.is_empty() && cursor == self.cursor && !self.lost {
            return Ok(bytes);
        }
        queue!(bytes, BeginSynchronizedUpdate, Hide)?;
        if self.lost {
            queue!(bytes, Clear(ClearType::All))?;
        }
        if !changes.is_empty() {
            CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
        }
        if let Some(Position { x, y }) = cursor {
            queue!(bytes, MoveTo(x, y), Show)?;
        }
        queue!(bytes, EndSynchronizedUpdate)?;
        std::mem::swap(&mut self.shown, &mut self.next);
        (self.cursor, self.lost) = (cursor, false);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn draw(canvas: &mut Canvas, text: &str) -> String {
        canvas.sheet().set_string(0, 0, text, Style::new());
        String::from_utf8(canvas.bytes(None).unwrap()).unwrap()
    }

    #[test]
    fn nothing_is_written_when_nothing_changed() {
        let mut canvas = Canvas::new(Size::new(20, 2));
        assert!(draw(&mut canvas, "hello").contains("hello"));
        assert_eq!(draw(&mut canvas, "hello"), "");
    }

    #[test]
    fn only_what_changed_is_written() {
        let mut canvas = Canvas::new(Size::new(20, 2));
        draw(&mut canvas, "hello world");
        let bytes = draw(&mut canvas, "hello there");
        assert!(bytes.contains("there") && !bytes.contains("hello"), "{bytes:?}");
    }

    #[test]
    fn everything_is_written_after_a_new_size_or_when_asked_for() {
        let mut canvas = Canvas::new(Size::new(20, 2));
        draw(&mut canvas, "hello");
        canvas.resize(Size::new(30, 3));
        assert!(draw(&mut canvas, "hello").contains("hello"));
        canvas.forget();
        assert!(draw(&mut canvas, "hello").contains("hello"));
    }

    #[test]
    fn a_cursor_that_moves_is_told() {
        let mut canvas = Canvas::new(Size::new(20, 2));
        draw(&mut canvas, "hello");
        canvas.sheet().set_string(0, 0, "hello", Style::new());
        let bytes = canvas.bytes(Some(Position::new(3, 0))).unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains("\u{1b}[1;4H"));
    }
}
