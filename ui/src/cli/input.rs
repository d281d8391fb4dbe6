//! What an operator asked for and cannot be done as asked, found before any server was told to do it.

use std::path::PathBuf;

use mypaas::fleet::EditError;
use mypaas::name::{ReleaseId, ServerName, ServiceName, VariableName};

/// Of several names, so many are listed in a hint.
const LISTED: usize = 8;

#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("the home directory of this user is not known")]
    NoHome,
    #[error("no server ever ran on this machine for {home}, so there is nothing to show")]
    NeverRan { home: String },
    #[error("no server is called {name}")]
    UnknownServer { name: ServerName, known: Vec<String>, fleet: PathBuf },
    #[error("there is no service {name} on {server}")]
    UnknownService { name: ServiceName, server: ServerName, known: Vec<String> },
    #[error("{service} has no container {name}")]
    UnknownContainer { name: String, service: ServiceName, known: Vec<String> },
    #[error("{service} has no release {release}")]
    UnknownRelease { release: ReleaseId, service: ServiceName, server: ServerName, known: Vec<String> },
    #[error("{service} has no earlier release that it could go back to")]
    NothingEarlier { service: ServiceName, server: ServerName },
    #[error("a shell needs a terminal, and there is none")]
    NoTerminal,
    #[error("{name} was not taken away: {users} would not start any more without it")]
    VariableInUse { name: VariableName, users: String },
    #[error("{deed} needs a confirmation, and there is no terminal to ask on")]
    CannotAsk { deed: String },
    #[error("nothing was removed: the name that was typed is not {name}")]
    NotConfirmed { name: String },
    #[error("{server} is locked, and there is no terminal to type its name on")]
    Locked { server: ServerName },
    #[error("nothing was done: what was typed is not {server}, and that server is locked")]
    StaysLocked { server: ServerName },
    #[error("there is a key already: {file}")]
    KeyIsThere { file: String },
    #[error("a new key needs a passphrase, and there is no terminal to ask on")]
    NoPassphrase,
    #[error("no key was made: the passphrases that were typed differ")]
    PassphrasesDiffer,
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the Python original takes RSA keys only, and the key in {place} is another kind")]
    NotForOriginal { place: String },
    #[error("MYPAAS_LOG is {value:?}, which names no log level")]
    LogLevel { value: String, source: tracing_subscriber::filter::ParseError },
}

impl InputError {
    /// The command line itself is wrong, not the state of the world.
    pub(crate) fn is_usage(&self) -> bool {
        use InputError::{CannotAsk, Locked, LogLevel, NoPassphrase, NoTerminal, UnknownServer};
        let is_missing = matches!(self, CannotAsk { .. } | Locked { .. } | NoTerminal | NoPassphrase);
        is_missing || matches!(self, UnknownServer { .. } | LogLevel { .. })
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome => "set HOME, or MYPAAS_HOME to the server folder".to_owned(),
            Self::NeverRan { .. } => "`mypaas push local DIR` starts one here with a service; `mypaas server add NAME \
                                      USER@HOST` makes another machine a server"
                .to_owned(),
            Self::UnknownServer { name, known, fleet } => meant(name.as_str(), known)
                .unwrap_or_else(|| format!("servers are listed in {}; see `mypaas servers`", fleet.display())),
            Self::UnknownService { name, server, known } => {
                meant(name.as_str(), known).unwrap_or_else(|| format!("push it with `mypaas push {server} DIR`"))
            }
            Self::UnknownContainer { name, known, .. } => {
                meant(name, known).unwrap_or_else(|| "none of its containers exists now".to_owned())
            }
            Self::UnknownRelease { service, server, known, .. } => {
                listed(known).unwrap_or_else(|| format!("see `mypaas releases {server} {service}`"))
            }
            Self::NothingEarlier { service, server } => format!("see `mypaas releases {server} {service}`"),
            Self::CannotAsk { .. } => "say --yes when you are sure".to_owned(),
            Self::NoTerminal => "run it where a person types, not in a pipe".to_owned(),
            Self::Locked { server } => format!("say --unlock {server} when you are sure"),
            Self::NotConfirmed { .. } | Self::StaysLocked { .. } | Self::PassphrasesDiffer | Self::Write { .. } => {
                return None;
            }
            Self::KeyIsThere { .. } => {
                "`mypaas key get` shows it; nothing is overwritten, so move it away for another \
                                        one, or say --type for one of another kind beside it"
                    .to_owned()
            }
            Self::NoPassphrase => "say --no-passphrase, or --use FILE for a key that exists".to_owned(),
            Self::NotForOriginal { .. } => "`mypaas key init --type rsa` makes one beside it".to_owned(),
            Self::VariableInUse { .. } => "say --yes when you are sure".to_owned(),
            Self::LogLevel { .. } => "use error, warn, info, debug or trace, as in MYPAAS_LOG=debug".to_owned(),
        })
    }
}

/// What to do next when the list of servers stays as it is.
pub(crate) fn hint_for_edit(error: &EditError) -> Option<String> {
    match error {
        EditError::Known { name, .. } => {
            Some(format!("`mypaas servers remove {name}` forgets that one; or choose another name"))
        }
        EditError::Unknown { name, known } => {
            meant(name.as_str(), known).or_else(|| Some("there is none in the list".to_owned()))
        }
        EditError::Fleet(_) | EditError::Write { .. } => None,
    }
}

/// The name that was probably meant, else all that there are; none when there are none.
fn meant(name: &str, known: &[String]) -> Option<String> {
    match similar(name, known) {
        Some(similar) => Some(format!("did you mean {similar}?")),
        None => listed(known),
    }
}

fn listed(known: &[String]) -> Option<String> {
    if known.is_empty() {
        return None;
    }
    let first = known.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = known.len().saturating_sub(LISTED);
    Some(if more == 0 { format!("there is {first}") } else { format!("there is {first} and {more} more") })
}

/// The known name that is nearest, when it is near.
fn similar<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let allowed = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| *distance <= allowed || other.starts_with(name))
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_near_name_is_suggested() {
        let known = names(&["blog", "hello", "shop-api"]);
        for (typed, expected) in
            [("helo", "did you mean hello?"), ("blgo", "did you mean blog?"), ("shop", "did you mean shop-api?")]
        {
            assert_eq!(meant(typed, &known).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn without_a_near_name_those_that_exist_are_listed() {
        assert_eq!(meant("xyz", &names(&["blog", "shop"])).as_deref(), Some("there is blog, shop"));
        assert_eq!(meant("xyz", &[]), None);
        let many: Vec<String> = (0..20).map(|number| format!("service-{number}")).collect();
        assert!(meant("xyz", &many).unwrap().ends_with("service-7 and 12 more"));
    }
}
