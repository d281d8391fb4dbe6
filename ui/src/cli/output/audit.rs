//! What was asked of a server, newest first.

use jiff::Timestamp;
use mypaas::api::{AuditEntry, AuditResult, By};

use super::paint::Style;
use super::table::{Cell, Table};
use super::{units, words};

pub(crate) fn table(entries: &[AuditEntry], now: Timestamp) -> Table {
    let mut table = Table::new(&["AGO", "BY", "KEY", "FROM", "WHAT", "SERVICE", "DEPLOY", "RESULT"]);
    for entry in entries {
        let (who, key) = who(&entry.by);
        let or_none = |text: Option<String>| Cell::from(text.unwrap_or_else(|| words::NONE.to_owned()));
        table.row([
            units::age(entry.at, now).into(),
            who.into(),
            key.into(),
            or_none(entry.address.map(|address| address.to_string())),
            what(entry).into(),
            or_none(entry.service.as_ref().map(ToString::to_string)),
            or_none(entry.deploy.map(|deploy| deploy.to_string())),
            result(&entry.result),
        ]);
    }
    table
}

/// Somebody's name, and the beginning of their key's.
fn who(by: &By) -> (String, String) {
    match by {
        By::Local { user } => (user.clone(), words::NONE.to_owned()),
        By::Key(holder) => (holder.name().to_owned(), holder.fingerprint.short().to_owned()),
        By::Nobody { claimed: Some(key) } => ("nobody proven".to_owned(), key.short().to_owned()),
        By::Nobody { claimed: None } => ("nobody proven".to_owned(), words::NONE.to_owned()),
    }
}

/// The action in a word, where it is one; else what was asked.
fn what(entry: &AuditEntry) -> String {
    match &entry.action {
        Some(action) => words::action(action),
        None => entry.what(),
    }
}

fn result(result: &AuditResult) -> Cell {
    match result {
        AuditResult::Done => Cell::new(Style::Good, "done"),
        AuditResult::Refused { message, .. } => Cell::new(Style::Bad, format!("refused: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use mypaas::api::{Action, ProblemCode};
    use mypaas::keys::Holder;

    use super::*;
    use crate::cli::output::paint::Paint;

    #[test]
    fn who_asked_for_what_and_what_came_of_it_is_shown() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let fingerprint = "SHA256:yKU1lbx/3HtfTm/yjfiFKeRscz2d3q6yqcHrEV0ajEg".parse().unwrap();
        let entry = |by, request: &str, action, result| AuditEntry {
            at: "2026-01-31T11:58:00Z".parse().unwrap(),
            by,
            address: Some("203.0.113.7".parse().unwrap()),
            request: request.to_owned(),
            service: Some("web".parse().unwrap()),
            action,
            detail: None,
            deploy: Some(mypaas::name::DeployId::new(7)),
            result,
        };
        let refused =
            AuditResult::Refused { code: ProblemCode::Unauthorized, message: "the request is not signed".into() };
        let key = By::Key(Holder { fingerprint, comment: "ada@laptop".into() });
        let local = AuditEntry {
            address: None,
            service: None,
            deploy: None,
            ..entry(By::Local { user: "root".into() }, "POST /daemon/v1/prune", None, AuditResult::Done)
        };
        let variable = AuditEntry {
            detail: Some("unset SECRET_KEY".to_owned()),
            request: "POST /daemon/v1/variables".to_owned(),
            ..local.clone()
        };
        let entries = [
            entry(key, "POST /daemon/v1/deploys", Some(Action::Restart), AuditResult::Done),
            entry(By::Nobody { claimed: None }, "GET /daemon/v1/server", None, refused),
            local,
            variable,
            entry(By::Local { user: "root".into() }, "POST /daemon/v1/deploys/d7/cancel", None, AuditResult::Done),
        ];
        insta::assert_snapshot!(table(&entries, now).render(Paint { colour: false }, None));
    }
}
