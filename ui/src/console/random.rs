//! Any keys, any news, any size: the console does not panic, and shows nothing outside the screen.

use mypaas::api::{Limits, Role, Span, VariableView};
use proptest::prelude::*;
use ratatui::layout::{Position, Size};

use super::effect::Effect;
use super::fixture::{self, at, draw, press, send, service_at};
use super::message::{Gesture, Message, Mouse, ServerNews};
use super::model::histories::Measured;
use super::model::push::{Contents, ContextSize, FolderReport};
use super::model::{Model, Page};
use super::symbols::to_ascii;
use super::theme::{Depth, Theme, ThemeName};

/// One step of a session.
#[derive(Debug, Clone)]
enum Step {
    Keys(&'static str),
    Type(String),
    Resize(u16, u16),
    /// Column and row in hundredths of the screen.
    Mouse(u16, u16, Gesture),
    /// The server says something, or nothing any more.
    Snapshot(usize),
    Lost,
    /// What the operator's key may do there from now on.
    Key(Option<Role>),
    /// Its name has to be typed before anything is changed there, or not any more.
    Lock(bool),
    /// It tells what it measured of itself and of a service.
    Measured(Span),
    /// It tells its variables and what was done there, or why it does not.
    Pages(bool),
    Log(String),
    /// Everything that was asked for is answered, well or not.
    Answer(bool),
    Later(i64),
}

#[rustfmt::skip]
const KEYS: [&str; 59] = [
    "j", "k", "g", "G", "enter", "esc", "tab", "shift-tab", "[", "]", "left", "right", "/", "n", "N", "p", "l", "R",
    "b", "+", "-", "r", "S", "X", "d", "w", "y", "u", "c", ":", "?", "f", "t", "&", "up", "down", "pgup", "pgdn",
    "ctrl-d", "ctrl-u", "home", "end", "backspace", "ctrl-t", "s", "e", "@", "space", "*", "o", "m", "a", "H", "L", "M",
    "z", ">", "<", "x",
];

/// The ways to each page, and to what is sorted and shown there: by single keys one seldom gets so far.
#[rustfmt::skip]
const WAYS: [&str; 22] = [
    "g s", "g f", "g a", "g j", "g e", "g j tab", "g f /", "g a /", "g e n", "g e enter", "g e X", "g f d", "o o",
    "o c", "o d", "o a", "o n", "g s tab [ [", "g s z", "d ] ]", "g d", "g d P",
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => proptest::sample::select(&KEYS[..]).prop_map(Step::Keys),
        4 => proptest::sample::select(&WAYS[..]).prop_map(Step::Keys),
        2 => "[a-z0-9:/!.~ ä日]{1,8}".prop_map(Step::Type),
        2 => (0u16..220, 0u16..60).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (20u16..60, 6u16..16).prop_map(|(width, height)| Step::Resize(width, height)),
        4 => (0u16..100, 0u16..100, gesture()).prop_map(|(x, y, gesture)| Step::Mouse(x, y, gesture)),
        1 => (0usize..8).prop_map(Step::Snapshot),
        1 => Just(Step::Lost),
        1 => proptest::option::of(proptest::sample::select(&[Role::Viewer, Role::Operator][..])).prop_map(Step::Key),
        1 => any::<bool>().prop_map(Step::Lock),
        1 => proptest::sample::select(&[Span::Hour, Span::Day, Span::Month][..]).prop_map(Step::Measured),
        2 => any::<bool>().prop_map(Step::Pages),
        2 => "[ -~\u{1b}äöü日本\t]{0,120}".prop_map(Step::Log),
        4 => any::<bool>().prop_map(Step::Answer),
        1 => (0i64..100_000).prop_map(Step::Later),
    ]
}

fn gesture() -> impl Strategy<Value = Gesture> {
    proptest::sample::select(&[Gesture::Click, Gesture::Mark, Gesture::WheelUp, Gesture::WheelDown][..])
}

