//! Certificates: who vouches for a domain and for how long, or why nobody does.

use jiff::{SignedDuration, Timestamp};
use mypaas::api::{CertificateView, ServiceView, Standing};
use mypaas::manifest::{Scheme, ServiceUrl};
use ratatui::text::{Line, Span};

use super::format;
use super::pen::Pen;
use super::problem::labelled;
use crate::console::model::column::worst_certificate;
use crate::console::model::fleet::ServerEntry;
use crate::console::model::progress::between;
use crate::console::symbols::NONE;
use crate::console::theme::Tone;

/// It should have been renewed long before.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long the one that lapses first is good for, for lists: `62d`, `lapsed`, `refused`.
pub(crate) fn short(server: &ServerEntry, service: &ServiceView, pen: &Pen<'_>) -> Line<'static> {
    let Some(worst) = worst_certificate(service) else { return pen.line(Tone::Muted, NONE) };
    match &worst.standing {
        Standing::Valid { expires, .. } => {
            let expires = server.here(*expires);
            pen.line(tone(expires, pen), format::age(between(pen.now(), expires)))
        }
        Standing::Expired { .. } => pen.line(Tone::Failing, "lapsed"),
        Standing::Refused { .. } => pen.line(Tone::Failing, "refused"),
        Standing::Pending => pen.line(Tone::Pending, "asked"),
        Standing::None => pen.line(Tone::Muted, NONE),
    }
}

/// A URL, and below it its certificate.
pub(crate) fn of_url(
    server: &ServerEntry,
    service: &ServiceView,
    url: &ServiceUrl,
    room: usize,
    pen: &Pen<'_>,
) -> Vec<Line<'static>> {
    let mut first = pen.line(Tone::Link, url.to_string());
    let its = |view: &&CertificateView| url.scheme == Scheme::Https && view.domain == url.host;
    let Some(view) = service.certificates.iter().find(its) else { return vec![first] };
    let (told, tone) = words(server, &view.standing, pen);
    let beside = first.width() + 2 + super::text::width(&told) <= room;
    let mut lines = if beside {
        first.spans.extend([Span::raw("  "), pen.span(tone, told)]);
        vec![first]
    } else {
        let wrapped = super::text::wrap(&told, room.saturating_sub(2).max(8));
        let below = wrapped.into_iter().map(|text| pen.line(tone, format!("  {text}")));
        std::iter::once(first).chain(below).collect()
    };
    if let Some(reason) = reason(&view.standing) {
        lines.extend(labelled("  because ", Tone::Muted, reason, Tone::Text, room, pen));
    }
    lines
}

fn words(server: &ServerEntry, standing: &Standing, pen: &Pen<'_>) -> (String, Tone) {
    match standing {
        Standing::Valid { issuer, expires, refusal } => {
            let expires = server.here(*expires);
            let not_renewed = if refusal.is_some() { ", and was not renewed" } else { "" };
            let left = format::age(between(pen.now(), expires));
            let tone = if refusal.is_some() { Tone::Degraded } else { tone(expires, pen) };
            (format!("certificate by {issuer}, good for {left}{not_renewed}"), tone)
        }
        Standing::Expired { issuer, expires, .. } => {
            let age = pen.age(server.here(*expires));
            (format!("the certificate by {issuer} lapsed {age} ago"), Tone::Failing)
        }
        Standing::Refused { at, .. } => {
            (format!("no certificate, refused {} ago", pen.age(server.here(*at))), Tone::Failing)
        }
        Standing::Pending => ("certificate asked for".into(), Tone::Pending),
        Standing::None => ("no certificate, and none is asked for: browsers warn".into(), Tone::Warning),
    }
}

fn reason(standing: &Standing) -> Option<&str> {
    match standing {
        Standing::Valid { refusal, .. } | Standing::Expired { refusal, .. } => refusal.as_deref(),
        Standing::Refused { reason, .. } => Some(reason),
        Standing::Pending | Standing::None => None,
    }
}

fn tone(expires: Timestamp, pen: &Pen<'_>) -> Tone {
    if expires.duration_since(pen.now()) < SOON { Tone::Degraded } else { Tone::Muted }
}
