//! The footer offers what a key does now, and nothing that would do nothing.

use crate::console::fixture::{self, press, shown};
use crate::console::model::Model;

fn footer(model: &mut Model) -> String {
    shown(model).lines().last().unwrap().trim().to_owned()
}

#[test]
fn a_service_on_the_whole_screen_offers_what_can_be_done_to_it() {
    let mut model = fixture::model();
    model.size.width = 80;
    press(&mut model, "enter");
    let offered = "] tab  r restart  b rollback  + scale  esc back  : commands  ? help  q quit";
    assert_eq!(footer(&mut model), offered);
    press(&mut model, "] ]");
    assert!(footer(&mut model).contains("enter open"), "a release can be opened");

    let mut model = fixture::model();
    press(&mut model, "d");
    let footer = footer(&mut model);
    assert!(footer.contains("X remove") && !footer.contains("mark") && !footer.contains("filter"), "{footer}");
}
