//! Plans: what they say for each situation, and what must hold for all of them.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test's own helpers")]

mod properties;
mod situations;
mod world;
