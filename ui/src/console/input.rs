//! The terminal's events → messages.

use std::io;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use ratatui::layout::{Position, Size};
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::task::AbortOnDropHandle;

use super::key::Key;
use super::message::{Gesture, Message, Mouse};

/// So many key presses may wait; nobody types faster.
const WAITING: usize = 256;

/// What is pressed, as it comes. Ends when the terminal is gone.
#[derive(Debug)]
pub(crate) struct Input {
    events: Receiver<io::Result<Event>>,
    _reader: AbortOnDropHandle<()>,
}

impl Input {
    /// The events are read by a task of their own: the terminal's stream must always be asked by the same one.
    pub(crate) fn listen() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
        Self { events, _reader: AbortOnDropHandle::new(reader) }
    }

    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        self.events.recv().await
    }

    /// The next one, if it is there already.
    pub(crate) fn at_once(&mut self) -> Option<io::Result<Event>> {
        self.events.try_recv().ok()
    }
}

/// None for what means nothing here: released keys, a mouse that only moves.
pub(crate) fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Key::of_terminal(key).map(Message::Key),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Resize(width, height) => Some(Message::Resized(Size::new(width, height))),
        Event::Mouse(mouse) => {
            gesture(mouse.kind).map(|what| Message::Mouse(Mouse { at: Position::new(mouse.column, mouse.row), what }))
        }
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn gesture(kind: MouseEventKind) -> Option<Gesture> {
    match kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Gesture::Click),
        MouseEventKind::Down(MouseButton::Right) => Some(Gesture::Mark),
        MouseEventKind::ScrollUp => Some(Gesture::WheelUp),
        MouseEventKind::ScrollDown => Some(Gesture::WheelDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    #[test]
    fn keys_come_as_they_are_written_in_the_keymap() {
        let cases = [
            (KeyCode::Char('c'), KeyModifiers::CONTROL, "ctrl-c"),
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (KeyCode::Esc, KeyModifiers::NONE, "esc"),
        ];
        for (code, modifiers, written) in cases {
            match message(Event::Key(KeyEvent::new(code, modifiers))) {
                Some(Message::Key(key)) => assert_eq!(key.to_string(), written),
                other => panic!("{written}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_released_key_is_no_key() {
        let mut event = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert!(message(Event::Key(event)).is_none());
    }
}
