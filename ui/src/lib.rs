//! What an operator sees: the command line, and the console. Everything they do goes through the client of a server.
//!
//! ```text
//! cli       arguments → one verb → text or JSON, and an exit code
//! ```

pub mod cli;
