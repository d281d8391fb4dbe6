//! What is asked before anything is changed, and what becomes of the answer.

use super::*;

#[test]
fn cancel_is_the_default_of_every_confirmation() {
    for (key, action) in [("r", Action::Restart), ("R", Action::Redeploy), ("S", Action::Stop), ("X", Action::Remove)] {
        let mut model = fixture::model();
        let effects = press(&mut model, key);
        let wanted = PlanRequest::Service { service: "api".parse().unwrap(), action: action.clone() };
        assert!(matches!(&effects[..], [Effect::Plan { request, .. }] if *request == wanted), "{effects:?}");
        assert!(press(&mut model, "enter").is_empty(), "{action:?}");
        assert!(model.dialog.is_none());
    }
}

#[test]
fn a_confirmation_does_it_by_y_or_by_choosing_it() {
    for keys in ["r y", "r tab enter", "r right enter"] {
        let mut model = fixture::model();
        let effects = press(&mut model, keys).split_off(1);
        assert_eq!((asked(&effects).0.as_str(), asked(&effects).1), ("api on local", Action::Restart));
        assert!(press(&mut model, "y").is_empty(), "asked once is enough");
    }
}

#[test]
fn a_stopped_service_is_started() {
    let mut model = fixture::model();
    select(&mut model, "local", "old-site");
    let effects = press(&mut model, "S y").split_off(1);
    assert_eq!(asked(&effects).1, Action::Start);
}

#[test]
fn what_the_plan_refuses_cannot_be_done() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r");
    let [Effect::Plan { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    let mut plan = fixture::plan("api", Action::Restart);
    plan.refusals.push(fixture::refusal());
    send(&mut model, Message::Planned { ticket, result: Ok(plan) });
    assert!(press(&mut model, "y tab").is_empty());
    assert!(press(&mut model, "enter").is_empty());
    assert!(model.dialog.is_none());
}

#[test]
fn a_plan_that_comes_too_late_is_not_taken_for_another() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r");
    let [Effect::Plan { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    press(&mut model, "esc X");
    send(&mut model, Message::Planned { ticket, result: Ok(fixture::plan("api", Action::Restart)) });
    assert!(matches!(&model.dialog, Some(Dialog::Confirm(confirm)) if confirm.aims[0].plan.ready().is_none()));
}

#[test]
fn an_accepted_deploy_is_watched_at_once() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    answer(&mut model, asked(&effects).2, Ok(50));
    assert!(matches!(&model.page, Page::Deploy(page) if page.deploy.id == DeployId::new(50)));
    assert!(model.dialog.is_none());
    press(&mut model, "esc");
    assert!(matches!(model.page, Page::Services));
    assert_eq!(selected(&model), "api on local");
}

#[test]
fn a_deploy_that_is_not_accepted_says_why() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    answer(&mut model, asked(&effects).2, Err(fixture::refusal()));
    assert!(matches!(&model.dialog, Some(Dialog::Trouble { problem, .. }) if *problem == fixture::refusal()));
}

#[test]
fn an_answer_nobody_waits_for_is_told_as_a_toast() {
    let mut model = fixture::model();
    let effects = press(&mut model, "r y").split_off(1);
    press(&mut model, "esc");
    answer(&mut model, asked(&effects).2, Ok(50));
    assert!(matches!(model.page, Page::Services));
    assert_eq!(toasts(&model), ["local took the push of api as d50"]);
}

#[test]
fn a_server_that_never_answered_is_asked_for_nothing() {
    let mut model = fixture::model();
    let s2 = model.fleet.server_mut(&"s2".parse().unwrap()).unwrap();
    s2.connection = Connection::Connecting;
    let before = model.dialog.is_none();
    assert!(before && press(&mut model, "r").len() == 1);
    press(&mut model, "esc");
    let silent = service_at("s2", "metrics");
    model.list.selected = Some(Item::Service(silent.clone()));
    assert!(super::super::action::confirm(&mut model, silent, Action::Restart).is_empty());
    assert_eq!(toasts(&model), ["s2 does not answer"]);
}

#[test]
fn a_running_deploy_is_cancelled_only_after_a_yes() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    press(&mut model, "w");
    let Page::Deploy(page) = &mut model.page else { panic!("{:?}", model.page) };
    page.deploy.state = DeployState::Queued;
    assert!(press(&mut model, "c enter").is_empty(), "to let it run is the default");
    let effects = press(&mut model, "c y");
    let [Effect::Cancel { ticket, id, .. }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(id, DeployId::new(41));
    send(&mut model, Message::Cancelled { ticket, result: Err(fixture::problem("too late")) });
    assert!(matches!(&model.dialog, Some(Dialog::Trouble { problem, .. }) if problem.message == "too late"));
}

