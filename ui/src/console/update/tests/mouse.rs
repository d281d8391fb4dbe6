//! Clicks and the wheel.

use ratatui::layout::Position;

use super::selected;
use crate::console::effect::{Effect, TerminalEffect};
use crate::console::fixture::{self, press, send, shown, type_text};
use crate::console::message::{Gesture, Message, Mouse};
use crate::console::model::alerts::AlertColumn;
use crate::console::model::column::Column;
use crate::console::model::detail::Tab;
use crate::console::model::dialog::Dialog;
use crate::console::model::servers::ServerColumn;
use crate::console::model::{Focus, Model, Page};

/// Where a text stands on the screen.
fn find(model: &mut Model, text: &str) -> Position {
    let screen = shown(model);
    let found =
        screen.lines().enumerate().find_map(|(row, line)| Some((row, line[..line.find(text)?].chars().count())));
    let (row, column) = found.unwrap_or_else(|| panic!("no {text:?} in\n{screen}"));
    Position::new(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

fn gesture(model: &mut Model, text: &str, what: Gesture) -> Vec<Effect> {
    let at = find(model, text);
    send(model, Message::Mouse(Mouse { at, what }))
}

fn click(model: &mut Model, text: &str) -> Vec<Effect> {
    gesture(model, text, Gesture::Click)
}

#[test]
fn a_click_selects_and_a_second_one_opens() {
    let mut model = fixture::model();
    click(&mut model, "docs      ");
    assert_eq!((selected(&model).as_str(), model.focus), ("docs on local", Focus::List));
    click(&mut model, "docs      ");
    assert_eq!(model.focus, Focus::Pane { whole: false });
    click(&mut model, "blog      ");
    assert_eq!((selected(&model).as_str(), model.focus), ("blog on local", Focus::List));
}

#[test]
fn the_other_button_marks() {
    let mut model = fixture::model();
    gesture(&mut model, "docs", Gesture::Mark);
    gesture(&mut model, "metrics", Gesture::Mark);
    assert_eq!((model.list.marks.len(), selected(&model).as_str()), (2, "api on local"));
}

#[test]
fn titles_sort_tabs_turn_and_hints_do_what_they_say() {
    let mut model = fixture::model();
    click(&mut model, "STATE");
    assert_eq!(model.list.order.by, Column::State);
    click(&mut model, "releases");
    assert_eq!(model.pane.tab, Tab::Releases);
    click(&mut model, "r12");
    let release = model.pane.release.place(&model.pane_releases());
    assert_eq!((release, model.focus), (2, Focus::Pane { whole: false }));
    click(&mut model, ": commands");
    assert!(matches!(model.dialog, Some(Dialog::Palette(_))));
}

#[test]
fn titles_sort_the_servers_and_the_alerts_too() {
    let mut model = fixture::model();
    press(&mut model, "g f");
    click(&mut model, "MEM");
    assert_eq!(model.servers.order.by, ServerColumn::Memory);
    press(&mut model, "g a");
    click(&mut model, "SINCE");
    assert_eq!(model.alerts.order.by, AlertColumn::Since);
    assert_eq!(model.list.order.by, Column::Name, "each list has an order of its own");
}

#[test]
fn buttons_are_pressed_and_nothing_below_a_dialog_is() {
    let mut model = fixture::model();
    press(&mut model, "r");
    click(&mut model, "LIVE");
    assert_eq!(model.list.order.by, Column::Name);
    let effects = click(&mut model, " Restart  ");
    assert!(matches!(effects[..], [Effect::Deploy { .. }]), "{effects:?}");
    press(&mut model, "esc r");
    click(&mut model, "Cancel");
    assert!(model.dialog.is_none());
}

#[test]
fn a_line_of_the_palette_is_chosen_and_then_taken() {
    let mut model = fixture::model();
    press(&mut model, ":");
    type_text(&mut model, "go ");
    click(&mut model, "go to metrics");
    assert!(model.dialog.is_some());
    click(&mut model, "go to metrics");
    assert_eq!(selected(&model), "metrics on s2");
}

#[test]
fn the_wheel_moves_what_lies_under_it() {
    let mut model = fixture::model();
    model.size.height = 20;
    gesture(&mut model, "OPTION", Gesture::WheelDown);
    assert_eq!((model.pane.scroll, model.focus, selected(&model).as_str()), (3, Focus::List, "api on local"));
    gesture(&mut model, "blog", Gesture::WheelDown);
    assert_eq!(selected(&model), "draft on local");
    press(&mut model, "g g j ?");
    let top = |model: &Model| matches!(&model.dialog, Some(Dialog::Help { scroll: 3, .. }));
    gesture(&mut model, "Keys", Gesture::WheelDown);
    assert!(top(&model), "{:?}", model.dialog);
}

#[test]
fn the_mouse_can_be_left_to_the_terminal() {
    let mut model = fixture::model();
    assert_eq!(press(&mut model, "M"), [TerminalEffect::Mouse(false).into()]);
    assert_eq!(press(&mut model, "M"), [TerminalEffect::Mouse(true).into()]);
}

#[test]
fn a_folder_is_chosen_by_clicking() {
    let mut model = fixture::model();
    press(&mut model, "p");
    let folders = ["/home/ada/src/api", "/home/ada/src/blog"].map(Into::into).to_vec();
    send(&mut model, Message::Recents { folders });
    click(&mut model, "src/blog");
    let effects = click(&mut model, "src/blog");
    assert!(matches!(&effects[..], [Effect::Check { folder, .. }] if folder.ends_with("blog")), "{effects:?}");
    assert!(matches!(model.page, Page::Push(_)));
}

#[test]
fn a_second_click_opens_also_far_down_a_long_table() {
    let mut model = fixture::model();
    let mut detail = fixture::detail("api");
    detail.deploys = (1..=90).rev().map(|id| fixture::deploy("api", id)).collect();
    send(&mut model, Message::Detail { at: fixture::service_at("local", "api"), result: Ok(Box::new(detail)) });
    press(&mut model, "] ] ] tab");
    let at = find(&mut model, "d70 ");
    for _ in 0..2 {
        send(&mut model, Message::Mouse(Mouse { at, what: Gesture::Click }));
    }
    assert!(matches!(&model.page, Page::Deploy(page) if page.deploy.id.number() == 70), "{:?}", model.page);
}
