//! The old containers stop before the first new one starts. Requests meanwhile are held: the router tries the addresses
//! of the new ones until somebody answers there. A request that has reached a container is never sent twice, so none
//! goes to the old ones any more when they stop, and those that came before get time to finish. When the new release
//! fails, the old containers come back at the addresses where requests wait.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::time::Duration;

use super::{
    Actual, Cast, Plan, Undo, create, drain, final_routes, keep, names, releases, remove, remove_added, reroute,
    reroute_back, stop,
};
use crate::deploy::desired::{Desired, Serving, Strategy};
use crate::deploy::readiness::Readiness;
use crate::deploy::step::{Moved, Step};
use crate::engine::{Container, Probe};
use crate::router::Routes;

/// All requests wait while the old containers finish those that they have begun. What takes longer is left to how they
/// take their SIGTERM.
const LONGEST_DRAIN: Duration = Duration::from_secs(6);

/// As long as the router needs, where it cannot be seen when the old containers have finished.
const BLIND_DRAIN: Duration = Duration::from_millis(500);

pub(super) fn plan(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Plan {
    let leaving = cast.retired_at_work();
    let starting = cast.starting();
    let held = held_routes(desired, serving, actual, cast);
    let mut steps: Vec<_> = create(&cast.added).into_iter().collect();
    steps.extend(held.iter().map(|routes| Step::Hold { routes: routes.clone() }));
    let stops_from = steps.len();
    if held.is_some() {
        steps.extend(drain(&leaving, actual, drain_limit(desired), BLIND_DRAIN.min(drain_limit(desired))));
    }
    steps.extend(stop(&leaving, desired.pace));
    steps.push(Step::Start { containers: starting.clone() });
    steps.push(Step::AwaitReady { containers: starting.clone(), readiness: serving.readiness.clone() });
    let after = final_routes(desired, serving, cast);
    let switch = steps.len();
    steps.extend(reroute(held.as_ref(), after, cast.serving()));
    steps.extend(keep(starting));
    steps.extend(remove(&cast.retired));
    let early = Undo { since: 0, steps: undo_before_the_stop(actual, cast) };
    let late = Undo { since: stops_from, steps: undo(desired, actual, cast, held.is_some()) };
    Plan {
        deploy: desired.deploy,
        service: desired.service.clone(),
        steps,
        undo: if stops_from == 0 { vec![late] } else { vec![early, late] },
        switch,
        notes: notes(desired, serving, cast, held.is_some()),
    }
}

fn drain_limit(desired: &Desired) -> Duration {
    desired.pace.drain.min(LONGEST_DRAIN)
}

/// All of the gap.
fn hold_limit(desired: &Desired) -> Duration {
    desired.pace.hold + drain_limit(desired)
}

/// All URLs of before and after, and where the new containers will answer; or the old ones, in their place.
fn held_routes(desired: &Desired, serving: &Serving, actual: &Actual, cast: &Cast<'_>) -> Option<Routes> {
    let after = final_routes(desired, serving, cast);
    let before = actual.routes.as_ref();
    let urls: BTreeSet<_> = after.iter().chain(before).flat_map(|routes| routes.urls.iter().cloned()).collect();
    // The port may be another than before.
    let back = before.map(|routes| routes_back(routes, cast).targets).unwrap_or_default();
    let leaving: BTreeSet<_> = cast.retired_at_work().iter().map(|container| container.address).collect();
    let mut targets: BTreeSet<_> = cast.targets(serving).into_iter().chain(back).collect();
    targets.retain(|target| !leaving.contains(target.ip()));
    (!urls.is_empty()).then(|| Routes {
        service: desired.service.clone(),
        urls: urls.into_iter().collect(),
        targets: targets.into_iter().collect(),
        // Nobody is to be asked for health where nobody is yet.
        healthcheck: None,
        hold: Some(hold_limit(desired)),
    })
}

/// Where the old containers come back: one for each new one that did not become ready. Of those that were there
/// before, none is left with an address that is another's now.
fn moved(cast: &Cast<'_>) -> Vec<Moved> {
    let moved = |there: &Container, to| Moved { container: there.name.clone(), from: there.address, to };
    let old = cast.retired_at_work();
    let swapped = old.iter().zip(&cast.revived);
    let swapped = swapped.flat_map(|(old, other)| [moved(old, other.address), moved(other, old.address)]);
    let replaced = old.iter().skip(cast.revived.len()).zip(&cast.added).map(|(old, new)| moved(old, new.address));
    swapped.chain(replaced).collect()
}

/// The routes of before, with the old containers where they come back.
fn routes_back(routes: &Routes, cast: &Cast<'_>) -> Routes {
    let moved = moved(cast);
    let back = |target: &SocketAddrV4| match moved.iter().find(|moved| moved.from == *target.ip()) {
        Some(moved) => SocketAddrV4::new(moved.to, target.port()),
        None => *target,
    };
    Routes { targets: routes.targets.iter().map(back).collect(), ..routes.clone() }
}

/// The old containers run, and nobody waits.
fn undo_before_the_stop(actual: &Actual, cast: &Cast<'_>) -> Vec<Step> {
    let old = names(&cast.running_retired());
    [reroute_back(actual.routes.as_ref(), old)].into_iter().chain(remove_added(&cast.added)).collect()
}

fn undo(desired: &Desired, actual: &Actual, cast: &Cast<'_>, held: bool) -> Vec<Step> {
    let (old, served) = (names(&cast.retired_at_work()), names(&cast.running_retired()));
    let routes = actual.routes.as_ref();
    let port = routes.and_then(|routes| routes.targets.first()).map(|target| target.port());
    let readiness = Readiness::again(port, desired.pace.again);
    let grace = desired.pace.grace;
    let mut steps = vec![Step::Stop { containers: cast.starting(), grace }];
    if held {
        let aliases = vec![desired.service.flat()];
        steps.push(Step::Move { containers: moved(cast), aliases, grace });
    }
    let back = routes.filter(|_| held).map(|routes| routes_back(routes, cast));
    steps.push(Step::Start { containers: old.clone() });
    // Nobody waits for one that crashed again and again before.
    if !served.is_empty() {
        steps.push(Step::AwaitReady { containers: served.clone(), readiness });
    }
    steps.push(Step::Keep { containers: old });
    steps.push(reroute_back(back.as_ref().or(routes), served));
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
        let limit = hold_limit(desired).as_secs();
        notes.push(format!("Requests meanwhile wait for {new}; those that would wait longer than {limit}s fail."));
        if !matches!(serving.readiness.probe, Probe::Connect { .. }) {
            notes.push(format!("They go to {new} as soon as it takes connections, also before it is ready."));
        }
        let drain = drain_limit(desired);
        notes.push(format!(
            "Those that {old} has begun get up to {drain:?}, and what {old} gives them after SIGTERM; a websocket is cut then."
        ));
    }
    notes
}
