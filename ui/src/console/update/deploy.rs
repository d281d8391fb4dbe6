//! The page of one deploy.

use mypaas::api::{Deploy, LogsOf};

use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::deploy::DeployPage;
use crate::console::model::dialog::{CancelDeploy, Choice, Dialog, Stage};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::tape::Place;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page};

use super::logs::{self, scrolled};
use super::{guard, trail};

pub(super) fn open(model: &mut Model, at: ServiceAt, deploy: Deploy) {
    let mut page = DeployPage::new(at, deploy);
    if let Some(detail) = model.details.get(&page.at).and_then(|known| known.detail()) {
        page.compare_with(&detail.deploys);
    }
    model.page = Page::Deploy(Box::new(page));
}

/// One that waits or builds can be cancelled: it has changed nothing yet.
fn ask_to_cancel(model: &mut Model) {
    let ticket = model.ticket();
    let Page::Deploy(page) = &model.page else { return };
    if page.is_over() {
        return model.toast(ToastKind::Note, "it is over already");
    }
    if let Some(phase) = page.too_late_to_cancel() {
        let text = format!("{} cannot be cancelled any more: it is {}", page.deploy.id, phase.word());
        return model.toast(ToastKind::Note, text);
    }
    let at = page.at.clone();
    if !guard::may_change(model, &at.server, Some(&at.service)) {
        return;
    }
    let Page::Deploy(page) = &model.page else { return };
    let stage = Stage::Deciding(Choice::Cancel);
    let cancel = CancelDeploy { at, id: page.deploy.id, stage, ticket };
    model.dialog = Some(Dialog::CancelDeploy(cancel));
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let body = model.seen.body;
    let Page::Deploy(page) = &mut model.page else { return Vec::new() };
    if let Some(motion) = command.motion() {
        let top = scrolled(motion, body);
        page.place = top.map_or(Place::End, |index| Place::At(page.progress.tape.dropped() + index as u64));
        return Vec::new();
    }
    match command {
        Command::Follow => {
            page.place = match page.place {
                Place::End => Place::At(page.progress.tape.dropped() + body.top as u64),
                Place::At(_) => Place::End,
            };
        }
        Command::Wrap => page.wrap = !page.wrap,
        Command::Compare if !page.compare_with_next() => {
            model.toast(ToastKind::Note, "there is no earlier run to compare with");
        }
        Command::CancelDeploy => ask_to_cancel(model),
        Command::Logs => {
            let at = page.at.clone();
            logs::open(model, at, LogsOf::Service);
        }
        Command::Back => {
            let at = page.at.clone();
            trail::leave(model, at);
        }
        _ => {}
    }
    Vec::new()
}
