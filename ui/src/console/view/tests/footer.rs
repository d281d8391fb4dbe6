//! The footer offers what a key does now, and nothing that would do nothing.

use mypaas::api::Action;

use super::{answer_plan, select};
use crate::console::fixture::{self, press, send, shown};
use crate::console::message::Message;
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

#[test]
fn enter_folds_a_server_and_opens_a_service() {
    let mut model = fixture::model();
    assert!(footer(&mut model).starts_with("enter open"));
    press(&mut model, "g g");
    assert!(footer(&mut model).starts_with("enter fold"));
    press(&mut model, "enter");
    assert!(footer(&mut model).starts_with("enter unfold"));
}

#[test]
fn variables_are_set_and_unset_where_there_are_some() {
    let mut model = fixture::model();
    press(&mut model, "g e");
    let known = |model: &mut Model, variables| {
        send(model, Message::Variables { server: "local".parse().unwrap(), result: Ok(variables) });
        footer(model)
    };
    let some = known(&mut model, fixture::variables());
    assert!(some.contains("enter set") && some.contains("n new"), "{some}");
    let none = known(&mut model, Vec::new());
    assert!(!none.contains("set") && none.contains("n new"), "{none}");
}

#[test]
fn a_scale_that_is_refused_is_not_offered() {
    let mut model = fixture::model();
    let effects = press(&mut model, "+");
    assert!(footer(&mut model).contains("enter scale"));
    let mut plan = fixture::plan("api", Action::Scale { count: 4 });
    plan.refusals = vec![fixture::refusal()];
    answer_plan(&mut model, &effects, plan);
    let screen = shown(&mut model);
    assert!(screen.contains("This cannot be done.") && !screen.contains("nothing to do"), "{screen}");
    assert!(!footer(&mut model).contains("enter scale"));
}

#[test]
fn what_can_be_done_to_none_of_several_is_not_told_of_zero() {
    let mut model = fixture::model();
    select(&mut model, "local", "api");
    let effects = press(&mut model, "space space R");
    for effect in &effects {
        let mut plan = fixture::plan("api", Action::Redeploy);
        plan.refusals = vec![fixture::refusal()];
        answer_plan(&mut model, std::slice::from_ref(effect), plan);
    }
    let screen = shown(&mut model);
    assert!(screen.contains("For 2 of the 2 it cannot be done now.") && !screen.contains("0 services"), "{screen}");
}
