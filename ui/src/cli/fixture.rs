//! Data for tests, as files; and a session to test with.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::environment::Environment;
use super::output::{ColourWhen, Screen};
use super::session::Session;

/// Reads one of the JSON files in the workspace's `tests/fixtures`.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Of an operator with nothing but this folder.
pub(crate) fn session(folder: &Path) -> Session {
    let environment = Environment {
        home: folder.join("_mypaas"),
        user_home: folder.to_owned(),
        fleet: folder.join("fleet.toml"),
        private_key: None,
        agent: None,
        keymap: folder.join("keymap.toml"),
        docker_host: None,
        docker_config: None,
        log: None,
        no_colour: true,
        who: "ada@laptop".to_owned(),
    };
    Session::new(Screen::new(ColourWhen::Never, true), environment)
}
