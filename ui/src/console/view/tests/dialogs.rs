//! What is asked before anything is changed.

use super::*;

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
fn a_rollback_tells_how_many_containers_the_release_has_that_is_meant() {
    let mut model = fixture::model();
    let mut snapshot = fixture::snapshot(at(1));
    let api = snapshot.services.iter_mut().find(|service| service.name.as_str() == "api").unwrap();
    api.wanted = 1;
    let news = ServerNews::Snapshot(Box::new(snapshot));
    send(&mut model, Message::Server { server: "local".parse().unwrap(), news });
    press(&mut model, "b enter");
    let screen = shown(&mut model);
    assert!(screen.contains("r13 takes the place of r14, with 3 containers."), "{screen}");
}
