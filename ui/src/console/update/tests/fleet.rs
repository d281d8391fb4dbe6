//! The pages about all servers, locked servers, variables, the journal.

use mypaas::api::{Action, Limits, Role, VariableView};

use super::toasts;
use crate::console::effect::Effect;
use crate::console::fixture::{self, at, paste, press, send, service_at, type_text};
use crate::console::message::{Message, ServerNews};
use crate::console::model::concern::concern_ids;
use crate::console::model::detail::Tab;
use crate::console::model::dialog::Dialog;
use crate::console::model::journal::{Answer, Half, What};
use crate::console::model::list::Item;
use crate::console::model::{Focus, Model, Page, Typing};

fn locked() -> Model {
    let mut model = fixture::model();
    model.fleet.servers[0].lock = true;
    model
}

fn changes(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Deploy { .. }
                | Effect::Push { .. }
                | Effect::Cancel { .. }
                | Effect::ChangeVariable { .. }
                | Effect::Shell { .. }
                | Effect::Pin { .. }
        )
    })
}

#[test]
fn nothing_is_changed_on_a_locked_server_before_its_name_was_typed() {
    for keys in ["r y", "S y", "X tab enter", "+ enter", "R y", "s"] {
        let mut model = locked();
        assert!(!changes(&press(&mut model, keys)), "{keys}");
        assert!(matches!(model.dialog, Some(Dialog::Unlock(_))), "{keys}: {:?}", model.dialog);
        assert!(!changes(&press(&mut model, "enter")), "{keys}: nothing was typed");
        type_text(&mut model, "loca");
        assert!(!changes(&press(&mut model, "enter")), "{keys}: half the name");
        type_text(&mut model, "l");
        assert!(changes(&press(&mut model, "enter")), "{keys}");
    }
}

#[test]
fn leaving_the_name_untyped_leads_back_to_the_question() {
    let mut model = locked();
    press(&mut model, "r y esc");
    assert!(matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.action == Action::Restart));
    press(&mut model, "esc");
    assert!(model.dialog.is_none());
}

#[test]
fn a_viewer_is_told_why_before_anything_is_asked() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(at(0));
    snapshot.server.limits = Some(Limits { role: Role::Viewer, services: None });
    model.fleet.servers[0].hear(Box::new(snapshot), at(0));
    for keys in ["r", "R", "b", "+", "S", "X", "s", "p", "space r"] {
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert!(model.dialog.is_none() && matches!(model.page, Page::Services), "{keys}");
        assert_eq!(toasts(&model), ["your key may look at local and change nothing: it has the role viewer"], "{keys}");
    }
    press(&mut model, "g e n");
    assert_eq!(model.typing, None);
}

#[test]
fn marked_services_that_the_key_may_not_change_are_left_out_and_counted() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(at(0));
    let services = Some(["api".parse().unwrap()].into());
    snapshot.server.limits = Some(Limits { role: Role::Operator, services });
    model.fleet.servers[0].hear(Box::new(snapshot), at(0));
    press(&mut model, "space space r");
    let Some(Dialog::Confirm(confirm)) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!((confirm.aims.len(), confirm.forbidden), (1, 1));
}

#[test]
fn enter_leads_from_a_server_to_its_services_and_from_an_alert_to_its_service() {
    let mut model = fixture::model();
    press(&mut model, "g f j enter");
    assert_eq!(model.list.selected, Some(Item::Server("s2".parse().unwrap())));
    assert!(matches!(model.page, Page::Services));
    press(&mut model, "g a j j enter");
    assert_eq!(model.selected_service(), Some(&service_at("local", "blog")));
    assert_eq!((model.focus, model.pane.tab), (Focus::Pane { whole: false }, Tab::Overview));
    press(&mut model, "H");
    let Page::Alerts(chosen) = &model.page else { panic!("{:?}", model.page) };
    assert_eq!(chosen.place(&concern_ids(&model.shown_concerns())), 2, "and back");
}

fn selected_server(model: &Model) -> Option<&str> {
    model.selected_server().map(|server| server.name.as_str())
}

