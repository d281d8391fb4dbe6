//! The pages about all servers, locked servers, and keys that may only look.

use std::collections::BTreeSet;

use mypaas::api::{Action, Limits, Problem, ProblemCode, Role, Span};
use mypaas::fleet::Colour;

use super::{SIZES, answer_plan, select, snapshots};
use crate::console::effect::Effect;
use crate::console::fixture::{self, press, send, service_at, shown, type_text};
use crate::console::message::Message;
use crate::console::model::Model;
use crate::console::model::histories::Measured;
use crate::console::model::list::Item;
use ratatui::layout::Size;

/// `local` red and locked, `s2` blue.
fn paint(model: &mut Model) {
    model.fleet.servers[0].colour = Some(Colour::Red);
    model.fleet.servers[0].lock = true;
    model.fleet.servers[1].colour = Some(Colour::Blue);
}

#[test]
fn the_fleet() {
    snapshots("fleet", |model| {
        paint(model);
        press(model, "g f");
    });
}

#[test]
fn a_silent_server_of_the_fleet() {
    snapshots("fleet_silent", |model| drop(press(model, "g f j")));
}

#[test]
fn the_fleet_sorted() {
    snapshots("fleet_sorted", |model| drop(press(model, "g f o t")));
}

#[test]
fn the_fleet_with_a_filter() {
    snapshots("fleet_filter", |model| {
        press(model, "g f /");
        type_text(model, "state:silent disk<90");
    });
}

#[test]
fn a_filter_that_no_server_matches() {
    snapshots("fleet_filter_nothing", |model| {
        press(model, "g f /");
        type_text(model, "cpu>99");
        press(model, "enter");
    });
}

#[test]
fn the_keys_of_the_fleet() {
    snapshots("fleet_help", |model| drop(press(model, "g f ?")));
}

#[test]
fn the_alerts_sorted_and_filtered() {
    snapshots("alerts_filter", |model| {
        press(model, "g a /");
        type_text(model, "!silent");
        press(model, "enter o a");
    });
}

#[test]
fn the_alerts() {
    snapshots("alerts", |model| drop(press(model, "g a j j")));
}

#[test]
fn no_alerts() {
    let mut model = fixture::model();
    model.fleet.servers.clear();
    press(&mut model, "g a");
    assert!(shown(&mut model).contains("Nothing is the matter"));
}

fn do_something(model: &mut Model) {
    let effects = press(model, "r y");
    let Some(Effect::Deploy { ticket, .. }) = effects.last().cloned() else { panic!("{effects:?}") };
    let refused = Problem::new(ProblemCode::Conflict, "api is being deployed already");
    send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result: Err(refused) });
    press(model, "esc");
    select(model, "local", "docs");
    let effects = press(model, "r y");
    let Some(Effect::Deploy { ticket, .. }) = effects.last().cloned() else { panic!("{effects:?}") };
    let taken = fixture::detail("docs").deploys[1].clone();
    send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result: Ok(Box::new(taken)) });
}

#[test]
fn the_journal_of_this_console() {
    snapshots("journal", |model| {
        do_something(model);
        press(model, "g j");
    });
}

#[test]
fn the_journal_of_the_servers() {
    snapshots("journal_servers", |model| {
        press(model, "g j tab j");
        send(model, Message::Audit { server: "local".parse().unwrap(), result: Ok(fixture::audit()) });
    });
}

#[test]
fn the_journal_with_a_filter() {
    snapshots("journal_filter", |model| {
        send(model, Message::Audit { server: "local".parse().unwrap(), result: Ok(fixture::audit()) });
        press(model, "g j tab o n /");
        type_text(model, "by:ada ago<1d");
    });
}

#[test]
fn a_filter_that_nothing_in_the_journal_matches() {
    snapshots("journal_filter_nothing", |model| {
        do_something(model);
        press(model, "g j /");
        type_text(model, "what:remove");
        press(model, "enter");
    });
}

fn show_variables(model: &mut Model) {
    press(model, "g e");
    send(model, Message::Variables { server: "local".parse().unwrap(), result: Ok(fixture::variables()) });
}

#[test]
fn the_variables() {
    snapshots("variables", |model| {
        paint(model);
        show_variables(model);
        press(model, "j j");
    });
}

#[test]
fn a_value_is_typed_unseen() {
    snapshots("variables_typing", |model| {
        show_variables(model);
        press(model, "enter");
        type_text(model, "hunter2 and more");
    });
    let mut model = fixture::model();
    show_variables(&mut model);
    press(&mut model, "enter");
    type_text(&mut model, "hunter2");
    assert!(!shown(&mut model).contains("hunter2") && !format!("{model:?}").contains("hunter2"));
}

#[test]
fn setting_a_variable() {
    snapshots("variables_confirm", |model| {
        show_variables(model);
        press(model, "enter");
        type_text(model, "hunter2");
        press(model, "enter");
    });
}

#[test]
fn taking_a_variable_away() {
    snapshots("variables_unset", |model| {
        show_variables(model);
        press(model, "X tab");
    });
}

#[test]
fn a_locked_server_wants_its_name() {
    snapshots("unlock", |model| {
        paint(model);
        let effects = press(model, "r");
        answer_plan(model, &effects, fixture::plan("api", Action::Restart));
        press(model, "y");
        type_text(model, "loc");
    });
}

