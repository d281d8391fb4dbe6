//! The server's core with in-memory engine and router: what deploys do, and what is left when something fails or the
//! server dies, at every single call.

#![cfg(test)]

mod builds;
mod disk;
mod faults;
mod flows;
mod keeping;
mod stage;