#[test]
fn a_page_is_about_the_server_of_its_selected_line() {
    let mut model = fixture::model();
    press(&mut model, "g a");
    let s3 = model.shown_concerns().iter().position(|concern| concern.server.as_str() == "s3").unwrap();
    (0..s3).for_each(|_| drop(press(&mut model, "j")));
    press(&mut model, "g e");
    assert!(matches!(&model.page, Page::Variables(page) if page.server.as_str() == "s3"), "{:?}", model.page);
    press(&mut model, "g s l");
    model.list.select(Item::Server("s2".parse().unwrap()), &model.fleet);
    assert_eq!(selected_server(&model), Some("local"), "its logs are read, whatever is selected in the list");
}

#[test]
fn servers_are_filtered_while_one_types_and_the_filter_goes_before_the_page() {
    let mut model = fixture::model();
    press(&mut model, "g f /");
    type_text(&mut model, "state:silent");
    assert_eq!((model.shown_servers().len(), selected_server(&model)), (2, Some("s2")));
    press(&mut model, "enter n");
    assert_eq!(selected_server(&model), Some("s3"));
    press(&mut model, "n");
    assert_eq!(selected_server(&model), Some("s2"), "round at the end");
    press(&mut model, "N");
    assert_eq!(selected_server(&model), Some("s3"), "and at the beginning");
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Fleet(_)) && model.servers.filter.is_empty());
    assert_eq!(selected_server(&model), Some("s3"), "what was selected stays so");
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Services));
}

#[test]
fn nothing_is_done_with_a_server_that_a_filter_hides() {
    let mut model = fixture::model();
    press(&mut model, "g f /");
    type_text(&mut model, "nowhere");
    for keys in ["enter", "enter", "d", "p", "e", "n", "j"] {
        assert_eq!(press(&mut model, keys), [], "{keys}");
        assert!(matches!(model.page, Page::Fleet(_)), "{keys}: {:?}", model.page);
    }
}

