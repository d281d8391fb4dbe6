//! Adding and removing servers. Everything else in the file stays as the operator wrote it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value, value};

use super::{Fleet, FleetError, Server};
use crate::atomic_file::{self, Access};
use crate::name::ServerName;

/// Why the list of servers stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error("there is a server {name} already: {address}")]
    Known { name: ServerName, address: String },
    #[error("no server is called {name}")]
    Unknown { name: ServerName, known: Vec<String> },
    #[error("the list of servers {} could not be written", path.display())]
    Write { path: PathBuf, source: io::Error },
}

const SERVERS: &str = "servers";

/// It may be written in either way.
const COLOUR: &str = "colour";
const ALSO_COLOUR: &str = "color";

impl Fleet {
    /// Writes a new server into the file, which is made when it is missing.
    pub fn add(path: &Path, name: &ServerName, server: &Server) -> Result<(), EditError> {
        if let Some(known) = Fleet::load(path)?.server(name) {
            return Err(EditError::Known { name: name.clone(), address: known.address.to_string() });
        }
        edit(path, |servers| {
            let mut table = Table::new();
            words(server).into_iter().for_each(|(option, word)| table[option] = value(word));
            servers.insert(name.as_str(), Item::Table(table));
        })
    }

    /// Writes what is said anew of a known server; what is not said of it any more stays.
    pub fn change(path: &Path, name: &ServerName, server: &Server) -> Result<(), EditError> {
        let fleet = Fleet::load(path)?;
        let known = fleet.server(name).ok_or_else(|| unknown(name, &fleet))?;
        let said: BTreeMap<_, _> = words(known).into_iter().map(|(option, word)| (option, word.to_string())).collect();
        edit(path, |servers| {
            let Some(table) = servers.get_mut(name.as_str()).and_then(Item::as_table_like_mut) else { return };
            for (option, word) in words(server) {
                if said.get(option) != Some(&word.to_string()) {
                    table.remove(if option == COLOUR { ALSO_COLOUR } else { option });
                    table.insert(option, value(word));
                }
            }
        })
    }

    /// Takes a server out of the file.
    pub fn remove(path: &Path, name: &ServerName) -> Result<(), EditError> {
        let fleet = Fleet::load(path)?;
        if fleet.server(name).is_none() {
            return Err(unknown(name, &fleet));
        }
        edit(path, |servers| drop(servers.remove(name.as_str())))
    }
}

fn unknown(name: &ServerName, fleet: &Fleet) -> EditError {
    EditError::Unknown { name: name.clone(), known: fleet.servers().map(|(name, _)| name.to_string()).collect() }
}

/// What is said of a server, by option.
fn words(server: &Server) -> Vec<(&'static str, Value)> {
    let Server { address, key, colour, lock, insecure } = server;
    let mut words = vec![("address", Value::from(address.to_string()))];
    words.extend(key.iter().map(|key| ("key", key.into())));
    words.extend(colour.map(|colour| (COLOUR, colour.word().into())));
    let flags = [("lock", *lock), ("insecure", *insecure)];
    words.extend(flags.into_iter().filter(|(_, set)| *set).map(|(option, _)| (option, true.into())));
    words
}

/// Changes the table of servers in the file's text. That it can be read was seen before.
fn edit(path: &Path, change: impl FnOnce(&mut Table)) -> Result<(), EditError> {
    let failed = |source| EditError::Write { path: path.to_owned(), source };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed)?,
    };
    let mut document: DocumentMut = text.parse().map_err(|error| failed(io::Error::other(error)))?;
    let servers = document.entry(SERVERS).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let Some(servers) = servers.as_table_mut() else {
        return Err(failed(io::Error::other("its servers are written in a line; write a table for each")));
    };
    change(servers);
    // A link stays one.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    atomic_file::write_beside(path, document.to_string().as_bytes(), Access::Owner).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Colour;

    fn server(address: &str) -> Server {
        Server { address: address.parse().unwrap(), key: None, colour: None, lock: false, insecure: false }
    }

    fn name(text: &str) -> ServerName {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_added_is_read_again_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config/fleet.toml");
        Fleet::add(&path, &name("one"), &server("https://one.example.com")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "[servers.one]\naddress = \"https://one.example.com\"\n");

        let written = format!("# mine\n{text}# the end\n");
        fs::write(&path, &written).unwrap();
        let two = Server {
            key: Some("~/.ssh/work".into()),
            colour: Some(Colour::Red),
            lock: true,
            ..server("ssh://ada@two:2222/srv")
        };
        Fleet::add(&path, &name("two.x"), &two).unwrap();
        assert_eq!(Fleet::load(&path).unwrap().server(&name("two.x")), Some(&two));
        Fleet::remove(&path, &name("two.x")).unwrap();
        let left = fs::read_to_string(&path).unwrap();
        assert!(left.starts_with("# mine\n[servers.one]\naddress = \"https://one.example.com\"\n"), "{left}");
    }

    #[test]
    fn what_is_said_anew_of_a_server_is_changed_where_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        let before = "[servers.one]\n# mine\naddress = \"ssh://ada@one\" # there\ncolor = \"red\"\nlock = true\n";
        fs::write(&path, before).unwrap();
        let one = Server { colour: Some(Colour::Green), key: Some("~/k".into()), ..server("ssh://ada@one") };
        Fleet::change(&path, &name("one"), &one).unwrap();
        let changed = fs::read_to_string(&path).unwrap();
        assert!(changed.starts_with("[servers.one]\n# mine\naddress = \"ssh://ada@one\" # there\n"), "{changed}");
        assert_eq!(Fleet::load(&path).unwrap().server(&name("one")), Some(&Server { lock: true, ..one }));

        fs::write(&path, "[servers]\ntwo = { address = \"ssh://two\" }\n").unwrap();
        Fleet::change(&path, &name("two"), &Server { lock: true, ..server("ssh://two") }).unwrap();
        assert!(Fleet::load(&path).unwrap().server(&name("two")).unwrap().lock);
        assert!(matches!(Fleet::change(&path, &name("one"), &server("ssh://one")), Err(EditError::Unknown { .. })));
    }

    #[test]
    fn a_server_is_added_once_and_one_that_is_not_there_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        assert!(matches!(Fleet::remove(&path, &name("one")), Err(EditError::Unknown { .. })));
        Fleet::add(&path, &name("one"), &server("https://one.example.com")).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        let again = Fleet::add(&path, &name("one"), &server("https://two.example.com"));
        assert!(matches!(again, Err(EditError::Known { .. })), "{again:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
    }

    #[test]
    fn a_file_with_a_mistake_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.toml");
        fs::write(&path, "[servers.one]\n").unwrap();
        let failed = Fleet::add(&path, &name("two"), &server("https://two.example.com"));
        assert!(matches!(failed, Err(EditError::Fleet(FleetError::Invalid { .. }))), "{failed:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[servers.one]\n");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("dotfiles.toml"), folder.path().join("fleet.toml"));
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        Fleet::add(&link, &name("one"), &server("https://one.example.com")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("servers.one"));
    }
}
