//! The line at the top: where one is, how the fleet is, what runs.

use mypaas::api::{Action, Deploy};
use mypaas::name::ServerName;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pen::Pen;
use super::sheet::Sheet;
use super::text::cut_line;
use super::{look, named};
use crate::console::model::fleet::{ServerEntry, ServiceAt, Tally};
use crate::console::model::journal::{Deed, What};
use crate::console::model::{Focus, Model, Page};
use crate::console::model::{concern, push};
use crate::console::symbols::{ACTIVE, ALERT, INTO, MARKED};
use crate::console::theme::Tone;
use crate::console::words::{self, counted};

pub(crate) fn draw(model: &Model, area: Rect, sheet: &mut Sheet<'_>) {
    let pen = sheet.pen;
    sheet.paint(area, Tone::Bar);
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = running(model, pen);
    let whole = usize::from(area.width);
    // Below this the state of the fleet matters more than the deploy that runs.
    if whole < right.width() + 36 {
        return sheet.put(area, 0, left(model, whole, pen));
    }
    let room = whole - right.width() - 3;
    sheet.put(area, 0, cut_line(left(model, room, pen), room));
    sheet.put_right(area, 0, right);
}

fn left(model: &Model, room: usize, pen: &Pen<'_>) -> Line<'static> {
    let mut line = Line::from(pen.span(Tone::Accent, "mypaas"));
    let path = path(model);
    for step in &path {
        line.push_span(pen.span(Tone::Muted, format!(" {INTO} ")));
        match step {
            Step::Server(server) => line.spans.extend(named::server(server, Tone::Strong, pen)),
            Step::Word(word) => line.push_span(pen.span(Tone::Strong, word.clone())),
        }
    }
    let limits = path.iter().find_map(|step| match step {
        Step::Server(server) => limits(server),
        Step::Word(_) => None,
    });
    if let Some(limits) = limits {
        line.push_span(pen.span(Tone::Warning, format!("  {limits}")));
    }
    if let Some(filter) = filter(model) {
        line.push_span(pen.span(Tone::Match, format!("  /{filter}")));
    }
    if !path.is_empty() {
        let parts = marked(model, pen).into_iter().chain(alerts(model, pen));
        line.spans.extend(parts.flat_map(|part| [Span::raw("  "), part]));
    }
    if path.is_empty() {
        // The most important come first; those that do not fit are left out.
        for part in tally(model, pen) {
            if line.width() + 2 + part.width() > room {
                break;
            }
            line.spans.extend([Span::raw("  "), part]);
        }
    }
    line
}

/// What is left out of the page's list.
fn filter(model: &Model) -> Option<&str> {
    match &model.page {
        Page::Fleet(_) if !model.servers.filter.is_empty() => Some(model.servers.filter.line.text()),
        Page::Alerts(_) if !model.alerts.filter.is_empty() => Some(model.alerts.filter.line.text()),
        Page::Journal(_) if !model.journal.arrangement.filter.is_empty() => {
            Some(model.journal.arrangement.filter.line.text())
        }
        _ => None,
    }
}

/// One step of the way to where one is.
enum Step<'a> {
    Server(&'a ServerEntry),
    Word(String),
}

/// What the operator's key is limited to there, in few words.
fn limits(server: &ServerEntry) -> Option<&'static str> {
    match server.limits() {
        None => None,
        Some(_) if server.is_read_only() => Some("read only"),
        Some(_) => Some("some services only"),
    }
}

/// On every page: what is marked stays so while one looks at something else.
fn marked(model: &Model, pen: &Pen<'_>) -> Option<Span<'static>> {
    let count = model.list.marks.len();
    (count > 0).then(|| pen.span(Tone::Accent, format!("{MARKED} {count} marked")))
}

fn alerts(model: &Model, pen: &Pen<'_>) -> Option<Span<'static>> {
    let count = model.fleet.servers.iter().map(concern::count).sum::<usize>();
    (count > 0).then(|| pen.span(Tone::Failing, format!("{ALERT} {}", counted(count, "alert", "alerts"))))
}

fn step_to<'a>(model: &'a Model, server: &ServerName) -> Option<Step<'a>> {
    model.fleet.server(server).map(Step::Server)
}

/// Server and service, and what of it.
fn steps_to<'a>(model: &'a Model, at: &ServiceAt, what: &str) -> Vec<Step<'a>> {
    let words = [at.service.to_string(), what.to_owned()].map(Step::Word);
    step_to(model, &at.server).into_iter().chain(words).collect()
}

/// Where one is, from the fleet downwards; empty on the main page.
fn path(model: &Model) -> Vec<Step<'_>> {
    let server = |name| step_to(model, name);
    let word = |text: &str| Step::Word(text.to_owned());
    match &model.page {
        Page::Services if model.focus == Focus::List => Vec::new(),
        Page::Services => {
            let selected = model.list.selected.as_ref().and_then(|item| server(item.server()));
            let service = model.selected_service().map(|at| Step::Word(at.service.to_string()));
            selected.into_iter().chain(service).collect()
        }
        Page::Logs => model.logs.iter().flat_map(|logs| steps_to(model, &logs.at, "logs")).collect(),
        Page::Deploy(page) => steps_to(model, &page.at, &format!("deploy {}", page.deploy.id)),
        Page::Fleet(_) => vec![word("fleet")],
        Page::Alerts(_) => vec![word("alerts")],
        Page::Journal(_) => vec![word("journal")],
        Page::Variables(page) => server(&page.server).into_iter().chain([word("variables")]).collect(),
        Page::Disk(page) => server(&page.server).into_iter().chain([word("disk")]).collect(),
        Page::Push(page) => {
            let step = match page.step {
                push::Step::Choosing(_) => "choose a folder",
                push::Step::Checking { .. } => "reading the folder",
                push::Step::Review(_) => "look and confirm",
                push::Step::Sending { .. } => "sending",
                push::Step::Refused { .. } => "refused",
            };
            server(&page.server).into_iter().chain([word("push"), word(step)]).collect()
        }
    }
}

