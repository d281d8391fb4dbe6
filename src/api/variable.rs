//! The server's environment.

use serde::{Deserialize, Serialize};

use crate::name::{ServiceName, VariableName};

/// A variable of the server's environment, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableView {
    pub name: String,
    /// It has a value; one that is used and has none hinders the next deploy.
    pub is_set: bool,
    /// Services whose live release takes it.
    pub used_by: Vec<ServiceName>,
}

/// Gives a variable a value, or takes it away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableChange {
    pub name: VariableName,
    /// None: it has none any more.
    pub value: Option<String>,
}

impl std::fmt::Debug for VariableChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VariableChange").field("name", &self.name).field("is_set", &self.value.is_some()).finish()
    }
}
