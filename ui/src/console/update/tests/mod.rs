//! The console as messages see it: no terminal, no server.

mod actions;
mod dialogs;
mod disk;
mod fleet;
mod list;
mod logs;
mod marks;
mod mouse;
mod trail;

use mypaas::api::{Action, DeployState, Outcome, PlanRequest, Problem, Target};
use mypaas::name::{DeployId, ReleaseId};

use crate::console::effect::{Effect, TerminalEffect};
use crate::console::fixture::{self, at, paste, press, send, service_at, type_text};
use crate::console::message::{Message, ServerNews};
use crate::console::model::detail::Tab;
use crate::console::model::dialog::{Choice, Dialog, Stage};
use crate::console::model::fleet::Connection;
use crate::console::model::list::Item;
use crate::console::model::{Focus, Model, Page, Ticket};

fn select(model: &mut Model, server: &str, service: &str) {
    model.list.select(Item::Service(service_at(server, service)), &model.fleet);
}

fn selected(model: &Model) -> String {
    model.selected_service().map(ToString::to_string).unwrap_or_default()
}

fn toasts(model: &Model) -> Vec<&str> {
    model.toasts.shown.iter().map(|toast| toast.text.as_str()).collect()
}

/// What was asked of a server, and the ticket for the answer.
fn asked(effects: &[Effect]) -> (String, Action, Ticket) {
    match effects {
        [Effect::Deploy { ticket, server, target: Target::Service { service, action } }] => {
            (format!("{service} on {server}"), action.clone(), *ticket)
        }
        other => panic!("{other:?}"),
    }
}

fn answer(model: &mut Model, ticket: Ticket, result: Result<u64, Problem>) {
    let result = result.map(|id| Box::new(fixture::deploy("api", id)));
    send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result });
}

#[test]
fn every_page_can_be_quit() {
    for keys in ["", "l", "w", "p", "tab", "d"] {
        let mut model = fixture::model();
        press(&mut model, keys_or_none(keys));
        assert_eq!(press(&mut model, "ctrl-c"), [TerminalEffect::Quit.into()], "{keys}");
    }
    assert_eq!(press(&mut fixture::model(), "q"), [TerminalEffect::Quit.into()]);
    assert_eq!(send(&mut fixture::model(), Message::Told), [TerminalEffect::Quit.into()]);
}

fn keys_or_none(keys: &str) -> &str {
    if keys.is_empty() { "esc" } else { keys }
}

#[test]
fn what_ended_elsewhere_is_told_once_and_not_when_it_is_watched() {
    let ended = || {
        let mut snapshot = fixture::snapshot(at(1));
        let shop = snapshot.deploys.iter_mut().find(|deploy| deploy.id == DeployId::new(41)).unwrap();
        shop.state = DeployState::Finished { started: Some(at(-12)), finished: at(1), outcome: Outcome::Succeeded };
        ServerNews::Snapshot(Box::new(snapshot))
    };
    let mut model = fixture::model();
    let news = |model: &mut Model| send(model, Message::Server { server: "local".parse().unwrap(), news: ended() });
    news(&mut model);
    news(&mut model);
    assert_eq!(toasts(&model), ["shop on local: r22 live, by ada@laptop"]);

    let mut watching = fixture::model();
    select(&mut watching, "local", "shop");
    press(&mut watching, "w");
    news(&mut watching);
    assert!(toasts(&watching).is_empty());
    assert!(matches!(&watching.page, Page::Deploy(page) if page.deploy.is_finished()));
}

#[test]
fn a_server_that_goes_silent_and_comes_back_is_told() {
    let mut model = fixture::model();
    let tell = |model: &mut Model, news| drop(send(model, Message::Server { server: "local".parse().unwrap(), news }));
    tell(&mut model, ServerNews::Lost(fixture::problem("cut")));
    tell(&mut model, ServerNews::Lost(fixture::problem("cut")));
    tell(&mut model, ServerNews::Snapshot(Box::new(fixture::snapshot(at(3)))));
    assert_eq!(toasts(&model), ["local does not answer: cut", "local answers again"]);
}

#[test]
fn pasting_types_and_a_path_is_looked_up_with_each_change() {
    let mut model = fixture::model();
    press(&mut model, "p");
    let effects = paste(&mut model, "/srv/api\n");
    assert!(matches!(&effects[..], [Effect::FindFolders { typed, .. }] if typed == "/srv/api"));
    let effects = press(&mut model, "ctrl-w");
    assert!(matches!(&effects[..], [Effect::FindFolders { typed, .. }] if typed == "/srv/"));
    let effects = press(&mut model, "q");
    assert!(matches!(&effects[..], [Effect::FindFolders { typed, .. }] if typed == "/srv/q"), "q is a letter here");
}