#[test]
fn a_rollback_previews_each_release_and_asks_before_it_is_done() {
    let mut model = fixture::model();
    let target = |effects: &[Effect]| match effects {
        [Effect::Plan { request: PlanRequest::Service { action: Action::Rollback { to }, .. }, .. }] => *to,
        other => panic!("{other:?}"),
    };
    assert_eq!(target(&press(&mut model, "b")), ReleaseId::new(13), "the live one is not offered");
    assert_eq!(target(&press(&mut model, "j")), ReleaseId::new(12));
    assert!(press(&mut model, "enter").is_empty());
    let Some(Dialog::Confirm(confirm)) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!(confirm.stage, Stage::Deciding(Choice::Cancel));
    assert_eq!(asked(&press(&mut model, "y")).1, Action::Rollback { to: ReleaseId::new(12) });
}

#[test]
fn a_rollback_offers_the_newest_good_release_first() {
    let mut model = fixture::model();
    let mut detail = fixture::detail("shop");
    let left = detail.deploys.iter_mut().find(|deploy| matches!(deploy.action, Action::Rollback { .. })).unwrap();
    (left.from, left.to) = (Some(ReleaseId::new(13)), Some(ReleaseId::new(12)));
    send(&mut model, Message::Detail { at: service_at("local", "shop"), result: Ok(detail.into()) });
    select(&mut model, "local", "shop");
    press(&mut model, "b");
    let Some(Dialog::Rollback(rollback)) = &model.dialog else { panic!("{:?}", model.dialog) };
    assert_eq!(rollback.selected().map(|view| view.release.id), Some(ReleaseId::new(12)));
}

#[test]
fn a_release_whose_image_is_gone_cannot_be_taken() {
    let mut model = fixture::model();
    press(&mut model, "b G enter");
    assert!(matches!(model.dialog, Some(Dialog::Rollback(_))));
}

#[test]
fn a_rollback_waits_for_the_releases_when_they_are_not_known_yet() {
    let mut model = fixture::model();
    select(&mut model, "local", "shop");
    assert!(press(&mut model, "b").is_empty());
    let result = Ok(Box::new(fixture::detail("shop")));
    let effects = send(&mut model, Message::Detail { at: service_at("local", "shop"), result });
    assert!(matches!(effects[..], [Effect::Plan { .. }]));
}

#[test]
fn scaling_counts_up_and_down_and_takes_digits() {
    let mut model = fixture::model();
    let to = |model: &Model| match &model.dialog {
        Some(Dialog::Scale(scale)) => (scale.from, scale.to),
        other => panic!("{other:?}"),
    };
    press(&mut model, "+ + -");
    assert_eq!(to(&model), (3, 4));
    press(&mut model, "1 2");
    assert_eq!(to(&model), (3, 12));
    press(&mut model, "backspace backspace");
    assert_eq!(to(&model), (3, 1), "none is not a number to scale to");
    type_text(&mut model, "9999");
    assert_eq!(to(&model), (3, 9), "a number that is too large begins anew: 19, 9, 99, 9");
    let effects = press(&mut model, "enter");
    assert_eq!(asked(&effects).1, Action::Scale { count: 9 });
}

#[test]
fn scaling_to_the_same_number_does_nothing() {
    let mut model = fixture::model();
    assert!(press(&mut model, "+ - enter").iter().all(|effect| matches!(effect, Effect::Plan { .. })));
    assert!(matches!(model.dialog, Some(Dialog::Scale(_))));
}

#[test]
fn a_deploy_can_be_cancelled_until_it_changes_something_and_then_it_is_said_why_not() {
    let cancel = |seen: usize| {
        let mut model = fixture::model();
        select(&mut model, "local", "shop");
        press(&mut model, "w");
        let Page::Deploy(page) = &mut model.page else { panic!("{:?}", model.page) };
        page.deploy.state = DeployState::Queued;
        fixture::running_push().into_iter().take(seen).for_each(|event| page.progress.take(event));
        let offered = fixture::shown(&mut model).contains("c cancel");
        press(&mut model, "c");
        (offered, matches!(model.dialog, Some(Dialog::CancelDeploy(_))), toasts(&model).concat())
    };
    assert_eq!(cancel(0), (true, true, String::new()), "it is queued");
    assert_eq!(cancel(8), (true, true, String::new()), "it is building");
    assert_eq!(cancel(10), (false, false, "d41 cannot be cancelled any more: it is starting".into()));
}
