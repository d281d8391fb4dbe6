//! Back to where one was, and forward again.

use crate::console::effect::Effect;
use crate::console::model::fleet::ServiceAt;
use crate::console::model::list::Item;
use crate::console::model::toast::ToastKind;
use crate::console::model::trail::Place;
use crate::console::model::{Focus, Model, Page};

use super::{deploy, disk, logs, services, variables};

pub(super) fn go(model: &mut Model, back: bool) -> Vec<Effect> {
    let here = Place::of(model);
    match model.trail.turn(back, here) {
        Some(place) => show(model, place),
        None if back => model.toast(ToastKind::Note, "there is nothing to go back to"),
        None => model.toast(ToastKind::Note, "there is nothing to go forward to"),
    }
    Vec::new()
}

/// Out of a page about a service: to where one came from. In the list that service is selected then, also where it is
/// another than before, as after a push.
pub(super) fn leave(model: &mut Model, at: ServiceAt) {
    let here = Place::of(model);
    let is_about = |selected: &Option<Item>| selected.as_ref().and_then(Item::service) == Some(&at);
    match model.trail.turn(true, here) {
        Some(Place::List { selected }) if !is_about(&selected) => {
            let item = Item::Service(at);
            if model.list.hides(&item, &model.fleet) {
                model.list.filter.clear();
            }
            show(model, Place::List { selected: Some(item) });
        }
        Some(place) => show(model, place),
        None => services::show(model, Item::Service(at)),
    }
}

fn show(model: &mut Model, place: Place) {
    model.typing = None;
    match place {
        Place::List { selected } => {
            model.page = Page::Services;
            model.focus = Focus::List;
            if let Some(item) = selected {
                model.list.select(item, &model.fleet);
            }
        }
        Place::Pane { selected, tab, whole } => {
            model.page = Page::Services;
            model.focus = Focus::Pane { whole };
            model.pane.tab = tab;
            model.list.select(selected, &model.fleet);
        }
        Place::Fleet { selected } => model.page = Page::Fleet(selected),
        Place::Alerts { selected } => model.page = Page::Alerts(selected),
        Place::Journal(page) => model.page = Page::Journal(page),
        Place::Variables { server } => variables::open_of(model, server),
        Place::Disk { server } => disk::open_of(model, server),
        Place::Logs { at, of } => logs::open(model, at, of),
        Place::Deploy { at, deploy } => deploy::open(model, at, *deploy),
    }
}
