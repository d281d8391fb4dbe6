//! A server that does not answer is called the same everywhere.

use ratatui::layout::Size;

use crate::console::fixture::{self, press, shown};

#[test]
fn a_silent_server_is_an_alert_and_silent_on_every_page() {
    let mut model = fixture::model();
    model.size = Size::new(120, 40);
    model.fleet.servers.drain(..2);
    for keys in ["k", "tab", "esc g f", "g a"] {
        press(&mut model, keys);
        let text = shown(&mut model);
        let header = text.lines().next().unwrap();
        assert!(keys == "tab" || header.contains("! 1 alert"), "{text}");
        let words = text.to_lowercase();
        assert!(words.contains("silent"), "{text}");
        assert!(!["unreachable", "none for", "no answer"].iter().any(|word| words.contains(word)), "{text}");
    }
}
