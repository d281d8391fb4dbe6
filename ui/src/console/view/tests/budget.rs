//! What a frame may cost: allocations are counted, for unlike times they are the same on every machine.

use allocation_counter::measure;
use mypaas::api::AuditEntry;
use ratatui::layout::Size;

use crate::console::canvas::Canvas;
use crate::console::fixture::{self, at, press};
use crate::console::message::Message;
use crate::console::model::Model;
use crate::console::model::fleet::{Fleet, ServerEntry};
use crate::console::theme::{Depth, Theme, ThemeName};
use crate::console::view::view;

/// From a key to the bytes for the terminal, at 120x40.
const MOST_A_FRAME: u64 = 2_500;

/// So many more for each server that is not on the screen: lists of its services are made, but nothing for each of them.
const MOST_A_HIDDEN_SERVER: u64 = 8;

/// So many more for each entry of the journal that is not on the screen: its place among the others.
const MOST_A_HIDDEN_ENTRY: u64 = 8;

fn fleet_of(servers: usize) -> Model {
    let mut model = fixture::model();
    model.size = Size::new(120, 40);
    let entry = |number: usize| {
        let mut entry = ServerEntry::new(format!("s{number:03}").parse().unwrap(), "unix".into());
        entry.hear(Box::new(fixture::snapshot(at(0))), at(0));
        entry
    };
    model.fleet = Fleet { servers: (0..servers).map(entry).collect() };
    press(&mut model, "g g j");
    model
}

/// Allocations from the key to the bytes.
fn cost_of_a_key(model: &mut Model) -> u64 {
    let theme = Theme::new(ThemeName::Dark, Depth::TrueColor).unwrap();
    let mut canvas = Canvas::new(model.size);
    let mut draw = |model: &mut Model| {
        let drawn = view(model, &theme, canvas.sheet());
        model.saw(drawn.seen);
        assert!(!canvas.bytes(drawn.cursor).unwrap().is_empty());
    };
    draw(model);
    let key = Message::Key("j".parse().unwrap());
    let stamped = crate::console::message::Stamped { at: model.now, message: key };
    let counted = measure(|| {
        drop(crate::console::update::update(model, stamped));
        draw(model);
    });
    counted.count_total
}

#[test]
fn a_frame_of_the_journal_costs_what_is_shown_of_it() {
    let cost = |entries: i64| {
        let mut model = fixture::model();
        let noted = (0..entries).map(|second| AuditEntry { at: at(-second), ..fixture::audit()[0].clone() }).collect();
        press(&mut model, "g j tab");
        fixture::send(&mut model, Message::Audit { server: "local".parse().unwrap(), result: Ok(noted) });
        cost_of_a_key(&mut model)
    };
    let (small, large) = (cost(60), cost(460));
    assert!(large <= small + 400 * MOST_A_HIDDEN_ENTRY, "{small} allocations a frame, and {large} where 400 more are");
}

#[test]
fn a_frame_costs_what_is_shown_and_not_what_there_is() {
    let (few, many) = (8, 160);
    let [small, large] = [few, many].map(|servers| cost_of_a_key(&mut fleet_of(servers)));
    assert!(small <= MOST_A_FRAME, "{small} allocations a frame");
    let hidden = u64::try_from(many - few).unwrap();
    assert!(
        large <= small + hidden * MOST_A_HIDDEN_SERVER,
        "{small} allocations a frame, and {large} where {hidden} more servers are"
    );
}
