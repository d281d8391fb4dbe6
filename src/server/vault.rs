//! The values of `[env]` in `config.toml`: read when they are needed, changed in place, and kept out of all that is told.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aho_corasick::{AhoCorasick, MatchKind};
use toml_edit::DocumentMut;

use super::config::{Config, ConfigError, FILE_NAME};
use crate::atomic_file::{self, Access};
use crate::engine::Secret;
use crate::name::VariableName;

/// Stands where a value would.
const REDACTED: &str = "…";

/// Shorter ones, such as `8080` or `info`, are no secrets, and taking them out would only make texts unreadable.
const SHORTEST_SECRET: usize = 6;

/// Of values that were replaced, so many are still kept out of what is told.
const MOST_REMEMBERED: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub(super) enum VaultError {
    #[error("the server's configuration is not usable")]
    Config(#[from] ConfigError),
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

pub(super) type Values = BTreeMap<String, Secret>;

#[derive(Debug)]
pub(super) struct Vault {
    home: PathBuf,
    page: Mutex<Page>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Page {
    stamp: Option<Stamp>,
    values: Arc<Values>,
    /// All values so far that are long enough.
    secrets: BTreeSet<String>,
    finder: Option<AhoCorasick>,
}

/// Tells two states of a file apart.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    changed: SystemTime,
    bytes: u64,
}

impl Vault {
    /// With what the configuration held when it was read.
    pub(super) fn new(home: &Path, config: &Config) -> Self {
        let mut page = Page::default();
        page.take(config.env.iter().map(|(name, value)| (name.clone(), value.secret())).collect());
        Self { home: home.to_owned(), page: Mutex::new(page) }
    }

    /// As they are now.
    pub(super) fn values(&self) -> Result<Arc<Values>, VaultError> {
        let mut page = self.page();
        self.refresh(&mut page)?;
        Ok(Arc::clone(&page.values))
    }

    /// Gives the variable a value, or takes it away; whether it had one. The rest of the file stays as it is written.
    pub(super) fn change(&self, name: &VariableName, value: Option<&Secret>) -> Result<bool, VaultError> {
        let mut page = self.page();
        self.refresh(&mut page)?;
        let path = self.path();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(|source| ConfigError::Read { path: path.clone(), source })?,
        };
        // It was read as configuration just now; only its form is of interest here.
        let mut document: DocumentMut = text.parse().unwrap_or_default();
        let env = document.entry("env").or_insert(toml_edit::table());
        let Some(env) = env.as_table_like_mut() else { return Ok(false) };
        let before = match value {
            Some(value) => env.insert(name.as_str(), toml_edit::value(value.expose())),
            None => env.remove(name.as_str()),
        };
        atomic_file::write_beside(&path, document.to_string().as_bytes(), Access::Owner)
            .map_err(|source| VaultError::Write { path, source })?;
        self.refresh(&mut page)?;
        Ok(before.is_some())
    }

    /// The text without any value.
    pub(super) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.page().finder {
            Some(finder) if finder.is_match(text) => {
                let mut redacted = String::new();
                finder.replace_all_with(text, &mut redacted, |_, _, out| {
                    out.push_str(REDACTED);
                    true
                });
                Cow::Owned(redacted)
            }
            _ => Cow::Borrowed(text),
        }
    }

    fn refresh(&self, page: &mut Page) -> Result<(), VaultError> {
        let stamp = self.stamp();
        if page.stamp.is_none() || page.stamp != stamp {
            let config = Config::read(&self.home)?;
            page.take(config.env.iter().map(|(name, value)| (name.clone(), value.secret())).collect());
            page.stamp = stamp;
        }
        Ok(())
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(self.path()).ok()?;
        Some(Stamp { changed: metadata.modified().ok()?, bytes: metadata.len() })
    }

    fn path(&self) -> PathBuf {
        self.home.join(FILE_NAME)
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// Values that were there before may still be in running containers, and so in what they write.
    fn take(&mut self, values: Values) {
        let lines = values.values().flat_map(|value| value.expose().lines().chain([value.expose()]));
        let fresh: BTreeSet<String> =
            lines.map(str::trim).filter(|text| text.len() >= SHORTEST_SECRET).map(str::to_owned).collect();
        if !fresh.is_subset(&self.secrets) {
            if self.secrets.len() + fresh.len() > MOST_REMEMBERED {
                self.secrets.clear();
            }
            self.secrets.extend(fresh);
            self.finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.secrets).ok();
        }
        self.values = Arc::new(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(text: &str) -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let vault = Vault::new(folder.path(), &Config::read(folder.path()).unwrap());
        (folder, vault)
    }

    fn name(text: &str) -> VariableName {
        text.parse().unwrap()
    }

    #[test]
    fn a_value_is_changed_and_everything_else_stays_as_it_is_written() {
        let text = "# by hand\n[deploy]\ndrain   = \"5s\" # not longer\n\n[env]\nOLD = \"as it was\" # keep\n";
        let (folder, vault) = vault(text);
        assert!(!vault.change(&name("TOKEN"), Some(&Secret::new("a\"b\nc".into()))).unwrap());
        let read = || fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(read(), format!("{text}TOKEN = \"\"\"\na\\\"b\nc\"\"\"\n").replace("a\\\"b", "a\"b"));
        assert_eq!(vault.values().unwrap()["TOKEN"].expose(), "a\"b\nc");
        assert!(vault.change(&name("TOKEN"), None).unwrap());
        assert!(!vault.change(&name("TOKEN"), None).unwrap());
        assert_eq!(read(), text);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_somebody_wrote_by_hand_holds_from_then_on() {
        let (folder, vault) = vault("[env]\nA = \"first value\"\n");
        assert_eq!(vault.values().unwrap()["A"].expose(), "first value");
        fs::write(folder.path().join(FILE_NAME), "[env]\nA = \"another value\"\nB = 5\n").unwrap();
        assert_eq!(vault.values().unwrap()["A"].expose(), "another value");
        assert_eq!(vault.redact("first value, another value"), "…, …", "containers may still have the old one");
        fs::write(folder.path().join(FILE_NAME), "[env\n").unwrap();
        assert!(vault.values().is_err());
        assert!(vault.change(&name("B"), None).is_err(), "what cannot be read is not written over");
        assert_eq!(fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(), "[env\n");
    }

    #[test]
    fn values_are_kept_out_of_texts_but_for_short_ones() {
        let (_folder, vault) =
            vault("[env]\nKEY = \"sesame\"\nLONGER = \"sesame street\"\nPORT = 8080\nPEM = \"-----\\nline-one\\nx\"\n");
        for (text, expected) in [
            ("open sesame, on sesame street", "open …, on …"),
            ("listens on 8080", "listens on 8080"),
            ("read line-one", "read …"),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(vault.redact(text), expected);
        }
    }
}
