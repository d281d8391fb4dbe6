//! Names that are checked when they are made, so that code behind this module never meets a bad one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Docker limits a container name and a DNS label to 63 characters where it serves as a host name; a release and a
/// slot (`.r9999.99`) must fit behind the service's name.
const LONGEST_NAME: usize = 50;

const LONGEST_VARIABLE: usize = 200;

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name has {0} characters; at most {LONGEST_NAME} are allowed")]
    TooLong(usize),
    #[error(
        "{character:?} at position {position} is not allowed in a name; use a-z, 0-9 and single . _ - / between them"
    )]
    Character { character: char, position: usize },
    #[error("{0:?} is not a release; releases are written r1, r2, …")]
    Release(String),
    #[error("{0:?} is not a deploy id; deploy ids are written d1, d2, …")]
    Deploy(String),
    #[error("{0:?} is no name of a variable; letters, digits and _ . - are allowed, and no digit at the beginning")]
    Variable(String),
}

/// The name of a variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariableName(String);

impl VariableName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let starts_well = text.starts_with(|c: char| !c.is_ascii_digit());
        if starts_well && text.len() <= LONGEST_VARIABLE && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError::Variable(text.chars().take(LONGEST_VARIABLE).collect()))
    }
}

impl TryFrom<String> for VariableName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> String {
        name.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn check(text: &str, separators: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let mut after_separator = true;
    for (position, character) in text.chars().enumerate() {
        let plain = character.is_ascii_lowercase() || character.is_ascii_digit();
        if !plain && (after_separator || !separators.contains(character)) {
            return Err(NameError::Character { character, position });
        }
        after_separator = !plain;
    }
    let length = text.chars().count();
    if after_separator {
        let character = text.chars().next_back().unwrap_or_default();
        return Err(NameError::Character { character, position: length - 1 });
    }
    if length > LONGEST_NAME {
        return Err(NameError::TooLong(length));
    }
    Ok(())
}

macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $separators:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text, $separators)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// The name of a service: its identity, its host name for other services, and part of image and container names.
    ServiceName,
    "._-/"
);

checked_name!(
    /// The operator's name for a server, as in `mypaas push NAME DIR`.
    ServerName,
    "._-"
);

checked_name!(
    /// What tells two platforms on one engine apart: the prefix of every label, network, volume and container name.
    InstanceName,
    "-"
);

impl ServiceName {
    /// The name where a slash is not allowed: in container names, host names and file names. No two services share
    /// it, because a service name never holds two separators in a row.
    pub fn flat(&self) -> String {
        self.0.replace('/', "--")
    }

    /// The service whose flat name this is.
    ///
    /// # Errors
    /// When no service has such a name.
    pub fn from_flat(flat: &str) -> Result<Self, NameError> {
        flat.replace("--", "/").parse()
    }
}

impl InstanceName {
    /// The only instance on an ordinary server; its objects carry no extra prefix in their names.
    pub const DEFAULT: &'static str = "mypaas";

    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for InstanceName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u64);

        impl $name {
            pub fn new(number: u64) -> Self {
                Self(number)
            }

            pub fn number(self) -> u64 {
                self.0
            }

            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let digits = text.strip_prefix($prefix).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
                match digits.map(str::parse) {
                    Some(Ok(number)) if number > 0 => Ok(Self(number)),
                    _ => Err(NameError::$error(text.to_owned())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!(concat!($prefix, "{}"), self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

numbered_id!(
    /// A release of a service, counted from one: `r1`, `r2`, …
    ReleaseId,
    "r",
    Release
);

numbered_id!(
    /// A deploy on a server, counted from one over all its services: `d1`, `d2`, …
    DeployId,
    "d",
    Deploy
);

/// The name of one container of a service: `hello.r12.1`, with the instance in front where it is not the default one.
/// Deterministic, so that making it twice makes it once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerName(String);

impl ContainerName {
    pub fn of(instance: &InstanceName, service: &ServiceName, release: ReleaseId, slot: u32) -> Self {
        let own = format!("{}.{release}.{slot}", service.flat());
        Self(if instance.is_default() { own } else { format!("{instance}_{own}") })
    }

    /// A name that the engine reported, or that belongs to no service (the router's container).
    pub fn from_engine(name: &str) -> Self {
        Self(name.trim_start_matches('/').to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By what comes before the slot, and then by the slot, so that 10 comes after 9.
    pub fn place(&self) -> (&str, u32) {
        let place = self.0.rsplit_once('.').and_then(|(release, slot)| Some((release, slot.parse().ok()?)));
        place.unwrap_or((&self.0, 0))
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An image by name and tag, as in `mypaas/hello:r12` or `traefik:v3.7.15`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageName(String);

impl ImageName {
    pub fn of(instance: &InstanceName, service: &ServiceName, release: ReleaseId) -> Self {
        Self(format!("{instance}/{service}:{release}"))
    }

    /// An image made elsewhere, named by the operator or by the engine.
    pub fn foreign(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_service_names_pass() {
        for name in ["a", "hello", "rob.api", "team/app", "x-1_y.2", &"a".repeat(LONGEST_NAME)] {
            assert_eq!(name.parse::<ServiceName>().map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn bad_service_names_say_where() {
        for (name, position) in [("Hello", 0), ("-a", 0), ("a-", 1), ("a..b", 2), ("a b", 1), ("ü", 0)] {
            match name.parse::<ServiceName>() {
                Err(NameError::Character { position: found, .. }) => assert_eq!(found, position, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!("".parse::<ServiceName>(), Err(NameError::Empty));
        assert!(matches!("a".repeat(LONGEST_NAME + 1).parse::<ServiceName>(), Err(NameError::TooLong(_))));
    }

    #[test]
    fn flat_names_of_different_services_differ() {
        let names = ["a/b", "a-b", "a.b", "a_b"].map(|n| n.parse::<ServiceName>().unwrap().flat());
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        for name in ["a/b/c", "a-b", "web"] {
            let name: ServiceName = name.parse().unwrap();
            assert_eq!(ServiceName::from_flat(&name.flat()), Ok(name));
        }
        assert!(ServiceName::from_flat("_server").is_err());
    }

    #[test]
    fn releases_and_deploys_are_numbered() {
        assert_eq!("r12".parse::<ReleaseId>().unwrap().next().to_string(), "r13");
        for bad in ["12", "r", "r0", "r-1", "r1x", "d1", "r99999999999999999999"] {
            assert!(bad.parse::<ReleaseId>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&DeployId::new(3)).unwrap(), "\"d3\"");
    }

    #[test]
    fn container_names_show_the_instance_only_where_it_matters() {
        let service: ServiceName = "team/app".parse().unwrap();
        let release = ReleaseId::new(12);
        let on = |instance: &str| ContainerName::of(&instance.parse().unwrap(), &service, release, 1).to_string();
        assert_eq!(on("mypaas"), "team--app.r12.1");
        assert_eq!(on("demo"), "demo_team--app.r12.1");
    }
}
