//! Every page and dialog at three sizes, as plain text, and in what its colours mean.

mod budget;
mod fleet;
mod lists;
mod runs;

use mypaas::api::{Action, Event, LogStream, LogsOf, PlanView};
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
            fill_logs(model);
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

fn fill_logs(model: &mut Model) {
    let texts = [
        "GET /up 200 0.4ms",
        "GET /api/orders?limit=50 200 12.1ms",
        "WARN slow query: 340ms select * from orders where customer = $1 order by created desc limit 50 offset 1200",
        "POST /api/orders 201 31.0ms",
        "ERROR payment gateway: connection reset by peer, trying again in 2s",
        "GET /api/orders/8812 200 3.2ms",
    ];
    let line = |index: i64| {
        let container = format!("api.r14.{}", index % 3 + 1);
        let mut line = fixture::log_line(&container, at(index - 200), texts[index as usize % texts.len()]);
        if index % 6 == 4 {
            line.stream = LogStream::Stderr;
        }
        line
    };
    send(model, logged("api", LogNews::Began));
    send(model, logged("api", written((0..120).map(line).collect())));
}

#[test]
fn the_logs() {
    snapshots("logs", |model| {
        press(model, "l");
        fill_logs(model);
        press(model, "t");
    });
}

#[test]
fn the_logs_of_a_release_that_runs_no_more() {
    snapshots("logs_kept", |model| {
        press(model, "tab ] ] j j l");
        let of = LogsOf::Release(ReleaseId::new(12));
        let told = |news| Message::Logs { at: service_at("local", "api"), of: of.clone(), since: None, news };
        let line = |container, second, text| fixture::log_line(container, at(second), text);
        let lines =
            vec![line("api.r12.1", -9, "listening on 8080"), line("api.r12.2", -5, "SIGTERM: 3 requests to finish")];
        for news in [LogNews::Began, written(lines), LogNews::Ended] {
            send(model, told(news));
        }
    });
}

#[test]
fn the_logs_wrapped_and_searched() {
    snapshots("logs_searched", |model| {
        press(model, "l");
        fill_logs(model);
        press(model, "w /");
        type_text(model, "error|slow");
    });
}

#[test]
fn the_logs_with_lines_around_the_matches_and_whole_times() {
    snapshots("logs_around", |model| {
        press(model, "l");
        fill_logs(model);
        send(model, logged("api", LogNews::Some(vec![Caught::Skipped(12_345)])));
        press(model, "t t /");
        type_text(model, "gateway");
        press(model, "enter +");
    });
}

#[test]
fn asking_since_when_the_logs_are_read() {
    snapshots("logs_since", |model| {
        press(model, "l");
        fill_logs(model);
        press(model, "@");
    });
}

#[test]
fn asking_where_to_save_the_logs() {
    snapshots("logs_save", |model| {
        press(model, "l");
        fill_logs(model);
        press(model, "S");
    });
}

#[test]
fn the_logs_beside_the_list() {
    snapshots("logs_tab", |model| {
        press(model, "tab [");
        fill_logs(model);
        press(model, "k k k");
    });
}

fn watch(model: &mut Model, id: u64, events: Vec<Event>, ended: bool) {
    let (server, id) = ("local".parse().unwrap(), DeployId::new(id));
    let mut tell = |news| send(model, Message::Deploy { server: std::clone::Clone::clone(&server), id, news });
    tell(News::Began);
    tell(News::Some(events));
    if ended {
        tell(News::Ended);
    }
}

#[test]
fn a_deploy_that_runs() {
    snapshots("deploy_running", |model| {
        select(model, "local", "shop");
        let result = Ok(Box::new(fixture::detail("shop")));
        send(model, Message::Detail { at: service_at("local", "shop"), result });
        press(model, "w");
        watch(model, 41, fixture::running_push(), false);
        watch(model, 31, fixture::successful_push(), true);
    });
}

#[test]
fn cancelling_a_deploy() {
    snapshots("deploy_cancel", |model| {
        select(model, "local", "shop");
        press(model, "w c");
        watch(model, 41, fixture::running_push(), false);
    });
}

#[test]
fn a_deploy_that_succeeded() {
    snapshots("deploy_succeeded", |model| {
        press(model, "w");
        watch(model, 31, fixture::successful_push(), true);
    });
}

#[test]
fn a_deploy_that_failed() {
    snapshots("deploy_failed", |model| {
        select(model, "local", "blog");
        press(model, "w");
        watch(model, 40, fixture::failed_push(), true);
    });
}

fn report(folder: &str, dockerfile: &str, plan: Option<PlanView>) -> FolderReport {
    FolderReport {
        folder: folder.into(),
        commit: fixture::detail("api").releases[0].release.origin.commit.clone(),
        contents: Ok(Contents {
            checked: mypaas::manifest::check(dockerfile.as_bytes()),
            size: Ok(ContextSize {
                files: 214,
                bytes: 7_340_032,
                notes: vec!["left out by default: .git, target (`ignore = []` in mypaas.toml sends them)".into()],
            }),
            plan: plan.map(Ok),
        }),
    }
}

