//! Who asks, and what they may ask for.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::api::{By, Limits, Problem, ProblemCode};
use crate::keys::{AuthorizedKey, Holder, Rights, Role};
use crate::name::ServiceName;

/// Whoever sent a request, with what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Caller {
    pub(in crate::server) identity: Identity,
    pub(in crate::server) rights: Rights,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Identity {
    /// A user of the server itself.
    Local { user: String },
    /// The holder of a key, and where they are.
    Key { holder: Holder, address: IpAddr },
}

impl Caller {
    /// Who may open the server's own socket may do everything.
    pub(super) fn local(user: String) -> Self {
        Self { identity: Identity::Local { user }, rights: Rights::ALL }
    }

    pub(super) fn with_key(key: &AuthorizedKey, address: IpAddr) -> Self {
        let holder = Holder { fingerprint: key.key.fingerprint().clone(), comment: key.comment.clone() };
        Self { identity: Identity::Key { holder, address }, rights: key.rights.clone() }
    }

    /// The key that proves who it is; none for a local user.
    pub(in crate::server) fn holder(&self) -> Option<&Holder> {
        match &self.identity {
            Identity::Local { .. } => None,
            Identity::Key { holder, .. } => Some(holder),
        }
    }

    pub(super) fn by(&self) -> By {
        match &self.identity {
            Identity::Local { user } => By::Local { user: user.clone() },
            Identity::Key { holder, .. } => By::Key(holder.clone()),
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.identity {
            Identity::Local { .. } => None,
            Identity::Key { address, .. } => Some(address),
        }
    }

    pub(super) fn check_role(&self, needed: Role) -> Result<(), Problem> {
        if self.rights.role >= needed {
            return Ok(());
        }
        let message = format!("{} has the role {}, and this takes the role {needed}", self.named(), self.rights.role);
        Err(Problem::new(ProblemCode::Forbidden, message).hint(
            "A viewer may look at everything and change nothing. Whoever keeps the server sets the role of a key in \
             its authorized_keys.",
        ))
    }

    /// What the caller is told of it; none when nothing is forbidden.
    pub(in crate::server) fn limits(&self) -> Option<Limits> {
        let Rights { role, services, until: _ } = &self.rights;
        let is_limited = *role < Role::Operator || services.is_some();
        is_limited.then(|| Limits { role: *role, services: services.clone() })
    }

    /// Whether the caller is limited to some services.
    pub(in crate::server) fn is_limited(&self) -> bool {
        self.rights.services.is_some()
    }

    pub(in crate::server) fn sees(&self, service: &ServiceName) -> bool {
        self.rights.includes(service)
    }

    /// Says the same whether or not there is such a service.
    pub(in crate::server) fn check(&self, service: &ServiceName) -> Result<(), Problem> {
        let Some(services) = self.rights.services.as_ref().filter(|services| !services.contains(service)) else {
            return Ok(());
        };
        let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
        let message = format!("{} is for {} only, not for {service}", self.named(), names.join(", "));
        let hint = "Whoever keeps the server sets mypaas-services of a key in its authorized_keys.";
        Err(Problem::new(ProblemCode::Forbidden, message).hint(hint))
    }

    /// For what concerns all services alike.
    pub(in crate::server) fn check_all(&self) -> Result<(), Problem> {
        let Some(services) = &self.rights.services else { return Ok(()) };
        let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
        let message = format!("{} is for {} only, and this concerns all services", self.named(), names.join(", "));
        let hint = "Whoever keeps the server sets mypaas-services of a key in its authorized_keys.";
        Err(Problem::new(ProblemCode::Forbidden, message).hint(hint))
    }

    /// For what a key that is limited to some services may not have, though it is about one of them.
    pub(in crate::server) fn refusal(&self, why: &str, hint: &str) -> Problem {
        let names: Vec<&str> = self.rights.services.iter().flatten().map(ServiceName::as_str).collect();
        let message = format!("{} is for {} only, and {why}", self.named(), names.join(", "));
        Problem::new(ProblemCode::Forbidden, message).hint(hint)
    }

    fn named(&self) -> String {
        match &self.identity {
            Identity::Local { user } => user.clone(),
            Identity::Key { holder, .. } if holder.comment.is_empty() => format!("the key {}", holder.fingerprint),
            Identity::Key { holder, .. } => format!("the key {:?} ({})", holder.comment, holder.fingerprint.short()),
        }
    }

    /// Whether a key still lets in whom it let in before.
    pub(super) fn still(&self, keys: &crate::keys::AuthorizedKeys, now: Timestamp) -> bool {
        let Some(holder) = self.holder() else { return true };
        keys.find(&holder.fingerprint, now).is_some_and(|key| key.rights == self.rights)
    }
}
