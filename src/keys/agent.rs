//! Keys that an ssh-agent holds: which there are, and signing with one. Two messages of the agent's protocol
//! (draft-ietf-sshm-ssh-agent) are all it takes.
//!
//! The crate for it signs with RSA and SHA-512 only, for which RFC 9421 has no name, and waits for ever.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::public::{Algorithm, PublicKey};

/// An agent may ask its owner before it signs.
const SIGN_LIMIT: Duration = Duration::from_secs(60);
const LIST_LIMIT: Duration = Duration::from_secs(5);

/// OpenSSH's own limit for a message.
const LONGEST_ANSWER: u32 = 256 * 1024;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// RSA keys sign with SHA-256; without it with SHA-1.
const RSA_SHA2_256: u32 = 2;

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("the ssh-agent at {} cannot be reached", socket.display())]
    Unreachable { socket: PathBuf, source: io::Error },
    #[error("the ssh-agent did not answer within {limit:?}")]
    TimedOut { limit: Duration },
    #[error("the ssh-agent refuses")]
    Refused,
    #[error("the ssh-agent's answer makes no sense")]
    Malformed,
}

/// A key in an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    socket: PathBuf,
    public: PublicKey,
    comment: String,
}

/// The keys that the agent at this socket holds and that can be used here, in its order.
pub async fn keys(socket: &Path) -> Result<Vec<AgentKey>, AgentError> {
    let answer = ask(socket, &[REQUEST_IDENTITIES], LIST_LIMIT).await?;
    let listed = identities(&answer).ok_or(AgentError::Malformed)?;
    let usable = listed.into_iter().filter_map(|(blob, comment)| {
        let public = PublicKey::from_blob(blob).ok()?;
        Some(AgentKey { socket: socket.to_owned(), public, comment })
    });
    Ok(usable.collect())
}

impl AgentKey {
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub fn comment(&self) -> &str {
        &self.comment
    }

    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AgentError> {
        let flags = if self.public.algorithm() == Algorithm::RsaV15Sha256 { RSA_SHA2_256 } else { 0 };
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, &self.public.blob());
        put(&mut request, message);
        request.extend(flags.to_be_bytes());
        let answer = ask(&self.socket, &request, SIGN_LIMIT).await?;
        signature(&answer, &self.public).ok_or(AgentError::Malformed)
    }
}

async fn ask(socket: &Path, request: &[u8], limit: Duration) -> Result<Vec<u8>, AgentError> {
    let exchange = async {
        let unreachable = |source| AgentError::Unreachable { socket: socket.to_owned(), source };
        let mut agent = UnixStream::connect(socket).await.map_err(unreachable)?;
        let mut framed = Vec::new();
        put(&mut framed, request);
        agent.write_all(&framed).await.map_err(unreachable)?;
        let length = agent.read_u32().await.map_err(unreachable)?;
        if !(1..=LONGEST_ANSWER).contains(&length) {
            return Err(AgentError::Malformed);
        }
        let mut answer = vec![0; length as usize];
        agent.read_exact(&mut answer).await.map_err(unreachable)?;
        if answer[0] == FAILURE { Err(AgentError::Refused) } else { Ok(answer) }
    };
    timeout(limit, exchange).await.unwrap_or(Err(AgentError::TimedOut { limit }))
}

/// Blobs of keys, with their comments.
fn identities(answer: &[u8]) -> Option<Vec<(&[u8], String)>> {
    let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER])?;
    let count = take_number(&mut rest)?;
    (0..count)
        .map(|_| {
            let (blob, comment) = (take(&mut rest)?, take(&mut rest)?);
            Some((blob, String::from_utf8_lossy(comment).into_owned()))
        })
        .collect()
}

/// The signature as RFC 9421 wants it: for ECDSA both numbers side by side, each of the curve's length.
fn signature(answer: &[u8], key: &PublicKey) -> Option<Vec<u8>> {
    let mut rest = answer.strip_prefix(&[SIGN_RESPONSE])?;
    let mut signature = take(&mut rest)?;
    let (name, mut value) = (take(&mut signature)?, take(&mut signature)?);
    match key.algorithm() {
        Algorithm::Ed25519 => (name == b"ssh-ed25519").then(|| value.to_vec()),
        Algorithm::EcdsaP256Sha256 => two_numbers(&mut value, 32),
        Algorithm::EcdsaP384Sha384 => two_numbers(&mut value, 48),
        Algorithm::RsaV15Sha256 => (name == b"rsa-sha2-256").then(|| padded(value, key.modulus_bytes()?)).flatten(),
    }
}

fn two_numbers(value: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (r, s) = (padded(take(value)?, length)?, padded(take(value)?, length)?);
    Some([r, s].concat())
}

/// The number in so many bytes, whatever zeros it began with.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    let mut padded = vec![0; length.checked_sub(digits.len())?];
    padded.extend(digits);
    Some(padded)
}

fn put(message: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).expect("what is signed is short");
    message.extend(length.to_be_bytes());
    message.extend(text);
}

fn take<'a>(message: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(message)? as usize;
    let (text, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(text)
}

fn take_number(message: &mut &[u8]) -> Option<u32> {
    let (number, rest) = message.split_first_chunk()?;
    *message = rest;
    Some(u32::from_be_bytes(*number))
}
