//! One line of `authorized_keys`.

use super::options::{self, OptionError};
use super::{AuthorizedKey, Rights};
use crate::keys::public::{ORIGINAL_PREFIX, PublicKey, PublicKeyError};

/// A key of 8192 bits with its options takes a fraction of it.
const LONGEST_LINE: usize = 16 * 1024;

/// What the kinds of keys begin with in OpenSSH's files.
const KINDS: [&str; 4] = ["ssh-", "ecdsa-", "sk-", ORIGINAL_PREFIX];

/// Why a line lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("the line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    #[error("there is no key behind the options")]
    NoKey,
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    #[error(transparent)]
    Option(#[from] OptionError),
    #[error("the key stands in line {line} already; that line counts")]
    Twice { line: u32 },
}

/// None for an empty line and a comment.
pub(super) fn parse(line: &str) -> Result<Option<AuthorizedKey>, LineError> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.len() > LONGEST_LINE {
        return Err(LineError::TooLong);
    }
    if starts_with_key(line) {
        return key(line, Rights::ALL).map(Some);
    }
    let (options, rest) = options::split(line)?;
    if rest.is_empty() {
        return Err(if options.contains('=') { LineError::NoKey } else { PublicKeyError::Malformed.into() });
    }
    key(rest, options::rights(options)?).map(Some)
}

fn starts_with_key(line: &str) -> bool {
    KINDS.iter().any(|kind| line.starts_with(kind))
}

fn key(text: &str, rights: Rights) -> Result<AuthorizedKey, LineError> {
    let mut words = text.splitn(2, char::is_whitespace);
    let (first, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim());
    if first.starts_with(ORIGINAL_PREFIX) {
        let key = PublicKey::from_original(first)?;
        return Ok(AuthorizedKey { key, comment: rest.to_owned(), rights, is_original: true });
    }
    let (blob, comment) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // The comment may be anything, so the parser need not see it.
    let (key, _) = PublicKey::from_openssh(&format!("{first} {blob}"))?;
    Ok(AuthorizedKey { key, comment: comment.trim().to_owned(), rights, is_original: false })
}
