//! A machine becomes a server: what it is like, what it lacks, what is set up on it, and what keeps that running.
//!
//! ```text
//! probe.rs       what a machine is like, by a script that runs there
//! answers.rs     an operator's answers → config.toml
//! authorize.rs   keys → authorized_keys
//! docker.rs      the container engine, installed where it is missing; the router's container
//! account.rs     the user that a server runs as
//! manager/       what keeps a server running: systemd, or a supervisor of our own
//! binary.rs      a program file, before it goes there
//! health.rs      whether a server answers
//! upgrade/       another binary, and back again when it does not come up
//! reboot.rs      a reboot at a time
//! command.rs     programs of the system, with a limit
//! remote.rs      another machine, by way of the system's ssh
//! ```

pub mod account;
pub mod answers;
pub mod authorize;
pub mod binary;
mod command;
pub mod docker;
pub mod health;
pub mod manager;
pub mod probe;
pub mod reboot;
pub mod remote;
pub mod upgrade;

pub use self::account::Account;
pub use self::command::CommandError;
pub use self::manager::Manager;

/// Where the program lies on a server.
pub const PROGRAM: &str = "/usr/local/bin/mypaas";
