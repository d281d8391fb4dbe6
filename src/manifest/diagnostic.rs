use serde::{Deserialize, Serialize};

/// One thing that is wrong, or worth knowing, in a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Counted from one; 0 when it is about the file as a whole (an option that is missing, no Dockerfile).
    pub line: u32,
    /// In characters, counted from one; 0 as for `line`.
    pub column: u32,
    /// The line as it stands in the file, without its line end. Empty as for `line`.
    pub source: String,
    /// How many characters from `column` on are meant.
    pub length: u32,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is deployed.
    Error,
    Warning,
}
