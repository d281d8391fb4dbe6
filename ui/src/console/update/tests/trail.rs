//! Back to where one was, and forward again.

use super::{select, selected, toasts};
use crate::console::fixture::{self, press, send, type_text};
use crate::console::message::Message;
use crate::console::model::{Focus, Model, Page};

/// In one word.
fn place(model: &Model) -> String {
    match (&model.page, model.focus) {
        (Page::Services, Focus::List) => format!("list: {}", selected(model)),
        (Page::Services, Focus::Pane { .. }) => format!("pane: {}", selected(model)),
        (Page::Logs, _) => "logs".into(),
        (Page::Deploy(page), _) => page.deploy.id.to_string(),
        (Page::Push(_), _) => "push".into(),
        (Page::Fleet(_), _) => "fleet".into(),
        (Page::Alerts(_), _) => "alerts".into(),
        (Page::Journal(_), _) => "journal".into(),
        (Page::Variables(page), _) => format!("variables of {}", page.server),
        (Page::Disk(page), _) => format!("disk of {}", page.server),
    }
}

#[test]
fn one_goes_back_through_the_places_one_was_at_and_forward_again() {
    let mut model = fixture::model();
    press(&mut model, "j enter esc l esc");
    select(&mut model, "local", "shop");
    press(&mut model, "w");
    assert_eq!(place(&model), "d41");
    let walk = |model: &mut Model, key: &str| {
        press(model, key);
        place(model)
    };
    let back: Vec<_> = (0..3).map(|_| walk(&mut model, "H")).collect();
    assert_eq!(back, ["list: shop on local", "pane: blog on local", "list: blog on local"]);
    let forward: Vec<_> = (0..3).map(|_| walk(&mut model, "L")).collect();
    assert_eq!(forward, ["pane: blog on local", "list: shop on local", "d41"]);
}

#[test]
fn moving_through_the_list_is_no_place_but_a_jump_is() {
    let mut model = fixture::model();
    press(&mut model, "j j j k G");
    press(&mut model, "H");
    assert_eq!(toasts(&model), ["there is nothing to go back to"]);
    select(&mut model, "local", "api");
    press(&mut model, ":");
    type_text(&mut model, "go metrics");
    press(&mut model, "enter");
    assert_eq!(place(&model), "list: metrics on s2");
    press(&mut model, "alt-left");
    assert_eq!(place(&model), "list: api on local");
    press(&mut model, "d L H L");
    assert_eq!(place(&model), "pane: api on local", "going somewhere new forgets what was forward");
}

#[test]
fn a_place_whose_service_is_gone_is_as_near_as_can_be() {
    let mut model = fixture::model();
    press(&mut model, "enter esc");
    model.fleet.servers.truncate(0);
    press(&mut model, "H");
    assert!(matches!(model.page, Page::Services));
}

#[test]
fn escape_leads_back_to_where_one_came_from() {
    let mut model = fixture::model();
    press(&mut model, "/");
    type_text(&mut model, "api");
    press(&mut model, "enter g a j j l");
    assert_eq!(place(&model), "logs");
    press(&mut model, "esc");
    assert_eq!(place(&model), "alerts");
    assert!(!model.list.filter.is_empty(), "the filter of another page stays");
    press(&mut model, "esc l esc");
    assert_eq!(place(&model), "list: api on local");
    press(&mut model, "w l esc");
    assert_eq!(place(&model), "d31");
    press(&mut model, "esc");
    assert_eq!(place(&model), "list: api on local");

    send(&mut model, Message::Audit { server: "local".parse().unwrap(), result: Ok(fixture::audit()) });
    press(&mut model, "g j tab enter");
    assert_eq!(place(&model), "d41");
    press(&mut model, "esc");
    assert_eq!(place(&model), "journal");
}
