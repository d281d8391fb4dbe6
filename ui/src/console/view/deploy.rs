//! The page of one deploy: outcome, phases with their times, containers with their answers, output.

use mypaas::api::{Deploy, DeployState, Failure, Outcome};
use mypaas::name::ServiceName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use super::text::fold_line;
use super::{activity, failure, format, phases, stream};
use crate::console::model::deploy::DeployPage;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::progress::{Course, Stage, between};
use crate::console::model::tape::{Flow, Place};
use crate::console::model::{Breadth, Model};
use crate::console::symbols::{ACTIVE, ARROW, DONE, DOT, ELLIPSIS, FAILED, RUNNING, STOPPED};
use crate::console::theme::Tone;
use crate::console::words;

const PHASES_WIDTH: u16 = 35;

pub(crate) fn draw(model: &Model, page: &DeployPage, area: Rect, sheet: &mut Sheet<'_>) {
    let server = model.fleet.server(&page.at.server);
    draw_banner(page, server, Rect { height: area.height.min(1), ..area }, sheet);
    let origin = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1).min(1), ..inset(area) };
    sheet.put(origin, 0, asked_by(page, sheet.pen));
    let body = Rect { y: area.y + 3.min(area.height), height: area.height.saturating_sub(3), ..area };
    let phases = phases::lines(page, server, sheet.pen);
    if model.breadth() == Breadth::Narrow {
        let most = usize::from(body.height / 2);
        let touched = page.progress.containers.len().max(1) + 1;
        let lines = phases.len().max(touched).min(most);
        let height = u16::try_from(lines).unwrap_or(0);
        let left = Rect { width: PHASES_WIDTH.min(body.width), height, ..inset(body) };
        let right = Rect { x: left.right() + 1, width: body.width.saturating_sub(left.width + 3), ..left };
        sheet.put_all(left, phases);
        sheet.put_all(right, containers(page, lines, sheet.pen));
        let below = Rect { y: body.y + height, height: body.height - height, ..body };
        sheet.rule_across(inset(below), 0);
        let output = Rect { y: below.y + 1.min(below.height), height: below.height.saturating_sub(1), ..below };
        return draw_output(page, server, inset(output), sheet);
    }
    let left = Rect { width: PHASES_WIDTH + 8, ..inset(body) };
    let mut lines = phases;
    lines.push(Line::default());
    lines.extend(containers(page, usize::from(body.height).saturating_sub(lines.len()), sheet.pen));
    sheet.put_all(left, lines);
    sheet.rule_down(left.right(), body);
    let output = Rect { x: left.right() + 2, width: body.right().saturating_sub(left.right() + 3), ..body };
    draw_output(page, server, output, sheet);
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

/// How it stands, right across the screen.
fn draw_banner(page: &DeployPage, server: Option<&ServerEntry>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let deploy = &page.deploy;
    let (tone, text) = match outcome(page) {
        Some(Outcome::Succeeded) => (Tone::BannerGood, format!("{DONE} {}", success(page))),
        Some(Outcome::Failed { failure }) => (Tone::BannerBad, format!("{FAILED} {}", failed(page, failure))),
        Some(Outcome::Superseded { by }) => {
            (Tone::SelectedElsewhere, format!("{STOPPED} not done: {by} took its place in the queue"))
        }
        Some(Outcome::Cancelled { by }) => {
            (Tone::SelectedElsewhere, format!("{STOPPED} cancelled by {by}; nothing was changed"))
        }
        Some(Outcome::Interrupted { detail }) => (Tone::BannerBad, format!("{FAILED} interrupted: {detail}")),
        None if page.progress.done.is_some() => {
            (Tone::BannerGood, format!("{DONE} {}; only clearing away is left", success(page)))
        }
        None => (Tone::Selected, format!("{ACTIVE} {}", going_on(page))),
    };
    sheet.paint(area, tone);
    sheet.put(inset(area), 0, Line::styled(text, pen.style(tone)));
    let done = page.progress.finished.as_ref().map(|(end, _)| *end).or(page.progress.done);
    let time = match (done, page.progress.began()) {
        (Some(done), Some(began)) => format!("took {}", format::took(between(began, done))),
        (None, _) if !deploy.is_finished() => {
            pen.elapsed(server.map_or(deploy.accepted, |server| server.here(deploy.accepted)))
        }
        _ => String::new(),
    };
    sheet.put_right(inset(area), 0, Line::styled(format!(" {time}"), pen.style(tone)));
}

/// By its events, else by what the list of deploys says.
fn outcome(page: &DeployPage) -> Option<&Outcome> {
    let listed = match &page.deploy.state {
        DeployState::Finished { outcome, .. } => Some(outcome),
        DeployState::Queued | DeployState::Running { .. } => None,
    };
    page.progress.finished.as_ref().map(|(_, outcome)| outcome).or(listed)
}

fn success(page: &DeployPage) -> String {
    let (at, action) = (&page.at, &page.deploy.action);
    match (action, page.deploy.to) {
        (mypaas::api::Action::Stop | mypaas::api::Action::Remove, _) | (_, None) => {
            format!("{} of {at} done", words::action(action))
        }
        (mypaas::api::Action::Scale { count }, _) => format!("{at} runs {}", words::containers(*count as usize)),
        (_, Some(release)) => format!("{release} of {at} is live"),
    }
}

