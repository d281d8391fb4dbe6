//! What servers said by themselves.

use jiff::Timestamp;
use mypaas::api::{Alert, AlertKind, Deploy, Event, Outcome, Problem, ServiceDetail, Snapshot};
use mypaas::name::{DeployId, ServerName};

use crate::console::effect::Effect;
use crate::console::message::{LogNews, News, ServerNews};
use crate::console::model::concern::Kind;
use crate::console::model::fleet::{ServerEntry, ServiceAt};
use crate::console::model::tape::Flow;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page};
use crate::console::words;

use super::action;

pub(super) fn server(model: &mut Model, name: &ServerName, news: ServerNews) -> Vec<Effect> {
    match news {
        ServerNews::Snapshot(snapshot) => return heard(model, name, snapshot),
        ServerNews::Remembered { snapshot, heard } => {
            if let Some(entry) = model.fleet.server_mut(name) {
                entry.recall(snapshot, heard);
            }
        }
        ServerNews::Alive => {
            let now = model.now;
            if let Some(entry) = model.fleet.server_mut(name) {
                entry.hear_of_it(now);
            }
        }
        ServerNews::Lost(problem) => lost(model, name, problem),
        ServerNews::NoWay(problem) => {
            let now = model.now;
            if let Some(entry) = model.fleet.server_mut(name) {
                entry.has_way = false;
                entry.lose(problem, now);
            }
        }
    }
    Vec::new()
}

fn heard(model: &mut Model, name: &ServerName, snapshot: Box<Snapshot>) -> Vec<Effect> {
    refresh_deploy_page(model, name, &snapshot);
    model.journal.follow(name, &snapshot);
    let now = model.now;
    let Some(entry) = model.fleet.server_mut(name) else { return Vec::new() };
    let was_silent = !entry.is_live();
    let before = entry.hear(snapshot, now);
    let effects = keep(entry, now);
    let Some(before) = before else { return effects };
    if was_silent {
        model.toast(ToastKind::Good, format!("{name} answers again"));
    }
    for (kind, text) in endings(model, name, &before) {
        model.toast(kind, text);
    }
    for (kind, text) in turns(model, name, &before.alerts) {
        model.toast(kind, text);
    }
    effects
}

/// For the next session, whose first picture need not wait for the server then.
fn keep(entry: &mut ServerEntry, now: Timestamp) -> Vec<Effect> {
    if !entry.is_to_be_kept(now) {
        return Vec::new();
    }
    let snapshot = entry.snapshot().map(|snapshot| Box::new(snapshot.clone()));
    let keep = |snapshot| Effect::Keep { server: entry.name.clone(), heard: now, snapshot };
    snapshot.map(keep).into_iter().collect()
}

/// Alerts that began or ended since.
fn turns(model: &Model, name: &ServerName, before: &[Alert]) -> Vec<(ToastKind, String)> {
    let same = |one: &Alert, other: &Alert| {
        (one.kind, &one.service, &one.container) == (other.kind, &other.service, &other.container)
    };
    let now = model.fleet.server(name).and_then(|entry| entry.snapshot()).map_or(&[][..], |now| &now.alerts);
    let about = |alert: &Alert| match &alert.service {
        Some(service) => format!("{service} on {name}"),
        None => name.to_string(),
    };
    // A failed deploy is told as such already.
    let new_in = |these: &'_ [Alert], those: &[Alert]| -> Vec<Alert> {
        let is_new =
            |alert: &&Alert| alert.kind != AlertKind::DeployFailed && !those.iter().any(|known| same(alert, known));
        these.iter().filter(is_new).cloned().collect()
    };
    let over = new_in(before, now).into_iter().map(|alert| {
        let word = Kind::Told(alert.kind).word();
        (ToastKind::Good, format!("{}: {word} is over", about(&alert)))
    });
    let began =
        new_in(now, before).into_iter().map(|alert| (ToastKind::Bad, format!("{}: {}", about(&alert), alert.message)));
    over.chain(began).collect()
}

