//! The header fields of a proof → what they claim. They come from anybody, so everything about them is checked.

use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

use super::base::{self, Request};
use super::{TAG, parameter};
use crate::keys::{Fingerprint, PublicKey};

/// Longer fields are none of ours: an RSA signature of 8192 bits takes 1,400 bytes.
const LONGEST_FIELD: usize = 2048;

/// What a nonce may be long.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// The parameters that are known. Another one might mean a limit that would not be kept to.
const PARAMETERS: [&str; 5] = ["created", "nonce", "keyid", "alg", "tag"];

/// Why header fields are no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("Signature-Input or Signature is longer than {LONGEST_FIELD} bytes")]
    TooLong,
    #[error("{0} is not written as RFC 9421 says")]
    Field(&'static str),
    #[error("there has to be one signature, of one name in both fields")]
    NotOne,
    #[error("the signature covers other parts of the request than it has to")]
    Coverage,
    #[error("the parameter {0:?} of the signature is not known here")]
    UnknownParameter(String),
    #[error("the parameter {0} of the signature is missing, or not as it has to be")]
    Parameter(&'static str),
    #[error("the signature is not one for mypaas")]
    Tag,
}

/// What a proof says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub key: Fingerprint,
    /// Seconds since 1970.
    pub created: i64,
    pub nonce: String,
    algorithm: Option<String>,
}

/// A claim with its signature, not yet verified.
#[derive(Debug, Clone)]
pub struct Proof {
    pub claim: Claim,
    pub(super) list: InnerList,
    signature: Vec<u8>,
}

impl Proof {
    /// Reads the values of the two header fields.
    pub fn read(signature_input: &str, signature: &str) -> Result<Self, ProofError> {
        if signature_input.len().max(signature.len()) > LONGEST_FIELD {
            return Err(ProofError::TooLong);
        }
        let (name, list) = only(signature_input, "Signature-Input")?;
        let (same_name, value) = only(signature, "Signature")?;
        if name != same_name {
            return Err(ProofError::NotOne);
        }
        let ListEntry::InnerList(list) = list else { return Err(ProofError::Field("Signature-Input")) };
        let ListEntry::Item(value) = value else { return Err(ProofError::Field("Signature")) };
        let BareItem::ByteSequence(signature) = value.bare_item else { return Err(ProofError::Field("Signature")) };
        if !base::covers_all(&list.items) {
            return Err(ProofError::Coverage);
        }
        Ok(Self { claim: Claim::of(&list)?, list, signature })
    }

    /// Whether the key signed this very request.
    pub fn holds(&self, request: &Request<'_>, key: &PublicKey) -> bool {
        let algorithm = self.claim.algorithm.as_deref();
        algorithm.is_none_or(|name| name == key.algorithm().name())
            && *key.fingerprint() == self.claim.key
            && key.verifies(base::text(request, &self.list).as_bytes(), &self.signature)
    }
}

impl Claim {
    /// What a proof of another form claims, to be remembered with the others.
    pub fn new(key: Fingerprint, created: i64, nonce: String) -> Self {
        Self { key, created, nonce, algorithm: None }
    }

    fn of(list: &InnerList) -> Result<Self, ProofError> {
        if let Some(other) = list.params.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
            return Err(ProofError::UnknownParameter(other.to_string()));
        }
        let value = |name: &'static str| list.params.get(&parameter(name));
        let text = |name| value(name).map(|value| value.as_string().ok_or(ProofError::Parameter(name))).transpose();
        if text("tag")?.is_none_or(|tag| tag.as_str() != TAG) {
            return Err(ProofError::Tag);
        }
        let key = text("keyid")?.and_then(|key| key.as_str().parse().ok()).ok_or(ProofError::Parameter("keyid"))?;
        let created = value("created").and_then(BareItem::as_integer).map(i64::from);
        let nonce = text("nonce")?.map(|nonce| nonce.as_str().to_owned());
        Ok(Self {
            key,
            created: created.ok_or(ProofError::Parameter("created"))?,
            nonce: nonce.filter(|nonce| NONCE_LENGTH.contains(&nonce.len())).ok_or(ProofError::Parameter("nonce"))?,
            algorithm: text("alg")?.map(|name| name.as_str().to_owned()),
        })
    }
}

/// The only member of a dictionary.
fn only(field: &str, name: &'static str) -> Result<(sfv::Key, ListEntry), ProofError> {
    let members: Dictionary = Parser::new(field).parse().map_err(|_| ProofError::Field(name))?;
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some(member), None) => Ok(member),
        _ => Err(ProofError::NotOne),
    }
}
