//! A deploy, from its beginning to its end.

use super::*;
use crate::console::model::Page;
use mypaas::api::{DeployState, Phase, What};

pub(super) fn watch(model: &mut Model, id: u64, events: Vec<Event>, ended: bool) {
    let (server, id) = ("local".parse().unwrap(), DeployId::new(id));
    let mut tell = |news| send(model, Message::Deploy { server: std::clone::Clone::clone(&server), id, news });
    tell(News::Began);
    tell(News::Some(events));
    if ended {
        tell(News::Ended);
    }
}

#[test]
fn a_deploy_that_runs() {
    snapshots("deploy_running", |model| {
        select(model, "local", "shop");
        let result = Ok(Box::new(fixture::detail("shop")));
        send(model, Message::Detail { at: service_at("local", "shop"), result });
        press(model, "w");
        watch(model, 41, fixture::running_push(), false);
        watch(model, 31, fixture::successful_push(), true);
    });
}

#[test]
fn cancelling_a_deploy() {
    snapshots("deploy_cancel", |model| {
        select(model, "local", "shop");
        press(model, "w");
        if let Page::Deploy(page) = &mut model.page {
            page.deploy.state = DeployState::Running { started: at(-12), phase: Phase::Building };
        }
        let builds: Vec<_> = fixture::running_push().into_iter().take(8).collect();
        watch(model, 41, builds, false);
        press(model, "c");
    });
}

#[test]
fn a_deploy_that_is_done_and_clears_away() {
    snapshots("deploy_clears_away", |model| {
        press(model, "w");
        if let Page::Deploy(page) = &mut model.page {
            page.deploy.state = DeployState::Running { started: at(-18), phase: Phase::Retiring };
        }
        let is_left = |event: &Event| !matches!(event.what, What::Stopped { .. });
        watch(model, 31, fixture::successful_push().into_iter().take_while(is_left).collect(), false);
    });
}

#[test]
fn a_deploy_that_succeeded() {
    snapshots("deploy_succeeded", |model| {
        press(model, "w");
        watch(model, 31, fixture::successful_push(), true);
    });
}

#[test]
fn a_deploy_that_failed() {
    snapshots("deploy_failed", |model| {
        select(model, "local", "blog");
        press(model, "w");
        watch(model, 40, fixture::failed_push(), true);
    });
}
