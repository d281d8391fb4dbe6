//! Logs as messages see them.

use mypaas::api::LogsOf;
use mypaas::name::{ContainerName, ReleaseId};

use super::toasts;
use crate::console::effect::{Effect, Subscription, TerminalEffect};
use crate::console::fixture::{self, HOUR, at, log_line, logged, press, problem, send, type_text, written};
use crate::console::message::{LogNews, Message};
use crate::console::model::logs::{Caught, Times};
use crate::console::model::tape::Place;
use crate::console::model::{Model, Page};

/// The logs of `api` with these lines, a second apart.
fn reading(texts: &[&str]) -> Model {
    let mut model = fixture::model();
    press(&mut model, "l");
    let line = |(second, text): (i64, &&str)| log_line("api.r14.1", at(second), text);
    send(&mut model, logged("api", written((0..).zip(texts).map(line).collect())));
    model
}

fn since(model: &Model) -> Option<jiff::Timestamp> {
    model.wanted().into_iter().find_map(|wanted| match wanted {
        Subscription::Logs { since, .. } => since,
        _ => None,
    })
}

#[test]
fn logs_follow_until_one_scrolls_and_again_at_the_end() {
    let mut model = fixture::model();
    press(&mut model, "l");
    let line = |second| log_line("api.r14.1", at(second), "line");
    let place = |model: &Model| model.logs.as_ref().unwrap().place;
    let more = |model: &mut Model, from: i64| {
        send(model, logged("api", written((from..from + 100).map(line).collect())));
    };
    more(&mut model, 0);
    assert_eq!(place(&model), Place::End);
    press(&mut model, "k k");
    let stays = place(&model);
    assert!(matches!(stays, Place::At(_)));
    more(&mut model, 100);
    assert_eq!(place(&model), stays, "new lines do not move what one reads");
    press(&mut model, "G");
    assert_eq!(place(&model), Place::End);
    press(&mut model, "g g");
    assert_eq!(place(&model), Place::At(0));
    press(&mut model, "f");
    assert_eq!(place(&model), Place::End);
}

#[test]
fn logs_beside_the_list_become_a_page_with_what_was_read() {
    let mut model = fixture::model();
    press(&mut model, "[ tab");
    send(&mut model, logged("api", written(vec![log_line("api.r14.1", at(0), "line")])));
    press(&mut model, "l");
    assert!(matches!(model.page, Page::Logs));
    assert_eq!(model.logs.as_ref().unwrap().tape.len(), 1);
}

#[test]
fn logs_of_another_container_are_not_mixed_in() {
    let mut model = fixture::model();
    press(&mut model, "l c");
    assert_eq!(model.logs.as_ref().unwrap().of, LogsOf::Container(ContainerName::from_engine("api.r14.1")));
    let news = || logged("api", written(vec![log_line("api.r14.2", at(0), "late")]));
    send(&mut model, news());
    assert_eq!(model.logs.as_ref().unwrap().tape.len(), 0);
    press(&mut model, "C");
    send(&mut model, news());
    assert_eq!(model.logs.as_ref().unwrap().tape.len(), 1);
}

#[test]
fn logs_are_read_since_a_moment_and_a_late_line_of_before_is_left_out() {
    let mut model = reading(&["a"]);
    press(&mut model, "@");
    type_text(&mut model, "1h");
    press(&mut model, "enter");
    assert_eq!((since(&model), model.logs.as_ref().unwrap().tape.len()), (Some(at(-HOUR)), 0));
    send(&mut model, logged("api", written(vec![log_line("api.r14.1", at(5), "late")])));
    assert_eq!(model.logs.as_ref().unwrap().tape.len(), 0, "it belongs to what was read before");
    press(&mut model, "c");
    assert_eq!(since(&model), Some(at(-HOUR)), "also of another container");
    press(&mut model, "@");
    press(&mut model, "esc");
    assert_eq!(since(&model), None);
}

#[test]
fn what_is_no_moment_is_said_and_stays_to_be_mended() {
    let mut model = reading(&["a"]);
    press(&mut model, "@");
    type_text(&mut model, "soon");
    press(&mut model, "enter");
    assert!(toasts(&model)[0].starts_with("\"soon\" is no time"));
    assert!(model.typing.is_some() && model.logs.as_ref().unwrap().tape.len() == 1);
}

#[test]
fn what_is_shown_is_saved_with_times_and_containers() {
    let mut model = reading(&["GET /a", "error: no", "GET /b"]);
    press(&mut model, "/");
    type_text(&mut model, "error");
    press(&mut model, "enter S");
    assert_eq!(model.logs.as_ref().unwrap().path.text(), "api-2026-11-23-140322.log");
    press(&mut model, "ctrl-u");
    type_text(&mut model, "~/api.log");
    let effects = press(&mut model, "enter");
    let text = "2026-11-23T14:03:23Z api.r14.1 | error: no\n";
    assert_eq!(effects, [Effect::Save { path: "~/api.log".into(), text: text.into() }]);
    send(&mut model, Message::Saved { result: Err(problem("/root/api.log is there already")) });
    send(&mut model, Message::Saved { result: Ok("/root/api.log".into()) });
    assert_eq!(toasts(&model), ["/root/api.log is there already", "saved as /root/api.log"]);
    assert!(press(&mut model, "S esc").is_empty());
}