#[test]
fn servers_are_sorted_by_any_column_and_the_selection_stays_with_its_server() {
    let mut model = fixture::model();
    let names = |model: &Model| -> String {
        model.shown_servers().iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    press(&mut model, "g f j");
    press(&mut model, "o t");
    assert_eq!((names(&model).as_str(), selected_server(&model)), ("s3 s2 local", Some("s2")));
    press(&mut model, "o o");
    assert_eq!((names(&model).as_str(), selected_server(&model)), ("local s2 s3", Some("s2")));
    press(&mut model, "o n o n");
    assert_eq!(names(&model), "s3 s2 local", "the same column again turns it round");
    press(&mut model, "g g j enter");
    assert_eq!(model.list.selected, Some(Item::Server("s2".parse().unwrap())), "the second line is the second shown");
    press(&mut model, "g f o g");
    assert_eq!(names(&model), "local s2 s3");
}

#[test]
fn alerts_are_filtered_and_sorted_and_enter_opens_the_one_that_is_shown() {
    let mut model = fixture::model();
    press(&mut model, "g a /");
    type_text(&mut model, "server:local");
    press(&mut model, "enter o t j enter");
    assert_eq!(model.selected_service(), Some(&service_at("local", "docs")), "the least grave stands first now");
    press(&mut model, "g a esc");
    assert_eq!(model.shown_concerns().len(), model.fleet.concerns().len());
    assert!(matches!(model.page, Page::Alerts(_)));
}

#[test]
fn the_journal_is_filtered_and_sorted_and_enter_opens_the_deploy_that_is_shown() {
    let mut model = fixture::model();
    send(&mut model, Message::Audit { server: "local".parse().unwrap(), result: Ok(fixture::audit()) });
    press(&mut model, "g j tab /");
    type_text(&mut model, "what:push");
    press(&mut model, "enter o n o n");
    let shown = |model: &Model| model.shown_records(Half::Servers).len();
    assert_eq!(shown(&model), 2);
    press(&mut model, "enter");
    assert!(matches!(&model.page, Page::Deploy(page) if page.at == service_at("local", "shop")), "{:?}", model.page);
    press(&mut model, "g j tab esc");
    assert!(matches!(&model.page, Page::Journal(page) if page.half == Half::Servers), "{:?}", model.page);
    assert_eq!(shown(&model), 5, "the filter goes first");
}

fn variables(model: &mut Model) {
    press(model, "g e");
    send(model, Message::Variables { server: "local".parse().unwrap(), result: Ok(fixture::variables()) });
}

#[test]
fn a_new_variable_is_named_then_valued_then_confirmed() {
    let mut model = fixture::model();
    variables(&mut model);
    press(&mut model, "n");
    type_text(&mut model, "not a name");
    press(&mut model, "enter");
    assert_eq!(model.typing, Some(Typing::VariableName), "{:?}", toasts(&model));
    press(&mut model, "ctrl-u");
    type_text(&mut model, "API_KEY");
    press(&mut model, "enter");
    assert!(model.types_unseen());
    paste(&mut model, "s3cret\n");
    assert_eq!(press(&mut model, "enter enter"), [], "Cancel is chosen at first");
    press(&mut model, "n");
    type_text(&mut model, "API_KEY");
    press(&mut model, "enter");
    paste(&mut model, "s3cret");
    let effects = press(&mut model, "enter y");
    let [Effect::ChangeVariable { ticket, server, change }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((server.as_str(), change.name.as_str(), change.value.as_deref()), ("local", "API_KEY", Some("s3cret")));
    assert!(!format!("{model:?}{effects:?}").contains("s3cret"));
    let view = VariableView { name: "API_KEY".into(), is_set: true, used_by: Vec::new() };
    send(&mut model, Message::VariableChanged { ticket: *ticket, server: server.clone(), result: Ok(view) });
    let Page::Variables(page) = &model.page else { panic!() };
    assert_eq!(page.known.as_ref().unwrap()[0].name, "API_KEY");
    assert!(model.dialog.is_none());
    assert!(matches!(&model.journal.own[0].what, What::SetVariable(name) if name == "API_KEY"));
}

#[test]
fn half_a_secret_is_none() {
    let mut model = fixture::model();
    variables(&mut model);
    press(&mut model, "enter");
    paste(&mut model, "-----BEGIN KEY-----\nabc");
    let Page::Variables(page) = &model.page else { panic!() };
    assert!(page.value.0.is_empty());
    assert!(toasts(&model)[0].contains("several lines"));
}

#[test]
fn the_journal_follows_what_came_of_each_deed() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y");
    assert!(matches!(model.journal.own[0].result, Answer::Waiting));
    let Some(Effect::Deploy { ticket, .. }) = effects.last() else { panic!("{effects:?}") };
    let taken = fixture::running_deploy("api", 50);
    let result = Ok(Box::new(taken.clone()));
    send(&mut model, Message::Answered { ticket: *ticket, server: "local".parse().unwrap(), result });
    assert!(matches!(&model.journal.own[0].result, Answer::Deploy(deploy) if !deploy.is_finished()));
    let mut snapshot = fixture::snapshot(at(1));
    let mut ended = fixture::detail("docs").deploys[1].clone();
    ended.id = taken.id;
    snapshot.deploys.insert(0, ended);
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    assert!(matches!(&model.journal.own[0].result, Answer::Deploy(deploy) if deploy.is_finished()));
}

#[test]
fn alerts_that_begin_and_end_are_told_once() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(at(1));
    let mut fresh = snapshot.alerts.remove(1);
    fresh.service = Some("api".parse().unwrap());
    fresh.message = "api.r14.1 answers its health check with 500".into();
    snapshot.alerts.push(fresh);
    for _ in 0..2 {
        let news = ServerNews::Snapshot(Box::new(snapshot.clone()));
        send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    }
    assert_eq!(
        toasts(&model),
        ["docs on local: unhealthy is over", "api on local: api.r14.1 answers its health check with 500"]
    );
}

