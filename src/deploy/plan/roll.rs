//! New containers start while the old ones serve. Also for all that needs no old container to stop first: a first
//! deploy, more or fewer containers, a start after a stop.

use super::{
    Actual, Cast, Plan, Undo, create, drain, final_routes, keep, names, releases, remove, remove_added, reroute,
    reroute_back, stop,
};
use crate::deploy::desired::{Desired, Pace, Serving};
use crate::deploy::step::Step;

pub(super) fn plan(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Plan {
    let starting = cast.starting();
    let mut steps: Vec<_> = create(&cast.added).into_iter().collect();
    if !starting.is_empty() {
        steps.push(Step::Start { containers: starting.clone() });
        steps.push(Step::AwaitReady { containers: starting.clone(), readiness: serving.readiness.clone() });
    }
    let switch = steps.len();
    steps.extend(reroute(actual.routes.as_ref(), final_routes(desired, serving, cast), cast.serving()));
    steps.extend(keep(starting));
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
    let mut undo = vec![Undo { since: 0, steps: undo_early(desired, actual, cast) }];
    if steps.get(switch).is_some_and(Step::is_switch) && !cast.starting().is_empty() {
        undo.push(Undo { since: switch, steps: undo_late(desired, actual, cast) });
    }
    Plan { deploy: desired.deploy, service: desired.service.clone(), steps, undo, switch, notes }
}

fn undo_early(desired: &Desired, actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let mut steps = vec![back(actual)];
    steps.extend(stop(&cast.revived, desired.pace));
    steps.extend(remove_added(&cast.added));
    steps
}

/// The new containers may have requests to finish.
fn undo_late(desired: &Desired, actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let Pace { drain: limit, grace, .. } = desired.pace;
    let leaving = cast.starting();
    let mut steps = vec![
        back(actual),
        Step::Drain { containers: leaving.clone(), limit, blind: limit },
        Step::Stop { containers: leaving, grace },
    ];
    steps.extend(remove_added(&cast.added));
    steps
}

fn back(actual: &Actual) -> Step {
    let old: Vec<_> = actual.containers.iter().filter(|container| container.is_running()).collect();
    reroute_back(actual.routes.as_ref(), names(&old))
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