#[test]
fn the_lines_on_the_screen_are_copied_whole() {
    let long = "x".repeat(300);
    let mut model = reading(&["first", &long]);
    assert_eq!(press(&mut model, "y"), [TerminalEffect::Copy(format!("first\n{long}\n")).into()]);
    assert_eq!(toasts(&model), ["copied the 2 lines on the screen"]);
}

#[test]
fn times_and_lines_around_matches_are_turned_by_keys() {
    let mut model = reading(&["a", "b", "hit", "c"]);
    let logs = |model: &Model| model.logs.clone().unwrap();
    press(&mut model, "/");
    type_text(&mut model, "hit");
    press(&mut model, "enter + +");
    assert_eq!((logs(&model).around(), logs(&model).shown_count()), (2, 4));
    press(&mut model, "- &");
    assert_eq!((logs(&model).around(), logs(&model).shown_count()), (1, 4), "all lines, the matches marked");
    let times: Vec<Times> = (0..3).map(|_| (press(&mut model, "t"), logs(&model).times).1).collect();
    assert_eq!(times, [Times::Clock, Times::Whole, Times::Hidden]);
}

#[test]
fn a_flood_that_is_not_kept_whole_says_so() {
    let mut model = reading(&["a"]);
    send(&mut model, logged("api", LogNews::Began));
    let caught = vec![Caught::Skipped(80_000), Caught::Line(log_line("api.r14.1", at(10), "b"))];
    model.now = at(40);
    send(&mut model, logged("api", LogNews::Some(caught)));
    let screen = fixture::shown(&mut model);
    assert!(screen.contains("30s behind · 3 lines · 80000 missing"), "{screen}");
    assert!(screen.contains("80000 lines came faster than they could be taken"), "{screen}");
    model.now = at(43);
    assert!(!fixture::shown(&mut model).contains("behind"), "nothing comes any more");
}

#[test]
fn a_selected_release_is_read_also_when_its_containers_are_gone() {
    let mut model = fixture::model();
    press(&mut model, "tab ] ] j j l");
    let Some(logs) = &model.logs else { panic!("{:?}", model.page) };
    assert_eq!(logs.of, LogsOf::Release(ReleaseId::new(12)));
    assert!(matches!(model.page, Page::Logs));
    press(&mut model, "c");
    let one = LogsOf::Container(ContainerName::from_engine("api.r14.1"));
    assert_eq!(model.logs.as_ref().unwrap().of, one, "and back to what runs");
}

#[test]
fn pages_of_wrapped_lines_are_contiguous_and_only_what_is_seen_is_copied() {
    let texts: Vec<String> =
        (0..100).map(|number| format!("{number} {}", "x".repeat(100 + 60 * (number % 5)))).collect();
    let mut model = reading(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    press(&mut model, "w g g");
    let seen = |model: &mut Model| {
        let screen = fixture::shown(model);
        let number = |line: &str| line.trim().split_once(" xxx").and_then(|(number, _)| number.parse::<usize>().ok());
        screen.lines().filter_map(number).collect::<Vec<_>>()
    };
    let mut read = Vec::new();
    while read.last() != Some(&99) {
        let shown = seen(&mut model);
        let [Effect::Terminal(TerminalEffect::Copy(copied))] = &press(&mut model, "y")[..] else { panic!() };
        assert!(shown.len() - copied.lines().count() <= 1, "all but one that is cut: {shown:?}\n{copied}");
        assert!(read.is_empty() || shown[0] <= read.last().unwrap() + 1, "{read:?} then {shown:?}");
        read.extend(shown);
        press(&mut model, "pgdn");
    }
    let down = read;
    press(&mut model, "pgup");
    let mut first = seen(&mut model)[0];
    while first > 0 {
        press(&mut model, "pgup");
        let shown = seen(&mut model);
        assert!(*shown.last().unwrap() + 1 >= first && shown[0] < first, "{first} after {shown:?}");
        first = shown[0];
    }
    assert!(down.len() >= 100);
}

#[test]
fn logs_say_that_there_are_older_lines() {
    let told = |count: i64| {
        let mut model = fixture::model();
        press(&mut model, "l");
        send(&mut model, logged("api", LogNews::Began));
        let line = |second| log_line("api.r14.1", at(second - count - 10), "line");
        let lines: Vec<_> = (0..count).map(line).collect();
        send(&mut model, logged("api", written(lines.clone())));
        send(&mut model, logged("api", LogNews::Began));
        send(&mut model, logged("api", written(lines)));
        send(
            &mut model,
            logged("api", written((1..5).map(|second| log_line("api.r14.1", at(second), "new")).collect())),
        );
        press(&mut model, "g g");
        fixture::shown(&mut model).contains("older lines are left out: @ reads since a moment")
    };
    assert!(told(2_001) && !told(2_000));
}
