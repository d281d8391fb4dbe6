//! Marks and the order of the list.

use mypaas::api::{Action, PlanRequest};

use super::{answer, select, selected, toasts};
use crate::console::effect::Effect;
use crate::console::fixture::{self, press, send, service_at, type_text};
use crate::console::message::Message;
use crate::console::model::dialog::{Choice, Dialog, Stage};
use crate::console::model::{Model, Page};

fn marked(model: &Model) -> Vec<String> {
    model.list.marks.iter().map(ToString::to_string).collect()
}

/// The services that are asked about, and what would be done to them.
fn planned(effects: &[Effect]) -> Vec<(String, Action)> {
    let plan = |effect: &Effect| match effect {
        Effect::Plan { server, request: PlanRequest::Service { service, action }, .. } => {
            (format!("{service} on {server}"), action.clone())
        }
        other => panic!("{other:?}"),
    };
    effects.iter().map(plan).collect()
}

#[test]
fn marking_goes_on_to_the_next_service() {
    let mut model = fixture::model();
    press(&mut model, "space space");
    assert_eq!(
        (marked(&model), selected(&model)),
        (vec!["api on local".into(), "blog on local".into()], "docs on local".into())
    );
    press(&mut model, "k space");
    assert_eq!(marked(&model), ["api on local"], "a second time unmarks");
    press(&mut model, "g g space");
    assert_eq!(marked(&model).len(), 7, "a server stands for its services");
}

#[test]
fn all_that_match_the_filter_are_marked_or_none() {
    let mut model = fixture::model();
    press(&mut model, "/");
    type_text(&mut model, "shop");
    press(&mut model, "enter *");
    assert_eq!(marked(&model), ["shop on local", "shop.worker on local"]);
    press(&mut model, "esc");
    assert_eq!((marked(&model).len(), model.list.filter.is_empty()), (0, false), "escape forgets the marks first");
    press(&mut model, "* *");
    assert!(marked(&model).is_empty());
}

#[test]
fn several_services_are_removed_only_after_their_number_was_typed() {
    let removes = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Deploy { .. }));
    let mut model = fixture::model();
    press(&mut model, "space space X");
    assert!(!removes(&press(&mut model, "y enter")), "one key is not enough");
    type_text(&mut model, "1");
    assert!(!removes(&press(&mut model, "enter")));
    press(&mut model, "backspace");
    type_text(&mut model, "2");
    assert!(removes(&press(&mut model, "enter")));

    let mut single = fixture::model();
    assert!(removes(&press(&mut single, "X y")));
}

#[test]
fn an_action_is_about_all_marked_services_and_cancel_is_the_default() {
    let mut model = fixture::model();
    press(&mut model, "space space");
    select(&mut model, "local", "shop");
    let effects = press(&mut model, "r");
    let both = [("api on local", Action::Restart), ("blog on local", Action::Restart)];
    assert_eq!(planned(&effects), both.map(|(at, action)| (at.to_owned(), action)));
    let Some(Dialog::Confirm(confirm)) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!(confirm.stage, Stage::Deciding(Choice::Cancel));
    assert!(press(&mut model, "enter").is_empty());
    assert_eq!((model.dialog.is_none(), marked(&model).len()), (true, 2));
}

