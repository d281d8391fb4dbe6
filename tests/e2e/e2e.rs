//! The binary as its users have it: real folders, pushed by its commands to a server process, through a real Docker
//! and a real Traefik. Every test has a server, an instance and a network of its own, and leaves nothing behind.
//!
//! ```text
//! stage/           a server of the test's own: its process, its commands, its services, its objects in Docker
//! journey.rs       what an operator does with a service, from the first push to its removal
//! console.rs       the console on a terminal, from the keyboard only
//! failures.rs      releases that do not work, and what they leave: the one before
//! strategies.rs    every strategy under load, without a failed request
//! network.rs       operators elsewhere: by https with their keys, and by ssh
//! registries.rs    private images, before and after a login on the server
//! wrong_input.rs   mistakes, and a world that is not as it should be; each is told, and changes nothing
//! certificates.rs  https, with an authority that asks for proofs, or with the operator's own certificate
//! original/        the Python original at the other end of a push
//! disk.rs          disks that are full, and what makes room on them
//! server.rs        the process itself: its socket, its stop, its death
//! router.rs        another router in the place of the one that serves
//! strangers.rs     what is not ours stays as it is
//! ```

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod certificates;
mod console;
mod disk;
mod failures;
mod journey;
#[path = "../support/load.rs"]
mod load;
mod network;
mod original;
mod registries;
#[path = "../support/registry.rs"]
mod registry;
mod router;
mod server;
mod stage;
mod strangers;
mod strategies;
#[path = "../support/sweep.rs"]
mod sweep;
#[path = "../support/terminal.rs"]
mod terminal;
mod wrong_input;
