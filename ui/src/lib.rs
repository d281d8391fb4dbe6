//! ui
pub mod console;