#[test]
fn what_some_refuse_the_others_still_do_and_the_dialog_says_which() {
    let mut model = fixture::model();
    press(&mut model, "space space");
    let asked = press(&mut model, "r");
    let Effect::Plan { ticket, .. } = asked[1] else { panic!("{asked:?}") };
    let mut plan = fixture::plan("blog", Action::Restart);
    plan.refusals.push(fixture::refusal());
    send(&mut model, Message::Planned { ticket, result: Ok(plan) });
    let effects = press(&mut model, "y");
    let [Effect::Deploy { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    answer(&mut model, ticket, Ok(50));
    assert!(matches!(model.dialog, Some(Dialog::Confirm(_))), "one was not done");
    assert_eq!(marked(&model), ["blog on local"], "what is done is not marked any more");
    assert!(press(&mut model, "y").is_empty(), "asked once is enough");
    press(&mut model, "esc");
    assert!(model.dialog.is_none());
}

#[test]
fn when_all_have_answered_well_the_list_shows_what_becomes_of_them() {
    let mut model = fixture::model();
    press(&mut model, "space space");
    let effects = press(&mut model, "R y").split_off(2);
    for effect in effects {
        let Effect::Deploy { ticket, .. } = effect else { panic!("{effect:?}") };
        answer(&mut model, ticket, Ok(50));
    }
    assert!(model.dialog.is_none() && matches!(model.page, Page::Services) && marked(&model).is_empty());
    assert_eq!(toasts(&model), ["redeploy of 2 services began"]);
}

#[test]
fn those_that_run_are_stopped_and_only_where_none_does_all_are_started() {
    let mut model = fixture::model();
    for service in ["api", "old-site"] {
        model.list.marks.turn(service_at("local", service));
    }
    assert_eq!(planned(&press(&mut model, "S")), [("api on local".to_owned(), Action::Stop)]);
    assert!(matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.left_out == 1));
    press(&mut model, "esc");
    model.list.marks.turn(service_at("local", "api"));
    assert_eq!(planned(&press(&mut model, "S")), [("old-site on local".to_owned(), Action::Start)]);
}

#[test]
fn several_are_scaled_to_one_number_after_it_was_confirmed() {
    let mut model = fixture::model();
    press(&mut model, "space space +");
    assert!(type_text(&mut model, "4").is_empty(), "each has a plan of its own");
    let effects = press(&mut model, "enter");
    let scaled = Action::Scale { count: 4 };
    assert_eq!(planned(&effects), [("api on local".to_owned(), scaled.clone()), ("blog on local".to_owned(), scaled)]);
    assert_eq!(press(&mut model, "y").len(), 2);
}

#[test]
fn a_palette_line_is_about_the_service_it_names_not_about_the_marked_ones() {
    let mut model = fixture::model();
    press(&mut model, "space space :");
    type_text(&mut model, "restart docs");
    assert_eq!(planned(&press(&mut model, "enter")), [("docs on local".to_owned(), Action::Restart)]);
}

#[test]
fn the_list_is_sorted_and_the_selection_stays() {
    let mut model = fixture::model();
    let services = |model: &Model| -> Vec<String> {
        let rows = model.list.rows(&model.fleet);
        let service = |row: &crate::console::model::list::Row<'_>| Some(row.item()?.service()?.service.to_string());
        rows.iter().filter_map(service).collect()
    };
    press(&mut model, "o t");
    assert_eq!(services(&model)[..3], ["blog", "docs", "shop"]);
    assert_eq!(selected(&model), "api on local");
    press(&mut model, "o t");
    assert_eq!(services(&model)[0], "old-site");
    press(&mut model, "o g o m");
    assert_eq!(services(&model)[..2], ["api", "shop"]);
    assert_eq!(services(&model).len(), 9, "servers have no lines of their own");
    press(&mut model, "o o");
    assert_eq!(services(&model).last().unwrap(), "old-site", "what has no figure stays last");
    press(&mut model, ":");
    type_text(&mut model, "go server s2");
    press(&mut model, "enter");
    assert!(!model.list.flat, "a server can be gone to only where servers are listed");
}

#[test]
fn on_a_page_that_does_not_show_the_marks_an_action_is_about_that_page() {
    let mut model = fixture::model();
    press(&mut model, "space space");
    select(&mut model, "local", "shop");
    assert_eq!(planned(&press(&mut model, "d r")), [("shop on local".to_owned(), Action::Restart)]);
    press(&mut model, "esc");
    let header = fixture::shown(&mut model).lines().next().unwrap().to_owned();
    assert!(header.contains("shop") && header.contains("2 marked"), "{header}");
}
