//! Docker's `config.json`, as far as it is about logins. What is wrong with it is told without a word of what is in it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::Login;
use crate::engine::{Registry, Secret};

/// Who keeps which login.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// In the file itself; none for registries that are only mentioned.
    logins: BTreeMap<Registry, Result<Option<Login>, String>>,
    /// The program that keeps all logins but those of other programs.
    store: Option<String>,
    programs: BTreeMap<Registry, String>,
}

/// Where the login of one registry is, if there is one.
#[derive(Debug)]
pub(super) enum Keeper<'b> {
    File(Result<Option<Login>, String>),
    Program(&'b str),
}

/// Of which all may be missing, or null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    auths: Option<BTreeMap<String, Value>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Book {
    /// A missing file has no logins.
    pub(super) async fn read(file: &Path) -> Result<Self, String> {
        match tokio::fs::read(file).await {
            Ok(text) => Self::parse(&text).map_err(|why| format!("{} {why}", file.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{} cannot be read ({error})", file.display())),
        }
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("is not as `docker login` writes it, at line {line}, column {column}")
        })?;
        Ok(Self {
            logins: by_registry(written.auths)
                .into_iter()
                .map(|(registry, entry)| (registry, Entry::login(entry)))
                .collect(),
            store: written.creds_store.filter(|name| !name.is_empty()),
            programs: by_registry(written.cred_helpers),
        })
    }

    /// One that is named for the registry, even by an empty name, goes before the one for all.
    pub(super) fn keeper(&self, registry: &Registry) -> Keeper<'_> {
        match self.programs.get(registry).or(self.store.as_ref()).filter(|name| !name.is_empty()) {
            Some(name) => Keeper::Program(name),
            None => Keeper::File(self.logins.get(registry).cloned().unwrap_or(Ok(None))),
        }
    }

    /// All registries that it says anything of.
    pub(super) fn known(&self) -> impl Iterator<Item = &Registry> {
        self.logins.keys().chain(self.programs.keys())
    }

    /// Whether there may be a login. A program that keeps all of them is not asked for it.
    pub(super) fn may_know(&self, registry: &Registry) -> bool {
        match self.keeper(registry) {
            Keeper::Program(_) => true,
            Keeper::File(login) => !matches!(login, Ok(None)),
        }
    }

    /// The registries whose logins are in the file itself.
    pub(super) fn held(&self) -> impl Iterator<Item = &Registry> {
        self.logins.keys().filter(|registry| matches!(self.keeper(registry), Keeper::File(_)))
    }
}

/// Of two keys of one registry the one counts that Docker would write.
fn by_registry<T>(written: Option<BTreeMap<String, T>>) -> BTreeMap<Registry, T> {
    let mut found = BTreeMap::new();
    for (key, value) in written.unwrap_or_default() {
        let Some(registry) = Registry::of_key(&key) else { continue };
        if key == registry.key() || !found.contains_key(&registry) {
            found.insert(registry, value);
        }
    }
    found
}

impl Entry {
    fn login(entry: Value) -> Result<Option<Login>, String> {
        let wrong = |what: &str| format!("its entry under \"auths\" of Docker's config.json {what}");
        let entry: Self = serde_json::from_value(entry).map_err(|_| wrong("is not as `docker login` writes it"))?;
        let (user, password) = match entry.auth.filter(|auth| !auth.is_empty()) {
            Some(auth) => decoded(&auth).ok_or_else(|| wrong("is no user and password in base64"))?,
            None => (entry.username.unwrap_or_default(), entry.password.unwrap_or_default()),
        };
        let secret = |text: Option<String>| Secret::new(text.unwrap_or_default());
        let login = Login {
            user,
            password: Secret::new(password),
            identity_token: secret(entry.identitytoken),
            registry_token: secret(entry.registrytoken),
        };
        Ok((!login.is_empty()).then_some(login))
    }
}

fn decoded(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}
