//! The server's core with in-memory engine and router: what deploys do, and what is left when something fails or the
//! server dies, at every single call; and who is let in over the network.

#![cfg(test)]

mod faults;
mod flows;
mod network;
mod stage;
