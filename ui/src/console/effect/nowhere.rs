//! What is asked of servers to which there is no way: nobody would ever answer.

use std::collections::BTreeMap;

use mypaas::api::Problem;
use mypaas::name::ServerName;

use super::Effect;
use crate::console::message::Message;
use crate::console::model::push::FolderReport;

/// The answer: why there is no way. None for what is asked of others, or of no server.
pub(super) fn answer(effect: &Effect, nowhere: &BTreeMap<ServerName, Problem>) -> Option<Message> {
    let why = |server: &ServerName| nowhere.get(server).cloned();
    Some(match effect {
        Effect::Plan { ticket, server, .. } => Message::Planned { ticket: *ticket, result: Err(why(server)?) },
        Effect::Deploy { ticket, server, .. } | Effect::Push { ticket, server, .. } => {
            Message::Answered { ticket: *ticket, server: server.clone(), result: Err(why(server)?) }
        }
        Effect::Cancel { ticket, server, .. } => Message::Cancelled { ticket: *ticket, result: Err(why(server)?) },
        Effect::ChangeVariable { ticket, server, .. } => {
            Message::VariableChanged { ticket: *ticket, server: server.clone(), result: Err(why(server)?) }
        }
        Effect::Prune { ticket, server } => {
            Message::Pruned { ticket: *ticket, server: server.clone(), result: Err(why(server)?) }
        }
        Effect::Pin { ticket, at, .. } => {
            Message::Pinned { ticket: *ticket, at: at.clone(), result: Err(why(&at.server)?) }
        }
        Effect::Check { ticket, server, folder } => {
            let report = FolderReport { folder: folder.clone(), commit: None, contents: Err(why(server)?) };
            Message::Checked { ticket: *ticket, report: Box::new(report) }
        }
        Effect::Shell { at, .. } => Message::ShellEnded { at: at.clone(), result: Err(why(&at.server)?) },
        Effect::FindFolders { .. }
        | Effect::LoadRecents
        | Effect::Keep { .. }
        | Effect::Edit { .. }
        | Effect::Save { .. }
        | Effect::Terminal(_) => return None,
    })
}
