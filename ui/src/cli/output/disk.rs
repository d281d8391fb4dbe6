//! Room on a server's disks: how much there is, what takes it, what may go and what went.

use std::fmt::Write;

use mypaas::api::{DiskView, FileSystemView, Holds, Pruned, Reclaimable, ServiceDisk};
use mypaas::name::ServerName;

use super::paint::{Paint, Style};
use super::table::{Cell, Table};
use super::{foreign, units, words};

pub(crate) fn disk(server: &ServerName, view: &DiskView, paint: Paint, width: Option<usize>) -> String {
    let mut text = format!("{}\n", file_systems(view).render(paint, width));
    if let Some(problem) = &view.problem {
        let cause = problem.causes.first().map(|cause| format!(": {}", foreign::line(cause, false)));
        let _ = writeln!(text, "{}{}", paint.bad(&problem.message), cause.unwrap_or_default());
        let _ = writeln!(text, "so nothing is known of images\n");
    }
    if !view.services.is_empty() || view.leftovers.count > 0 {
        let _ = writeln!(text, "{}", services(view).render(paint, width));
    }
    let _ = writeln!(text, "history of deploys: {}", units::bytes(view.store_bytes));
    if view.uploads_bytes > 0 {
        let _ = writeln!(text, "folders not built yet: {}", units::bytes(view.uploads_bytes));
    }
    let _ = writeln!(text, "builds are refused where less than {} would stay free", units::bytes(view.min_free_bytes));
    if view.problem.is_none() {
        let _ = write!(text, "\n{}", way(server, &view.reclaimable));
    }
    text
}

fn file_systems(view: &DiskView) -> Table {
    let mut table = Table::new(&["FREE", "OF", "HOLDS"]);
    for found in &view.file_systems {
        let style = if found.free_bytes < view.min_free_bytes { Style::Bad } else { Style::Good };
        table.row([
            Cell::new(style, units::bytes(found.free_bytes)),
            units::bytes(found.total_bytes).into(),
            holds(found).into(),
        ]);
    }
    table
}

fn holds(found: &FileSystemView) -> String {
    let folders = found.folders.iter().map(|folder| match folder.holds {
        Holds::Images => format!("images ({})", folder.path),
        Holds::ServerFolder => format!("server folder ({})", folder.path),
    });
    folders.collect::<Vec<_>>().join(", ")
}

fn services(view: &DiskView) -> Table {
    let mut table = Table::new(&["SERVICE", "RELEASES", "PINNED", "IMAGES", "SHARED", "CONTEXTS"]);
    let image_bytes = |bytes| if view.problem.is_some() { words::NONE.to_owned() } else { size(bytes) };
    for ServiceDisk { service, releases, pinned, images_bytes, shared_bytes, contexts_bytes } in &view.services {
        table.row([
            service.as_str().into(),
            releases.to_string().into(),
            if *pinned == 0 { words::NONE.to_owned() } else { pinned.to_string() }.into(),
            image_bytes(*images_bytes).into(),
            image_bytes(*shared_bytes).into(),
            size(*contexts_bytes).into(),
        ]);
    }
    if view.leftovers.count > 0 {
        let what = Cell::new(Style::Muted, "left by builds");
        let none = || Cell::from(words::NONE);
        table.row([what, none(), none(), size(view.leftovers.bytes).into(), none(), none()]);
    }
    table
}

fn size(bytes: u64) -> String {
    if bytes == 0 { words::NONE.to_owned() } else { units::bytes(bytes) }
}

fn way(server: &ServerName, reclaimable: &Reclaimable) -> String {
    match reclaimable.what.is_empty() {
        true => "there is nothing to prune\n".to_owned(),
        false => {
            let gain = units::bytes(reclaimable.bytes);
            format!("`mypaas prune {server}` gives back {gain}:\n{}", listed(reclaimable))
        }
    }
}

/// What would be removed, a line each.
pub(crate) fn reclaimable(server: &ServerName, reclaimable: &Reclaimable) -> String {
    match reclaimable.what.is_empty() {
        true => format!("there is nothing to prune on {server}\n"),
        false => {
            let gain = units::bytes(reclaimable.bytes);
            format!("This removes from {server}:\n{}It gives back {gain}.\n", listed(reclaimable))
        }
    }
}

fn listed(reclaimable: &Reclaimable) -> String {
    reclaimable.lines().into_iter().map(|line| format!("  {line}\n")).collect()
}

/// What was removed, and what that gave.
pub(crate) fn pruned(server: &ServerName, pruned: &Pruned) -> String {
    if pruned.removed.is_empty() {
        return format!("nothing was removed from {server}\n");
    }
    let gain = units::bytes(pruned.freed_bytes);
    format!("removed {} from {server}, which gives back {gain}\n", pruned.removed.in_words())
}
