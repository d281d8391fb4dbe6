//! The server's core with in-memory engine and router: what deploys do, and what is left when something fails or the
//! server dies, at every single call.

#![cfg(test)]

mod case;
mod disk;
mod faults;
mod flows;
mod full_disk;
mod journal;
mod keeping;
#[path = "../support/small_disk.rs"]
mod small_disk;
mod stage;
