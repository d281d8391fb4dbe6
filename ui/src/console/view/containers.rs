//! The containers of a service as a table.

use mypaas::api::{ContainerState, ContainerView, ServiceView};
use ratatui::text::Line;

use super::pen::Pen;
use super::table::{self, Cells, Column, left, right, text};
use super::{format, look};
use crate::console::model::fleet::ServerEntry;
use crate::console::symbols::NONE;
use crate::console::theme::Tone;
use crate::console::words;

pub(crate) const COLUMNS: [Column; 9] = [
    text("CONTAINER", 10, 0),
    left("STATE", 0),
    right("CPU", 1),
    right("MEMORY", 1),
    right("RESTARTS", 3),
    right("AGE", 2),
    left("REQUESTS", 4),
    left("ADDRESS", 5),
    left("RELEASE", 6),
];

pub(crate) fn lines(server: &ServerEntry, service: &ServiceView, room: usize, pen: &Pen<'_>) -> Vec<Line<'static>> {
    if service.containers.is_empty() {
        return vec![pen.line(Tone::Muted, "no containers")];
    }
    table::lines(&COLUMNS, rows(server, service, pen), room, pen)
}

pub(crate) fn rows(server: &ServerEntry, service: &ServiceView, pen: &Pen<'_>) -> Vec<Cells> {
    let name = |container: &ContainerView| words::short(&container.name, &service.name).to_owned();
    service.containers.iter().map(|container| row(server, container, name(container), pen)).collect()
}

fn row(server: &ServerEntry, container: &ContainerView, name: String, pen: &Pen<'_>) -> Cells {
    let none = || NONE.to_owned();
    let since = match &container.state {
        ContainerState::Running { since, .. } => Some(*since),
        ContainerState::Exited { at, .. } => Some(*at),
        ContainerState::Created | ContainerState::Restarting { .. } => None,
    };
    let restarts = if container.restarts > 0 { Tone::Degraded } else { Tone::Muted };
    let takes_requests = if container.routed { "yes" } else { "no" };
    vec![
        pen.line(Tone::Text, name),
        Line::from(look::container(container).both(pen)),
        pen.line(Tone::Text, container.cpu_percent.map_or_else(none, format::percent)),
        pen.line(Tone::Text, memory(container)),
        pen.line(restarts, container.restarts.to_string()),
        pen.line(Tone::Muted, since.map_or_else(none, |since| pen.age(server.here(since)))),
        pen.line(if container.routed { Tone::Text } else { Tone::Muted }, takes_requests),
        pen.line(Tone::Muted, container.address.to_string()),
        pen.line(Tone::Muted, container.release.to_string()),
    ]
}

/// As in `96M of 256M`.
fn memory(container: &ContainerView) -> String {
    match (container.memory_bytes, container.memory_limit_bytes) {
        (None, _) => NONE.to_owned(),
        (Some(used), None) => format::bytes(used),
        (Some(used), Some(limit)) => format!("{} of {}", format::bytes(used), format::bytes(limit)),
    }
}
