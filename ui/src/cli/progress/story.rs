//! A deploy's events → what is told about them, without a clock or a screen.

use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::{Deploy, Event, Outcome, Phase, ProbeAnswer, What, requests_go_to};

use crate::cli::output::paint::{Paint, Style};
use crate::cli::output::{foreign, units, words};

/// Room for the time before a headline.
const TIME_COLUMNS: usize = 7;

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Something began, so long after the deploy was accepted.
    Headline {
        after: Duration,
        style: Style,
        text: String,
    },
    Detail {
        style: Style,
        text: String,
    },
}

impl Line {
    fn detail(style: Style, text: impl Into<String>) -> Vec<Self> {
        vec![Self::Detail { style, text: text.into() }]
    }

    /// The line for a terminal, or a file.
    pub(crate) fn text(&self, paint: Paint) -> String {
        match self {
            Self::Headline { after, style, text } => {
                let time = format!("{:>TIME_COLUMNS$}", units::duration(*after));
                format!("{}  {}", paint.muted(&time), paint.apply(*style, &foreign::line(text, false)))
            }
            Self::Detail { style, text } => {
                let text = foreign::line(text, false);
                format!("{:TIME_COLUMNS$}    {}", "", paint.apply(*style, &text)).trim_end().to_owned()
            }
        }
    }
}

/// What was told so far.
#[derive(Debug)]
pub(crate) struct Story {
    accepted: Timestamp,
    /// The phases that began, and when.
    phases: Vec<(Phase, Timestamp)>,
    /// It is done, with so many phases; what comes now only clears away.
    done_after: Option<usize>,
}

impl Story {
    pub(crate) fn of(deploy: &Deploy) -> Self {
        Self { accepted: deploy.accepted, phases: Vec::new(), done_after: None }
    }

    /// What is new by this event.
    pub(crate) fn tell(&mut self, event: &Event) -> Vec<Line> {
        match &event.what {
            What::Phase { phase } => self.enter(*phase, event.at, phase.word()),
            What::Queued { behind } => self.enter(Phase::Queued, event.at, &format!("queued behind {behind}")),
            What::Done => self.done(event.at),
            What::Finished { outcome } => self.end(outcome, event.at),
            other => happening(other),
        }
    }

    /// What goes on at this moment, and for how long.
    pub(crate) fn present(&self, now: Timestamp) -> Option<String> {
        let (phase, since) = self.phases.last()?;
        let elapsed = units::duration(units::between(*since, now));
        Some(format!("{:TIME_COLUMNS$}    {} for {elapsed}", "", phase.word()))
    }

    fn enter(&mut self, phase: Phase, at: Timestamp, headline: &str) -> Vec<Line> {
        if self.phases.last().is_some_and(|(present, _)| *present == phase) {
            return Vec::new();
        }
        self.phases.push((phase, at));
        vec![self.headline(at, Style::Strong, headline)]
    }

    /// Told once, also when it was taken up again right there.
    fn done(&mut self, at: Timestamp) -> Vec<Line> {
        if self.done_after.is_some() {
            return Vec::new();
        }
        self.done_after = Some(self.phases.len());
        self.with_times(self.headline(at, Style::Good, "done"), at)
    }

    fn end(&mut self, outcome: &Outcome, at: Timestamp) -> Vec<Line> {
        let (style, headline) = match outcome {
            Outcome::Succeeded => return self.succeeded(at),
            Outcome::Failed { .. } => (Style::Bad, "failed".to_owned()),
            Outcome::Superseded { by } => (Style::Muted, format!("superseded by {by}")),
            Outcome::Cancelled { by } => (Style::Muted, format!("cancelled by {by}")),
            Outcome::Interrupted { .. } => (Style::Bad, "interrupted".to_owned()),
        };
        self.with_times(self.headline(at, style, &headline), at)
    }

    fn succeeded(&mut self, at: Timestamp) -> Vec<Line> {
        match self.done_after {
            None => self.done(at),
            Some(phases) if phases < self.phases.len() => vec![self.headline(at, Style::Muted, "retired")],
            Some(_) => Vec::new(),
        }
    }

    fn with_times(&self, headline: Line, at: Timestamp) -> Vec<Line> {
        let times = (self.phases.len() > 1).then(|| Line::detail(Style::Muted, self.times(at)));
        [headline].into_iter().chain(times.into_iter().flatten()).collect()
    }

    fn headline(&self, at: Timestamp, style: Style, text: &str) -> Line {
        Line::Headline { after: units::between(self.accepted, at), style, text: text.to_owned() }
    }

    /// How long each phase took, as in `building 2.1s, starting 0.3s`; one that came twice is counted together.
    fn times(&self, end: Timestamp) -> String {
        let ends = self.phases.iter().skip(1).map(|(_, at)| *at).chain([end]);
        let mut took: Vec<(Phase, Duration)> = Vec::new();
        for ((phase, start), end) in self.phases.iter().zip(ends) {
            let length = units::between(*start, end);
            match took.iter_mut().find(|(known, _)| known == phase) {
                Some((_, total)) => *total += length,
                None => took.push((*phase, length)),
            }
        }
        let told = took.iter().map(|(phase, length)| format!("{} {}", phase.word(), units::duration(*length)));
        told.collect::<Vec<_>>().join(", ")
    }
}

/// What happened within a phase.
fn happening(what: &What) -> Vec<Line> {
    match what {
        What::BuildOutput { line } if is_bookkeeping(line) => Vec::new(),
        What::BuildOutput { line } => Line::detail(Style::Muted, line),
        What::Built { image, bytes } => Line::detail(Style::Plain, format!("built {image}, {}", units::bytes(*bytes))),
        What::Planned { notes, .. } => {
            notes.iter().map(|note| Line::Detail { style: Style::Plain, text: note.clone() }).collect()
        }
        What::Created { container } => Line::detail(Style::Plain, format!("{container} created")),
        What::Started { container } => Line::detail(Style::Plain, format!("{container} started")),
        // Told by the event that follows it.
        What::Probed { answer: ProbeAnswer::Ready { .. }, .. } => Vec::new(),
        What::Probed { container, answer } => {
            Line::detail(Style::Muted, format!("{container} {}", words::probe(answer)))
        }
        What::Ready { container, after } => {
            Line::detail(Style::Good, format!("{container} ready after {}", units::duration(*after)))
        }
        What::Holding { limit } => Line::detail(Style::Plain, format!("requests wait, for up to {limit:?}")),
        What::Switched { containers } => Line::detail(Style::Plain, requests_go_to(containers)),
        What::Stopped { container } => Line::detail(Style::Plain, format!("{container} stopped")),
        What::Removed { container } => Line::detail(Style::Plain, format!("{container} removed")),
        What::Warning { message } => Line::detail(Style::Warning, format!("warning: {message}")),
        What::Undoing { because } => Line::detail(Style::Bad, format!("because {}", because.message)),
        What::Queued { .. } | What::Phase { .. } | What::Done | What::Finished { .. } | What::Other => Vec::new(),
    }
}

/// Between the steps, Docker's builder names the images and containers that it makes on the way.
fn is_bookkeeping(line: &str) -> bool {
    let named = line.trim_start().strip_prefix("--->").map(str::trim);
    let is_id = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    named.is_some_and(|named| is_id(named) || named.starts_with("Running in "))
        || line.starts_with("Removing intermediate container ")
}
