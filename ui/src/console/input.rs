//! The terminal's events → messages.

use crossterm::event::{Event, KeyEventKind};
use ratatui::layout::Size;

use super::key::Key;
use super::message::Message;

/// None for what means nothing here: released keys, the mouse.
pub(crate) fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Key::of_terminal(key).map(Message::Key),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Resize(width, height) => Some(Message::Resized(Size::new(width, height))),
        Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
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