#[test]
fn many_removals_want_their_number() {
    snapshots("unlock_removals", |model| {
        press(model, "space space X y");
        type_text(model, "1");
    });
}

#[test]
fn confirming_on_a_locked_server() {
    snapshots("confirm_locked", |model| {
        paint(model);
        let effects = press(model, "S");
        answer_plan(model, &effects, fixture::plan("api", Action::Stop));
    });
}

/// The operator's key on `local` may only look.
fn look_only(model: &mut Model) {
    let mut snapshot = fixture::snapshot(fixture::at(0));
    snapshot.server.limits = Some(Limits { role: Role::Viewer, services: None });
    model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
}

#[test]
fn a_key_that_may_only_look() {
    snapshots("read_only", |model| {
        look_only(model);
        press(model, "r");
    });
}

#[test]
fn a_server_as_a_viewer_sees_it() {
    snapshots("read_only_server", |model| {
        look_only(model);
        model.list.select(Item::Server("local".parse().unwrap()), &model.fleet);
        press(model, "tab");
        let measured = Measured::Machine("local".parse().unwrap());
        let result = Ok(Box::new(fixture::measured(Span::Hour)));
        send(model, Message::History { of: measured, span: Span::Hour, result });
    });
}

#[test]
fn a_key_for_some_services_says_which() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(fixture::at(0));
    let services = Some(BTreeSet::from(["docs".parse().unwrap()]));
    snapshot.server.limits = Some(Limits { role: Role::Operator, services });
    model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
    assert!(press(&mut model, "r").is_empty());
    let told = &model.toasts.shown[0].text;
    assert_eq!(told, "your key is for docs on local only, not for api");
}

#[test]
fn the_list_alone_with_all_its_columns() {
    snapshots("main_alone", |model| drop(press(model, "z")));
}

fn graphs(model: &mut Model, span: Span) {
    press(model, "tab [ [");
    let of = Measured::Service(service_at("local", "api"));
    send(model, Message::History { of, span, result: Ok(Box::new(fixture::measured(span))) });
}

#[test]
fn graphs_of_an_hour() {
    snapshots("graphs", |model| graphs(model, Span::Hour));
}

#[test]
fn graphs_of_thirty_days() {
    snapshots("graphs_month", |model| {
        graphs(model, Span::Month);
        press(model, "> >");
    });
}

#[test]
fn graphs_in_ascii() {
    let mut model = fixture::model();
    let (width, height) = SIZES[1];
    model.size = Size::new(width, height);
    graphs(&mut model, Span::Hour);
    let mut buffer = fixture::show(&mut model);
    crate::console::symbols::to_ascii(&mut buffer);
    let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
    let unknown = text.replace("? help", "").contains('?');
    assert!(text.is_ascii() && !unknown && text.contains('#'), "{text}");
}

#[test]
fn the_containers_of_a_service() {
    snapshots("containers", |model| drop(press(model, "tab ] j")));
}

#[test]
fn what_drifted_is_told() {
    snapshots("drift", |model| {
        let mut snapshot = fixture::snapshot(fixture::at(0));
        let api = snapshot.services.iter_mut().find(|service| service.name.as_str() == "api").unwrap();
        api.wanted = 4;
        api.containers[1].routed = false;
        api.containers[0].cpu_limit = None;
        api.containers[0].memory_limit_bytes = Some(64 << 20);
        model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
        press(model, "tab");
    });
}

#[test]
fn a_certificate_that_was_refused_tells_why() {
    snapshots("certificate_refused", |model| {
        select(model, "local", "shop");
        press(model, "tab");
    });
}

#[test]
fn most_of_a_large_screen_is_list() {
    let mut model = fixture::model();
    model.size = Size::new(200, 50);
    let mut snapshot = fixture::snapshot(fixture::at(0));
    let one = snapshot.services[0].clone();
    let many = (0..100).map(|index| {
        let mut service = one.clone();
        service.name = format!("api-{index:03}").parse().unwrap();
        service
    });
    snapshot.services = many.collect();
    model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
    let rows = shown(&mut model).lines().filter(|line| line.contains("● api-")).count();
    assert!(rows >= 40, "{rows}");
}

#[test]
fn what_a_large_screen_has_no_room_for_is_counted() {
    let mut model = fixture::model();
    model.size = Size::new(200, 50);
    let mut snapshot = fixture::snapshot(fixture::at(0));
    let api = snapshot.services.iter_mut().find(|service| service.name.as_str() == "api").unwrap();
    let one = api.containers[0].clone();
    api.containers = (0..40).map(|_| one.clone()).collect();
    model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
    let screen = shown(&mut model);
    let rows = screen.lines().filter(|line| line.contains("r14.1 ")).count();
    assert!(screen.contains(&format!("… {} more", 40 - rows)), "{screen}");
}

#[test]
fn what_is_told_of_a_server_can_be_scrolled() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(fixture::at(0));
    snapshot.deploys = (1..=90).rev().map(|id| fixture::deploy("api", id)).collect();
    model.fleet.servers[0].hear(Box::new(snapshot), fixture::at(0));
    press(&mut model, "k tab ]");
    assert!(shown(&mut model).contains("d90 ") && !shown(&mut model).contains("d1 "));
    press(&mut model, "G");
    assert!(shown(&mut model).contains("d1 "), "{}", shown(&mut model));
}
