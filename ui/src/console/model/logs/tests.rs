use super::*;
use crate::console::fixture::{self, at, service_at};

fn line(container: &str, second: i64, text: &str) -> Caught {
    Caught::Line(fixture::log_line(container, at(second), text))
}

fn logs(texts: &[&str]) -> Logs {
    let mut logs = Logs::of(service_at("local", "api"), LogsOf::Service);
    logs.began(at(0));
    for (second, text) in (0..).zip(texts) {
        logs.take(line("api.r14.1", second, text));
    }
    logs
}

fn shown(logs: &Logs) -> Vec<String> {
    logs.text(0, usize::MAX, false).lines().map(ToOwned::to_owned).collect()
}

fn search(logs: &mut Logs, text: &str) -> Vec<String> {
    logs.pattern.line = Line::of(text);
    logs.search();
    shown(logs)
}

#[test]
fn a_search_is_a_regular_expression_or_plain_text() {
    let mut logs = logs(&["GET /a 200", "Error: no (such) file", "GET /b 500", "warning"]);
    assert_eq!(search(&mut logs, "error|warn"), ["Error: no (such) file", "warning"]);
    assert_eq!(search(&mut logs, "Warn"), [""; 0]);
    assert_eq!(search(&mut logs, "(such"), ["Error: no (such) file"]);
    assert_eq!(search(&mut logs, "!get"), ["Error: no (such) file", "warning"]);
    assert_eq!(search(&mut logs, "!").len(), 4);
    assert_eq!(search(&mut logs, "").len(), 4);
}

#[test]
fn new_lines_are_searched_as_they_come() {
    let mut logs = logs(&["a", "b"]);
    search(&mut logs, "b");
    logs.take(line("api.r14.1", 10, "bb"));
    logs.take(line("api.r14.1", 11, "c"));
    assert_eq!(logs.shown_count(), 2);
}

#[test]
fn lines_around_a_match_are_shown_also_those_that_come_after_it() {
    let mut logs = logs(&["a", "b", "hit", "c", "d", "e", "f"]);
    logs.widen(true);
    assert_eq!(search(&mut logs, "hit"), ["b", "hit", "c"]);
    for (second, text) in [(10, "hit again"), (11, "g"), (12, "h")] {
        logs.take(line("api.r14.1", second, text));
    }
    assert_eq!(shown(&logs), ["b", "hit", "c", "f", "hit again", "g"]);
    assert_eq!((0..6).filter(|index| logs.is_apart(*index)).collect::<Vec<_>>(), [3]);
    logs.widen(false);
    assert_eq!(shown(&logs), ["hit", "hit again"]);
}

#[test]
fn a_jump_goes_round_at_the_ends() {
    let mut logs = logs(&["x", "hit", "x", "hit", "x"]);
    logs.only_matches = false;
    search(&mut logs, "hit");
    for (forward, wanted) in [(true, 1), (true, 3), (true, 1), (false, 3), (false, 1)] {
        logs.jump(forward, 0);
        assert_eq!(logs.place, Place::At(wanted));
    }
}

#[test]
fn lines_that_come_again_after_a_broken_connection_are_left_out() {
    let mut logs = logs(&["a", "b"]);
    logs.began(at(0));
    logs.take(line("api.r14.1", 1, "b"));
    logs.take(line("api.r14.2", 1, "other"));
    logs.take(line("api.r14.1", 2, "c"));
    assert_eq!(shown(&logs), ["a", "b", "other", "c"]);
}

#[test]
fn what_was_passed_over_is_told_where_it_is_missing_and_counted() {
    let mut logs = logs(&["a"]);
    logs.take(Caught::Skipped(7));
    logs.take(line("api.r14.1", 3, "b"));
    assert_eq!(shown(&logs), ["a", "(7 lines are missing here)", "b"]);
    assert_eq!(search(&mut logs, "b"), ["(7 lines are missing here)", "b"], "also where lines are hidden");
    assert_eq!(logs.skipped, 7);
}

#[test]
fn lines_that_come_late_say_so() {
    let mut logs = logs(&[]);
    let mut delay = |written: i64, now: i64| {
        logs.take_all(vec![line("api.r14.1", written, "a")], at(now), |there| there);
        logs.behind(at(now)).map(|delay| delay.by.as_secs())
    };
    assert_eq!(delay(-100, 1), None, "what was written before is no delay");
    assert_eq!(delay(20, 60), Some(40));
    assert_eq!(delay(61, 62), None);
    assert_eq!(delay(62, 70), Some(8));
    assert_eq!(logs.behind(at(73)), None, "nothing comes any more");
}

#[test]
fn memory_is_bounded_by_lines_and_by_bytes() {
    let mut logs = logs(&[]);
    for second in 0..LINES as i64 + 5 {
        logs.take(line("api.r14.1", second, "line"));
    }
    assert_eq!((logs.tape.len(), logs.tape.dropped()), (LINES, 5));
    let long = "x".repeat(4000);
    for second in 0..3000 {
        logs.take(line("api.r14.1", 100_000 + second, &long));
    }
    assert!(logs.bytes <= BYTES && logs.tape.len() < LINES);
}

#[test]
fn another_container_begins_anew_and_is_shown_as_the_one_before() {
    let mut logs = logs(&["a", "hit"]);
    search(&mut logs, "hit");
    logs.widen(true);
    logs.turn_to(LogsOf::Container(ContainerName::from_engine("api.r14.2")), Some(at(-60)));
    assert_eq!((logs.tape.len(), logs.around(), logs.since), (0, 1, Some(at(-60))));
    logs.take(line("api.r14.2", 1, "hit"));
    assert_eq!(shown(&logs), ["hit"]);
}
