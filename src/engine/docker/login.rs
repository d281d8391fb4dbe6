//! What `docker login` left for the server's user, for registries that want to know who asks. It is read anew each time, so
//! that a login holds from the next build on. A file that cannot be read, or a program that fails, keeps nobody from images
//! that everybody may have: what was wrong is told when a registry refuses one.
//!
//! ```text
//! login/file.rs     config.json → who keeps the login of which registry
//! login/program.rs  programs that keep logins
//! login/refusal.rs  whether a registry refused an image, and which
//! ```

mod file;
mod program;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use futures_util::future::join_all;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use self::file::{Book, Keeper};
use crate::engine::{Cause, EngineError, Logins, Registry, Secret, Sources, Standing};

/// Where the logins of the server's user are.
#[derive(Debug, Clone, Default)]
pub(super) struct Keychain {
    /// Docker's `config.json`; none: nobody ever logs in.
    pub(super) file: Option<PathBuf>,
    /// Folders with programs that keep logins, as in `PATH`; none: those of all programs.
    pub(super) programs: Option<OsString>,
}

/// What a registry wants to see; what it does not want is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    user: String,
    password: Secret,
    identity_token: Secret,
    registry_token: Secret,
}

/// The logins that are shown to registries, and why there are no others.
#[derive(Debug, Default)]
pub(super) struct Shown {
    sources: Sources,
    logins: BTreeMap<Registry, Login>,
    faults: BTreeMap<Registry, String>,
    /// There may be a login, which was not to be used.
    withheld: BTreeSet<Registry>,
    /// What is wrong with all of it.
    broken: Option<String>,
}

impl Keychain {
    /// Programs are only asked for logins at registries that are known to be needed.
    pub(super) async fn open(&self, sources: Sources) -> Shown {
        let mut shown = Shown { sources, ..Shown::default() };
        let Some(file) = &self.file else { return shown };
        let book = match Book::read(file).await {
            Ok(book) => book,
            Err(why) => return Shown { broken: Some(why), ..shown },
        };
        let kept = shown.sources.registries.iter().filter(|registry| book.may_know(registry));
        shown.withheld = kept.filter(|registry| !shown.sources.logins.include(registry)).cloned().collect();
        let wanted = shown.wanted(&book);
        let found = join_all(wanted.iter().map(|registry| self.find(&book, registry))).await;
        for (registry, login) in wanted.into_iter().zip(found) {
            match login {
                Ok(Some(login)) => drop(shown.logins.insert(registry, login)),
                Ok(None) => {}
                Err(why) => drop(shown.faults.insert(registry, why)),
            }
        }
        shown
    }

    async fn find(&self, book: &Book, registry: &Registry) -> Result<Option<Login>, String> {
        match book.keeper(registry) {
            Keeper::File(login) => login,
            Keeper::Program(name) => program::ask(name, self.programs.as_deref(), registry).await,
        }
    }

    pub(super) async fn open_for_pull(&self, registry: &Registry) -> Shown {
        let registries = BTreeSet::from([registry.clone()]);
        self.open(Sources { logins: Logins::Only(registries.clone()), registries }).await
    }
}

impl Shown {
    fn wanted(&self, book: &Book) -> BTreeSet<Registry> {
        let Sources { registries, logins } = &self.sources;
        let others: BTreeSet<&Registry> = match logins {
            Logins::Every => book.known().collect(),
            Logins::All => book.held().collect(),
            Logins::Only(_) => BTreeSet::new(),
        };
        registries.iter().filter(|registry| logins.include(registry)).chain(others).cloned().collect()
    }

    /// For a build, which may pull from any of them.
    pub(super) fn to_all(&self) -> Option<(HeaderName, HeaderValue)> {
        let logins: Map<String, Value> =
            self.logins.iter().map(|(registry, login)| (registry.key().to_owned(), login.json(registry))).collect();
        let header = (!logins.is_empty()).then(|| encoded(&Value::Object(logins)))??;
        Some((HeaderName::from_static("x-registry-config"), header))
    }

    /// For a pull.
    pub(super) fn to(&self, registry: &Registry) -> Option<(HeaderName, HeaderValue)> {
        let header = encoded(&self.logins.get(registry)?.json(registry))?;
        Some((HeaderName::from_static("x-registry-auth"), header))
    }

    /// When Docker's words are those of a registry that refused an image. `taken` is the image that was being taken.
    pub(super) fn refusal(&self, message: &str, taken: Option<&str>) -> Option<EngineError> {
        let registry = refusal::refused_by(message, taken, &self.sources.registries)?;
        let standing = self.standing(&registry);
        Some(EngineError::Denied { registry, standing, source: Cause::from(message) })
    }

    fn standing(&self, registry: &Registry) -> Standing {
        if !self.sources.logins.include(registry) && self.withheld.contains(registry) {
            return Standing::Withheld;
        }
        if self.logins.contains_key(registry) {
            return Standing::LoggedIn;
        }
        match self.faults.get(registry).or(self.broken.as_ref()) {
            Some(why) => Standing::Unknown { why: why.clone() },
            None => Standing::Stranger,
        }
    }
}

impl Login {
    fn is_empty(&self) -> bool {
        *self == Self { user: self.user.clone(), ..Self::default() }
    }

    fn json(&self, registry: &Registry) -> Value {
        json!({
            "username": self.user,
            "password": self.password.expose(),
            "identitytoken": self.identity_token.expose(),
            "registrytoken": self.registry_token.expose(),
            "serveraddress": registry.key(),
        })
    }
}

/// In the alphabet that Docker reads: the library writes another one, and a login with the wrong letter would be none.
fn encoded(logins: &Value) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(URL_SAFE.encode(logins.to_string())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
