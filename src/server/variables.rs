//! The server's variables, as an operator sees and changes them: never their values.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::core::Core;
use super::vault::VaultError;
use crate::api::{Problem, ProblemCode, VariableChange, VariableView};
use crate::deploy::Release;
use crate::engine::Secret;
use crate::manifest::EnvVar;
use crate::name::{ServiceName, VariableName};

/// The kernel takes no longer ones.
const LONGEST_VALUE: usize = 128 * 1024;

impl Core {
    /// All that have a value or that a live release uses, by name.
    pub fn variables(&self) -> Result<Vec<VariableView>, Problem> {
        let values = self.vault.values()?;
        let mut users = self.users()?;
        for name in values.keys() {
            users.entry(name.clone()).or_default();
        }
        let view = |(name, used_by): (String, Vec<ServiceName>)| VariableView {
            is_set: values.contains_key(&name),
            name,
            used_by,
        };
        Ok(users.into_iter().map(view).collect())
    }

    /// Running containers keep what they have; the next deploy or restart of a service takes the new value.
    pub fn change_variable(self: &Arc<Self>, change: VariableChange) -> Result<VariableView, Problem> {
        let VariableChange { name, value } = change;
        if let Some(value) = &value {
            check(&name, value)?;
        }
        let had_one = self.vault.change(&name, value.clone().map(Secret::new).as_ref())?;
        if value.is_none() && !had_one {
            let message = format!("the server has no value for {name}");
            return Err(Problem::new(ProblemCode::NotFound, message)
                .hint("`mypaas env list SERVER` tells which variables have one."));
        }
        tracing::info!(variable = %name, set = value.is_some(), "the environment was changed");
        self.mark_changed();
        let used_by = self.users()?.remove(name.as_str()).unwrap_or_default();
        Ok(VariableView { name: name.to_string(), is_set: value.is_some(), used_by })
    }

    /// Which services' live releases take a variable from the server.
    fn users(&self) -> Result<BTreeMap<String, Vec<ServiceName>>, Problem> {
        let mut users: BTreeMap<String, Vec<ServiceName>> = BTreeMap::new();
        for record in self.store.services()? {
            let Some(live) = record.live else { continue };
            let Some(release) = self.store.release::<Release>(&record.name, live)? else { continue };
            for variable in &release.manifest.env {
                if let EnvVar::Server { name } = variable {
                    users.entry(name.clone()).or_default().push(record.name.clone());
                }
            }
        }
        Ok(users)
    }
}

fn check(name: &VariableName, value: &str) -> Result<(), Problem> {
    let refusal = |why: &str| Problem::new(ProblemCode::BadRequest, format!("the value for {name} {why}"));
    match value {
        "" => Err(refusal("is empty").hint(
            "`mypaas env set` reads it from its input, or asks for it on a terminal; `mypaas env unset` removes it.",
        )),
        value if value.len() > LONGEST_VALUE => Err(refusal("is longer than 128 KiB")),
        value if value.contains('\0') => Err(refusal("holds a zero byte")),
        _ => Ok(()),
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Problem::of(ProblemCode::Internal, &error).hint("Mend config.toml in the server folder; nothing was changed.")
    }
}
