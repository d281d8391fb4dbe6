//! `update`: a message changes the model, and says what is to be done. Pure: no clock, no network, no files.
//!
//! ```text
//! keys.rs      a key press → a command → whoever has the keys; mouse.rs the same for clicks
//! news.rs      what servers said: snapshots, details, events, log lines
//! answer.rs    answers to what was asked: plans, deploys, folders
//! services.rs  the main page          action.rs    what can be done to a service
//! deploy.rs    the page of a deploy   logs.rs      the logs
//! push.rs      the page for a push    typing.rs    lines of text
//! fleet.rs     the pages about all servers: fleet, alerts, journal
//! variables.rs the page with a server's variables
//! disk.rs      the page with a server's disks
//! dialog.rs    what lies on top       palette.rs   the command palette
//! guard.rs     rights and locked servers, before anything is done
//! trail.rs     back and forward
//! ```

mod action;
mod answer;
mod deploy;
mod dialog;
mod disk;
mod fleet;
mod guard;
mod keys;
mod logs;
mod mouse;
mod news;
mod palette;
mod push;
mod services;
#[cfg(test)]
mod tests;
mod trail;
mod typing;
mod variables;

use super::effect::{Effect, TerminalEffect};
use super::message::{Message, Stamped};
use super::model::logs::Logs;
use super::model::toast::ToastKind;
use super::model::trail::Place;
use super::model::{Focus, Model, Page};

pub(crate) fn update(model: &mut Model, stamped: Stamped) -> Vec<Effect> {
    model.now = stamped.at;
    model.toasts.forget_until(model.now);
    // A deploy that was asked for is watched at once: that too is a way to another place.
    let moves = matches!(stamped.message, Message::Key(_) | Message::Mouse(_) | Message::Answered { .. });
    let before = moves.then(|| Place::of(model)).flatten();
    let shell = model.shell.clone();
    model.journal.hear(&stamped.message);
    let effects = take(model, stamped.message);
    effects.iter().for_each(|effect| model.journal.note(effect, model.now));
    settle(model);
    if moves {
        let now = Place::of(model);
        if shell == model.shell && before.as_ref().is_some_and(|before| before.is_left_for(now.as_ref())) {
            answer::withdraw_shell(model);
        }
        model.trail.note(before, now.as_ref());
    }
    effects
}

fn take(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => return keys::press(model, key),
        Message::Mouse(mouse) => return mouse::take(model, mouse),
        Message::Pasted(text) => return typing::paste(model, &text),
        Message::Told => return vec![TerminalEffect::Quit.into()],
        Message::Planned { ticket, result } => answer::planned(model, ticket, &result),
        Message::Answered { ticket, server, result } => answer::answered(model, ticket, server, result),
        Message::Cancelled { ticket, result } => answer::cancelled(model, ticket, result),
        Message::Pinned { at, result, .. } => answer::pinned(model, &at, result),
        Message::History { of, span, result } => model.histories.take(of, span, result),
        Message::Audit { server, result } => drop(model.journal.audits.insert(server, result)),
        Message::Variables { server, result } => variables::known(model, &server, result),
        Message::VariableChanged { ticket, server, result } => variables::changed(model, ticket, &server, result),
        Message::Disk { reading, result } => disk::known(model, reading, result),
        Message::Pruned { ticket, server, result } => disk::pruned(model, ticket, &server, result),
        Message::Folders { ticket, found } => push::found(model, ticket, found),
        Message::Recents { folders } => push::recents(model, folders),
        Message::Glanced { folder, glance } => push::glanced(model, folder, *glance),
        Message::Checked { ticket, report } => push::checked(model, ticket, report),
        Message::Sent { ticket, bytes } => push::sent(model, ticket, bytes),
        Message::Server { server, news } => return news::server(model, &server, news),
        Message::Detail { at, result } => return news::detail(model, &at, result),
        Message::Deploy { server, id, news } => news::deploy(model, &server, id, news),
        Message::Logs { at, of, since, news } => {
            // What another stream brought late is of no interest any more.
            if model.logs.as_ref().is_some_and(|logs| logs.is_of(&at, &of, since)) {
                news::logs(model, news);
            }
        }
        Message::ShellEnded { at, result } => answer::shell_ended(model, &at, result),
        Message::Edited { result } => return push::edited(model, result),
        Message::DockerfileChanged { folder } => return push::changed(model, &folder),
        Message::Saved { result } => answer::saved(model, result),
        Message::RecordingEnded(why) => model.toast(ToastKind::Bad, format!("the recording ends here: {why}")),
        Message::Resized(size) => model.size = size,
        Message::Tick => {}
    }
    Vec::new()
}

/// Puts right what follows from what changed.
fn settle(model: &mut Model) {
    if model.focus != Focus::List || !matches!(model.page, Page::Services) {
        model.list.choose();
    }
    model.list.settle(&model.fleet);
    if model.list.selected.is_none() {
        model.focus = Focus::List;
    }
    if !model.context().types() {
        model.toasts.withdraw_typed();
    }
    let server = model.list.selected.as_ref().map(|item| item.server().clone());
    if model.pane.of.as_ref() != model.selected_service() || model.pane.server != server {
        model.pane.turn_to(server, model.selected_service().cloned());
    }
    model.keep_chosen();
    if let Some(at) = model.logs_beside().cloned()
        && model.logs.as_ref().is_none_or(|logs| logs.at != at)
    {
        model.logs = Some(Logs::of(at, mypaas::api::LogsOf::Service));
    }
}
