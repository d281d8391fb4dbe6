//! What tests against a real Docker share.
//!
//! ```text
//! app.rs      the test process, compiled once as a static binary; contexts to build images with it
//! sweep.rs    removes all that a test made in Docker, also when it fails
//! ```

pub(crate) mod app;
pub(crate) mod sweep;
