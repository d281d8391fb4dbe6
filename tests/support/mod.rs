//! What tests against a real Docker share.
//!
//! ```text
//! app.rs      the test process, compiled once as a static binary; contexts to build images with it
//! registry.rs a private registry with one image
//! sweep.rs    removes all that a test made in Docker, also when it fails
//! ```

pub(crate) mod app;
pub(crate) mod registry;
pub(crate) mod sweep;
