//! The console as messages see it: no terminal, no server.

mod actions;
mod fleet;
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
fn cancel_is_the_default_of_every_confirmation() {
    for (key, action) in [("r", Action::Restart), ("R", Action::Redeploy), ("S", Action::Stop), ("X", Action::Remove)] {
        let mut model = fixture::model();
        let effects = press(&mut model, key);
        let wanted = PlanRequest::Service { service: "api".parse().unwrap(), action: action.clone() };
        assert!(matches!(&effects[..], [Effect::Plan { request, .. }] if *request == wanted), "{effects:?}");
        assert!(press(&mut model, "enter").is_empty(), "{action:?}");
        assert!(model.dialog.is_none());
    }
}

#[test]
fn a_confirmation_does_it_by_y_or_by_choosing_it() {
    for keys in ["r y", "r tab enter", "r right enter"] {
        let mut model = fixture::model();
        let effects = press(&mut model, keys).split_off(1);
        assert_eq!((asked(&effects).0.as_str(), asked(&effects).1), ("api on local", Action::Restart));
        assert!(press(&mut model, "y").is_empty(), "asked once is enough");
    }
}

#[test]
fn a_stopped_service_is_started() {
    let mut model = fixture::model();
    select(&mut model, "local", "old-site");
    let effects = press(&mut model, "S y").split_off(1);
    assert_eq!(asked(&effects).1, Action::Start);
}

#[test]
fn what_the_plan_refuses_cannot_be_done() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r");
    let [Effect::Plan { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    let mut plan = fixture::plan("api", Action::Restart);
    plan.refusals.push(fixture::refusal());
    send(&mut model, Message::Planned { ticket, result: Ok(plan) });
    assert!(press(&mut model, "y tab").is_empty());
    assert!(press(&mut model, "enter").is_empty());
    assert!(model.dialog.is_none());
}

#[test]
fn a_plan_that_comes_too_late_is_not_taken_for_another() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r");
    let [Effect::Plan { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    press(&mut model, "esc X");
    send(&mut model, Message::Planned { ticket, result: Ok(fixture::plan("api", Action::Restart)) });
    assert!(matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.aims[0].plan.ready().is_none()));
}

#[test]
fn an_accepted_deploy_is_watched_at_once() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    answer(&mut model, asked(&effects).2, Ok(50));
    assert!(matches!(&model.page, Page::Deploy(page) if page.deploy.id == DeployId::new(50)));
    assert!(model.dialog.is_none());
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Services));
    assert_eq!(selected(&model), "api on local");
}

#[test]
fn a_deploy_that_is_not_accepted_says_why() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    answer(&mut model, asked(&effects).2, Err(fixture::refusal()));
    assert!(matches!(&model.dialog, Some(Dialog::Trouble { problem, .. }) if *problem == fixture::refusal()));
}

#[test]
fn an_answer_nobody_waits_for_is_told_as_a_toast() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    press(&mut model, "esc");
    answer(&mut model, asked(&effects).2, Ok(50));
    assert!(matches!(model.page, Page::Services));
    assert_eq!(toasts(&model), ["local took the push of api as d50"]);
}

#[test]
fn a_server_that_never_answered_is_asked_for_nothing() {
    let mut model = fixture::model();
    let s2 = model.fleet.server_mut(&"s2".parse().unwrap()).unwrap();
    s2.connection = Connection::Connecting;
    let before = model.dialog.is_none();
    assert!(before && press(&mut model, "r").len() == 1);
    press(&mut model, "esc");
    let silent = service_at("s2", "metrics");
    model.list.selected = Some(Item::Service(silent.clone()));
    assert!(super::action::confirm(&mut model, silent, Action::Restart).is_empty());
    assert_eq!(toasts(&model), ["s2 does not answer"]);
}

#[test]
fn a_running_deploy_is_cancelled_only_after_a_yes() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    assert!(press(&mut model, "w c enter").is_empty(), "to let it run is the default");
    let effects = press(&mut model, "c y");
    let [Effect::Cancel { ticket, id, .. }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(id, DeployId::new(41));
    send(&mut model, Message::Cancelled { ticket, result: Err(fixture::problem("too late")) });
    assert!(matches!(&model.dialog, Some(Dialog::Trouble { problem, .. }) if problem.message == "too late"));
}

#[test]
fn a_rollback_previews_each_release_and_asks_before_it_is_done() {
    let mut model = fixture::model();
    let target = |effects: &[Effect]| match effects {
        [Effect::Plan { request: PlanRequest::Service { action: Action::Rollback { to }, .. }, .. }] => *to,
        other => panic!("{other:?}"),
    };
    assert_eq!(target(&press(&mut model, "b")), ReleaseId::new(13), "the live one is not offered");
    assert_eq!(target(&press(&mut model, "j")), ReleaseId::new(12));
    assert!(press(&mut model, "enter").is_empty());
    let Some(Dialog::Confirm(confirm)) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!(confirm.stage, Stage::Deciding(Choice::Cancel));
    assert_eq!(asked(&press(&mut model, "y")).1, Action::Rollback { to: ReleaseId::new(12) });
}

#[test]
fn a_release_whose_image_is_gone_cannot_be_taken() {
    let mut model = fixture::model();
    press(&mut model, "b G enter");
    assert!(matches!(model.dialog, Some(Dialog::Rollback(_))));
}

#[test]
fn a_rollback_waits_for_the_releases_when_they_are_not_known_yet() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    assert!(press(&mut model, "b").is_empty());
    let result = Ok(Box::new(fixture::detail("shop")));
    let effects = send(&mut model, Message::Detail { at: service_at("local", "shop"), result });
    assert!(matches!(effects[..], [Effect::Plan { .. }]));
}

#[test]
fn scaling_counts_up_and_down_and_takes_digits() {
    let mut model = fixture::model();
    let to = |model: &Model| match &model.dialog {
        Some(Dialog::Scale(scale)) => (scale.from, scale.to),
        other => panic!("{other:?}"),
    };
    press(&mut model, "+ + -");
    assert_eq!(to(&model), (3, 4));
    press(&mut model, "1 2");
    assert_eq!(to(&model), (3, 12));
    press(&mut model, "backspace backspace");
    assert_eq!(to(&model), (3, 1), "none is not a number to scale to");
    type_text(&mut model, "9999");
    assert_eq!(to(&model), (3, 99), "a number that is too large begins anew: 19, 199, 9, 99");
    let effects = press(&mut model, "enter");
    assert_eq!(asked(&effects).1, Action::Scale { count: 99 });
}

#[test]
fn scaling_to_the_same_number_does_nothing() {
    let mut model = fixture::model();
    assert!(press(&mut model, "+ - enter").iter().all(|effect| matches!(effect, Effect::Plan { .. })));
    assert!(matches!(model.dialog, Some(Dialog::Scale(_))));
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
    assert_eq!((model.pane.tab, model.pane.release), (Tab::Releases, 1));
    press(&mut model, "enter");
    assert!(
        matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.action == Action::Rollback { to: ReleaseId::new(13) })
    );
    press(&mut model, "esc ] j enter");
    assert!(matches!(&model.page, Page::Deploy(page) if page.deploy.id == DeployId::new(30)));
    press(&mut model, "esc");
    assert_eq!(model.focus, Focus::Pane { whole: false });
    press(&mut model, "esc j");
    assert_eq!((model.pane.tab, model.pane.deploy), (Tab::Deploys, 0), "another service begins at its top");
}
