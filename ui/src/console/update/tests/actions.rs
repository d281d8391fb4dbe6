//! Shells, editors, and what is known of a folder before it is pushed.

use mypaas::api::Problem;

use super::{select, toasts};
use crate::console::effect::{Effect, Subscription};
use crate::console::fixture::{self, paste, press, problem, send, service_at, type_text};
use crate::console::message::Message;
use crate::console::model::dialog::{Choice, Dialog};
use crate::console::model::fleet::Connection;
use crate::console::model::push::{Contents, ContextSize, FolderReport, Glance, Step};
use crate::console::model::{Model, Page};

fn shell(effects: &[Effect]) -> (String, Option<String>) {
    match effects {
        [Effect::Shell { at, container }] => (at.to_string(), container.as_ref().map(ToString::to_string)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shell_is_opened_in_the_selected_container_or_in_any() {
    let mut model = fixture::model();
    assert_eq!(shell(&press(&mut model, "s")), ("api on local".into(), None));
    press(&mut model, "right j j");
    assert_eq!(shell(&press(&mut model, "s")), ("api on local".into(), Some("api.r14.2".into())));
    press(&mut model, "l");
    assert_eq!(shell(&press(&mut model, "s")), ("api on local".into(), Some("api.r14.2".into())));
}

#[test]
fn how_a_shell_ended_is_told_when_it_matters() {
    let at = || service_at("local", "api");
    let mut model = fixture::model();
    press(&mut model, "s");
    assert_eq!(toasts(&model), ["opening a shell in api on local …"]);
    send(&mut model, Message::ShellEnded { at: at(), result: Ok(Some(0)) });
    assert!(toasts(&model).is_empty());
    send(&mut model, Message::ShellEnded { at: at(), result: Ok(None) });
    assert!(toasts(&model).is_empty());
    send(&mut model, Message::ShellEnded { at: at(), result: Ok(Some(130)) });
    assert_eq!(toasts(&model), ["the shell in api on local ended with 130"]);
    press(&mut model, "s");
    send(&mut model, Message::ShellEnded { at: at(), result: Err(problem("no shell")) });
    assert!(matches!(&model.dialog, Some(Dialog::Trouble { title, .. }) if title == "No shell in api on local"));
}

#[test]
fn no_shell_is_asked_of_a_server_that_never_answered() {
    let mut model = fixture::model();
    select(&mut model, "s2", "metrics");
    model.fleet.server_mut(&"s2".parse().unwrap()).unwrap().connection = Connection::Connecting;
    assert!(
        super::super::action::run_at(&mut model, service_at("s2", "metrics"), crate::console::command::Command::Shell)
            .is_empty()
    );
    assert_eq!(toasts(&model), ["s2 does not answer"]);
}

fn report(dockerfile: &str) -> Box<FolderReport> {
    let checked = mypaas::manifest::check(dockerfile.as_bytes());
    let plan = checked.manifest.is_some().then(|| Ok(fixture::rollback_plan()));
    let size = Ok(ContextSize { files: 2, bytes: 10, notes: Vec::new() });
    Box::new(FolderReport { folder: "/srv/api".into(), commit: None, contents: Ok(Contents { checked, size, plan }) })
}

/// The page with the report on a folder.
fn reviewing(dockerfile: &str) -> Model {
    let mut model = fixture::model();
    press(&mut model, "p");
    paste(&mut model, "/srv/api");
    let effects = press(&mut model, "enter");
    answer_check(&mut model, &effects, dockerfile);
    model
}

fn answer_check(model: &mut Model, effects: &[Effect], dockerfile: &str) {
    let [Effect::Check { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    send(model, Message::Checked { ticket, report: report(dockerfile) });
}

const GOOD: &str = "FROM scratch\n# mypaas.service=api\n";
const BAD: &str = "FROM scratch\n# mypaas.service=api\n# mypaas.scale=many\n";

#[test]
fn the_editor_opens_at_the_first_mistake_and_what_it_left_is_read_again() {
    let mut model = reviewing(BAD);
    let edit = |line| vec![Effect::Edit { folder: "/srv/api".into(), line }];
    assert_eq!(press(&mut model, "e"), edit(3));
    let effects = send(&mut model, Message::Edited { result: Ok(()) });
    answer_check(&mut model, &effects, GOOD);
    assert_eq!(press(&mut model, "e"), edit(0), "nothing is wrong any more");
    let result = Err(problem("no editor"));
    assert!(send(&mut model, Message::Edited { result }).is_empty());
    assert!(matches!(model.dialog, Some(Dialog::Trouble { .. })));
}

#[test]
fn a_dockerfile_that_changes_while_it_is_looked_at_is_read_again_and_cancel_is_the_default_again() {
    let mut model = reviewing(GOOD);
    assert!(model.wanted().contains(&Subscription::Dockerfile("/srv/api".into())));
    press(&mut model, "tab");
    assert!(send(&mut model, Message::DockerfileChanged { folder: "/srv/other".into() }).is_empty());
    let effects = send(&mut model, Message::DockerfileChanged { folder: "/srv/api".into() });
    answer_check(&mut model, &effects, GOOD);
    let Page::Push(page) = &model.page else { panic!("{:?}", model.page) };
    assert!(matches!(&page.step, Step::Review(review) if review.choice == Choice::Cancel));
    press(&mut model, "y");
    assert!(!model.wanted().contains(&Subscription::Dockerfile("/srv/api".into())), "it is sent as it was looked at");
    assert!(send(&mut model, Message::DockerfileChanged { folder: "/srv/api".into() }).is_empty());
}

#[test]
fn only_the_chosen_folder_is_glanced_at_and_once() {
    let mut model = fixture::model();
    let glanced = |model: &Model| {
        model.wanted().into_iter().find_map(|wanted| match wanted {
            Subscription::Glance(folder) => Some(folder),
            _ => None,
        })
    };
    press(&mut model, "p");
    assert_eq!(glanced(&model), None);
    paste(&mut model, "/srv/api");
    assert_eq!(glanced(&model).as_deref(), Some("/srv/api"));
    let glance = || Box::new(Glance { checked: Err::<_, Problem>(problem("no folder")), commit: None });
    send(&mut model, Message::Glanced { folder: "/srv/api".into(), glance: glance() });
    assert_eq!(glanced(&model), None);
    paste(&mut model, "2");
    send(&mut model, Message::Glanced { folder: "/srv/api".into(), glance: glance() });
    assert_eq!(glanced(&model).as_deref(), Some("/srv/api2"), "what came late is of another folder");
}

#[test]
fn a_shell_that_comes_late_takes_the_keyboard_from_nobody() {
    let at = || service_at("local", "api");
    for elsewhere in ["s esc", "s l", "s p", "s g f"] {
        let mut model = fixture::model();
        press(&mut model, elsewhere);
        assert_eq!((model.shell.clone(), toasts(&model)), (None, vec![]), "{elsewhere}");
    }
    let mut model = fixture::model();
    press(&mut model, "s r");
    assert_eq!((model.shell.clone(), model.is_asked_something()), (Some(at()), true));
    send(&mut model, Message::ShellEnded { at: at(), result: Err(problem("too late")) });
    assert!(matches!(model.dialog, Some(Dialog::Confirm(_))), "the question is still there");
    assert_eq!(toasts(&model), ["no shell in api on local: too late"]);
}

#[test]
fn a_name_that_is_typed_for_one_push_sends_no_other() {
    let mut model = reviewing(GOOD);
    model.fleet.servers[0].lock = true;
    press(&mut model, "y");
    type_text(&mut model, "loca");
    let effects = send(&mut model, Message::DockerfileChanged { folder: "/srv/api".into() });
    assert!(model.dialog.is_none());
    answer_check(&mut model, &effects, BAD);
    type_text(&mut model, "l");
    assert_eq!(press(&mut model, "enter"), []);
    let Page::Push(page) = &model.page else { panic!("{:?}", model.page) };
    assert!(!matches!(page.step, Step::Sending { .. }));
}

#[test]
fn an_upload_is_shown_while_one_looks_at_something_else() {
    let mut model = reviewing(GOOD);
    let header = |model: &mut Model| fixture::shown(model).lines().next().unwrap().to_owned();
    press(&mut model, "y");
    assert!(!header(&mut model).contains("◆ sending"), "the page shows it");
    press(&mut model, "esc");
    assert!(header(&mut model).contains("◆ sending to local 0s"), "{}", header(&mut model));
}

#[test]
fn what_was_pushed_is_selected_once_its_deploy_is_left() {
    let mut model = reviewing(GOOD);
    let effects = press(&mut model, "y");
    let [Effect::Push { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    let result = Ok(Box::new(fixture::deploy("docs", 50)));
    send(&mut model, Message::Answered { ticket, server: "local".parse().unwrap(), result });
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Services));
    assert_eq!(model.selected_service(), Some(&service_at("local", "docs")));
}
