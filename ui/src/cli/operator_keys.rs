//! The operator's keys on this machine: where they lie, which one signs, and what is needed to use it.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use mypaas::keys::agent::{self, AgentError, AgentKey};
use mypaas::keys::{Fingerprint, KeyText, LockedKey, PrivateKey, PrivateKeyError, PublicKey, Signer};

use super::environment::{Environment, KEY_VARIABLE};

/// Our own files in `~/.ssh`, in the order in which they are looked for. The second one is the Python original's.
pub(crate) const OWN_FILES: [&str; 2] = ["mypaas_ed25519", ORIGINAL_FILE];
const ORIGINAL_FILE: &str = "mypaas_rsa";

/// The files that ssh itself uses, when an agent holds no key either.
pub(crate) const USUAL_FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A file of ours may say that the key lies elsewhere, as the original writes it.
pub(crate) const ELSEWHERE: &str = "file://";

/// A key file is never larger.
const LARGEST_FILE: u64 = 64 * 1024;

/// How often a passphrase may be mistyped.
const ATTEMPTS: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("no key was found that could sign")]
    None,
    #[error("no RSA key was found, and a server of the Python original knows no others")]
    NoneForOriginal,
    #[error("the key in {place} cannot be used")]
    Unusable { place: String, source: PrivateKeyError },
    #[error("the key file {} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the key in {place} needs a passphrase, and there is no terminal to ask on")]
    CannotAsk { place: String },
    #[error("its key stays locked, as its passphrase was not known")]
    StaysLocked,
    #[error("the passphrase could not be read")]
    Prompt(#[source] io::Error),
    #[error("the ssh-agent holds no key {wanted}")]
    NotInAgent { wanted: String },
    #[error("the key {wanted} is to sign by an ssh-agent, and none runs")]
    NoAgent { wanted: String },
    #[error("the ssh-agent could not be asked for its keys")]
    Agent(#[from] AgentError),
}

impl KeyError {
    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None => "`mypaas key init` makes one, or chooses one that you have".to_owned(),
            Self::NoneForOriginal => format!(
                "put it into ~/.ssh/{ORIGINAL_FILE}, or into {KEY_VARIABLE}, or name its file as the server's `key` in \
                 fleet.toml"
            ),
            Self::Unusable { source, .. } => return source.hint().map(str::to_owned),
            Self::CannotAsk { .. } => {
                format!("`ssh-add` it to an ssh-agent, or set {KEY_VARIABLE} to a key without one (`mypaas key gen`)")
            }
            Self::NotInAgent { .. } => "`ssh-add -l` lists those that it holds".to_owned(),
            Self::NoAgent { .. } => "start one (`eval $(ssh-agent)`) and `ssh-add` the key".to_owned(),
            Self::Read { .. } | Self::StaysLocked | Self::Prompt(_) | Self::Agent(_) => return None,
        })
    }
}

/// Where a key was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// For people.
    pub(crate) place: String,
    /// Its file, where it is in one.
    file: Option<PathBuf>,
    half: Half,
}

/// What was found of a key.
#[derive(Debug)]
enum Half {
    Private(KeyText),
    /// An ssh-agent holds the other half.
    Public(PublicKey, String),
    InAgent(AgentKey),
}

/// The public half of a key, as it is shown.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) public: PublicKey,
    pub(crate) comment: String,
    /// Where it was found, for people.
    pub(crate) place: String,
}

impl Found {
    /// Its public half; none when that takes the passphrase.
    pub(crate) fn public(&self) -> Option<PublicKey> {
        match &self.half {
            Half::Private(KeyText::Open(key)) => Some(key.public().clone()),
            Half::Private(KeyText::Locked(key)) => key.public(),
            Half::Public(key, _) => Some(key.clone()),
            Half::InAgent(key) => Some(key.public().clone()),
        }
    }

    /// The key itself; asks for the passphrase where one is needed. An error when only an agent has it.
    pub(crate) async fn open(self) -> Result<PrivateKey, KeyError> {
        let place = self.place;
        match self.half {
            Half::Private(KeyText::Open(key)) => Ok(key),
            Half::Private(KeyText::Locked(key)) => {
                tokio::task::spawn_blocking(move || unlock(&key, &place)).await.unwrap_or(Err(KeyError::None))
            }
            Half::Public(..) | Half::InAgent(_) => Err(KeyError::Unusable { place, source: PrivateKeyError::NotAKey }),
        }
    }

