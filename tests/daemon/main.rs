//! The server's core with in-memory engine and router: what deploys do, and what is left when something fails or the
//! server dies, at every single call; and who is let in over the network.

#![cfg(test)]

mod builds;
mod case;
mod disk;
mod done;
mod faults;
mod flows;
mod full_disk;
mod health;
mod history;
mod journal;
mod keeping;
mod leftovers;
mod logs;
mod network;
mod previews;
mod recovering;
mod rolled_back;
mod scales;
mod shell;
mod simulated;
#[path = "../support/small_disk.rs"]
mod small_disk;
mod stage;
mod waiting;
mod watching;
