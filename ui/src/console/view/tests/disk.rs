//! The page with a server's disks, and the question before anything goes.

use mypaas::api::{DiskView, Problem, ProblemCode, Removal};

use super::snapshots;
use crate::console::fixture::{self, at, press, send, shown};
use crate::console::message::{Message, ServerNews};
use crate::console::model::{Model, Page};

fn read(model: &mut Model, result: Result<DiskView, Problem>) {
    let Page::Disk(page) = &model.page else { panic!("{:?}", model.page) };
    let reading = page.reading;
    send(model, Message::Disk { reading, result: result.map(Box::new) });
}

fn open(model: &mut Model) {
    press(model, "g d");
    read(model, Ok(fixture::disk()));
}

#[test]
fn the_disks_of_a_server() {
    snapshots("disk", |model| {
        open(model);
        press(model, "j");
    });
}

#[test]
fn the_disks_of_a_server_that_went_silent() {
    snapshots("disk_silent", |model| {
        open(model);
        model.now = at(fixture::MINUTE * 3);
        let news = ServerNews::Lost(fixture::problem("the server did not answer within 5s"));
        send(model, Message::Server { server: "local".parse().unwrap(), news });
        model.toasts = Default::default();
    });
}

#[test]
fn disks_without_an_engine() {
    snapshots("disk_no_engine", |model| {
        press(model, "g d");
        let mut view = fixture::disk();
        let why =
            Problem::new(ProblemCode::Unavailable, "the container engine at /var/run/docker.sock does not answer");
        view.problem = Some(Problem { causes: vec!["Connection refused (os error 111)".into()], ..why });
        (view.reclaimable, view.leftovers) = Default::default();
        view.services.iter_mut().for_each(|line| (line.images_bytes, line.shared_bytes) = (0, 0));
        read(model, Ok(view));
    });
}

#[test]
fn one_disk_for_images_and_server_folder_names_both() {
    snapshots("disk_one", |model| {
        press(model, "g d");
        let mut view = fixture::disk();
        let other = view.file_systems.pop().unwrap();
        view.file_systems[0].folders.extend(other.folders);
        (view.reclaimable, view.leftovers, view.uploads_bytes) = Default::default();
        read(model, Ok(view));
    });
}

#[test]
fn the_question_before_anything_is_pruned() {
    snapshots("disk_prune", |model| {
        open(model);
        press(model, "P");
        read(model, Ok(fixture::disk()));
        press(model, "tab");
    });
}

#[test]
fn a_server_that_never_answered_holds_nobody_knows_what() {
    let mut model = fixture::model();
    press(&mut model, "G g d");
    let text = shown(&mut model);
    assert!(text.contains("s3 does not answer: what its disks hold is not known."), "{text}");
    read(&mut model, Err(fixture::refusal()));
    assert!(shown(&mut model).contains(&fixture::refusal().message));
}

#[test]
fn what_is_known_stays_with_its_age_where_it_cannot_be_read_anew() {
    let mut model = fixture::model();
    open(&mut model);
    assert!(shown(&mut model).contains("read 12s ago\n"));
    press(&mut model, "r");
    assert!(shown(&mut model).contains("read 12s ago; reading it anew …"));
    read(&mut model, Err(fixture::refusal()));
    let text = shown(&mut model);
    assert!(text.contains("This is as it was 12s ago. It could not be read anew: https://shop.example.com"), "{text}");
    assert!(text.contains("/var/lib/docker"), "{text}");
}

#[test]
fn nothing_that_does_nothing_is_offered() {
    let mut model = fixture::model();
    let footer = |model: &mut Model| shown(model).lines().last().unwrap().to_owned();
    press(&mut model, "g d");
    assert!(!footer(&mut model).contains("prune") && !footer(&mut model).contains("open"));
    open(&mut model);
    assert!(footer(&mut model).contains("P prune") && footer(&mut model).contains("enter open"));
    let mut view = fixture::disk();
    view.reclaimable.what = Removal::default();
    read(&mut model, Ok(view.clone()));
    assert!(!footer(&mut model).contains("P prune"));
    press(&mut model, "P");
    read(&mut model, Ok(view));
    let text = shown(&mut model);
    assert!(text.contains("There is nothing to prune on local.") && !text.contains("Cancel"), "{text}");
}
