//! What lies on top of a page.

use mypaas::api::{Action, Target};

use crate::console::command::{Command, Motion};
use crate::console::effect::Effect;
use crate::console::model::dialog::{Aim, Choice, Confirm, Dialog, Load, ScaleStage, Stage};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::{Model, Ticket};

use super::{action, disk, guard, palette, variables};

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    match &model.dialog {
        Some(Dialog::Help { .. } | Dialog::Trouble { .. }) => read(model, command),
        Some(Dialog::Confirm(_)) => decide(model, command),
        Some(Dialog::CancelDeploy(_)) => decide_cancel(model, command),
        Some(Dialog::Rollback(_)) => pick_release(model, command),
        Some(Dialog::Scale(_)) => scale(model, command),
        Some(Dialog::Variable(_)) => decide_variable(model, command),
        Some(Dialog::Prune(_)) => decide_prune(model, command),
        Some(Dialog::Unlock(_)) => guard::run(model, command),
        Some(Dialog::Palette(_)) => palette::run(model, command),
        None => Vec::new(),
    }
}

fn close(model: &mut Model) -> Vec<Effect> {
    model.dialog = None;
    Vec::new()
}

fn read(model: &mut Model, command: Command) -> Vec<Effect> {
    let body = model.seen.body;
    match (&mut model.dialog, command.motion()) {
        (Some(Dialog::Help { scroll, .. } | Dialog::Trouble { scroll, .. }), Some(motion)) => {
            *scroll = motion.from(body.top, body.last_top, body.page);
            Vec::new()
        }
        _ if command == Command::Cancel => close(model),
        _ => Vec::new(),
    }
}

fn decide(model: &mut Model, command: Command) -> Vec<Effect> {
    let body = model.seen.body;
    let Some(Dialog::Confirm(confirm)) = &mut model.dialog else { return Vec::new() };
    if let Some(motion) = command.motion() {
        confirm.scroll = motion.from(body.top, body.last_top, body.page);
        return Vec::new();
    }
    match (command, confirm.stage) {
        (Command::Switch, Stage::Deciding(choice)) => confirm.stage = Stage::Deciding(choice.other()),
        (Command::Accept, Stage::Deciding(Choice::Do)) | (Command::Yes, Stage::Deciding(_)) => return go_ahead(model),
        (Command::Accept, Stage::Deciding(Choice::Cancel)) | (Command::Cancel, _) => return close(model),
        _ => {}
    }
    Vec::new()
}

fn decide_cancel(model: &mut Model, command: Command) -> Vec<Effect> {
    decide_at(model, command, |cancel| match cancel {
        Dialog::CancelDeploy(cancel) => Some(&mut cancel.stage),
        _ => None,
    })
}

fn decide_variable(model: &mut Model, command: Command) -> Vec<Effect> {
    decide_at(model, command, |confirm| match confirm {
        Dialog::Variable(confirm) => Some(&mut confirm.stage),
        _ => None,
    })
}

fn decide_prune(model: &mut Model, command: Command) -> Vec<Effect> {
    let body = model.seen.body;
    let Some(Dialog::Prune(confirm)) = &mut model.dialog else { return Vec::new() };
    if let Some(motion) = command.motion() {
        confirm.scroll = motion.from(body.top, body.last_top, body.page);
        return Vec::new();
    }
    // A click on where the button will be says yes to nothing.
    if !confirm.can_do() && command != Command::Cancel {
        return Vec::new();
    }
    decide_at(model, command, |confirm| match confirm {
        Dialog::Prune(confirm) => Some(&mut confirm.stage),
        _ => None,
    })
}

/// Between no and yes, in a dialog with nothing else to it.
fn decide_at(model: &mut Model, command: Command, stage: impl Fn(&mut Dialog) -> Option<&mut Stage>) -> Vec<Effect> {
    let Some(stage) = model.dialog.as_mut().and_then(stage) else { return Vec::new() };
    match (command, *stage) {
        (Command::Switch, Stage::Deciding(choice)) => *stage = Stage::Deciding(choice.other()),
        (Command::Accept, Stage::Deciding(Choice::Do)) | (Command::Yes, Stage::Deciding(_)) => {
            return guard::pass(model);
        }
        (Command::Accept, Stage::Deciding(Choice::Cancel)) | (Command::Cancel, _) => return close(model),
        _ => {}
    }
    Vec::new()
}

/// What the operator said yes to, unless something is known to stand in the way.
fn go_ahead(model: &mut Model) -> Vec<Effect> {
    match &model.dialog {
        Some(Dialog::Confirm(confirm)) if confirm.can_do() => guard::pass(model),
        Some(Dialog::Scale(scale)) if scale.can_do() => guard::pass(model),
        _ => Vec::new(),
    }
}