/// Takes a step; hands back what it asks for.
fn take(model: &mut Model, step: Step, asked: &mut Vec<Effect>) {
    let server = "local".parse().unwrap();
    let effects = match step {
        Step::Keys(keys) => press(model, keys),
        Step::Type(text) => fixture::type_text(model, &text),
        Step::Resize(width, height) => send(model, Message::Resized(Size::new(width, height))),
        Step::Mouse(x, y, what) => {
            let at = Position::new(x * model.size.width / 100, y * model.size.height / 100);
            send(model, Message::Mouse(Mouse { at, what }))
        }
        Step::Snapshot(count) => {
            let mut snapshot = fixture::snapshot(model.now);
            snapshot.services.truncate(count);
            send(model, Message::Server { server, news: ServerNews::Snapshot(Box::new(snapshot)) })
        }
        Step::Key(role) => {
            let mut snapshot = fixture::snapshot(model.now);
            snapshot.server.limits = role.map(|role| Limits { role, services: Some(["api".parse().unwrap()].into()) });
            send(model, Message::Server { server, news: ServerNews::Snapshot(Box::new(snapshot)) })
        }
        Step::Lock(lock) => {
            model.fleet.servers[0].lock = lock;
            Vec::new()
        }
        Step::Measured(span) => {
            let of_both = [Measured::Machine(server), Measured::Service(service_at("local", "api"))];
            let told = |of| Message::History { of, span, result: Ok(Box::new(fixture::measured(span))) };
            of_both.map(told).into_iter().flat_map(|message| send(model, message)).collect()
        }
        Step::Pages(well) => {
            let variables = if well { Ok(fixture::variables()) } else { Err(fixture::refusal()) };
            let audit = if well { Ok(fixture::audit()) } else { Err(fixture::refusal()) };
            let told = [
                Message::Variables { server: server.clone(), result: variables },
                Message::Audit { server, result: audit },
            ];
            let disk = match &model.page {
                Page::Disk(page) => {
                    let result = if well { Ok(Box::new(fixture::disk())) } else { Err(fixture::refusal()) };
                    Some(Message::Disk { reading: page.reading, result })
                }
                _ => None,
            };
            told.into_iter().chain(disk).flat_map(|message| send(model, message)).collect()
        }
        Step::Lost => send(model, Message::Server { server, news: ServerNews::Lost(fixture::problem("cut")) }),
        Step::Log(text) => {
            let lines = (0..40).map(|second| fixture::log_line("api.r14.1", at(second), &text)).collect();
            send(model, fixture::logged("api", fixture::written(lines)))
        }
        Step::Answer(well) => {
            std::mem::take(asked).into_iter().flat_map(|effect| answer(model, effect, well)).collect()
        }
        Step::Later(seconds) => {
            model.now = at(seconds);
            send(model, Message::Tick)
        }
    };
    asked.extend(effects);
}

fn answer(model: &mut Model, effect: Effect, well: bool) -> Vec<Effect> {
    let no = || fixture::refusal();
    let message = match effect {
        Effect::Plan { ticket, .. } => {
            let plan = fixture::rollback_plan();
            Message::Planned { ticket, result: if well { Ok(plan) } else { Err(no()) } }
        }
        Effect::Deploy { ticket, server, .. } | Effect::Push { ticket, server, .. } => {
            let deploy = Box::new(fixture::deploy("api", 50));
            Message::Answered { ticket, server, result: if well { Ok(deploy) } else { Err(no()) } }
        }
        Effect::Check { ticket, folder, .. } => {
            let checked =
                mypaas::manifest::check(if well { b"# mypaas.service=api\n" } else { b"# mypaas.servise=api\n" });
            let size = Ok(ContextSize { files: 1, bytes: 10, notes: Vec::new() });
            let plan = well.then(|| Ok(fixture::rollback_plan()));
            let contents = Ok(Contents { checked, size, plan });
            Message::Checked { ticket, report: Box::new(FolderReport { folder, commit: None, contents }) }
        }
        Effect::ChangeVariable { ticket, server, change } => {
            let view = VariableView { name: change.name.to_string(), is_set: true, used_by: Vec::new() };
            Message::VariableChanged { ticket, server, result: if well { Ok(view) } else { Err(no()) } }
        }
        Effect::Prune { ticket, server } => {
            Message::Pruned { ticket, server, result: if well { Ok(fixture::pruned()) } else { Err(no()) } }
        }
        Effect::Cancel { ticket, .. } => Message::Cancelled { ticket, result: if well { Ok(()) } else { Err(no()) } },
        _ => return Vec::new(),
    };
    send(model, message)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_session_breaks_the_console(steps in proptest::collection::vec(step(), 1..60), ascii: bool) {
        let mut model = fixture::model();
        let theme = Theme::new(ThemeName::Light, Depth::Indexed256).unwrap();
        let mut asked = Vec::new();
        for step in steps {
            take(&mut model, step, &mut asked);
            let (mut buffer, drawn) = draw(&mut model, &theme);
            let inside = drawn.cursor.is_none_or(|cursor| buffer.area().contains(cursor));
            let garbage = buffer.content().iter().find(|cell| cell.symbol().chars().any(char::is_control));
            prop_assert!(garbage.is_none(), "a terminal would obey what is shown: {garbage:?}");
            prop_assert!(inside, "the cursor is outside the screen: {:?}", drawn.cursor);
            prop_assert!(drawn.wake.is_none_or(|wake| wake > model.now), "the next look lies in the past");
            if ascii {
                to_ascii(&mut buffer);
                prop_assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii()));
            }
        }
    }
}