#[test]
fn what_is_wrong_with_what_is_typed_is_told_until_it_is_right_or_given_up() {
    let wrong = |keys: &str| {
        let mut model = locked();
        press(&mut model, keys);
        press(&mut model, "x enter");
        assert_eq!(toasts(&model), ["type local to go on, or leave with esc"]);
        model
    };
    let mut model = wrong("r y");
    press(&mut model, "ctrl-u");
    type_text(&mut model, "local");
    press(&mut model, "enter");
    assert_eq!(toasts(&model), [""; 0], "it was right then");
    let mut model = wrong("r y");
    press(&mut model, "esc");
    assert_eq!(toasts(&model), [""; 0], "it was given up");

    let mut model = fixture::model();
    variables(&mut model);
    press(&mut model, "n 1 enter");
    assert!(toasts(&model)[0].contains("is no name of a variable"));
    press(&mut model, "ctrl-u A enter");
    assert_eq!((model.typing, toasts(&model)), (Some(Typing::VariableValue), vec![]));
}

#[test]
fn a_value_goes_to_the_variable_it_was_begun_for_whatever_the_server_says_meanwhile() {
    let mut model = fixture::model();
    variables(&mut model);
    let told = |model: &mut Model, result| {
        send(model, Message::Variables { server: "local".parse().unwrap(), result });
    };
    press(&mut model, "j j enter");
    told(&mut model, Err(fixture::problem("no answer within 5s")));
    let screen = fixture::shown(&mut model);
    assert!(screen.contains("SECRET_KEY") && screen.contains("no answer within 5s"), "{screen}");
    paste(&mut model, "s3cret");
    told(&mut model, Ok(fixture::variables().split_off(3)));
    let effects = press(&mut model, "enter y");
    let [Effect::ChangeVariable { change, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((change.name.as_str(), change.value.as_deref()), ("SECRET_KEY", Some("s3cret")));
}

#[test]
fn an_alert_stays_selected_when_a_graver_one_comes() {
    let mut model = fixture::model();
    press(&mut model, "g a j j");
    let mut snapshot = fixture::snapshot(at(1));
    let mut graver = snapshot.alerts[0].clone();
    (graver.kind, graver.service) = (mypaas::api::AlertKind::Down, Some("docs".parse().unwrap()));
    snapshot.alerts.push(graver);
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    press(&mut model, "enter");
    assert_eq!(model.selected_service(), Some(&service_at("local", "blog")));
}

#[test]
fn an_entry_of_the_journal_stays_selected_when_a_newer_one_comes() {
    let mut model = fixture::model();
    let told = |model: &mut Model, entries: Vec<_>| {
        send(model, Message::Audit { server: "local".parse().unwrap(), result: Ok(entries) });
    };
    press(&mut model, "g j tab");
    told(&mut model, fixture::audit().split_off(1));
    told(&mut model, fixture::audit());
    press(&mut model, "enter");
    assert!(matches!(&model.page, Page::Deploy(page) if page.at == service_at("local", "blog")), "{:?}", model.page);
}

#[test]
fn a_server_to_which_there_is_no_way_says_why_and_keeps_nobody_from_the_others() {
    let mut model = fixture::model();
    let news = ServerNews::NoWay(fixture::problem("the key ~/.ssh/work cannot be read"));
    send(&mut model, Message::Server { server: "s3".parse().unwrap(), news });
    assert_eq!(toasts(&model), [""; 0], "it was so from the beginning");
    press(&mut model, "G tab");
    let screen = fixture::shown(&mut model);
    assert!(screen.contains("the key ~/.ssh/work cannot be read"), "{screen}");
    assert!(screen.contains("tried again when the console is started anew"), "{screen}");
}

#[test]
fn no_value_is_typed_for_a_name_that_could_not_be_sent() {
    let mut model = fixture::model();
    press(&mut model, "g e");
    let view = VariableView { name: "2nd".into(), is_set: true, used_by: Vec::new() };
    send(&mut model, Message::Variables { server: "local".parse().unwrap(), result: Ok(vec![view]) });
    press(&mut model, "enter");
    assert_eq!(model.typing, None);
    assert!(toasts(&model)[0].contains("is no name of a variable"), "{:?}", toasts(&model));
}
