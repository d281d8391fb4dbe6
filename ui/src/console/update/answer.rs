//! Answers to what was asked of a server. Whoever asked holds the ticket; an answer that nobody waits for any more is
//! told as a toast.

use mypaas::api::{Deploy, PlanView, Problem};
use mypaas::name::ServerName;

use crate::console::model::dialog::{Dialog, Load};
use crate::console::model::fleet::ServiceAt;
use crate::console::model::push::Step;
use crate::console::model::toast::ToastKind;
use crate::console::model::{Model, Page, Ticket};
use crate::console::words;

use super::deploy;

pub(super) fn planned(model: &mut Model, ticket: Ticket, result: &Result<PlanView, Problem>) {
    let plan = match &mut model.dialog {
        Some(Dialog::Confirm(confirm)) if confirm.ticket == ticket => &mut confirm.plan,
        Some(Dialog::Rollback(rollback)) if rollback.ticket == ticket => &mut rollback.plan,
        Some(Dialog::Scale(scale)) if scale.ticket == ticket => &mut scale.plan,
        _ => return,
    };
    *plan = Load::of(result.clone());
}

pub(super) fn answered(model: &mut Model, ticket: Ticket, server: ServerName, result: Result<Box<Deploy>, Problem>) {
    match (asked(model, ticket), result) {
        (Some(_), Ok(accepted)) => {
            model.dialog = None;
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

/// Who waits for the answer.
enum Asked {
    /// What the problem's title would be.
    Dialog(String),
    Push,
}

fn asked(model: &Model, ticket: Ticket) -> Option<Asked> {
    match (&model.dialog, &model.page) {
        (Some(Dialog::Confirm(confirm)), _) if confirm.ticket == ticket => {
            Some(Asked::Dialog(format!("{} of {} was not done", words::action(&confirm.action), confirm.at)))
        }
        (Some(Dialog::Scale(scale)), _) if scale.ticket == ticket => {
            Some(Asked::Dialog(format!("scale of {} was not done", scale.at)))
        }
        (_, Page::Push(page)) if page.ticket == ticket => Some(Asked::Push),
        _ => None,
    }
}

fn refuse_push(model: &mut Model, problem: Problem) {
    if let Page::Push(page) = &mut model.page
        && let Step::Sending { report, .. } = &page.step
    {
        page.step = Step::Refused { folder: report.folder.clone(), problem };
    }
}
