use jiff::Timestamp;
use mypaas::api::{Deploy, Event, Outcome, ProbeAnswer, What};
use serde::Deserialize;

use super::retell;
use super::story::Story;
use crate::cli::fixture;
use crate::cli::output::paint::Paint;

/// A deploy as it was recorded.
#[derive(Deserialize)]
struct Recorded {
    deploy: Deploy,
    events: Vec<Event>,
}

fn told(name: &str, paint: Paint) -> String {
    let recorded: Recorded = fixture::read(&format!("events/{name}.json"));
    let mut story = Story::of(&recorded.deploy);
    let lines = recorded.events.iter().flat_map(|event| story.tell(event));
    lines.map(|line| line.text(paint) + "\n").collect()
}

#[test]
fn recorded_deploys_are_told_line_by_line() {
    for name in [
        "push_succeeds",
        "container_exits",
        "build_fails",
        "safe_restart_waits",
        "replace_holds_requests",
        "superseded",
    ] {
        insta::assert_snapshot!(name, told(name, Paint { colour: false }));
    }
}

#[test]
fn that_a_deploy_is_done_is_told_once_also_where_it_was_taken_up_again_right_there() {
    let recorded: Recorded = fixture::read("events/push_succeeds.json");
    let mut story = Story::of(&recorded.deploy);
    let again = recorded.events.iter().rfind(|event| event.what == What::Done).unwrap();
    let events = recorded.events.iter().flat_map(|event| match event.what {
        What::Stopped { .. } => vec![again, event],
        _ => vec![event],
    });
    let lines = events.flat_map(|event| story.tell(event));
    let told: String = lines.map(|line| line.text(Paint { colour: false }) + "\n").collect();
    assert_eq!(told, self::told("push_succeeds", Paint { colour: false }));
}

#[test]
fn a_deploy_that_failed_is_told_again_with_what_its_container_left_behind() {
    let recorded: Recorded = fixture::read("events/container_exits.json");
    let now = "2026-01-31T14:00:00Z".parse().unwrap();
    let told = retell::whole(&recorded.deploy, &recorded.events, Paint { colour: false }, now);
    insta::assert_snapshot!("container_exits_told_again", told);
}

#[test]
fn what_its_probe_answered_drives_no_terminal() {
    let mut recorded: Recorded = fixture::read("events/container_exits.json");
    let last = recorded.events.last_mut().map(|event| &mut event.what);
    let Some(What::Finished { outcome: Outcome::Failed { failure } }) = last else { panic!("it did not fail") };
    let detail = "no\u{1b}]0;title\u{7}t\u{1b}[2J yet\nd9: done".to_owned();
    failure.container.as_mut().unwrap().last_probe = Some(ProbeAnswer::NotReady { detail });
    let now = "2026-01-31T14:00:00Z".parse().unwrap();
    let told = retell::whole(&recorded.deploy, &recorded.events, Paint { colour: false }, now);
    assert!(!told.contains(|c: char| c != '\n' && c.is_control()), "{told:?}");
    assert!(told.contains("not yet d9: done\n"), "{told}");
}

#[test]
fn nothing_but_our_own_colours_reaches_the_terminal() {
    let text = told("push_succeeds", Paint { colour: true });
    assert!(text.contains("\u{1b}[2mfetching 100%\u{1b}[0m"), "{text:?}");
}

#[test]
fn the_present_names_the_phase_and_its_time() {
    let recorded: Recorded = fixture::read("events/push_succeeds.json");
    let mut story = Story::of(&recorded.deploy);
    let now = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(story.present(now("2026-01-31T12:00:00Z")), None);
    let probed = recorded.events.iter().position(|event| matches!(event.what, What::Probed { .. })).unwrap();
    for event in &recorded.events[..=probed] {
        story.tell(event);
    }
    let present = story.present(now("2026-01-31T12:00:04.2Z"));
    assert_eq!(present.as_deref().map(str::trim_start), Some("probing for 1.5s"));
}
