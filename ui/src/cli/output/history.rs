//! Releases and deploys, newest first; and one release with its options.

use std::fmt::Write;

use jiff::Timestamp;
use mypaas::api::{Deploy, DeployState, ReleaseView};
use mypaas::name::ServerName;

use super::paint::{Paint, Style};
use super::services::options;
use super::table::{Cell, Table};
use super::{foreign, units, words};

pub(crate) fn releases(releases: &[ReleaseView], now: Timestamp) -> Table {
    let mut table = Table::new(&["RELEASE", "STATE", "BUILT", "TOOK", "IMAGE", "BY", "COMMIT", "FOLDER"]);
    for view in releases {
        let release = &view.release;
        table.row([
            release.id.to_string().into(),
            state_cell(view),
            units::age(release.built, now).into(),
            took(release.build_seconds).into(),
            units::bytes(release.image_bytes).into(),
            release.origin.by().into(),
            words::commit(release.origin.commit.as_ref()).into(),
            release.origin.folder.as_deref().unwrap_or(words::NONE).into(),
        ]);
    }
    table
}

/// One release: what it is, where it came from, and its options.
pub(crate) fn release(
    server: &ServerName,
    view: &ReleaseView,
    paint: Paint,
    width: Option<usize>,
    now: Timestamp,
) -> String {
    let release = &view.release;
    let (state, style) = release_state(view);
    let name = format!("{} of {}", release.id, release.service);
    let mut text = format!("{} on {server}: {}", paint.strong(&name), paint.apply(style, &state));
    let (age, took) = (units::age(release.built, now), took(release.build_seconds));
    let _ = writeln!(text, ", built {age} ago in {took} by {}", foreign::line(&release.origin.by(), false));
    if let Some(folder) = &release.origin.folder {
        let _ = writeln!(text, "from {}", foreign::line(folder, false));
    }
    if let Some(commit) = &release.origin.commit {
        let _ = writeln!(text, "at {}", foreign::line(&words::commit(Some(commit)), false));
    }
    let _ = writeln!(text, "image {}, {}", release.image, units::bytes(release.image_bytes));
    let _ = write!(text, "\n{}", options(&release.manifest).render(paint, width));
    text
}

pub(crate) fn deploys(deploys: &[Deploy], now: Timestamp) -> Table {
    let mut table = Table::new(&["DEPLOY", "SERVICE", "WHAT", "FROM", "TO", "STATE", "AGO", "TOOK", "BY", "WHY"]);
    for deploy in deploys {
        let (state, style) = words::deploy_state(&deploy.state);
        table.row([
            deploy.id.to_string().into(),
            deploy.service.as_str().into(),
            words::action(&deploy.action).into(),
            words::release(deploy.from).into(),
            words::release(deploy.to).into(),
            Cell::new(style, state),
            units::age(deploy.accepted, now).into(),
            deploy_took(deploy, now).into(),
            deploy.origin.by().into(),
            words::reason(deploy).into(),
        ]);
    }
    table
}

fn state_cell(view: &ReleaseView) -> Cell {
    let (state, style) = release_state(view);
    Cell::new(style, state)
}

/// As in `live`, `kept`, `pinned` or `failed, pinned`.
fn release_state(view: &ReleaseView) -> (String, Style) {
    let (word, style) = state_alone(view);
    match (view.pinned, word) {
        (true, "kept") => ("pinned".to_owned(), Style::Strong),
        (true, word) => (format!("{word}, pinned"), style),
        (false, word) => (word.to_owned(), style),
    }
}

fn state_alone(view: &ReleaseView) -> (&'static str, Style) {
    match view {
        ReleaseView { live: true, .. } => ("live", Style::Good),
        ReleaseView { available: false, .. } => ("image gone", Style::Muted),
        ReleaseView { deploy: Some(Deploy { state: state @ DeployState::Finished { outcome, .. }, .. }), .. }
            if !outcome.succeeded() =>
        {
            words::deploy_state(state)
        }
        _ => ("kept", Style::Plain),
    }
}

fn took(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds).map_or_else(|_| words::NONE.to_owned(), units::duration)
}

/// From its start on, the wait before it not counted; a running one: until now.
fn deploy_took(deploy: &Deploy, now: Timestamp) -> String {
    match deploy.state {
        DeployState::Running { started, .. } => units::duration(units::between(started, now)),
        DeployState::Finished { started: Some(started), finished, .. } => {
            units::duration(units::between(started, finished))
        }
        DeployState::Queued | DeployState::Finished { .. } => words::NONE.to_owned(),
    }
}
