//! A folder chosen, looked at and sent.

use super::*;

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
fn a_folder_without_folders_is_not_called_unknown() {
    let told = |typed: &str| {
        let mut model = fixture::model();
        press(&mut model, "p");
        let effects = type_text(&mut model, typed);
        let Some(Effect::FindFolders { ticket, .. }) = effects.last() else { panic!("{effects:?}") };
        send(&mut model, Message::Folders { ticket: *ticket, found: Vec::new() });
        shown(&mut model)
    };
    assert!(told("/srv/api/").contains("no folders are here"));
    assert!(told("/srv/q").contains("no folder begins like this"));
}

#[test]
fn a_note_covers_no_button() {
    let mut model = fixture::model();
    model.size = Size::new(80, 24);
    review(&mut model, report("/home/ada/src/api", GOOD, Some(fixture::plan("api", Action::Push))));
    model.toast(crate::console::model::toast::ToastKind::Bad, "x".repeat(100));
    let screen = shown(&mut model);
    assert!(screen.contains("Cancel") && screen.contains("Push to local"), "{screen}");
}
