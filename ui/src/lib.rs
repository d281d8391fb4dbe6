//! What an operator sees: the command line, and the console. Everything they do goes through the client of a server.
//!
//! ```text
//! cli       arguments → one verb → text or JSON, and an exit code
//! console   the fleet on the whole screen, by the keyboard
//! ```

pub mod cli;
pub mod console;
