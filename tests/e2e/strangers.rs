//! fn