#[test]
fn a_push_goes_to_the_server_that_was_chosen() {
    let mut model = fixture::model();
    press(&mut model, "p ctrl-t");
    paste(&mut model, "/srv/api");
    let effects = press(&mut model, "enter");
    assert!(matches!(&effects[..], [Effect::Check { server, .. }] if server.as_str() == "s2"), "{effects:?}");
    press(&mut model, "esc");
    assert!(matches!(model.context(), crate::console::keymap::Context::Folder));
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Services));
}

#[test]
fn a_palette_line_is_about_the_service_it_names() {
    let mut model = fixture::model();
    press(&mut model, ":");
    type_text(&mut model, "restart blog");
    press(&mut model, "enter");
    assert_eq!(selected(&model), "blog on local");
    assert!(
        matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.aims[0].at == service_at("local", "blog"))
    );
    press(&mut model, "esc :");
    type_text(&mut model, "scale 7 shop");
    press(&mut model, "enter");
    assert!(matches!(&model.dialog, Some(Dialog::Scale(scale)) if scale.to == 7 && scale.from == 2));
}

#[test]
fn copying_goes_to_the_terminal() {
    let mut model = fixture::model();
    let copied = |effects: Vec<Effect>| match &effects[..] {
        [Effect::Terminal(TerminalEffect::Copy(text))] => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(copied(press(&mut model, "y u")), "https://api.example.com");
    assert_eq!(copied(press(&mut model, "y n")), "api");
    assert_eq!(copied(press(&mut model, "right j j y c")), "api.r14.2");
}

#[test]
fn tabs_are_turned_and_enter_opens_what_is_in_them() {
    let mut model = fixture::model();
    press(&mut model, "] ] tab j");
    let release = |model: &Model| model.pane.release.place(&model.pane_releases());
    assert_eq!((model.pane.tab, release(&model)), (Tab::Releases, 1));
    press(&mut model, "enter");
    assert!(
        matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.action == Action::Rollback { to: ReleaseId::new(13) })
    );
    press(&mut model, "esc ] j enter");
    assert!(matches!(&model.page, Page::Deploy(page) if page.deploy.id == DeployId::new(30)));
    press(&mut model, "esc");
    assert_eq!(model.focus, Focus::Pane { whole: false });
    press(&mut model, "esc j");
    let deploy = model.pane.deploy.place(&model.pane_deploys());
    assert_eq!((model.pane.tab, deploy), (Tab::Deploys, 0), "another service begins at its top");
}

#[test]
fn what_is_on_its_way_to_a_server_is_told_before_one_leaves() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    press(&mut model, "esc");
    assert_eq!(press(&mut model, "q"), []);
    assert_eq!(toasts(&model), ["restart is still on its way to local: leaving now may lose it; once more to leave"]);
    assert_eq!(press(&mut model, "j ctrl-c"), [], "something else was done meanwhile");
    assert_eq!(press(&mut model, "ctrl-c"), [TerminalEffect::Quit.into()]);
    press(&mut model, "j");
    answer(&mut model, asked(&effects).2, Ok(50));
    assert_eq!(press(&mut model, "q"), [TerminalEffect::Quit.into()], "the deploy goes on without the console");
}

#[test]
fn a_release_stays_selected_when_a_newer_one_comes() {
    let mut model = fixture::model();
    press(&mut model, "] ] tab j");
    let mut detail = fixture::detail("api");
    let mut newer = detail.releases[0].clone();
    newer.release.id = ReleaseId::new(15);
    detail.releases.insert(0, newer);
    send(&mut model, Message::Detail { at: service_at("local", "api"), result: Ok(Box::new(detail)) });
    press(&mut model, "enter");
    let to = ReleaseId::new(13);
    assert!(matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.action == Action::Rollback { to }));
}

#[test]
fn the_selected_release_is_pinned_and_unpinned_again() {
    let mut model = fixture::model();
    press(&mut model, "P");
    assert_eq!(toasts(&model), ["select a release first, in the tab with the releases"]);
    for pinned in [true, false] {
        let effects = press(&mut model, if pinned { "] ] tab j P" } else { "P" });
        let [Effect::Pin { ticket, at, release, pinned: wanted }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!((*release, *wanted), (ReleaseId::new(13), pinned));
        let mut view = fixture::detail("api").releases[1].clone();
        view.pinned = pinned;
        send(&mut model, Message::Pinned { ticket: *ticket, at: at.clone(), result: Ok(Box::new(view)) });
        assert_eq!(model.pane_detail().unwrap().releases[1].pinned, pinned);
    }
    model.fleet.servers[0].lock = true;
    assert_eq!(press(&mut model, "P"), []);
    type_text(&mut model, "local");
    assert!(matches!(press(&mut model, "enter")[..], [Effect::Pin { .. }]));
}
