//! The core of mypaas: everything but the screen. It prints nothing, reads no `$HOME` and knows no terminal.
//!
//! Each layer may use those below it, never one above:
//!
//! ```text
//! install       a machine becomes a server
//! client        one method an endpoint, over a unix socket
//! server        serve(listener, …): routes, handlers, the worker that owns all changes
//! api           requests and replies, shared by both ends
//! fleet         the operator's servers
//! deploy        desired, plan, journal, execute, readiness, queue, events
//! router        routes → Traefik           store   releases, deploys, journal on disk
//! engine        containers: Docker, and its in-memory twin
//! context       the pushed folder: which files, packing, unpacking
//! manifest      Dockerfile → options, or diagnostics
//! proof         signed requests
//! original      what the Python original says and signs on the wire
//! keys          who may do what, and signatures
//! machine       room on disks, memory: of the machine, and its in-memory twin
//! name, atomic_file, http
//! ```

pub mod api;
pub mod atomic_file;
pub mod client;
pub mod context;
pub mod deploy;
pub mod engine;
pub mod fleet;
pub mod http;
pub mod install;
pub mod keys;
pub mod machine;
pub mod manifest;
pub mod name;
pub mod original;
pub mod proof;
pub mod router;
pub mod server;
pub mod store;
