//! One snapshot a situation: the steps in words, the steps that undo them, and why.

use mypaas::deploy::plan::Undo;
use mypaas::deploy::{Actual, Desired, Goal, Plan, Strategy, plan};

use crate::world::{actual, checked, crashing, fresh, running, serving, stopped, without_containers};

fn told(desired: &Desired, actual: &Actual) -> String {
    let plan = plan(desired, actual).unwrap();
    let Plan { steps, undo, switch, notes, .. } = &plan;
    let mut text = format!("holds: {}\n", plan.hold().is_some());
    for note in notes {
        text += &format!("note: {note}\n");
    }
    for (index, step) in steps.iter().enumerate() {
        let marker = if index == *switch { "► " } else { "  " };
        text += &format!("{marker}{}\n", step.describe());
    }
    for Undo { since, steps } in undo {
        for step in steps {
            let from = if *since > 0 { format!(" from {since} on") } else { String::new() };
            text += &format!("  undo{from}: {}\n", step.describe());
        }
    }
    text
}

macro_rules! situation {
    ($name:ident, $desired:expr, $actual:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(told(&$desired, &$actual));
        }
    };
    ($name:ident, $both:expr) => {
        #[test]
        fn $name() {
            let (desired, actual) = $both;
            insta::assert_snapshot!(told(&desired, &actual));
        }
    };
}

situation!(a_first_deploy, serving(1, Strategy::Replace, 1, true), actual(&[], true));
situation!(a_first_deploy_without_url, serving(1, Strategy::Roll, 2, false), actual(&[], false));
situation!(
    a_roll_of_three,
    serving(2, Strategy::Roll, 3, true),
    actual(&[(1, 1, running()), (1, 2, running()), (1, 3, running())], true)
);
situation!(
    a_safe_deploy_of_two,
    serving(2, Strategy::Safe, 2, true),
    actual(&[(1, 1, running()), (1, 2, running())], true)
);
situation!(
    a_safe_deploy_whose_containers_the_router_asks_for_their_health,
    checked(serving(2, Strategy::Safe, 2, true), actual(&[(1, 1, running()), (1, 2, running())], true))
);
situation!(a_replacement, serving(2, Strategy::Replace, 1, true), actual(&[(1, 1, running())], true));
situation!(a_replacement_without_url, serving(2, Strategy::Replace, 1, false), actual(&[(1, 1, running())], false));
situation!(more_containers, serving(1, Strategy::Roll, 3, true), actual(&[(1, 1, running())], true));
situation!(
    fewer_containers,
    serving(1, Strategy::Roll, 1, true),
    actual(&[(1, 1, running()), (1, 2, running()), (1, 3, running())], true)
);
situation!(
    a_restart_of_two,
    fresh(serving(1, Strategy::Roll, 2, true)),
    actual(&[(1, 1, running()), (1, 2, running())], true)
);
situation!(a_restart_in_place, fresh(serving(1, Strategy::Replace, 1, true)), actual(&[(1, 1, running())], true));
situation!(
    a_start_after_a_stop,
    serving(1, Strategy::Roll, 2, true),
    actual(&[(1, 1, stopped()), (1, 2, stopped())], true)
);
situation!(a_stop, without_containers(Goal::Stopped), actual(&[(1, 1, running()), (1, 2, crashing())], true));
situation!(a_removal, without_containers(Goal::Gone), actual(&[(1, 1, running()), (1, 2, stopped())], true));
situation!(a_roll_over_a_crash_loop, serving(2, Strategy::Roll, 1, true), actual(&[(1, 1, crashing())], true));
situation!(
    left_overs_of_several_releases,
    serving(3, Strategy::Roll, 2, true),
    actual(&[(1, 1, stopped()), (2, 1, running()), (3, 1, running())], true)
);
situation!(nothing_to_do, serving(1, Strategy::Roll, 1, true), actual(&[(1, 1, running())], true));
situation!(the_last_url_goes, serving(2, Strategy::Roll, 1, false), actual(&[(1, 1, running())], true));

#[test]
fn a_network_without_free_addresses_is_told() {
    let mut actual = actual(&[], true);
    actual.free.truncate(1);
    let error = plan(&serving(1, Strategy::Roll, 3, true), &actual).unwrap_err();
    assert_eq!(error.to_string(), "the network of the services has no free address left (3 wanted, 1 free)");
}