fn lost(model: &mut Model, name: &ServerName, problem: Problem) {
    let now = model.now;
    let Some(entry) = model.fleet.server_mut(name) else { return };
    let was_live = entry.is_live();
    let text = format!("{name} does not answer: {}", problem.message);
    if entry.lose(problem, now) && was_live {
        model.toast(ToastKind::Bad, text);
    }
}

fn refresh_deploy_page(model: &mut Model, name: &ServerName, snapshot: &Snapshot) {
    if let Page::Deploy(page) = &mut model.page
        && page.at.server == *name
        && let Some(deploy) = snapshot.deploys.iter().find(|deploy| deploy.id == page.deploy.id)
    {
        page.deploy = deploy.clone();
    }
}

/// What ended since the snapshot before, and is not on the screen anyhow.
fn endings(model: &Model, name: &ServerName, before: &Snapshot) -> Vec<(ToastKind, String)> {
    let watched = match &model.page {
        Page::Deploy(page) if page.at.server == *name => Some(page.deploy.id),
        _ => None,
    };
    let was_known = |deploy: &Deploy| match before.deploys.iter().find(|known| known.id == deploy.id) {
        Some(known) => known.is_finished(),
        None => deploy.accepted < before.at,
    };
    let now = model.fleet.server(name).and_then(|entry| entry.snapshot()).map_or(&[][..], |now| &now.deploys);
    let fresh = now.iter().rev().filter(|deploy| Some(deploy.id) != watched && !was_known(deploy));
    fresh.filter_map(|deploy| Some((kind_of(deploy), ending(name, deploy)?))).collect()
}

fn ending(name: &ServerName, deploy: &Deploy) -> Option<String> {
    Some(format!("{} on {name}: {}", deploy.service, words::ending(deploy)?))
}

fn kind_of(deploy: &Deploy) -> ToastKind {
    match &deploy.state {
        mypaas::api::DeployState::Finished { outcome: Outcome::Succeeded, .. } => ToastKind::Good,
        mypaas::api::DeployState::Finished { outcome: Outcome::Superseded { .. }, .. } => ToastKind::Note,
        _ => ToastKind::Bad,
    }
}

pub(super) fn detail(model: &mut Model, at: &ServiceAt, result: Result<Box<ServiceDetail>, Problem>) -> Vec<Effect> {
    if let (Page::Deploy(page), Ok(detail)) = (&mut model.page, &result)
        && page.at == *at
    {
        page.compare_with(&detail.deploys);
    }
    model.details.take(at.clone(), result);
    action::fill_rollback(model, at)
}

pub(super) fn deploy(model: &mut Model, server: &ServerName, id: DeployId, news: News<Event>) {
    let Page::Deploy(page) = &mut model.page else { return };
    if page.at.server != *server {
        return;
    }
    if page.deploy.id == id {
        match news {
            News::Began => page.flow = Flow::Flowing,
            News::Some(events) => events.into_iter().for_each(|event| page.progress.take(event)),
            News::Ended => page.flow = Flow::Ended,
            News::Lost(problem) => page.flow = Flow::Broken { problem },
        }
    } else if let (Some(before), News::Some(events)) = (&mut page.before, news)
        && before.id == id
    {
        events.into_iter().for_each(|event| before.progress.take(event));
    }
}

pub(super) fn logs(model: &mut Model, news: LogNews) {
    let Some(logs) = &mut model.logs else { return };
    match news {
        LogNews::Began => logs.began(model.now),
        LogNews::Some(caught) => {
            let server = model.fleet.server(&logs.at.server);
            logs.take_all(caught, model.now, |there| server.map_or(there, |server| server.here(there)));
        }
        LogNews::Ended => logs.flow = Flow::Ended,
        LogNews::Lost(problem) => logs.flow = Flow::Broken { problem },
    }
}
