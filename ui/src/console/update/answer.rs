//! Answers to what was asked of a server. Whoever asked holds the ticket; an answer that nobody waits for any more is
//! told as a toast.

use std::path::PathBuf;

use mypaas::api::{Deploy, PlanView, Problem, ReleaseView};
use mypaas::name::ServerName;

use crate::console::model::dialog::{Dialog, Load};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::push::Step;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page, Ticket};
use crate::console::words;

use super::{action, deploy};

pub(super) fn planned(model: &mut Model, ticket: Ticket, result: &Result<PlanView, Problem>) {
    let plan = match &mut model.dialog {
        Some(Dialog::Confirm(confirm)) => confirm.aim_mut(ticket).map(|aim| &mut aim.plan),
        Some(Dialog::Rollback(rollback)) if rollback.ticket == ticket => Some(&mut rollback.plan),
        Some(Dialog::Scale(scale)) if scale.ticket == ticket => Some(&mut scale.plan),
        _ => None,
    };
    if let Some(plan) = plan {
        *plan = Load::of(result.clone());
    }
}

pub(super) fn answered(model: &mut Model, ticket: Ticket, server: ServerName, result: Result<Box<Deploy>, Problem>) {
    match (asked(model, ticket), result) {
        (Some(Asked::OneOfMany), result) => answered_for_one(model, ticket, result),
        (Some(_), Ok(accepted)) => {
            model.dialog = None;
            model.list.marks.clear();
            let at = ServiceAt { server, service: accepted.service.clone() };
            deploy::open(model, at, *accepted);
        }
        (None, Ok(accepted)) => {
            let (action, service) = (words::action(&accepted.action), &accepted.service);
            model.toast(ToastKind::Note, format!("{server} took the {action} of {service} as {}", accepted.id));
        }
        (Some(Asked::Dialog(title)), Err(problem)) => {
            model.dialog = Some(Dialog::Trouble { title, problem, scroll: 0 });
        }
        (Some(Asked::Push), Err(problem)) => refuse_push(model, problem),
        (None, Err(problem)) => model.toast(ToastKind::Bad, format!("{server}: {}", problem.message)),
    }
}

/// Notes the answer about one of several services. Once all have answered well the dialog closes; the list shows what
/// becomes of them. Else it stays, and says which were not done.
fn answered_for_one(model: &mut Model, ticket: Ticket, result: Result<Box<Deploy>, Problem>) {
    let Some(Dialog::Confirm(confirm)) = &mut model.dialog else { return };
    if let Some(aim) = confirm.aim_mut(ticket) {
        if result.is_ok() {
            model.list.marks.unmark(&aim.at);
        }
        aim.answer = Some(result.map(|deploy| deploy.id));
    }
    let all_well = confirm.aims.iter().all(|aim| matches!(aim.answer, Some(Ok(_))));
    if all_well {
        let told = format!("{} of {} began", words::action(&confirm.action), words::services(confirm.aims.len()));
        model.dialog = None;
        model.toast(ToastKind::Good, told);
    }
}

pub(super) fn cancelled(model: &mut Model, ticket: Ticket, result: Result<(), Problem>) {
    let waits = matches!(&model.dialog, Some(Dialog::CancelDeploy(cancel)) if cancel.ticket == ticket);
    match result {
        Ok(()) if waits => model.dialog = None,
        Ok(()) => {}
        Err(problem) if waits => {
            model.dialog = Some(Dialog::Trouble { title: "The deploy goes on".into(), problem, scroll: 0 });
        }
        Err(problem) => model.toast(ToastKind::Bad, problem.message),
    }
}

pub(super) fn pinned(model: &mut Model, at: &ServiceAt, result: Result<Box<ReleaseView>, Problem>) {
    match result {
        Ok(view) => {
            let told = if view.pinned { "is pinned" } else { "is no longer pinned" };
            model.toast(ToastKind::Good, format!("{} of {at} {told}", view.release.id));
            model.details.take_release(at, *view);
        }
        Err(problem) => model.toast(ToastKind::Bad, format!("{at}: {}", problem.message)),
    }
}

pub(super) fn shell_ended(model: &mut Model, at: &ServiceAt, result: Result<Option<i64>, Problem>) {
    model.toasts.withdraw(&action::opening_shell(at));
    let is_awaited = model.shell.take_if(|awaited| awaited == at).is_some();
    match result {
        Ok(None | Some(0)) => {}
        Ok(Some(code)) => model.toast(ToastKind::Note, format!("the shell in {at} ended with {code}")),
        Err(problem) if is_awaited && !model.is_asked_something() => {
            model.dialog = Some(Dialog::Trouble { title: format!("No shell in {at}"), problem, scroll: 0 });
        }
        Err(problem) => model.toast(ToastKind::Bad, format!("no shell in {at}: {}", problem.message)),
    }
}

/// The operator went on to something else: a shell that opens now would take the keyboard from it.
pub(super) fn withdraw_shell(model: &mut Model) {
    if let Some(at) = model.shell.take() {
        model.toasts.withdraw(&action::opening_shell(&at));
    }
}

pub(super) fn saved(model: &mut Model, result: Result<PathBuf, Problem>) {
    match result {
        Ok(path) => model.toast(ToastKind::Good, format!("saved as {}", path.display())),
        Err(problem) => model.toast(ToastKind::Bad, problem.message),
    }
}

/// Who waits for the answer.
enum Asked {
    /// What the problem's title would be.
    Dialog(String),
    /// A dialog that waits for several answers.
    OneOfMany,
    Push,
}

fn asked(model: &Model, ticket: Ticket) -> Option<Asked> {
    match (&model.dialog, &model.page) {
        (Some(Dialog::Confirm(confirm)), _) if confirm.aims.iter().any(|aim| aim.ticket == ticket) => {
            let single = confirm.single();
            Some(
                single
                    .map_or(Asked::OneOfMany, |aim| Asked::Dialog(not_done(&words::action(&confirm.action), &aim.at))),
            )
        }
        (Some(Dialog::Scale(scale)), _) if scale.ticket == ticket => {
            scale.single().map(|at| Asked::Dialog(not_done("scale", at)))
        }
        (_, Page::Push(page)) if page.ticket == ticket => Some(Asked::Push),
        _ => None,
    }
}

fn not_done(what: &str, at: &ServiceAt) -> String {
    format!("{what} of {at} was not done")
}

fn refuse_push(model: &mut Model, problem: Problem) {
    if let Page::Push(page) = &mut model.page
        && let Step::Sending { report, .. } = &page.step
    {
        page.step = Step::Refused { folder: report.folder.clone(), problem };
    }
}
