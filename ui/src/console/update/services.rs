//! The main page: the list and what is beside it.

use mypaas::api::LogsOf;

use crate::console::command::{Command, Motion};
use crate::console::effect::Effect;
use crate::console::model::chosen::Chosen;
use crate::console::model::detail::Tab;
use crate::console::model::histories::next_span;
use crate::console::model::list::Item;
use crate::console::model::{Breadth, Focus, Model, Page, Typing};

use super::{action, deploy, logs};

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Some(motion) = command.motion() {
        go(model, motion);
        return Vec::new();
    }
    match command {
        Command::Open => return open(model),
        Command::Back => back(model),
        Command::SwitchPane => switch_pane(model),
        Command::NextTab => turn_tab(model, true),
        Command::PreviousTab => turn_tab(model, false),
        Command::Unfold => model.list.unfold(),
        Command::Fold => model.list.fold(&model.fleet),
        Command::Mark => model.list.mark(&model.fleet),
        Command::MarkAll => model.list.mark_all(&model.fleet),
        Command::Widen => widen(model),
        Command::LongerSpan => model.pane.span = next_span(model.pane.span, true),
        Command::ShorterSpan => model.pane.span = next_span(model.pane.span, false),
        Command::ReverseOrder => model.list.order.reverse(),
        Command::Flatten => model.list.flat = !model.list.flat,
        Command::Filter if !shows_logs(model) => model.typing = Some(Typing::ServiceFilter),
        Command::NextMatch if !shows_logs(model) => model.list.next_service(true, &model.fleet),
        Command::PreviousMatch if !shows_logs(model) => model.list.next_service(false, &model.fleet),
        other if shows_logs(model) => return logs::run(model, other),
        other => match other.column() {
            Some(column) => model.list.order.turn_to(column),
            None => return action::run(model, other),
        },
    }
    Vec::new()
}

/// The logs beside the list have the keys.
fn shows_logs(model: &Model) -> bool {
    model.page_context() == crate::console::keymap::Context::LogsTab
}

fn go(model: &mut Model, motion: Motion) {
    match model.focus {
        Focus::List => go_in_list(model, motion),
        Focus::Pane { .. } => go_in_pane(model, motion),
    }
}

pub(super) fn go_in_list(model: &mut Model, motion: Motion) {
    model.list.go(motion, model.seen.list.page, &model.fleet);
}

pub(super) fn go_in_pane(model: &mut Model, motion: Motion) {
    let body = model.seen.body;
    // Of a server there are no tabs.
    match model.selected_service().map_or(Tab::Overview, |_| model.pane.tab) {
        Tab::Overview | Tab::Graphs => model.pane.scroll = body.moved(motion),
        Tab::Containers => {
            let all = model.pane_containers();
            go_among(&mut model.pane.container, &all, motion, body.page);
        }
        Tab::Releases => {
            let all = model.pane_releases();
            go_among(&mut model.pane.release, &all, motion, body.page);
        }
        Tab::Deploys => {
            let all = model.pane_deploys();
            go_among(&mut model.pane.deploy, &all, motion, body.page);
        }
        Tab::Logs => logs::go(model, motion),
    }
}

fn go_among<T: Clone + PartialEq>(chosen: &mut Chosen<T>, all: &[T], motion: Motion, page: usize) {
    chosen.choose(motion.from(chosen.place(all), all.len().saturating_sub(1), page), all);
}

fn open(model: &mut Model) -> Vec<Effect> {
    match (model.focus, model.list.selected.clone()) {
        (_, None) => {}
        (Focus::List, Some(Item::Server(name))) if model.list.is_folded(&name) => model.list.unfold(),
        (Focus::List, Some(Item::Server(_))) => model.list.fold(&model.fleet),
        (Focus::List, Some(Item::Service(_) | Item::Container(..))) => model.focus = Focus::Pane { whole: false },
        (Focus::Pane { .. }, Some(_)) => return open_in_pane(model),
    }
    Vec::new()
}

/// A line of the releases or the deploys: selects it; when it is selected already, opens it.
pub(super) fn choose_line(model: &mut Model, line: usize) -> Vec<Effect> {
    let had_keys = model.focus != Focus::List;
    if !had_keys {
        model.focus = Focus::Pane { whole: false };
    }
    let (containers, releases, deploys) = (model.pane_containers(), model.pane_releases(), model.pane_deploys());
    let is_chosen = match model.pane.tab {
        Tab::Containers => choose_among(&mut model.pane.container, &containers, line),
        Tab::Releases => choose_among(&mut model.pane.release, &releases, line),
        Tab::Deploys => choose_among(&mut model.pane.deploy, &deploys, line),
        Tab::Overview | Tab::Graphs | Tab::Logs => return Vec::new(),
    };
    if had_keys && is_chosen { open_in_pane(model) } else { Vec::new() }
}

/// Says whether it was selected already.
fn choose_among<T: Clone + PartialEq>(chosen: &mut Chosen<T>, all: &[T], line: usize) -> bool {
    let before = chosen.place(all);
    chosen.choose(line, all);
    before == line
}

fn open_in_pane(model: &mut Model) -> Vec<Effect> {
    let Some(at) = model.pane.of.clone() else { return Vec::new() };
    let detail = model.pane_detail();
    match model.pane.tab {
        Tab::Overview | Tab::Graphs => model.focus = Focus::Pane { whole: true },
        Tab::Containers => {
            let container = action::chosen_container(model);
            logs::open(model, at, container.into());
        }
        Tab::Releases => {
            let place = model.pane.release.place(&model.pane_releases());
            let chosen = detail.and_then(|detail| detail.releases.get(place)).cloned();
            if let Some(release) = chosen.filter(|release| !release.live) {
                return action::roll_back_to(model, at, release.release.id);
            }
        }
        Tab::Deploys => {
            let place = model.pane.deploy.place(&model.pane_deploys());
            let chosen = detail.and_then(|detail| detail.deploys.get(place)).cloned();
            if let Some(chosen) = chosen {
                deploy::open(model, at, chosen);
            }
        }
        Tab::Logs => logs::open(model, at, LogsOf::Service),
    }
    Vec::new()
}

fn back(model: &mut Model) {
    if model.focus != Focus::List {
        model.focus = Focus::List;
    } else if !model.list.marks.is_empty() {
        model.list.marks.clear();
    } else {
        model.list.filter.clear();
    }
}

fn switch_pane(model: &mut Model) {
    model.focus = match model.focus {
        Focus::List if model.list.selected.is_some() => Focus::Pane { whole: false },
        Focus::List | Focus::Pane { .. } => Focus::List,
    };
}

/// The list alone on the screen, or with something beside it again.
fn widen(model: &mut Model) {
    model.list.alone = !model.list.alone;
    model.focus = Focus::List;
}

/// Where the list alone is on the screen, the tab comes there in its place.
fn turn_tab(model: &mut Model, forward: bool) {
    if model.selected_service().is_none() {
        return;
    }
    model.pane.tab = model.pane.tab.next(forward);
    if model.focus == Focus::List && (model.list.alone || model.breadth() == Breadth::Narrow) {
        model.focus = Focus::Pane { whole: false };
    }
}

/// To the main page, with this selected.
pub(super) fn show(model: &mut Model, item: Item) {
    model.page = Page::Services;
    model.trail.jump();
    if model.list.hides(&item, &model.fleet) {
        model.list.filter.clear();
    }
    model.list.select(item, &model.fleet);
}
