use std::net::SocketAddrV4;

use mypaas::deploy::{self, Actual, Desired, Goal, Step, plan};
use mypaas::engine::{Container, ContainerState, Restart};
use proptest::prelude::*;

use crate::world::{
    actual, crashing, fresh, happen, healthcheck, release_of, running, serves, serving, stopped, without_containers,
};

fn states() -> impl Strategy<Value = ContainerState> {
    prop_oneof![4 => Just(running()), 1 => Just(stopped()), 1 => Just(crashing()), 1 => Just(ContainerState::Created)]
}

prop_compose! {
    fn worlds()(
        url in any::<bool>(),
        check in any::<bool>(),
        found in proptest::collection::btree_map((1_u64..4, 1_u32..4), states(), 0..6),
    ) -> Actual {
        let containers: Vec<_> = found.into_iter().map(|((number, slot), state)| (number, slot, state)).collect();
        let mut world = actual(&containers, url);
        if let Some(routes) = &mut world.routes {
            routes.healthcheck = check.then(healthcheck);
        }
        world
    }
}

fn wishes() -> impl Strategy<Value = Desired> {
    let strategy =
        prop_oneof![Just(deploy::Strategy::Roll), Just(deploy::Strategy::Safe), Just(deploy::Strategy::Replace)];
    let serving = (1_u64..5, strategy, 1_u32..5, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(release, strategy, count, url, anew, check)| {
            let count = if strategy == deploy::Strategy::Replace { 1 } else { count };
            let mut desired = serving(release, strategy, count, url);
            if let Goal::Serving(serving) = &mut desired.goal {
                serving.healthcheck = check.then(healthcheck);
            }
            if anew { fresh(desired) } else { desired }
        },
    );
    prop_oneof![
        8 => serving,
        1 => Just(without_containers(Goal::Stopped)),
        1 => Just(without_containers(Goal::Gone)),
    ]
}

