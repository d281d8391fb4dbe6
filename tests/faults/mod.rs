//! Deploys with real Docker and real Traefik that something befalls, and what must hold afterwards.
//!
//! ```text
//! engine.rs   an engine of the trials' own, that may go down
//! stage.rs    a server, its engine behind a proxy, and a service to deploy again and again
//! trouble.rs  what befalls a deploy: a fault of the n-th call, the server's death there, the router's, the machine's
//! trial.rs    one deploy with one trouble
//! check.rs    what must hold once all is quiet
//! ```

pub(crate) mod check;
pub(crate) mod engine;
pub(crate) mod stage;
pub(crate) mod trial;
pub(crate) mod trouble;
