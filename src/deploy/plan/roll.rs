//! New containers start while the old ones serve. Also for all that needs no old container to stop first: a first
//! deploy, more or fewer containers, a start after a stop.

use super::{Actual, Cast, Plan, drain, final_routes, names, releases, remove, reroute, reroute_back, stop};
use crate::deploy::desired::{Desired, Serving};
use crate::deploy::step::Step;
use crate::name::ContainerName;

pub(super) fn plan(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Plan {
    let starting = cast.starting();
    let mut steps = Vec::new();
    if !cast.added.is_empty() {
        steps.push(Step::Create { containers: cast.added.clone() });
    }
    if !starting.is_empty() {
        steps.push(Step::Start { containers: starting.clone() });
        steps.push(Step::AwaitReady { containers: starting.clone(), readiness: serving.readiness.clone() });
        steps.push(Step::Keep { containers: starting });
    }
    let switch = steps.len();
    steps.extend(reroute(actual.routes.as_ref(), final_routes(desired, serving, cast), cast.serving()));
    let leaving = cast.running_retired();
    steps.extend(drain(&leaving, actual, desired.pace));
    steps.extend(stop(&leaving, desired.pace));
    steps.extend(remove(&cast.retired));
    Plan {
        deploy: desired.deploy,
        service: desired.service.clone(),
        steps,
        undo: undo(desired, actual, cast),
        switch,
        notes: notes(serving, cast),
        holds: false,
    }
}

fn undo(desired: &Desired, actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let old: Vec<_> = actual.containers.iter().filter(|container| container.is_running()).collect();
    let mut steps = vec![reroute_back(actual, names(&old))];
    steps.extend(stop(&cast.revived, desired.pace));
    let added: Vec<ContainerName> = cast.added.iter().map(|spec| spec.name.clone()).collect();
    if !added.is_empty() {
        steps.push(Step::Remove { containers: added });
    }
    steps
}

fn notes(serving: &Serving, cast: &Cast<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let added = cast.added.len();
    let release = serving.template.release;
    if cast.retired.is_empty() && cast.kept.is_empty() && added > 0 {
        notes.push(format!("Nothing of the service runs yet; {added} container(s) of {release} start."));
    } else if cast.running_retired().is_empty() && added > 0 {
        notes.push(format!("{added} container(s) of {release} are added."));
    } else if added > 0 {
        let old = releases(&cast.retired);
        notes.push(format!(
            "{added} container(s) of {release} start while {old} serves; {old} goes once they are ready."
        ));
    } else if !cast.retired.is_empty() {
        notes.push(format!("{} container(s) go; the others stay as they are.", cast.retired.len()));
    }
    if !cast.revived.is_empty() {
        notes.push(format!("{} stopped container(s) are started again.", cast.revived.len()));
    }
    notes
}
