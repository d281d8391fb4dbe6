//! Every page and dialog at three sizes, as plain text, and in what its colours mean.

mod budget;
mod deploy;
mod dialogs;
mod disk;
mod fleet;
mod footer;
mod lists;
mod logs;
mod names;
mod push;
mod runs;
mod silent;

use mypaas::api::{Action, Event, LogStream, LogsOf, PlanView, ServiceState};
use mypaas::name::{DeployId, ReleaseId};
use ratatui::layout::Size;

use crate::console::effect::Effect;
use crate::console::fixture::{self, at, logged, press, send, service_at, shown, type_text, written};
use crate::console::message::{LogNews, Message, News, ServerNews};
use crate::console::model::Model;
use crate::console::model::dialog::{Dialog, Load};
use crate::console::model::fleet::Connection;
use crate::console::model::list::Item;
use crate::console::model::logs::Caught;
use crate::console::model::push::{Contents, ContextSize, FolderReport, FoundFolder, Glance};
use crate::console::theme::{Depth, Theme, ThemeName};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// The same at each size: made anew, so that what is shown does not depend on the size before.
fn snapshots(name: &str, play: impl Fn(&mut Model)) {
    for (width, height) in SIZES {
        let mut model = fixture::model();
        model.size = Size::new(width, height);
        fixture::show(&mut model);
        play(&mut model);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), shown(&mut model));
        insta::assert_snapshot!(format!("{name}_{width}x{height}_meanings"), runs::in_meanings(&mut model));
    }
}

fn select(model: &mut Model, server: &str, service: &str) {
    model.list.select(Item::Service(service_at(server, service)), &model.fleet);
}

/// Answers the plan that was asked for with these effects.
fn answer_plan(model: &mut Model, effects: &[Effect], plan: PlanView) {
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::Plan { ticket, .. } => Some(*ticket),
        _ => None,
    });
    send(model, Message::Planned { ticket: ticket.unwrap(), result: Ok(plan) });
}

#[test]
fn the_main_page() {
    snapshots("main", |model| {
        if model.size.width >= 170 {
            press(model, "j k");
            logs::fill(model);
        }
    });
}

#[test]
fn the_main_page_with_containers_and_toasts() {
    snapshots("main_unfolded", |model| {
        select(model, "local", "shop");
        press(model, "right j");
        let mut snapshot = fixture::snapshot(at(1));
        let ended = fixture::detail("docs").deploys[1].clone();
        snapshot.deploys.insert(0, mypaas::api::Deploy { accepted: at(0), ..ended });
        let news = ServerNews::Snapshot(Box::new(snapshot));
        send(model, Message::Server { server: "local".parse().unwrap(), news });
        press(model, "y c");
    });
}

#[test]
fn the_main_page_with_a_filter() {
    snapshots("main_filter", |model| {
        press(model, "/");
        type_text(model, "state:r shop");
    });
}

#[test]
fn the_main_page_while_a_key_waits_for_the_next() {
    snapshots("main_pending_key", |model| drop(press(model, "y")));
}

#[test]
fn a_server_that_answers() {
    snapshots("server_live", |model| drop(press(model, "k tab")));
}

#[test]
fn a_server_that_went_silent() {
    snapshots("server_stale", |model| {
        model.list.select(Item::Server("s2".parse().unwrap()), &model.fleet);
        press(model, "tab");
    });
}

#[test]
fn servers_that_did_not_answer_yet_and_what_they_said_in_an_earlier_session() {
    snapshots("remembered", |model| {
        for entry in &mut model.fleet.servers {
            let snapshot = entry.snapshot().cloned().map(Box::new);
            entry.connection = Connection::Connecting;
            if let Some(snapshot) = snapshot {
                entry.recall(snapshot, at(-3 * fixture::HOUR));
            }
        }
        press(model, "enter");
    });
}

#[test]
fn a_server_that_never_answered() {
    snapshots("server_unreachable", |model| drop(press(model, "G tab")));
}

#[test]
fn the_overview_of_a_service_that_is_down() {
    snapshots("overview_down", |model| {
        select(model, "local", "blog");
        let result = Ok(Box::new(fixture::detail("blog")));
        send(model, Message::Detail { at: service_at("local", "blog"), result });
        press(model, "enter");
    });
}