/// The URLs, and which containers are behind them.
fn routed(world: &Actual) -> Option<(Vec<String>, Vec<String>)> {
    let routes = world.routes.as_ref()?;
    let behind = |target: &SocketAddrV4| {
        let there = world.containers.iter().find(|container| container.address == *target.ip());
        format!("{}:{}", there.map_or("nobody", |container| container.name.as_str()), target.port())
    };
    let mut names: Vec<_> = routes.targets.iter().map(behind).collect();
    names.sort();
    Some((routes.urls.iter().map(ToString::to_string).collect(), names))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn planning_again_after_success_yields_nothing(mut world in worlds(), desired in wishes()) {
        let first = plan(&desired, &world).unwrap();
        for step in &first.steps {
            happen(&mut world, step);
        }
        let again = plan(&desired, &world).unwrap();
        prop_assert_eq!(again.steps, vec![]);
    }

    #[test]
    fn after_success_exactly_what_is_desired_runs(mut world in worlds(), desired in wishes()) {
        let ran_before: Vec<_> =
            world.containers.iter().filter(|c| c.is_running()).map(|c| c.name.clone()).collect();
        for step in &plan(&desired, &world).unwrap().steps {
            happen(&mut world, step);
        }
        let wanted = match &desired.goal {
            Goal::Serving(serving) => serving.count as usize,
            Goal::Stopped | Goal::Gone => 0,
        };
        let running: Vec<_> = world.containers.iter().filter(|c| c.is_running()).collect();
        prop_assert_eq!(running.len(), wanted);
        prop_assert!(running.iter().all(|c| c.restart == Restart::UnlessStopped || ran_before.contains(&c.name)));
        if let Goal::Serving(serving) = &desired.goal {
            prop_assert!(running.iter().all(|c| release_of(c) == Some(serving.template.release)));
        }
        prop_assert!(serves(&world));
    }

    /// Wherever before the switch it fails, undoing brings back what served, and leaves nothing new behind.
    #[test]
    fn undoing_any_prefix_brings_back_what_served(world in worlds(), desired in wishes()) {
        let plan = plan(&desired, &world).unwrap();
        for done in 0..plan.switch {
            let mut cut = world.clone();
            for step in plan.steps[..=done].iter().chain(plan.undo_after(Some(done))) {
                happen(&mut cut, step);
            }
            let serving = |world: &Actual| {
                world.containers.iter().filter(|c| c.is_at_work()).map(|c| c.name.clone()).collect::<Vec<_>>()
            };
            let names = |world: &Actual| world.containers.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
            prop_assert_eq!(serving(&cut), serving(&world));
            prop_assert_eq!(names(&cut), names(&world));
            prop_assert_eq!(routed(&cut), routed(&world));
            // Undone twice, because a crash came in between, is undone once.
            let once = cut.clone();
            for step in plan.undo_after(Some(done)) {
                happen(&mut cut, step);
            }
            prop_assert_eq!(cut, once);
        }
    }

    /// A request that came while requests are held waits for the addresses of then: whoever serves in the end, new or
    /// old, answers at one of them. And none of them is that of a container which is stopped with requests in it.
    #[test]
    fn held_requests_are_answered_by_whoever_serves_in_the_end(world in worlds(), desired in wishes()) {
        let plan = plan(&desired, &world).unwrap();
        let Some(hold) = plan.steps.iter().position(|step| matches!(step, Step::Hold { .. })) else { return Ok(()) };
        let Step::Hold { routes } = &plan.steps[hold] else { unreachable!() };
        let answered = |world: &Actual| world.containers.iter().any(|container| {
            container.is_running() && routes.targets.iter().any(|target| *target.ip() == container.address)
        });
        let all_leave = world.containers.iter().filter(|c| c.is_running()).all(|running| {
            plan.steps.iter().any(|step| matches!(step, Step::Stop { containers, .. } if containers.contains(&running.name)))
        });
        prop_assert!(!(all_leave && answered(&world)), "requests still go to what is about to stop");
        let (mut reached, mut undone) = (world.clone(), world);
        plan.steps.iter().for_each(|step| happen(&mut reached, step));
        prop_assert!(answered(&reached));
        for at in hold + 1..plan.switch {
            let mut undone = undone.clone();
            plan.steps[..=at].iter().chain(plan.undo_after(Some(at))).for_each(|step| happen(&mut undone, step));
            prop_assert!(answered(&undone), "undone after step {at}");
        }
        plan.steps[..=hold].iter().for_each(|step| happen(&mut undone, step));
        prop_assert!(serves(&undone));
    }

    /// No step ever leaves routes that lead to a container that does not run, unless requests are held. Only what was
    /// broken before may stay broken until the switch.
    #[test]
    fn requests_are_answered_or_held_after_every_step(mut world in worlds(), desired in wishes()) {
        prop_assume!(serves(&world));
        for step in &plan(&desired, &world).unwrap().steps {
            happen(&mut world, step);
            prop_assert!(serves(&world), "after {}", step.describe());
        }
    }

    /// Whoever is told then that it is done need not wait for what comes after.
    #[test]
    fn what_only_clears_away_changes_nothing_of_what_serves(mut world in worlds(), desired in wishes()) {
        let plan = plan(&desired, &world).unwrap();
        let Some(clears_from) = plan.clears_from() else { return Ok(()) };
        prop_assert!(clears_from > plan.switch);
        let ran_before: Vec<_> = world.containers.iter().filter(|c| c.is_running()).map(|c| c.name.clone()).collect();
        let (before, clearing) = plan.steps.split_at(clears_from);
        before.iter().for_each(|step| happen(&mut world, step));
        let Goal::Serving(wanted) = &desired.goal else { unreachable!("nothing else starts anything") };
        let serving = |world: &Actual| {
            let running = world.containers.iter().filter(|c| c.is_running());
            running.filter(|c| release_of(c) == Some(wanted.template.release)).map(|c| c.name.clone()).collect::<Vec<_>>()
        };
        let (served, routes) = (serving(&world), routed(&world));
        let kept = |c: &&Container| c.restart == Restart::UnlessStopped || ran_before.contains(&c.name);
        prop_assert_eq!(world.containers.iter().filter(|c| served.contains(&c.name)).filter(kept).count(), served.len());
        for step in clearing {
            prop_assert!(matches!(step, Step::Stop { .. } | Step::Remove { .. }), "{}", step.describe());
            happen(&mut world, step);
            prop_assert_eq!(routed(&world), routes.clone());
        }
        prop_assert!(serving(&world).iter().all(|name| served.contains(name)));
        prop_assert_eq!(serving(&world).len(), wanted.count as usize);
    }

    #[test]
    fn the_same_input_gives_the_same_plan(world in worlds(), desired in wishes()) {
        prop_assert_eq!(plan(&desired, &world).unwrap(), plan(&desired, &world).unwrap());
    }

    /// Two releases never run at once unless they roll: no old container runs, or is about to be started by the engine,
    /// when the first new one starts.
    #[test]
    fn only_a_roll_mixes(mut world in worlds(), release in 1_u64..5, count in 1_u32..4, scales in any::<bool>()) {
        let desired = match scales {
            true => serving(release, deploy::Strategy::Safe, count, true),
            false => serving(release, deploy::Strategy::Replace, 1, true),
        };
        for step in &plan(&desired, &world).unwrap().steps {
            if let (Step::Start { containers }, Goal::Serving(serving)) = (step, &desired.goal) {
                let old = world.containers.iter().filter(|c| c.is_at_work() && !containers.contains(&c.name));
                let others = old.filter(|c| release_of(c) != Some(serving.template.release)).count();
                prop_assert_eq!(others, 0);
            }
            happen(&mut world, step);
        }
    }
}
