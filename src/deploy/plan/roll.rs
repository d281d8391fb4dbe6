//! New containers start while the old ones serve. Also for all that needs no old container to stop first: a first
//! deploy, more or fewer containers, a start after a stop.

use super::{
    Actual, Cast, Plan, Undo, create, drain, final_routes, names, releases, remove, remove_added, reroute,
    reroute_back, stop,
};
use crate::deploy::desired::{Desired, Serving};
use crate::deploy::step::Step;

pub(super) fn plan(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Plan {
    let starting = cast.starting();
    let mut steps: Vec<_> = create(&cast.added).into_iter().collect();
    if !starting.is_empty() {
        steps.push(Step::Start { containers: starting.clone() });
        steps.push(Step::AwaitReady { containers: starting.clone(), readiness: serving.readiness.clone() });
        steps.push(Step::Keep { containers: starting });
    }
    let switch = steps.len();
    steps.extend(reroute(actual.routes.as_ref(), final_routes(desired, serving, cast), cast.serving()));
    let leaving = cast.running_retired();
    let draining = drain(&leaving, actual, desired.pace.drain, desired.pace.drain);
    let mut notes = notes(serving, cast);
    if draining.is_some() && !serving.urls.is_empty() {
        let limit = desired.pace.drain;
        notes.push(format!(
            "Requests in flight get up to {limit:?}; a websocket, or what else takes longer, is cut then."
        ));
    }
    steps.extend(draining);
    steps.extend(stop(&leaving, desired.pace));
    steps.extend(remove(&cast.retired));
    Plan {
        deploy: desired.deploy,
        service: desired.service.clone(),
        steps,
        undo: Undo::always(undo(desired, actual, cast)),
        switch,
        notes,
    }
}

fn undo(desired: &Desired, actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let old: Vec<_> = actual.containers.iter().filter(|container| container.is_running()).collect();
    let mut steps = vec![reroute_back(actual.routes.as_ref(), names(&old))];
    steps.extend(stop(&cast.revived, desired.pace));
    steps.extend(remove_added(&cast.added));
    steps
}

fn notes(serving: &Serving, cast: &Cast<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let added = cast.added.len();
    let release = serving.template.release;
    if cast.retired.is_empty() && cast.kept.is_empty() && added > 0 {
        notes.push(format!("Nothing of the service runs yet; {} of {release} will start.", counted(added)));
    } else if cast.running_retired().is_empty() && added > 0 {
        notes.push(format!("{} of {release} will be added.", counted(added)));
    } else if added > 0 {
        let old = releases(&cast.retired);
        notes.push(format!(
            "{} of {release} will start while {old} serves; {old} goes once all are ready.",
            counted(added)
        ));
    } else if !cast.retired.is_empty() {
        notes.push(format!("{} will go; the others stay as they are.", counted(cast.retired.len())));
    }
    if !cast.revived.is_empty() {
        notes.push(format!("{} that stopped will be started again.", counted(cast.revived.len())));
    }
    notes
}

fn counted(containers: usize) -> String {
    if containers == 1 { "1 container".to_owned() } else { format!("{containers} containers") }
}
