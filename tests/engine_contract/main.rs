//! What every engine promises, held against each of them: the in-memory one with a paused clock, and a real Docker.
//!
//! ```text
//! fixture.rs      what the tests need to be told of an engine
//! memory.rs       … of the in-memory one
//! docker.rs       … of Docker
//! lifecycle.rs    creating, starting, stopping, removing; whose containers are touched
//! image.rs        building, listing, removing images
//! log.rs          reading and following logs
//! exec.rs         commands on a terminal
//! events.rs       what is told of containers
//! probe.rs        readiness, exits, figures
//! logins.rs       images of a registry that wants to know who asks
//! only_docker.rs  what only a real network and real processes can show
//! ```

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod docker;
mod events;
mod exec;
mod fixture;
mod image;
mod lifecycle;
mod log;
mod logins;
mod memory;
mod only_docker;
mod probe;
#[path = "../support/mod.rs"]
mod support;

macro_rules! contract {
    ($($module:ident: $($name:ident)*;)*) => {
        mod in_memory {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $name() {
                    crate::$module::$name(&crate::memory::InMemory::new().await).await;
                }
            )*)*
        }

        mod in_docker {
            $($(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(&crate::docker::InDocker::new().await).await;
                }
            )*)*
        }
    };
}

contract! {
    lifecycle:
        creating_twice_makes_one_container
        another_spec_replaces_the_container
        starting_and_stopping_twice_is_doing_it_once
        a_container_that_ignores_sigterm_is_killed_after_the_grace_time
        the_way_a_process_ended_is_known
        a_process_that_uses_too_much_memory_is_known_by_it
        limits_are_those_that_hold_now
        the_address_and_the_id_stay_through_a_restart
        a_dead_container_is_restarted_only_when_told_so
        a_stopped_container_stays_stopped
        what_is_gone_may_be_stopped_and_removed_but_not_started
        a_stranger_s_container_is_neither_seen_nor_touched
        given_addresses_are_in_use_until_the_container_is_removed
        two_containers_do_not_run_with_one_address
        nobody_is_connected_to_what_does_not_run
        a_stopped_container_can_come_back_at_another_address
        a_container_takes_another_name_and_stays_what_it_is
        published_ports_are_known_while_it_runs
        two_containers_do_not_run_with_one_published_port
        eight_containers_start_at_once
        a_service_is_told_apart_from_one_whose_name_begins_alike
        a_container_needs_its_image;
    image:
        a_built_image_is_found_and_listed
        a_failed_build_tells_why_and_leaves_nothing
        a_context_that_breaks_off_fails_the_build
        a_build_that_is_killed_for_its_memory_says_so
        building_a_name_again_replaces_the_image
        a_health_check_of_the_image_is_seen
        an_image_is_removed_once_no_container_needs_it
        a_stranger_s_image_is_left_alone
        what_a_build_leaves_is_known_and_can_be_removed
        only_leftovers_are_removed_as_such
        an_image_that_nobody_has_cannot_be_pulled;
    log:
        lines_come_in_order_with_their_stream
        a_log_may_be_read_from_its_end_or_from_a_time
        a_followed_log_goes_on_through_a_restart_and_ends_with_the_container
        what_a_restarted_process_says_first_is_followed_too
        a_log_that_nobody_wrote_is_empty;
    exec:
        a_command_runs_on_a_terminal_until_it_exits
        a_terminal_has_the_size_that_it_is_given_and_takes_another
        a_command_needs_a_container_of_ours_that_runs_and_a_program;
    events:
        what_happens_to_containers_is_told;
    probe:
        a_container_becomes_ready_once_it_listens
        a_container_that_never_listens_is_never_ready
        a_container_that_exited_says_so
        the_image_s_own_check_is_asked
        figures_come_from_containers_that_run;
}
