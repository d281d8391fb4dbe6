//! Moving through the list, and narrowing it.

use super::*;
use crate::console::keymap::Context;

#[test]
fn the_selection_stays_with_its_service_when_the_list_changes() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    let mut snapshot = fixture::snapshot(at(1));
    snapshot.services.retain(|service| service.name.as_str() != "blog");
    let news = |snapshot| ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news: news(snapshot.clone()) });
    assert_eq!(selected(&model), "shop on local");
    snapshot.services.retain(|service| service.name.as_str() != "shop");
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news: news(snapshot) });
    assert_eq!(selected(&model), "shop.worker on local", "what took its place in the list");
}

#[test]
fn the_first_service_is_selected_until_the_operator_moves() {
    let mut model = fixture::model();
    model.list = Default::default();
    let hear = |model: &mut Model, name: &str| {
        let news = ServerNews::Snapshot(Box::new(fixture::snapshot(at(1))));
        send(model, Message::Server { server: name.parse().unwrap(), news });
    };
    let local = model.fleet.servers.remove(0);
    hear(&mut model, "s3");
    assert_eq!(selected(&model), "cron on s2");
    model.fleet.servers.insert(0, local);
    hear(&mut model, "local");
    assert_eq!(selected(&model), "api on local");
    press(&mut model, "k");
    hear(&mut model, "local");
    assert_eq!(model.list.selected, Some(Item::Server("local".parse().unwrap())));
}

#[test]
fn the_list_is_moved_through_line_by_line_and_to_its_ends() {
    let mut model = fixture::model();
    press(&mut model, "j j");
    assert_eq!(selected(&model), "docs on local");
    press(&mut model, "G");
    assert_eq!(model.list.selected, Some(Item::Server("s3".parse().unwrap())));
    press(&mut model, "g g");
    assert_eq!(model.list.selected, Some(Item::Server("local".parse().unwrap())));
    press(&mut model, "n N");
    assert_eq!(selected(&model), "metrics on s2", "n and N go from service to service, round at the ends");
}

#[test]
fn a_key_that_waits_for_another_is_forgotten_on_escape() {
    let mut model = fixture::model();
    press(&mut model, "G g esc g");
    assert_eq!(model.list.selected, Some(Item::Server("s3".parse().unwrap())));
    assert_eq!(model.pending.len(), 1);
    press(&mut model, "g");
    assert_eq!(model.list.selected, Some(Item::Server("local".parse().unwrap())));
}

#[test]
fn servers_fold_and_services_unfold() {
    let mut model = fixture::model();
    press(&mut model, "right j");
    assert!(matches!(&model.list.selected, Some(Item::Container(_, name)) if name.as_str() == "api.r14.1"));
    press(&mut model, "left");
    assert_eq!(selected(&model), "api on local");
    press(&mut model, "left left");
    assert!(model.list.is_folded(&"local".parse().unwrap()));
    assert_eq!(model.list.rows(&model.fleet).len(), 5);
    press(&mut model, "enter");
    assert!(!model.list.is_folded(&"local".parse().unwrap()));
}

#[test]
fn turning_the_tab_brings_it_where_only_the_list_is_on_the_screen() {
    for (width, keys) in [(80, "]"), (120, "z ]")] {
        let mut model = fixture::model();
        model.size.width = width;
        press(&mut model, keys);
        assert_eq!((model.pane.tab, model.focus), (Tab::Containers, Focus::Pane { whole: false }), "{width}");
    }
    let mut model = fixture::model();
    press(&mut model, "]");
    assert_eq!((model.pane.tab, model.focus), (Tab::Containers, Focus::List), "it is beside the list already");
}

#[test]
fn a_filter_narrows_while_it_is_typed_stays_on_enter_and_goes_on_escape() {
    let mut model = fixture::model();
    press(&mut model, "/");
    type_text(&mut model, "state:down");
    assert_eq!(selected(&model), "blog on local");
    press(&mut model, "enter");
    assert_eq!(model.list.rows(&model.fleet).len(), 2);
    press(&mut model, "esc");
    assert!(model.list.rows(&model.fleet).len() > 2);
    assert_eq!(selected(&model), "blog on local");
    press(&mut model, "/");
    type_text(&mut model, "qj");
    press(&mut model, "esc");
    assert!(model.list.filter.is_empty());
}

#[test]
fn keys_about_the_list_do_nothing_on_a_page_that_hides_it() {
    for (width, keys) in [(80, "enter"), (120, "d")] {
        let mut model = fixture::model();
        model.size.width = width;
        press(&mut model, keys);
        assert_eq!(model.context(), Context::Page);
        press(&mut model, "space * / left right z enter");
        assert_eq!((selected(&model).as_str(), model.context()), ("api on local", Context::Page), "{width}");
        assert!(model.list.marks.is_empty() && model.typing.is_none(), "{width}");
        press(&mut model, "n");
        assert_eq!(selected(&model), "blog on local", "the next service is still a key away");
        press(&mut model, "] ] tab");
        assert_eq!((model.pane.tab, model.context()), (Tab::Releases, Context::Services));
    }
}

#[test]
fn a_mistyped_filter_is_told_of_and_not_forgotten() {
    let mut model = fixture::model();
    press(&mut model, "/");
    type_text(&mut model, "cpu>abc");
    press(&mut model, "enter");
    assert_eq!(toasts(&model), ["cpu> takes a number, as in cpu>50"]);
    assert!(!model.list.filter.is_empty() && model.list.filter.line.text() == "cpu>abc");
    press(&mut model, "esc");
    assert!(model.list.filter.is_empty(), "it goes as any other does");
    model.toasts = Default::default();
    press(&mut model, "/");
    type_text(&mut model, "cpu>5");
    press(&mut model, "enter");
    assert_eq!(toasts(&model), [""; 0]);
}

/// `local` says something new.
fn hear(model: &mut Model, snapshot: mypaas::api::Snapshot) {
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(model, Message::Server { server: "local".parse().unwrap(), news });
}

#[test]
fn what_one_works_on_stays_selected_when_it_does_not_match_the_filter_any_more() {
    let mut model = fixture::model();
    press(&mut model, "/");
    type_text(&mut model, "state:running");
    press(&mut model, "enter");
    select(&mut model, "local", "api");
    press(&mut model, "l");
    let mut snapshot = fixture::snapshot(at(1));
    let api = snapshot.services.iter_mut().find(|service| service.name.as_str() == "api").unwrap();
    api.state = mypaas::api::ServiceState::Degraded;
    hear(&mut model, snapshot);
    assert_eq!(model.logs.as_ref().map(|logs| &logs.at), Some(&service_at("local", "api")));
    press(&mut model, "esc");
    assert_eq!(selected(&model), "api on local");
    let shows_api = |model: &mut Model| fixture::shown(model).contains("◐ api ");
    assert!(shows_api(&mut model) && !model.list.filter.is_empty());
    press(&mut model, "j k");
    assert!(!shows_api(&mut model), "once it is left it goes");
    assert_ne!(selected(&model), "api on local");
}

#[test]
fn where_a_filter_hides_everything_nothing_is_selected_and_nothing_can_be_done() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    press(&mut model, "/");
    type_text(&mut model, "zzz");
    press(&mut model, "enter");
    assert_eq!((model.list.selected.is_none(), press(&mut model, "r X space")), (true, vec![]));
    assert!(model.dialog.is_none() && model.list.marks.is_empty());
    assert_eq!(toasts(&model), ["no service is selected"]);
    press(&mut model, "esc");
    assert_eq!(selected(&model), "shop on local", "it is back where it was");
}