/// How the fleet is, the worst first.
fn tally(model: &Model, pen: &Pen<'_>) -> Vec<Span<'static>> {
    let fleet = &model.fleet;
    let silent = fleet.servers.iter().filter(|server| server.is_silent()).count();
    let remembered = fleet.servers.iter().filter(|server| server.as_of().is_some() && !server.is_silent()).count();
    let tally = fleet.tally();
    let mut spans = Vec::new();
    spans.extend(marked(model, pen));
    if !model.list.filter.is_empty() {
        spans.push(pen.span(Tone::Match, format!("/{}", model.list.filter.line.text())));
    }
    if silent > 0 {
        spans.push(pen.span(Tone::Stale, format!("{} silent", counted(silent, "server", "servers"))));
    }
    if remembered > 0 {
        spans.push(pen.span(Tone::Stale, format!("connecting to {}", counted(remembered, "server", "servers"))));
    }
    spans.extend(alerts(model, pen));
    let read_only = fleet.servers.iter().filter(|server| server.is_read_only()).count();
    if read_only > 0 {
        let all = read_only == fleet.servers.len();
        let text =
            if all { "read only".to_owned() } else { format!("{} read only", counted(read_only, "server", "servers")) };
        spans.push(pen.span(Tone::Warning, text));
    }
    spans.extend(states(&tally, pen));
    spans.push(pen.span(Tone::Muted, counted(tally.total(), "service", "services")));
    if silent == 0 {
        spans.push(pen.span(Tone::Muted, counted(fleet.servers.len(), "server", "servers")));
    }
    spans
}

/// The states that occur, the worst first.
fn states(tally: &Tally, pen: &Pen<'_>) -> Vec<Span<'static>> {
    use mypaas::api::ServiceState::{Degraded, Down, NeverLive, Running, Stopped};
    let counts = [
        (tally.down, Down),
        (tally.degraded, Degraded),
        (tally.running, Running),
        (tally.stopped, Stopped),
        (tally.never_live, NeverLive),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let span = |(count, state)| {
        let look = look::state(state);
        pen.span(look.tone, format!("{} {count} {}", look.sign, look.word))
    };
    let mut spans: Vec<_> = some.map(span).collect();
    if tally.not_known > 0 {
        let worse = usize::from(tally.down > 0) + usize::from(tally.degraded > 0);
        spans.insert(worse, pen.span(Tone::Stale, format!("{} not known", tally.not_known)));
    }
    spans
}

/// The same in one line, with signs for words.
pub(crate) fn signs_line(tally: &Tally, pen: &Pen<'_>) -> Line<'static> {
    let short = |span: Span<'static>| {
        let text = span.content.split(' ').take(2).collect::<Vec<_>>().join(" ");
        [Span::styled(text, span.style), Span::raw("  ")]
    };
    let mut spans: Vec<_> = states(tally, pen).into_iter().flat_map(short).collect();
    spans.pop();
    Line::from(spans)
}

/// The same in one line.
pub(crate) fn states_line(tally: &Tally, pen: &Pen<'_>) -> Line<'static> {
    let spans = states(tally, pen).into_iter().flat_map(|span| [span, Span::raw("  ")]);
    Line::from(spans.collect::<Vec<_>>())
}

/// What is sent and the deploys that run now, but for what fills the page.
fn running(model: &Model, pen: &Pen<'_>) -> Line<'static> {
    let watched = |server: &ServerEntry, deploy: &Deploy| match &model.page {
        Page::Deploy(page) => page.at.server == server.name && page.deploy.id == deploy.id,
        _ => false,
    };
    let running = model.fleet.running_deploys().filter(|(server, deploy)| !watched(server, deploy));
    let (running, uploads): (Vec<_>, Vec<_>) = (running.collect(), uploads(model).collect());
    // An upload ends with the console; a deploy does not.
    let mut text = match (uploads.first(), running.first()) {
        (Some(upload), _) => format!("{ACTIVE} sending to {} {}", upload.server, pen.elapsed(upload.at)),
        (None, Some((server, newest))) => {
            let since = pen.elapsed(server.here(newest.accepted));
            let phase = look::of_deploy(newest).word;
            format!("{ACTIVE} {} of {}: {phase} {since}", words::action(&newest.action), newest.service)
        }
        (None, None) => return Line::default(),
    };
    let all = uploads.len() + running.len();
    if all > 1 {
        text.push_str(&format!("  and {} more", all - 1));
    }
    pen.line(Tone::Pending, text)
}

fn uploads(model: &Model) -> impl Iterator<Item = &Deed> {
    let shown = match &model.page {
        Page::Push(page) => Some(page.ticket),
        _ => None,
    };
    let is_push = |deed: &&Deed| matches!(deed.what, What::Action(Action::Push));
    model.journal.unanswered().filter(is_push).filter(move |deed| deed.ticket != shown)
}
