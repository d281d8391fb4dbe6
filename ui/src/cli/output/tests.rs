use jiff::Timestamp;
use mypaas::api::{DeployState, DiskView, Failure, Outcome, Part, PlanView, Problem, Pruned, ServiceDetail, Snapshot};

use super::paint::Paint;
use super::{ColourWhen, Screen, disk, history, plan, services};
use crate::cli::fixture;

const PLAIN: Paint = Paint { colour: false };

/// Sets the window's title, clears the screen, and begins a line that passes for one of ours.
const HOSTILE: &str = "bad\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1m\nweb: running";

fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn server(name: &str, snapshot: &Snapshot, paint: Paint, width: Option<usize>) -> String {
    services::server(&name.parse().unwrap(), snapshot, paint, width, noon())
}

#[test]
fn services_in_every_state_are_listed() {
    let snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    insta::assert_snapshot!(server("local", &snapshot, PLAIN, None));
}

#[test]
fn a_narrow_terminal_gets_a_list_that_fits() {
    let snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    let text = server("local", &snapshot, PLAIN, Some(72));
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 72), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn colours_tell_good_from_bad() {
    let snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    let text = server("local", &snapshot, Paint { colour: true }, None);
    for part in ["\u{1b}[32mrunning\u{1b}[0m", "\u{1b}[33mdegraded\u{1b}[0m", "\u{1b}[31;1mfailed 2m ago\u{1b}[0m"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn a_server_without_engine_and_services_says_so() {
    let snapshot: Snapshot = fixture::read("snapshots/engine_down.json");
    insta::assert_snapshot!(server("attic", &snapshot, PLAIN, None), @"
    attic: mypaas 0.1.0
    the container engine at /var/run/docker.sock does not answer
      because Connection refused (os error 111)
      hint: start it
    the router does not answer at 10.97.0.2:8080
    no services yet; push one with `mypaas push attic DIR`
    ");
}

#[test]
fn what_failed_drives_no_terminal_and_fakes_no_line() {
    let mut snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    for failure in snapshot.services.iter_mut().filter_map(|service| failure(&mut service.last_deploy.as_mut()?.state))
    {
        failure.message = HOSTILE.into();
    }
    let down: Snapshot = fixture::read("snapshots/engine_down.json");
    snapshot.server = down.server;
    for problem in [problem(&mut snapshot.server.engine), problem(&mut snapshot.server.router)] {
        problem.message = HOSTILE.into();
    }
    let text = server("local", &snapshot, PLAIN, None);
    assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text:?}");
    assert!(text.lines().filter(|line| line.contains("bad1m web: running")).count() > 1, "{text}");
    assert!(text.lines().all(|line| !line.starts_with("web: running")), "{text}");
}

fn failure(state: &mut DeployState) -> Option<&mut Failure> {
    match state {
        DeployState::Finished { outcome: Outcome::Failed { failure }, .. } => Some(failure),
        _ => None,
    }
}

fn problem<T>(part: &mut Part<T>) -> &mut Problem {
    match part {
        Part::Down { problem } => problem,
        Part::Up { .. } => panic!("it is not down"),
    }
}

#[test]
fn whoever_forgets_where_a_text_is_from_the_screen_does_not() {
    let plain = Screen::new(ColourWhen::Never, false);
    assert_eq!(plain.safe("\u{1b}[31mred\u{1b}[2J\rb\u{7}\n", plain.out), "redb\n");
    let coloured = Screen::new(ColourWhen::Always, false).labelled(&"shop".parse().unwrap(), 4);
    let text = coloured.safe(&format!("{}{HOSTILE}\n", coloured.out.good("✓")), coloured.out);
    let label = coloured.out.muted("shop │ ");
    assert_eq!(text, format!("{label}\u{1b}[32m✓\u{1b}[0mbad1m\n{label}web: running\n"));
}

#[test]
fn one_service_is_shown_with_its_options_and_containers() {
    let detail: ServiceDetail = fixture::read("services/hello.json");
    insta::assert_snapshot!(services::detail(&"local".parse().unwrap(), &detail, PLAIN, None, noon()));
}

#[test]
fn containers_in_every_state_are_shown() {
    let snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    let mut detail: ServiceDetail = fixture::read("services/hello.json");
    detail.manifest = None;
    detail.service.containers = snapshot.services.into_iter().flat_map(|service| service.containers).collect();
    insta::assert_snapshot!(services::detail(&"local".parse().unwrap(), &detail, PLAIN, None, noon()));
}

#[test]
fn releases_say_which_is_live_and_which_failed() {
    let detail: ServiceDetail = fixture::read("services/hello.json");
    insta::assert_snapshot!(history::releases(&detail.releases, noon()).render(PLAIN, None));
}

#[test]
fn a_release_is_shown_with_where_it_came_from_and_its_options() {
    let detail: ServiceDetail = fixture::read("services/hello.json");
    let failed = detail.releases.iter().find(|view| view.release.id.to_string() == "r11").unwrap();
    insta::assert_snapshot!(history::release(&"local".parse().unwrap(), failed, PLAIN, None, noon()));
}

#[test]
fn deploys_say_how_they_ended() {
    let detail: ServiceDetail = fixture::read("services/hello.json");
    insta::assert_snapshot!(history::deploys(&detail.deploys, noon()).render(PLAIN, None));
}

#[test]
fn a_running_and_a_failed_deploy_are_listed() {
    let snapshot: Snapshot = fixture::read("snapshots/six_services.json");
    insta::assert_snapshot!(history::deploys(&snapshot.deploys, noon()).render(PLAIN, None));
}

#[test]
fn a_plan_is_told_in_words() {
    let view: PlanView = fixture::read("plans/push.json");
    insta::assert_snapshot!(plan::plan(&"local".parse().unwrap(), &view, PLAIN));
}

#[test]
fn a_disk_that_is_nearly_full_is_told_with_the_way_out() {
    let view: DiskView = fixture::read("disks/nearly_full.json");
    insta::assert_snapshot!(disk::disk(&"local".parse().unwrap(), &view, PLAIN, None));
}

#[test]
fn without_an_engine_the_disks_are_told_all_the_same() {
    let mut view: DiskView = fixture::read("disks/nearly_full.json");
    let snapshot: Snapshot = fixture::read("snapshots/engine_down.json");
    view.problem = match snapshot.server.engine {
        Part::Down { problem } => Some(problem),
        Part::Up { .. } => None,
    };
    (view.reclaimable, view.leftovers) = Default::default();
    insta::assert_snapshot!(disk::disk(&"local".parse().unwrap(), &view, PLAIN, None));
}

#[test]
fn what_would_be_removed_and_what_was_is_told() {
    let (view, pruned): (DiskView, Pruned) =
        (fixture::read("disks/nearly_full.json"), fixture::read("disks/pruned.json"));
    let local = "local".parse().unwrap();
    insta::assert_snapshot!(disk::reclaimable(&local, &view.reclaimable) + &disk::pruned(&local, &pruned));
    assert_eq!(disk::reclaimable(&local, &Default::default()), "there is nothing to prune on local\n");
    let nothing = Pruned { removed: Default::default(), ..pruned };
    assert_eq!(disk::pruned(&local, &nothing), "nothing was removed from local\n");
}
