//! Why a request proves nothing, in words.

use jiff::{SignedDuration, Timestamp};

use crate::api::{Problem, ProblemCode};
use crate::keys::Fingerprint;
use crate::proof::ProofError;

/// Why a request is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    #[error("the request is not signed")]
    Unsigned,
    #[error("the header field {0} is missing, twice there, or no text")]
    Field(&'static str),
    #[error("Content-Digest holds no SHA-256 of the body")]
    Digest,
    #[error("the request's signature cannot be read: {0}")]
    Proof(#[from] ProofError),
    #[error("the request is meant for {asked}, and this server is {}", own.as_deref().unwrap_or("known by no domain"))]
    Audience { asked: String, own: Option<String> },
    #[error("{}", skewed(*.signed, *.now))]
    Skew { signed: Timestamp, now: Timestamp },
    #[error(
        "the request may have been taken before this server started: of this key it takes what was signed from {since} on"
    )]
    BeforeStart { since: Timestamp },
    #[error("no key {0} is authorized on this server")]
    UnknownKey(Fingerprint),
    #[error("the request's signature is not one of {0} over this very request")]
    Signature(Fingerprint),
    #[error("the request was sent before: each proof is good for one request")]
    Replay,
    #[error("{0} sent more requests in {limit:?} than are remembered", limit = super::prove::SKEW.unsigned_abs())]
    Forgetful(Fingerprint),
    #[error("the body is not the one that was signed")]
    Altered,
    #[error("the push's parameters are missing, twice there, or make no sense")]
    Parameters,
    #[error("the push's token is not of the last {} seconds", crate::original::LIFETIME_SECONDS)]
    Token,
    #[error("no key whose line begins with rsa-pub- and ends in {0:?} is authorized on this server")]
    UnknownId(String),
    #[error("too many requests from {0} proved nothing")]
    TooOften(std::net::IpAddr),
    #[error("{0} has too many requests under way")]
    TooBusy(Fingerprint),
}

impl Denied {
    fn code(&self) -> ProblemCode {
        match self {
            Denied::Forgetful(_) | Denied::TooOften(_) | Denied::TooBusy(_) => ProblemCode::TooMany,
            _ => ProblemCode::Unauthorized,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Denied::Unsigned => "`mypaas` signs what it sends to an https:// address. Is a key there? `mypaas key get`",
            Denied::Field(_) | Denied::Digest | Denied::Proof(_) => {
                "Client and server may be of different versions; upgrade the older one."
            }
            Denied::Audience { .. } => "Use the server's own domain: `domain` under [init] of its config.toml.",
            Denied::Skew { .. } => "Set the clock that is wrong, as with `timedatectl set-ntp true`.",
            Denied::BeforeStart { .. } => "Send it again, a minute after the server's start at the latest.",
            Denied::Parameters => "Only the Python original's client pushes so.",
            Denied::Token => "Push again.",
            Denied::UnknownId(_) => {
                "Add the line that `mypaas key get --original` prints to authorized_keys in the server folder, in place of \
                 another one with the same key."
            }
            Denied::UnknownKey(_) => {
                "Add the line that `mypaas key get` prints to authorized_keys in the server folder. If it is there, the \
                 server's log says what is wrong with it."
            }
            Denied::Signature(_) | Denied::Altered => {
                "Something between client and server changed the request, or it is an attack."
            }
            Denied::Replay => "Something between client and server sent it again, or it is an attack.",
            Denied::Forgetful(_) | Denied::TooOften(_) => "Wait a minute.",
            Denied::TooBusy(_) => "Close a console, or what else uses this key.",
        })
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let problem = Problem::new(denied.code(), denied.to_string());
        match denied.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

fn skewed(signed: Timestamp, now: Timestamp) -> String {
    let apart = now.duration_since(signed);
    let side = if apart.is_negative() { "after" } else { "before" };
    let apart = SignedDuration::from_secs(apart.abs().as_secs());
    let most = super::prove::SKEW.as_secs();
    let now = SignedDuration::from_secs(now.as_second());
    let now = Timestamp::UNIX_EPOCH + now;
    format!("the request was signed {apart:#} {side} this server's time, {now}; at most {most}s are allowed")
}