#[test]
fn a_stopped_service_keeps_the_scale_of_its_release() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(at(1));
    let api = snapshot.services.iter_mut().find(|service| service.name.as_str() == "api").unwrap();
    (api.state, api.wanted, api.ready) = (ServiceState::Stopped, 0, 0);
    api.containers.clear();
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    press(&mut model, "enter");
    let screen = shown(&mut model);
    assert!(screen.contains("scale 3, rolling"), "{screen}");
}

#[test]
fn the_overview_of_a_service_on_a_silent_server() {
    snapshots("overview_stale", |model| {
        select(model, "s2", "metrics");
        press(model, "enter");
    });
}

#[test]
fn the_description_of_a_service() {
    snapshots("describe", |model| drop(press(model, "d")));
}

#[test]
fn the_releases() {
    snapshots("releases", |model| drop(press(model, "tab ] ] j j")));
}

#[test]
fn the_deploys() {
    snapshots("deploys", |model| drop(press(model, "tab ] ] ] j")));
}

#[test]
fn trouble() {
    snapshots("trouble", |model| {
        press(model, "r");
        let effects = press(model, "y");
        let [Effect::Deploy { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
        let result = Err(fixture::refusal());
        send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result });
    });
}

#[test]
fn the_palette() {
    snapshots("palette", |model| {
        press(model, ":");
        type_text(model, "re bl");
    });
}

#[test]
fn the_help() {
    snapshots("help", |model| drop(press(model, "?")));
}

#[test]
fn the_first_start() {
    snapshots("first_start", |model| {
        let mut snapshot = fixture::snapshot(at(0));
        snapshot.services.clear();
        snapshot.deploys.clear();
        model.fleet.servers.truncate(1);
        let news = ServerNews::Snapshot(Box::new(snapshot));
        send(model, Message::Server { server: "local".parse().unwrap(), news });
        model.toasts = Default::default();
    });
}

#[test]
fn nothing_that_matches() {
    snapshots("nothing_matches", |model| {
        press(model, "/");
        type_text(model, "zzz");
        press(model, "enter");
    });
}

#[test]
fn small_terminals() {
    for (width, height) in [(20, 6), (40, 10), (60, 16), (19, 5), (1, 1), (0, 0)] {
        let mut model = fixture::model();
        model.size = Size::new(width, height);
        insta::assert_snapshot!(format!("small_{width}x{height}"), shown(&mut model));
    }
}

#[test]
fn colours_follow_the_theme_and_the_terminal() {
    for (name, theme, depth) in [
        ("plain", ThemeName::Dark, Depth::Plain),
        ("16", ThemeName::Dark, Depth::Ansi16),
        ("256", ThemeName::Dark, Depth::Indexed256),
        ("true", ThemeName::Dark, Depth::TrueColor),
        ("light_16", ThemeName::Light, Depth::Ansi16),
        ("light_true", ThemeName::Light, Depth::TrueColor),
    ] {
        let theme = Theme::new(theme, depth).unwrap();
        let mut model = fixture::model();
        model.size = Size::new(80, 24);
        insta::assert_snapshot!(format!("colours_main_{name}"), runs::in_colours(&mut model, &theme));
        select(&mut model, "local", "blog");
        press(&mut model, "w");
        deploy::watch(&mut model, 40, fixture::failed_push(), true);
        insta::assert_snapshot!(format!("colours_deploy_{name}"), runs::in_colours(&mut model, &theme));
    }
}

#[test]
fn a_stale_service_does_not_look_live() {
    let mut model = fixture::model();
    let (buffer, _) = fixture::draw(&mut model, &Theme::new(ThemeName::Dark, Depth::TrueColor).unwrap());
    let live = buffer.content().iter().find(|cell| cell.symbol() == "●").unwrap().style();
    let stale = buffer.content().iter().rfind(|cell| cell.symbol() == "●").unwrap().style();
    assert_ne!(live, stale);
}

#[test]
fn the_screen_says_when_it_will_be_out_of_date() {
    let mut model = fixture::model();
    let theme = Theme::new(ThemeName::Dark, Depth::TrueColor).unwrap();
    let wake = |model: &mut Model| fixture::draw(model, &theme).1.wake;
    assert_eq!(wake(&mut model), Some(at(1)), "a deploy that runs is told in seconds");
    model.fleet.servers.truncate(1);
    let mut snapshot = fixture::snapshot(at(0));
    snapshot.services.retain(|service| service.name.as_str() == "api");
    snapshot.deploys.clear();
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    let next = wake(&mut model).unwrap();
    assert!(next > at(fixture::HOUR), "ages in days keep nobody awake: {next}");
}
