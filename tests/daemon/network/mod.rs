//! The way in from the network, on a real socket: who is let in, and what everybody else gets.
//!
//! ```text
//! wire.rs        a server that listens, and requests written by hand
//! archives.rs    pushed archives that are not what they should be
//! attacks.rs     a table of attacks, and what each gets
//! endpoints.rs   every endpoint there is: unsigned, by a viewer, by a key for other services
//! limits.rs      slow, large, many
//! original.rs    pushes of the Python original's client
//! shells.rs      shells over the network
//! callers.rs     what the holders of keys see, and what is remembered of them
//! confined.rs    what a key for some services gets of the others by what it pushes
//! ```

mod archives;
mod attacks;
mod callers;
mod confined;
mod endpoints;
mod limits;
mod original;
mod shells;
mod wire;
