//! A server's disks, and the removal of what may go.

use mypaas::api::{DiskView, Limits, Problem, Role};

use super::toasts;
use crate::console::effect::{Effect, Subscription};
use crate::console::fixture::{self, at, press, send, service_at, type_text};
use crate::console::message::Message;
use crate::console::model::dialog::Dialog;
use crate::console::model::journal::{Answer, What};
use crate::console::model::{Model, Page, Ticket};

fn reading(model: &Model) -> Ticket {
    let Page::Disk(page) = &model.page else { panic!("{:?}", model.page) };
    page.reading
}

fn read(model: &mut Model, result: Result<DiskView, Problem>) {
    let reading = reading(model);
    send(model, Message::Disk { reading, result: result.map(Box::new) });
}

fn opened() -> Model {
    let mut model = fixture::model();
    press(&mut model, "g d");
    read(&mut model, Ok(fixture::disk()));
    model
}

fn server(model: &Model) -> &str {
    let Page::Disk(page) = &model.page else { panic!("{:?}", model.page) };
    page.server.as_str()
}

fn asked(effects: &[Effect]) -> Ticket {
    match effects {
        [Effect::Prune { ticket, server }] if server.as_str() == "local" => *ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_service_that_takes_the_most_comes_first_and_enter_opens_it() {
    let mut model = opened();
    let names = |model: &Model| {
        let Page::Disk(page) = &model.page else { panic!() };
        page.lines().iter().map(|line| line.service.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&model)[..3], ["shop", "api", "shop.worker"]);
    press(&mut model, "j");
    let mut view = fixture::disk();
    view.services[0].images_bytes = 9 << 30;
    read(&mut model, Ok(view));
    assert_eq!(names(&model)[0], "api");
    press(&mut model, "enter");
    assert_eq!(model.selected_service(), Some(&service_at("local", "api")), "the selection stayed with its service");
    press(&mut model, "H");
    assert_eq!(server(&model), "local", "and back");
}

#[test]
fn the_disks_are_those_of_the_server_that_the_page_is_about() {
    let mut model = fixture::model();
    press(&mut model, "g f j g d");
    assert_eq!(server(&model), "s2");
    press(&mut model, "tab");
    assert_eq!(server(&model), "s3");
    press(&mut model, "tab");
    assert_eq!(server(&model), "local");
    press(&mut model, ":");
    type_text(&mut model, "disk of s2");
    press(&mut model, "enter");
    assert_eq!(server(&model), "s2");

    let mut model = fixture::model();
    press(&mut model, "g a");
    let silent = model.shown_concerns().iter().position(|concern| concern.server.as_str() == "s3").unwrap();
    (0..silent).for_each(|_| drop(press(&mut model, "j")));
    press(&mut model, "g d");
    assert_eq!(server(&model), "s3", "an alert is about a server");
}

#[test]
fn nothing_is_pruned_before_what_goes_was_read_and_shown() {
    let mut model = opened();
    let before = reading(&model);
    assert_eq!(press(&mut model, "P"), []);
    assert_ne!(reading(&model), before, "what was read before may be old");
    assert!(
        model.wanted().contains(&Subscription::Disk { server: "local".parse().unwrap(), reading: reading(&model) })
    );
    assert_eq!(press(&mut model, "y tab y"), [], "nobody knows yet what goes");
    send(&mut model, Message::Disk { reading: before, result: Ok(Box::new(fixture::disk())) });
    assert_eq!(press(&mut model, "y"), [], "that was read before it was asked");
    read(&mut model, Ok(fixture::disk()));
    assert_eq!(press(&mut model, "enter"), [], "Cancel is the default");
    assert!(model.dialog.is_none());
    press(&mut model, "P");
    read(&mut model, Ok(fixture::disk()));
    asked(&press(&mut model, "y"));
    assert_eq!(press(&mut model, "y"), [], "once is enough");
}

#[test]
fn what_is_shown_stays_as_it_was_when_a_yes_is_about_to_be_given() {
    let mut model = opened();
    press(&mut model, "P");
    read(&mut model, Ok(fixture::disk()));
    let mut later = fixture::disk();
    later.reclaimable.bytes = 7;
    read(&mut model, Ok(later));
    assert!(matches!(&model.dialog, Some(Dialog::Prune(confirm))
        if confirm.what.ready().unwrap().bytes == fixture::disk().reclaimable.bytes));
}

#[test]
fn what_was_freed_is_told_and_the_disks_are_read_anew() {
    let mut model = opened();
    press(&mut model, "P");
    read(&mut model, Ok(fixture::disk()));
    let ticket = asked(&press(&mut model, "tab enter"));
    let before = reading(&model);
    let pruned = |ticket, result| Message::Pruned { ticket, server: "local".parse().unwrap(), result };
    send(&mut model, pruned(ticket, Ok(fixture::pruned())));
    assert_eq!(toasts(&model), ["local has 1.4G back: removed 3 releases, 5 images, 2 kept folders"]);
    assert!(model.dialog.is_none());
    assert_ne!(reading(&model), before);
    let deed = &model.journal.own[0];
    assert!(matches!((&deed.what, &deed.result), (What::Prune, Answer::Done)), "{deed:?}");
}

/// The end of the first removal has the disks read anew, while the question about the second waits for a reading.
#[test]
fn a_question_that_is_asked_while_something_is_removed_is_answered_too() {
    let mut model = opened();
    press(&mut model, "P");
    read(&mut model, Ok(fixture::disk()));
    let ticket = asked(&press(&mut model, "y"));
    press(&mut model, "esc P");
    let pruned = Message::Pruned { ticket, server: "local".parse().unwrap(), result: Ok(fixture::pruned()) };
    send(&mut model, pruned);
    read(&mut model, Ok(fixture::disk()));
    asked(&press(&mut model, "y"));
}

#[test]
fn what_could_not_be_removed_is_told_and_so_is_what_was_refused() {
    let pruned = |ticket, result| Message::Pruned { ticket, server: "local".parse().unwrap(), result };
    let mut left = fixture::pruned();
    left.left = vec!["r9 of api stays in the list: it is in use".into(), "the image x could not be removed".into()];
    for (result, title) in
        [(Ok(left), "Not all of it went from local"), (Err(fixture::refusal()), "local was not pruned")]
    {
        let mut model = opened();
        press(&mut model, "P");
        read(&mut model, Ok(fixture::disk()));
        let ticket = asked(&press(&mut model, "y"));
        send(&mut model, pruned(ticket, result.clone()));
        assert!(matches!(&model.dialog, Some(Dialog::Trouble { title: told, .. }) if told == title));

        let mut gone = opened();
        press(&mut gone, "P");
        read(&mut gone, Ok(fixture::disk()));
        let ticket = asked(&press(&mut gone, "y"));
        press(&mut gone, "esc");
        send(&mut gone, pruned(ticket, result));
        assert!(gone.dialog.is_none(), "nobody waits for it any more");
        assert!(toasts(&gone).iter().any(|text| text.starts_with("local: ")), "{:?}", toasts(&gone));
    }
}

#[test]
fn a_locked_server_is_pruned_only_after_its_name_was_typed() {
    let mut model = opened();
    model.fleet.servers[0].lock = true;
    press(&mut model, "P");
    read(&mut model, Ok(fixture::disk()));
    assert_eq!(press(&mut model, "y"), []);
    assert!(matches!(&model.dialog, Some(Dialog::Unlock(unlock)) if unlock.question == "Prune local?"));
    type_text(&mut model, "local");
    asked(&press(&mut model, "enter"));
}

#[test]
fn a_key_that_may_not_is_told_so_before_anything_is_asked() {
    for (role, services) in [(Role::Viewer, None), (Role::Operator, Some(["api".parse().unwrap()].into()))] {
        let mut model = opened();
        let mut snapshot = fixture::snapshot(at(0));
        snapshot.server.limits = Some(Limits { role, services });
        model.fleet.servers[0].hear(Box::new(snapshot), at(0));
        press(&mut model, "P");
        assert!(model.dialog.is_none());
        assert!(toasts(&model).iter().any(|text| text.starts_with("your key ")), "{:?}", toasts(&model));
    }
}

#[test]
fn the_palette_leads_to_the_question_from_anywhere() {
    let mut model = fixture::model();
    press(&mut model, "g j :");
    type_text(&mut model, "prune local");
    press(&mut model, "enter");
    assert_eq!(server(&model), "local");
    assert!(matches!(&model.dialog, Some(Dialog::Prune(_))));
    read(&mut model, Ok(fixture::disk()));
    asked(&press(&mut model, "y"));
}
