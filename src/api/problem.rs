//! Why a request was not done.

use serde::{Deserialize, Serialize};

use crate::deploy::event::causes;
use crate::manifest::Diagnostic;

/// Why a request was not done, for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: ProblemCode,
    /// What failed.
    pub message: String,
    /// Why, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default)]
    pub hint: Option<String>,
    /// What is wrong in the Dockerfile, when that is it.
    #[serde(default)]
    pub diagnostics: Vec<Diagnostic>,
}

impl Problem {
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), causes: Vec::new(), hint: None, diagnostics: Vec::new() }
    }

    /// An error as it is told: its own message, and what lies behind it.
    pub fn of(code: ProblemCode, error: &dyn std::error::Error) -> Self {
        Self { causes: causes(error), ..Self::new(code, error.to_string()) }
    }

    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        self.causes.push(error.to_string());
        self.causes.extend(causes(error));
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    BadRequest,
    NotFound,
    /// It cannot be done in the present state.
    Conflict,
    TooLarge,
    /// A disk of the server has too little room for it.
    NoRoom,
    /// The engine or the router is down.
    Unavailable,
    /// The server is about to stop.
    Stopping,
    /// The request does not prove whose it is.
    Unauthorized,
    /// It proves it, but the key may not do this.
    Forbidden,
    /// More at once, or in a short time, than the server takes.
    TooMany,
    /// Client and server are of versions that do not understand each other.
    Version,
    Internal,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}
