//! The program as a user starts it, against a real server on a real socket, with engine and router in memory.
//!
//! ```text
//! stage.rs      the server, and the program run against it
//! doing.rs      verbs that change something
//! showing.rs    verbs that show something, for people and as JSON
//! refusing.rs   wrong input, and worlds in which it does not work
//! many.rs       several servers at once, and locked ones
//! keys.rs       the operator's keys
//! asking.rs     a passphrase, asked for on a terminal
//! keeping.rs    a supervisor, and the server that it keeps running
//! leaving.rs    ctrl-c, a reader that goes away, a server that dies
//! ```

#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod asking;
mod doing;
mod keeping;
mod keys;
mod leaving;
mod many;
mod refusing;
mod showing;
mod stage;
#[allow(dead_code, reason = "shared with tests that look at more of a terminal")]
#[path = "../support/terminal.rs"]
mod terminal;