fn choose_folder(model: &mut Model) -> Vec<Effect> {
    let recents = ["/home/ada/src/api", "/home/ada/src/blog"].map(Into::into).to_vec();
    let effects = press(model, "p");
    send(model, Message::Recents { folders: recents });
    effects
}

fn found(model: &mut Model, effects: &[Effect]) {
    let found = [("/home/ada/src/api", true), ("/home/ada/src/api-docs", true), ("/home/ada/src/apidae", false)];
    let found = found.map(|(path, has_dockerfile)| FoundFolder { path: path.into(), has_dockerfile }).to_vec();
    let Some(Effect::FindFolders { ticket, .. }) = effects.last() else { panic!("{effects:?}") };
    send(model, Message::Folders { ticket: *ticket, found });
}

fn review(model: &mut Model, report: FolderReport) {
    choose_folder(model);
    type_text(model, "/home/ada/src/api");
    let effects = press(model, "enter");
    let [Effect::Check { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    send(model, Message::Checked { ticket, report: Box::new(report) });
}

#[test]
fn choosing_a_folder_to_push() {
    snapshots("push_choose", |model| {
        choose_folder(model);
        let effects = type_text(model, "/home/ada/src/api");
        found(model, &effects);
        press(model, "down down");
        let glance = Box::new(Glance {
            checked: Ok(mypaas::manifest::check(GOOD.as_bytes())),
            commit: fixture::detail("api").releases[2].release.origin.commit.clone(),
        });
        send(model, Message::Glanced { folder: "/home/ada/src/api-docs".into(), glance });
    });
}

const GOOD: &str = "FROM scratch\n# mypaas.service = api\n# mypaas.url = https://api.example.com\n# mypaas.scale = 3\n";

const BAD: &str = "FROM scratch\n# mypaas.service = Api\n# mypaas.healtcheck = /up 5s 2s\n# mypaas.scale = many\n";

#[test]
fn a_folder_that_can_be_pushed() {
    snapshots("push_review", |model| {
        let mut plan = fixture::plan("api", Action::Push);
        plan.changes = fixture::rollback_plan().changes;
        review(model, report("/home/ada/src/api", GOOD, Some(plan)));
        press(model, "tab");
    });
}

#[test]
fn a_folder_with_mistakes() {
    snapshots("push_mistakes", |model| review(model, report("/home/ada/src/api", BAD, None)));
}

#[test]
fn a_folder_that_is_sent() {
    snapshots("push_sending", |model| {
        review(model, report("/home/ada/src/api", GOOD, Some(fixture::plan("api", Action::Push))));
        let effects = press(model, "y");
        let [Effect::Push { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
        send(model, Message::Sent { ticket, bytes: 3_500_000 });
    });
}

#[test]
fn a_push_that_the_server_refuses() {
    snapshots("push_refused", |model| {
        review(model, report("/home/ada/src/api", GOOD, Some(fixture::plan("api", Action::Push))));
        let effects = press(model, "y");
        let [Effect::Push { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
        let mut problem = fixture::refusal();
        problem.diagnostics = mypaas::manifest::check(BAD.as_bytes()).diagnostics;
        send(model, Message::Answered { ticket, server: "local".parse().unwrap(), result: Err(problem) });
    });
}

#[test]
fn confirming_a_restart() {
    snapshots("confirm_restart", |model| {
        let effects = press(model, "r");
        answer_plan(model, &effects, fixture::plan("api", Action::Restart));
    });
}

#[test]
fn confirming_a_removal() {
    snapshots("confirm_remove", |model| drop(press(model, "X tab")));
}

#[test]
fn an_action_that_is_refused() {
    snapshots("confirm_refused", |model| {
        select(model, "s2", "metrics");
        let effects = press(model, "R");
        let mut plan = fixture::plan("metrics", Action::Redeploy);
        plan.refusals = vec![fixture::refusal()];
        answer_plan(model, &effects, plan);
    });
}

#[test]
fn choosing_a_release_to_go_back_to() {
    snapshots("rollback", |model| {
        press(model, "b");
        let effects = press(model, "j");
        answer_plan(model, &effects, fixture::rollback_plan());
    });
}

#[test]
fn there_may_be_no_release_to_go_back_to() {
    snapshots("rollback_none", |model| {
        press(model, "b");
        let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { panic!("a release is to be chosen") };
        rollback.releases = Load::Ready(Vec::new());
    });
}

#[test]
fn scaling() {
    snapshots("scale", |model| {
        press(model, "+");
        let effects = press(model, "+");
        answer_plan(model, &effects, fixture::plan("api", Action::Scale { count: 5 }));
    });
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
        watch(&mut model, 40, fixture::failed_push(), true);
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
