//! The old containers stop before the first new one starts. Requests meanwhile are held: the router tries again until
//! somebody answers at the addresses that old and new containers share. Those that came before the hold, and may not
//! be tried again, get time to finish first.

use std::collections::BTreeSet;

use super::{
    Actual, Cast, Plan, create, drain, final_routes, names, releases, remove, remove_added, reroute, reroute_back, stop,
};
use crate::deploy::desired::{Desired, Serving, Strategy};
use crate::deploy::readiness::Readiness;
use crate::deploy::step::Step;
use crate::router::Routes;

pub(super) fn plan(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Plan {
    let leaving = cast.running_retired();
    let starting = cast.starting();
    let held = held_routes(desired, serving, actual, cast);
    let mut steps: Vec<_> = create(&cast.added).into_iter().collect();
    if let Some(routes) = &held {
        steps.push(Step::Hold { routes: routes.clone() });
        steps.extend(drain(&leaving, actual, desired.pace));
    }
    steps.extend(stop(&leaving, desired.pace));
    steps.push(Step::Start { containers: starting.clone() });
    steps.push(Step::AwaitReady { containers: starting.clone(), readiness: serving.readiness.clone() });
    steps.push(Step::Keep { containers: starting });
    let switch = steps.len();
    steps.extend(reroute(held.as_ref(), final_routes(desired, serving, cast), cast.serving()));
    steps.extend(remove(&cast.retired));
    Plan {
        deploy: desired.deploy,
        service: desired.service.clone(),
        steps,
        undo: undo(desired, serving, actual, cast),
        switch,
        notes: notes(desired, serving, cast, held.is_some()),
        holds: held.is_some(),
    }
}

/// All URLs and all containers of before and after.
fn held_routes(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Option<Routes> {
    let after = final_routes(desired, serving, cast);
    let before = actual.routes.as_ref();
    let either = || after.iter().chain(before);
    let urls: BTreeSet<_> = either().flat_map(|routes| routes.urls.iter().cloned()).collect();
    let targets: BTreeSet<_> = either().flat_map(|routes| routes.targets.iter().copied()).collect();
    (!urls.is_empty()).then(|| Routes {
        service: desired.service.clone(),
        urls: urls.into_iter().collect(),
        targets: targets.into_iter().collect(),
        // A health check would take the containers that are down out of the balance, and with them the requests.
        healthcheck: None,
        hold: Some(desired.pace.hold),
    })
}

fn undo(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let old = names(&cast.running_retired());
    let port = actual.routes.as_ref().and_then(|routes| routes.targets.first()).map(|target| target.port());
    let readiness = Readiness::again(port, serving.readiness.deadline);
    let mut steps = vec![
        Step::Stop { containers: cast.starting(), grace: desired.pace.grace },
        Step::Start { containers: old.clone() },
        Step::AwaitReady { containers: old.clone(), readiness },
        Step::Keep { containers: old.clone() },
        reroute_back(actual, old),
    ];
    steps.extend(remove_added(&cast.added));
    steps
}

fn notes(desired: &Desired, serving: &Serving, cast: &Cast<'_>, holds: bool) -> Vec<String> {
    let old = releases(&cast.retired);
    let new = serving.template.release;
    let why = match serving.strategy {
        Strategy::Safe => "the scale is `safe`, so two releases never run at once",
        Strategy::Replace | Strategy::Roll => "the service does not scale, so only one container runs at a time",
    };
    let mut notes = vec![format!("{old} stops before {new} starts: {why}.")];
    if holds {
        let limit = desired.pace.hold.as_secs();
        notes.push(format!("Requests meanwhile wait for {new}; those that would wait longer than {limit}s fail."));
    }
    notes
}
