//! The servers an operator knows: `fleet.toml`. Where that file lies is for the caller to say.
//!
//! ```toml
//! [servers.attic]
//! address = "unix:///srv/attic/mypaas.sock"
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::manifest::Diagnostic;
use crate::name::ServerName;

/// A fleet is written by hand: a file larger than this is something else.
const LARGEST_FILE: u64 = 1024 * 1024;

/// All known servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    servers: BTreeMap<ServerName, Address>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// `unix:///path`: the server's socket on this machine.
    Unix(PathBuf),
}

/// Why there is no fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    #[error("the list of servers {} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the list of servers {} is larger than {LARGEST_FILE} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("the list of servers {} has a mistake", path.display())]
    Invalid { path: PathBuf, diagnostic: Box<Diagnostic> },
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0:?} is not the address of a server; use unix:///path/to/mypaas.sock")]
    Scheme(String),
    #[error("the path in {0:?} is not absolute; use three slashes, as in unix:///path/to/mypaas.sock")]
    Relative(String),
}

impl Fleet {
    /// Reads the file; that there is none means that no server is known.
    pub fn load(path: &Path) -> Result<Self, FleetError> {
        let unreadable = |source| FleetError::Read { path: path.to_owned(), source };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
            Ok(metadata) if metadata.len() > LARGEST_FILE => {
                return Err(FleetError::TooLarge { path: path.to_owned() });
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text).map_err(|diagnostic| FleetError::Invalid { path: path.to_owned(), diagnostic })
    }

    /// Reads the text of a `fleet.toml`; what is not known in it is a mistake.
    pub fn parse(text: &str) -> Result<Self, Box<Diagnostic>> {
        let file: File = toml::from_str(text).map_err(|error| Box::new(diagnose(text, &error)))?;
        let servers = file.servers.into_iter().map(|(name, server)| (name, server.address)).collect();
        Ok(Self { servers })
    }

    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Where the server of that name is.
    pub fn address(&self, name: &ServerName) -> Option<&Address> {
        self.servers.get(name)
    }

    /// All servers, sorted by name.
    pub fn servers(&self) -> impl Iterator<Item = (&ServerName, &Address)> {
        self.servers.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    servers: BTreeMap<ServerName, Server>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    address: Address,
}

fn diagnose(text: &str, error: &toml::de::Error) -> Diagnostic {
    let hint = "a server is written [servers.NAME], and below it address = \"unix:///path\"";
    Diagnostic::in_text(text, error.span().unwrap_or(0..0), error.message().to_owned(), Some(hint.to_owned()))
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let path = text.strip_prefix("unix://").ok_or_else(|| AddressError::Scheme(text.to_owned()))?;
        if !path.starts_with('/') {
            return Err(AddressError::Relative(text.to_owned()));
        }
        Ok(Self::Unix(PathBuf::from(path)))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address::Unix(path) = self;
        f.pad(&format!("unix://{}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> Diagnostic {
        *Fleet::parse(text).unwrap_err()
    }

    #[test]
    fn servers_are_read_and_sorted() {
        let text = "[servers.shop]\naddress = \"unix:///run/b.sock\"\n[servers.attic]\naddress=\"unix:///run/a.sock\"";
        let fleet = Fleet::parse(text).unwrap();
        let listed: Vec<_> = fleet.servers().map(|(name, address)| format!("{name} {address}")).collect();
        assert_eq!(listed, ["attic unix:///run/a.sock", "shop unix:///run/b.sock"]);
        let shop = fleet.address(&"shop".parse().unwrap());
        assert_eq!(shop, Some(&Address::Unix("/run/b.sock".into())));
    }

    #[test]
    fn no_file_and_an_empty_file_are_an_empty_fleet() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Fleet::load(&folder.path().join("fleet.toml")).unwrap().is_empty());
        assert!(Fleet::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Fleet::load(folder.path()), Err(FleetError::Read { .. })));
    }

    #[test]
    fn a_file_that_is_far_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        std::fs::write(&path, "#".repeat(LARGEST_FILE as usize + 1)).unwrap();
        assert!(matches!(Fleet::load(&path), Err(FleetError::TooLarge { .. })));
    }

    #[test]
    fn an_unknown_key_is_marked_where_it_stands() {
        let found = mistake("# mine\n[servers.shop]\n  adress = \"unix:///run/b.sock\"\n");
        assert_eq!((found.line, found.column, found.length), (3, 3, 6), "{found:?}");
        assert_eq!(found.source, "  adress = \"unix:///run/b.sock\"");
        assert!(found.message.contains("unknown field `adress`, expected `address`"), "{}", found.message);
    }

    #[test]
    fn a_bad_address_says_what_a_good_one_is() {
        let found = mistake("[servers.shop]\naddress = \"shop.example.com\"");
        assert_eq!((found.line, found.column), (2, 11), "{found:?}");
        assert!(found.message.contains("unix:///path"), "{}", found.message);
        assert_eq!("unix://run/b.sock".parse::<Address>(), Err(AddressError::Relative("unix://run/b.sock".into())));
    }

    #[test]
    fn a_bad_name_a_missing_address_and_broken_toml_are_found() {
        assert!(mistake("[servers.Shop]\naddress = \"unix:///a\"").message.contains("not allowed in a name"));
        assert!(mistake("[servers.shop]").message.contains("missing field `address`"));
        assert_eq!(mistake("[servers.shop]\naddress = \"unix:///a").line, 2);
        assert!(mistake("[server.shop]\naddress = \"unix:///a\"").message.contains("unknown field `server`"));
    }

    #[test]
    fn a_mistake_behind_wide_characters_keeps_its_column() {
        let found = mistake("[servers.shop]\naddress = \"äöü→x\"");
        assert_eq!((found.column, found.length), (11, 7), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn a_mistake_lies_inside_the_text(text in "([a-z\\[\\]. =\"/:#\n\tü]|servers|address|unix:///){0,60}") {
            if let Err(found) = Fleet::parse(&text) {
                let line = text.lines().nth(found.line as usize - 1).unwrap_or_default();
                proptest::prop_assert_eq!(&found.source, line);
                proptest::prop_assert!(found.column as usize <= line.chars().count() + 1);
            }
        }
    }
}