/// Does it.
pub(super) fn carry_out(model: &mut Model) -> Vec<Effect> {
    match &model.dialog {
        Some(Dialog::Confirm(_)) => go_ahead_with_all(model),
        Some(Dialog::Scale(_)) => go_ahead_with_scale(model),
        Some(Dialog::CancelDeploy(_)) => cancel_deploy(model),
        Some(Dialog::Variable(_)) => variables::change(model),
        Some(Dialog::Prune(_)) => disk::prune(model),
        _ => Vec::new(),
    }
}

fn cancel_deploy(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::CancelDeploy(cancel)) = &mut model.dialog else { return Vec::new() };
    cancel.stage = Stage::Asked;
    cancel.ticket = ticket;
    vec![Effect::Cancel { ticket, server: cancel.at.server.clone(), id: cancel.id }]
}

/// Asks for what can be done, each with a ticket of its own.
fn go_ahead_with_all(model: &mut Model) -> Vec<Effect> {
    let Some(Dialog::Confirm(mut confirm)) = model.dialog.take() else { return Vec::new() };
    confirm.stage = Stage::Asked;
    let action = confirm.action.clone();
    let mut effects = Vec::new();
    for aim in confirm.aims.iter_mut().filter(|aim| aim.can_be_done()) {
        aim.ticket = model.ticket();
        effects.push(ask(&aim.at, action.clone(), aim.ticket));
    }
    model.dialog = Some(Dialog::Confirm(confirm));
    effects
}

/// Scales one service; for several it is told first what that does to each.
fn go_ahead_with_scale(model: &mut Model) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Dialog::Scale(scale)) = &mut model.dialog else { return Vec::new() };
    let action = Action::Scale { count: scale.to };
    let Some(at) = scale.single().cloned() else {
        let all = std::mem::take(&mut scale.of);
        return action::confirm_all(model, all, action);
    };
    scale.ticket = ticket;
    scale.stage = ScaleStage::Asked;
    vec![ask(&at, action, ticket)]
}

fn ask(at: &ServiceAt, action: Action, ticket: Ticket) -> Effect {
    let target = Target::Service { service: at.service.clone(), action };
    Effect::Deploy { ticket, server: at.server.clone(), target }
}

fn pick_release(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some(motion) = command.motion() {
        return move_to_release(model, motion);
    }
    let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { return Vec::new() };
    match command {
        Command::Accept => {
            let Some(release) = rollback.selected().filter(|release| release.available) else { return Vec::new() };
            let action = Action::Rollback { to: release.release.id };
            let plan = std::mem::replace(&mut rollback.plan, Load::Waiting);
            let aim = Aim { plan, ..Aim::new(rollback.at.clone(), rollback.ticket) };
            model.dialog = Some(Dialog::Confirm(Confirm::of(action, vec![aim])));
            Vec::new()
        }
        Command::Cancel => close(model),
        _ => Vec::new(),
    }
}

fn move_to_release(model: &mut Model, motion: Motion) -> Vec<Effect> {
    let page = model.seen.body.page;
    let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { return Vec::new() };
    let last = rollback.releases.ready().map_or(0, Vec::len).saturating_sub(1);
    let cursor = motion.from(rollback.cursor, last, page);
    if cursor == rollback.cursor {
        return Vec::new();
    }
    rollback.cursor = cursor;
    action::preview_rollback(model)
}

/// Selects a release; when it is selected already, takes it.
pub(super) fn choose_release(model: &mut Model, line: usize) -> Vec<Effect> {
    let Some(Dialog::Rollback(rollback)) = &mut model.dialog else { return Vec::new() };
    if rollback.cursor == line {
        return pick_release(model, Command::Accept);
    }
    rollback.cursor = line;
    action::preview_rollback(model)
}

fn scale(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(Dialog::Scale(scale)) = &mut model.dialog else { return Vec::new() };
    let deciding = scale.stage == ScaleStage::Deciding;
    match command {
        Command::Cancel => return close(model),
        Command::Accept if deciding => return go_ahead(model),
        Command::More if deciding => scale.set(scale.to + 1),
        Command::Less if deciding => scale.set(scale.to - 1),
        Command::DeleteBack if deciding => scale.set(scale.to / 10),
        _ => return Vec::new(),
    }
    action::preview_scale(model)
}

/// A digit typed while scaling: the number grows by it, or begins with it when it would be too large.
pub(super) fn digit(model: &mut Model, character: char) -> Vec<Effect> {
    let (Some(Dialog::Scale(scale)), Some(digit)) = (&mut model.dialog, character.to_digit(10)) else {
        return Vec::new();
    };
    if scale.stage != ScaleStage::Deciding {
        return Vec::new();
    }
    let typed_before = if scale.is_typed { scale.to } else { 0 };
    let longer = typed_before * 10 + digit;
    scale.set(if longer > mypaas::manifest::Scale::LARGEST { digit } else { longer });
    scale.is_typed = true;
    action::preview_scale(model)
}
