//! The servers an operator knows: `fleet.toml`. Where that file lies is for the caller to say.
//!
//! ```toml
//! [servers.attic]
//! address = "unix:///srv/attic/mypaas.sock"
//!
//! [servers.shop]
//! address = "https://paas.example.com"
//! key = "~/.ssh/work"             # which key signs: a private key, or the public half of one that an agent holds
//! colour = "red"
//! lock = true                     # asks for the name "shop" before anything is changed there
//!
//! [servers.shop-by-hand]
//! address = "ssh://ada@shop.example.com"
//! ```
//!
//! ```text
//! address.rs   where a server is
//! edit.rs      adding and removing servers, with all else in the file left as it is
//! ```

mod address;
mod edit;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::address::{Address, AddressError, NetworkAddress, SshAddress};
pub use self::edit::EditError;
use crate::manifest::Diagnostic;
use crate::name::ServerName;

/// A fleet is written by hand: a file larger than this is something else.
const LARGEST_FILE: u64 = 1024 * 1024;

/// All known servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    servers: BTreeMap<ServerName, Server>,
}

/// One server of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub address: Address,
    /// The key that signs for it; none: the operator's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// To tell it from the others at a glance.
    #[serde(default, alias = "color", skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// Its name has to be typed before anything is changed there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lock: bool,
    /// It may be reached without https although whoever is on the way can read along.
    #[serde(default, skip_serializing_if = "is_false")]
    pub insecure: bool,
}

/// Why a server cannot be one of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    #[error(
        "whoever is on the way to {0} reads along; use https://, or allow it: --insecure, or insecure = true below it in the file"
    )]
    ReadAlong(String),
}

impl Server {
    /// Whether it may be used as it is written.
    pub fn check(&self) -> Result<(), ServerError> {
        match &self.address {
            Address::Network(address) if !address.is_private() && !self.insecure => {
                Err(ServerError::ReadAlong(self.address.to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// Colours that every terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    Red,
    Yellow,
    Green,
    Cyan,
    Blue,
    Magenta,
}

impl Colour {
    pub const ALL: [Colour; 6] =
        [Colour::Red, Colour::Yellow, Colour::Green, Colour::Cyan, Colour::Blue, Colour::Magenta];

    pub fn word(self) -> &'static str {
        match self {
            Colour::Red => "red",
            Colour::Yellow => "yellow",
            Colour::Green => "green",
            Colour::Cyan => "cyan",
            Colour::Blue => "blue",
            Colour::Magenta => "magenta",
        }
    }
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
        let File { servers } = toml::from_str(text).map_err(|error| Box::new(diagnose(text, &error)))?;
        Ok(Self { servers: servers.into_iter().map(|(name, Checked(server))| (name, server)).collect() })
    }

    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// The server of that name.
    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.get(name)
    }

    /// All servers, sorted by name.
    pub fn servers(&self) -> impl Iterator<Item = (&ServerName, &Server)> {
        self.servers.iter()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    servers: BTreeMap<ServerName, Checked>,
}

/// A server whose address is fit for what it says of it.
#[derive(Deserialize)]
#[serde(try_from = "Server")]
struct Checked(Server);

impl TryFrom<Server> for Checked {
    type Error = ServerError;

    fn try_from(server: Server) -> Result<Self, ServerError> {
        server.check()?;
        Ok(Self(server))
    }
}

fn diagnose(text: &str, error: &toml::de::Error) -> Diagnostic {
    let hint = "a server is written [servers.NAME], and below it address = \"https://domain\"";
    Diagnostic::in_text(text, error.span().unwrap_or(0..0), error.message().to_owned(), Some(hint.to_owned()))
}

fn is_false(value: &bool) -> bool {
    !value
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
        let listed: Vec<_> = fleet.servers().map(|(name, server)| format!("{name} {}", server.address)).collect();
        assert_eq!(listed, ["attic unix:///run/a.sock", "shop unix:///run/b.sock"]);
        let shop = fleet.server(&"shop".parse().unwrap()).unwrap();
        assert_eq!(shop.address, Address::Unix("/run/b.sock".into()));
        assert!(!shop.lock && shop.key.is_none() && shop.colour.is_none());
    }

    #[test]
    fn all_that_can_be_said_of_a_server_is_read() {
        let text = "[servers.shop]\naddress = \"https://paas.example.com\"\nkey = \"~/.ssh/work\"\ncolor = \"red\"\nlock = true";
        let fleet = Fleet::parse(text).unwrap();
        let shop = fleet.server(&"shop".parse().unwrap()).unwrap();
        assert_eq!((shop.key.as_deref(), shop.colour, shop.lock), (Some("~/.ssh/work"), Some(Colour::Red), true));
        for colour in Colour::ALL {
            let text = format!("[servers.shop]\naddress = \"unix:///a\"\ncolour = \"{}\"", colour.word());
            assert_eq!(Fleet::parse(&text).unwrap().server(&"shop".parse().unwrap()).unwrap().colour, Some(colour));
        }
    }

    #[test]
    fn a_server_that_others_can_listen_to_has_to_be_said_to_be_one() {
        let plain = "[servers.shop]\naddress = \"http://paas.example.com\"\n";
        let found = mistake(plain);
        assert!(found.message.contains("reads along"), "{}", found.message);
        assert!(Fleet::parse(&format!("{plain}insecure = true")).is_ok());
        assert!(Fleet::parse("[servers.own]\naddress = \"http://paas.localhost:8080\"").is_ok());
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
        assert!(found.message.contains("unknown field `adress`, expected one of `address`"), "{}", found.message);
    }

    #[test]
    fn a_bad_address_says_what_a_good_one_is() {
        let found = mistake("[servers.shop]\naddress = \"shop.example.com\"");
        assert_eq!((found.line, found.column), (2, 11), "{found:?}");
        assert!(found.message.contains("https://domain"), "{}", found.message);
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