fn failed(page: &DeployPage, failure: &Failure) -> String {
    let what = words::action(&page.deploy.action);
    let serving = match failure.still_serving {
        Some(release) => format!("{release} serves on"),
        None => "no release serves".into(),
    };
    format!("{what} of {} failed while {}; {serving}", page.at, failure.phase.word())
}

fn going_on(page: &DeployPage) -> String {
    let what = format!("{} of {}", words::action(&page.deploy.action), page.at);
    match (page.progress.phases.last(), page.progress.behind) {
        (None, Some(behind)) => format!("{what}: waits for {behind}"),
        (None, None) => what,
        (Some(station), _) => format!("{what}: {}", station.phase.word()),
    }
}

fn asked_by(page: &DeployPage, pen: &Pen<'_>) -> Line<'static> {
    let Deploy { id, from, to, origin, .. } = &page.deploy;
    let mut spans = vec![pen.span(Tone::Strong, id.to_string())];
    if let (Some(from), Some(to)) = (from, to) {
        spans.push(pen.span(Tone::Text, format!("  {from} {ARROW} {to}")));
    }
    spans.push(pen.span(Tone::Muted, format!("  by {}", origin.by())));
    if let Some(commit) = &origin.commit {
        let dirty = if commit.dirty { "+" } else { "" };
        spans.push(pen.span(Tone::Accent, format!("  {}{dirty}", commit.id)));
        spans.push(pen.span(Tone::Text, format!(" {}", commit.subject)));
    }
    if let Some(folder) = &origin.folder {
        spans.push(pen.span(Tone::Muted, format!("  from {folder}")));
    }
    if let Flow::Broken { problem } = &page.flow {
        spans.push(pen.span(Tone::Stale, format!("  {DOT} not up to date: {}", problem.message)));
    }
    Line::from(spans)
}

/// In so many lines; of those that do not fit, how many they are.
fn containers(page: &DeployPage, height: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    let courses = &page.progress.containers;
    let mut lines = vec![pen.line(Tone::Heading, "CONTAINERS")];
    let room = height.saturating_sub(1);
    let shown = if courses.len() > room { room.saturating_sub(1) } else { courses.len() };
    lines.extend(courses[..shown].iter().map(|course| container(course, &page.at.service, pen)));
    if shown < courses.len() {
        lines.push(pen.line(Tone::Muted, format!("{ELLIPSIS} {} more", courses.len() - shown)));
    }
    if courses.is_empty() {
        lines.push(pen.line(Tone::Muted, "none touched yet"));
    }
    lines
}

fn container(course: &Course, service: &ServiceName, pen: &Pen<'_>) -> Line<'static> {
    let (sign, tone, word) = match &course.stage {
        Stage::Created => (STOPPED, Tone::Muted, "made".to_owned()),
        Stage::Started => match course.answers.last() {
            Some((_, answer)) => (ACTIVE, Tone::Pending, activity::answer(answer)),
            None => (ACTIVE, Tone::Pending, "started".to_owned()),
        },
        Stage::Ready { after } => (RUNNING, Tone::Healthy, format!("ready after {}", format::took(*after))),
        Stage::TakesRequests => (RUNNING, Tone::Healthy, "takes requests".to_owned()),
        Stage::Stopped => (STOPPED, Tone::Muted, "stopped".to_owned()),
        Stage::Removed => (STOPPED, Tone::Muted, "removed".to_owned()),
    };
    Line::from(vec![
        pen.span(tone, format!("{sign} ")),
        pen.span(Tone::Text, words::short(&course.container, service).to_owned()),
        pen.span(tone, format!(" {word}")),
    ])
}

/// What happened, and at the end why it failed.
fn draw_output(page: &DeployPage, server: Option<&ServerEntry>, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    let room = usize::from(area.width.saturating_sub(2));
    let tape = &page.progress.tape;
    let failure = match outcome(page) {
        Some(Outcome::Failed { failure }) => failure::lines(failure, room, pen),
        _ => Vec::new(),
    };
    let dropped = tape.dropped();
    let top = match page.place {
        Place::End => None,
        Place::At(number) => Some(usize::try_from(number.saturating_sub(dropped)).unwrap_or(usize::MAX)),
    };
    let rows = |index: usize| match tape.at(index) {
        Some(event) if page.wrap => fold_line(activity::line(event, server, pen), room, 10),
        Some(event) => vec![activity::line(event, server, pen)],
        None => failure.get(index - tape.len()).cloned().into_iter().collect(),
    };
    if tape.len() == 0 && failure.is_empty() {
        let word = if page.flow == Flow::Ended { "nothing is kept of it" } else { "waiting for its events …" };
        sheet.put(area, 0, pen.line(Tone::Muted, word));
        return;
    }
    stream::draw(area, tape.len() + failure.len(), top, rows, sheet);
    if dropped > 0 && sheet.seen.body.top == 0 {
        let text = format!("{dropped} earlier lines are not kept");
        sheet.put(area, 0, Line::from(vec![Span::raw(""), pen.span(Tone::Muted, text)]));
    }
}
