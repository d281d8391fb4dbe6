//! What the process was started with: everything that is read from the environment is read here, once.

use std::env;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};
use mypaas::server::Place;
use nix::unistd::{User, geteuid, gethostname};
use zeroize::Zeroizing;

use super::input::InputError;

/// The variables that matter, documented in the program's help.
const HOME_VARIABLE: &str = "MYPAAS_HOME";
const LOG_VARIABLE: &str = "MYPAAS_LOG";
pub(crate) const KEY_VARIABLE: &str = "MYPAAS_PRIVATE_KEY";

/// The server folder in the user's home, where MYPAAS_HOME names no other.
const HOME_FOLDER: &str = "_mypaas";

/// A secret that is never shown.
#[derive(Clone)]
pub(crate) struct PrivateKeyText(pub(crate) Zeroizing<String>);

impl std::fmt::Debug for PrivateKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// This machine's server folder.
    pub(crate) home: PathBuf,
    pub(crate) user_home: PathBuf,
    /// Where the operator's servers are listed.
    pub(crate) fleet: PathBuf,
    /// The text of the key that signs, as in MYPAAS_PRIVATE_KEY.
    pub(crate) private_key: Option<PrivateKeyText>,
    /// Where an ssh-agent listens, as in SSH_AUTH_SOCK.
    pub(crate) agent: Option<PathBuf>,
    /// Where the operator's own keys for the console stand.
    pub(crate) keymap: PathBuf,
    /// As in DOCKER_HOST.
    pub(crate) docker_host: Option<String>,
    /// Where `docker login` keeps logins, as in DOCKER_CONFIG.
    pub(crate) docker_config: Option<PathBuf>,
    /// What is logged, as in `info,mypaas=debug`.
    pub(crate) log: Option<String>,
    /// NO_COLOR is set.
    pub(crate) no_colour: bool,
    /// As in `ada@laptop`.
    pub(crate) who: String,
}

impl Environment {
    pub(crate) fn read() -> Result<Self, InputError> {
        let user_home = BaseDirs::new().ok_or(InputError::NoHome)?.home_dir().to_owned();
        let folder = variable(HOME_VARIABLE).map_or_else(|| user_home.join(HOME_FOLDER), PathBuf::from);
        let config = ProjectDirs::from("", "", "mypaas").ok_or(InputError::NoHome)?;
        Ok(Self {
            home: std::path::absolute(&folder).unwrap_or(folder),
            user_home,
            fleet: config.config_dir().join("fleet.toml"),
            private_key: variable(KEY_VARIABLE).map(|text| PrivateKeyText(text.into())),
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
            keymap: config.config_dir().join("keymap.toml"),
            docker_host: variable("DOCKER_HOST"),
            docker_config: variable("DOCKER_CONFIG").map(PathBuf::from),
            log: variable(LOG_VARIABLE),
            no_colour: variable("NO_COLOR").is_some(),
            who: format!("{}@{}", user(), host()),
        })
    }

    /// Where the server folder of a user lies, unless another one is named.
    pub(crate) fn usual_home(user_home: &Path) -> PathBuf {
        user_home.join(HOME_FOLDER)
    }

    /// MYPAAS_HOME names no other server folder.
    pub(crate) fn has_usual_home(&self) -> bool {
        self.home == Self::usual_home(&self.user_home)
    }

    /// Where this machine's server lives.
    pub(crate) fn place(&self) -> Place {
        Place {
            home: self.home.clone(),
            user_home: self.user_home.clone(),
            docker_host: self.docker_host.clone(),
            docker_config: self.docker_config.clone(),
        }
    }

    /// What `~` means in a path that an operator wrote.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        match written.strip_prefix("~/") {
            Some(rest) => self.user_home.join(rest),
            None => PathBuf::from(written),
        }
    }

    /// The path as people write it, with `~` for their home.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.user_home) {
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.display().to_string(),
        }
    }
}

/// Set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn user() -> String {
    let id = geteuid();
    User::from_uid(id).ok().flatten().map_or_else(|| format!("uid {id}"), |user| user.name)
}

fn host() -> String {
    gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "unknown host".to_owned())
}