    /// Whose key it is, as far as it says so itself or the file of its public half does.
    fn comment(&self) -> Option<String> {
        let told = match &self.half {
            Half::Private(KeyText::Open(key)) => key.comment().to_owned(),
            Half::Private(KeyText::Locked(_)) => String::new(),
            Half::Public(_, comment) => comment.clone(),
            Half::InAgent(key) => key.comment().to_owned(),
        };
        if !told.is_empty() {
            return Some(told);
        }
        let mut beside = self.file.clone()?.into_os_string();
        beside.push(".pub");
        let (public, comment) = PublicKey::from_openssh(read(Path::new(&beside)).ok()?.trim()).ok()?;
        (Some(public) == self.public() && !comment.is_empty()).then_some(comment)
    }
}

/// Looks for keys.
#[derive(Debug)]
pub(crate) struct OperatorKeys<'a> {
    environment: &'a Environment,
}

impl<'a> OperatorKeys<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// The key that signs: the wanted one, else the operator's usual one.
    pub(crate) async fn signer(&self, wanted: Option<&str>) -> Result<Signer, KeyError> {
        self.signer_of(self.find(wanted).await?).await
    }

    /// The public half of the key that signs. Some forms of key files show it only to who knows the passphrase.
    pub(crate) async fn identity(&self, wanted: Option<&str>) -> Result<Identity, KeyError> {
        let found = self.find(wanted).await?;
        let comment = found.comment().unwrap_or_else(|| self.environment.who.clone());
        let place = found.place.clone();
        let public = match found.public() {
            Some(public) => public,
            None => found.open().await?.public().clone(),
        };
        Ok(Identity { public, comment, place })
    }

    /// The public half of the key that signs: of the wanted one, else of the operator's usual one; asks for no
    /// passphrase. None where there is no key, or its public half takes one.
    pub(crate) async fn public(&self, wanted: Option<&str>) -> Result<Option<PublicKey>, KeyError> {
        if let Some(wanted) = wanted {
            if let Ok(fingerprint) = wanted.parse::<Fingerprint>() {
                let mut keys = self.in_agent().await?.into_iter();
                let key = keys.find(|key| *key.public().fingerprint() == fingerprint);
                return key
                    .map(|key| Some(key.public().clone()))
                    .ok_or(KeyError::NotInAgent { wanted: wanted.to_owned() });
            }
            let path = self.environment.path(wanted);
            if let Ok((public, _)) = PublicKey::from_openssh(read(&path)?.trim()) {
                return Ok(Some(public));
            }
            return Ok(self.read(&path)?.public());
        }
        if let Some(found) = self.own()? {
            return Ok(found.public());
        }
        if let Some(key) = self.in_agent().await.unwrap_or_default().first() {
            return Ok(Some(key.public().clone()));
        }
        Ok(self.first_of(&USUAL_FILES)?.and_then(|found| found.public()))
    }

    /// The key that signs for a server of the Python original, where the original looks for it, unless another is wanted.
    /// An agent cannot sign so, so a key that is locked is opened although it may have it.
    pub(crate) async fn original_signer(&self, wanted: Option<&str>) -> Result<Signer, KeyError> {
        let found = match (wanted, &self.environment.private_key) {
            (Some(_), _) => self.find(wanted).await?,
            (None, Some(text)) => found(KEY_VARIABLE.to_owned(), None, &text.0)?,
            (None, None) => self.first_of(&[ORIGINAL_FILE])?.ok_or(KeyError::NoneForOriginal)?,
        };
        match found.half {
            Half::Private(_) => Ok(found.open().await?.into()),
            Half::Public(..) | Half::InAgent(_) => self.signer_of(found).await,
        }
    }

    /// The key that was chosen for mypaas: in the environment, or in a file of our own.
    pub(crate) fn own(&self) -> Result<Option<Found>, KeyError> {
        if let Some(text) = &self.environment.private_key {
            return found(KEY_VARIABLE.to_owned(), None, &text.0).map(Some);
        }
        self.first_of(&OWN_FILES)
    }

    /// The key in a file, or in the one that it names.
    pub(crate) fn read(&self, path: &Path) -> Result<Found, KeyError> {
        let text = read(path)?;
        match text.trim().strip_prefix(ELSEWHERE) {
            Some(other) => {
                let other = self.environment.path(other);
                let text = read(&other)?;
                found(self.environment.shown(&other), Some(other), &text)
            }
            None => found(self.environment.shown(path), Some(path.to_owned()), &text),
        }
    }

    /// `~/.ssh`.
    pub(crate) fn folder(&self) -> PathBuf {
        self.environment.user_home.join(".ssh")
    }

    /// The keys of the agent, where one runs.
    pub(crate) async fn in_agent(&self) -> Result<Vec<AgentKey>, KeyError> {
        match &self.environment.agent {
            Some(socket) => Ok(agent::keys(socket).await?),
            None => Ok(Vec::new()),
        }
    }

    async fn find(&self, wanted: Option<&str>) -> Result<Found, KeyError> {
        if let Some(wanted) = wanted {
            return match wanted.parse() {
                Ok(fingerprint) => Ok(found_in_agent(self.by_agent(&fingerprint).await?)),
                Err(_) => self.read(&self.environment.path(wanted)),
            };
        }
        if let Some(found) = self.own()? {
            return Ok(found);
        }
        if let Some(key) = self.in_agent().await.unwrap_or_default().into_iter().next() {
            return Ok(found_in_agent(key));
        }
        self.first_of(&USUAL_FILES)?.ok_or(KeyError::None)
    }

    fn first_of(&self, names: &[&str]) -> Result<Option<Found>, KeyError> {
        let path = names.iter().map(|name| self.folder().join(name)).find(|path| path.is_file());
        path.map(|path| self.read(&path)).transpose()
    }

    async fn by_agent(&self, wanted: &Fingerprint) -> Result<AgentKey, KeyError> {
        if self.environment.agent.is_none() {
            return Err(KeyError::NoAgent { wanted: wanted.to_string() });
        }
        let keys = self.in_agent().await?;
        let key = keys.into_iter().find(|key| key.public().fingerprint() == wanted);
        key.ok_or_else(|| KeyError::NotInAgent { wanted: wanted.to_string() })
    }

    /// A key that needs a passphrase may be open in the agent already.
    async fn signer_of(&self, found: Found) -> Result<Signer, KeyError> {
        match (&found.half, found.public()) {
            (Half::InAgent(key), _) => return Ok(key.clone().into()),
            (Half::Public(key, _), _) => return Ok(self.by_agent(key.fingerprint()).await?.into()),
            (Half::Private(KeyText::Locked(_)), Some(public)) => {
                if let Ok(key) = self.by_agent(public.fingerprint()).await {
                    return Ok(key.into());
                }
            }
            (Half::Private(_), _) => {}
        }
        Ok(found.open().await?.into())
    }
}

