//! The list sorted, marked, and what is asked about several services at once.

use mypaas::api::Action;

use ratatui::layout::Size;

use super::{SIZES, answer_plan, select, snapshots};
use crate::console::effect::Effect;
use crate::console::fixture::{self, press, send, shown, type_text};
use crate::console::message::Message;
use crate::console::model::Model;

#[test]
fn all_services_in_one_list_sorted_by_memory() {
    snapshots("main_flat", |model| drop(press(model, "o g o m")));
}

#[test]
fn choosing_how_the_list_is_sorted() {
    snapshots("main_order", |model| drop(press(model, "o")));
}

#[test]
fn marked_services() {
    snapshots("main_marked", |model| drop(press(model, "space j space k")));
}

/// Three services of two servers, one of which refuses.
fn restart_three(model: &mut Model) -> Vec<Effect> {
    press(model, "space j space");
    select(model, "s2", "metrics");
    press(model, "space");
    let effects = press(model, "r");
    answer_plan(model, &effects[..1], fixture::plan("api", Action::Restart));
    answer_plan(model, &effects[1..2], fixture::rollback_plan());
    let mut plan = fixture::plan("metrics", Action::Restart);
    plan.refusals = vec![fixture::refusal()];
    answer_plan(model, &effects[2..], plan);
    effects
}

#[test]
fn confirming_what_is_done_to_several() {
    snapshots("confirm_several", |model| drop(restart_three(model)));
}

#[test]
fn several_that_are_about_to_be_done() {
    snapshots("confirm_several_asked", |model| {
        restart_three(model);
        let effects = press(model, "y");
        let [Effect::Deploy { ticket, .. }, _] = effects[..] else { panic!("{effects:?}") };
        let result = Ok(Box::new(fixture::deploy("api", 50)));
        send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result });
    });
}

#[test]
fn scaling_several() {
    snapshots("scale_several", |model| {
        press(model, "space j space +");
        type_text(model, "6");
    });
}

#[test]
fn a_state_is_never_cut() {
    for (width, height) in SIZES {
        let mut model = fixture::model();
        model.size = Size::new(width, height);
        assert!(shown(&mut model).contains(" never live "), "{width} cells");
    }
}

#[test]
fn a_filter_that_was_mistyped() {
    snapshots("filter_mistyped", |model| {
        press(model, "/");
        type_text(model, "state:dwn");
    });
}

#[test]
fn what_a_mistyped_filter_lacks_is_told_beside_it_and_where_the_list_would_be() {
    for page in ["", "g f", "g a", "g j"] {
        let mut model = fixture::model();
        model.size = Size::new(80, 24);
        press(&mut model, &format!("{page} /"));
        type_text(&mut model, "foo:bar");
        let text = shown(&mut model);
        let told: Vec<_> = text.lines().filter(|line| line.contains("no column is called foo; there are ")).collect();
        assert!(told.last().is_some_and(|line| line.contains("/foo:bar")), "{text}");
        let has_nothing_to_find = page == "g j";
        assert!(has_nothing_to_find || told.len() == 2, "{text}");
    }
}
