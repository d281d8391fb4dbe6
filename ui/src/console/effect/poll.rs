//! What servers do not tell by themselves: asked again and again, for as long as it is looked at. Told only when it is
//! another than before, so that nothing is drawn for nothing.

use std::time::Duration;

use mypaas::api::{HistoryQuery, Problem, ProblemCode, Span};
use mypaas::client::Client;
use mypaas::name::ServerName;
use tokio::time::sleep;

use super::listen::{self, Inbox, REST, tell};
use super::problem::of_client;
use crate::console::message::Message;
use crate::console::model::Ticket;
use crate::console::model::histories::Measured;

/// People wait for what they look at no longer.
const AGAIN: Duration = Duration::from_secs(3);

/// For what the disks hold a server looks at each image and each file.
const BETWEEN_LOOKS_AT_DISKS: Duration = Duration::from_secs(60);

/// More figures than this no screen is wide enough for.
const POINTS: u32 = 360;

/// So many entries of the audit log.
const ENTRIES: u32 = 500;

/// A figure more is of interest after so long.
fn between_figures(span: Span) -> Duration {
    Duration::from_secs(match span {
        Span::Hour => 5,
        Span::Day => 60,
        Span::Month => 600,
    })
}

pub(super) async fn history(client: Client, of: Measured, span: Span, inbox: Inbox) {
    let service = match &of {
        Measured::Machine(_) => None,
        Measured::Service(at) => Some(at.service.clone()),
    };
    let query = HistoryQuery { service, span, points: Some(POINTS) };
    let mut told = None;
    let mut pause = REST;
    loop {
        sleep(pause).await;
        pause = between_figures(span);
        let result = listen::in_time(client.history(&query)).await.map(Box::new);
        let message = |result| Message::History { of: of.clone(), span, result };
        if !tell_new(&mut told, result, message, &inbox).await {
            return;
        }
    }
}

pub(super) async fn variables(client: Client, server: ServerName, inbox: Inbox) {
    let mut told = None;
    let mut pause = REST;
    loop {
        sleep(pause).await;
        pause = AGAIN;
        let result = listen::in_time(client.variables()).await;
        let message = |result| Message::Variables { server: server.clone(), result };
        if !tell_new(&mut told, result, message, &inbox).await {
            return;
        }
    }
}

/// A server with many images on a slow disk may take longer than for other answers.
pub(super) async fn disk(client: Client, reading: Ticket, inbox: Inbox) {
    let mut told = None;
    let mut pause = REST;
    loop {
        sleep(pause).await;
        let result = client.disk(None).await.map(Box::new).map_err(of_client);
        pause = if result.is_ok() { BETWEEN_LOOKS_AT_DISKS } else { AGAIN };
        if !tell_new(&mut told, result, |result| Message::Disk { reading, result }, &inbox).await {
            return;
        }
    }
}

pub(super) async fn audit(client: Client, server: ServerName, inbox: Inbox) {
    let mut told = None;
    let mut pause = REST;
    loop {
        sleep(pause).await;
        pause = AGAIN;
        let result = listen::in_time(client.audit(None, ENTRIES)).await;
        let message = |result| Message::Audit { server: server.clone(), result };
        if !tell_new(&mut told, result, message, &inbox).await {
            return;
        }
    }
}

/// Tells what is another answer than before. Says whether it is of use to ask again.
async fn tell_new<T: Clone + PartialEq>(
    told: &mut Option<Result<T, Problem>>,
    result: Result<T, Problem>,
    message: impl FnOnce(Result<T, Problem>) -> Message,
    inbox: &Inbox,
) -> bool {
    let again = !result.as_ref().is_err_and(is_final);
    if told.as_ref() != Some(&result) {
        *told = Some(result.clone());
        tell(inbox, message(result)).await;
    }
    again
}

/// Asking again would be answered alike.
fn is_final(problem: &Problem) -> bool {
    matches!(problem.code, ProblemCode::NotFound | ProblemCode::Forbidden)
}