/// A key as it was named, to be written down: the same one in whatever folder that is read.
pub(crate) fn lasting(named: &str) -> String {
    if named.parse::<Fingerprint>().is_ok() || named.starts_with("~/") {
        return named.to_owned();
    }
    std::path::absolute(named).map_or_else(|_| named.to_owned(), |path| path.display().to_string())
}

fn found_in_agent(key: AgentKey) -> Found {
    Found { place: "the ssh-agent".to_owned(), file: None, half: Half::InAgent(key) }
}

fn found(place: String, file: Option<PathBuf>, text: &str) -> Result<Found, KeyError> {
    if let Ok((public, comment)) = PublicKey::from_openssh(text.trim()) {
        return Ok(Found { place, file, half: Half::Public(public, comment) });
    }
    match KeyText::parse(text) {
        Ok(key) => Ok(Found { place, file, half: Half::Private(key) }),
        Err(source) => Err(KeyError::Unusable { place, source }),
    }
}

fn read(path: &Path) -> Result<String, KeyError> {
    let failed = |source| KeyError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > LARGEST_FILE {
        return Err(failed(io::Error::other("it is too large for a key")));
    }
    fs::read_to_string(path).map_err(failed)
}

fn unlock(key: &LockedKey, place: &str) -> Result<PrivateKey, KeyError> {
    if !io::stdin().is_terminal() {
        return Err(KeyError::CannotAsk { place: place.to_owned() });
    }
    let mut left = ATTEMPTS;
    let mut complaint = "";
    loop {
        left -= 1;
        let prompt = format!("{complaint}Passphrase of {place}: ");
        let typed = rpassword::prompt_password(prompt).map_err(KeyError::Prompt)?;
        match key.unlock(&zeroize::Zeroizing::new(typed)) {
            Ok(key) => return Ok(key),
            Err(PrivateKeyError::Passphrase) if left > 0 => complaint = "That is not it. ",
            Err(source) => return Err(KeyError::Unusable { place: place.to_owned(), source }),
        }
    }
}
