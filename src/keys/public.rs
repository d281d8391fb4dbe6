//! Public keys, and what they verify.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use rsa::pkcs1::der::asn1::UintRef;
use rsa::pkcs1::der::{Decode, Encode};
use serde::{Deserialize, Serialize};
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::{HashAlg, Mpint};

use super::pss;

/// What the original's public keys begin with.
pub(super) const ORIGINAL_PREFIX: &str = "rsa-pub-";

/// What the original calls a key by, in characters.
const ORIGINAL_ID_LENGTH: usize = 10;

/// Shorter RSA keys are too weak, longer ones too slow to verify for whoever asks.
pub(super) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Characters behind `SHA256:`: 32 bytes in base64 without padding.
const FINGERPRINT_LENGTH: usize = 43;

/// How a key signs, by its name in RFC 9421. Each kind of key signs in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    RsaV15Sha256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Algorithm::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Algorithm::RsaV15Sha256 => "rsa-v1_5-sha256",
        }
    }
}

/// The name of a key, as ssh-keygen shows it: `SHA256:…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the fingerprint of a key; one is written SHA256:…, as `ssh-keygen -l` shows it")]
pub struct FingerprintError(String);

impl Fingerprint {
    const PREFIX: &str = "SHA256:";

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it to tell keys apart at a glance.
    pub fn short(&self) -> &str {
        &self.0[..Self::PREFIX.len() + 8]
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let digits = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        if digits.len() == FINGERPRINT_LENGTH && digits.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(FingerprintError(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text or a blob is no key that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    #[error("this is not a public key")]
    Malformed,
    #[error("keys of the kind {0} cannot be used; use ed25519, RSA or ECDSA (nistp256, nistp384)")]
    Kind(String),
    #[error("the RSA key has {0} bits; {min} to {max} are allowed", min = RSA_BITS.start(), max = RSA_BITS.end())]
    RsaBits(usize),
}

/// A public key of a kind that is used here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    data: KeyData,
    algorithm: Algorithm,
    fingerprint: Fingerprint,
}

impl PublicKey {
    /// Checks that the key is of a kind and size that is used here.
    pub(super) fn of(data: KeyData) -> Result<Self, PublicKeyError> {
        let algorithm = match &data {
            KeyData::Ed25519(_) => Algorithm::Ed25519,
            KeyData::Ecdsa(EcdsaPublicKey::NistP256(_)) => Algorithm::EcdsaP256Sha256,
            KeyData::Ecdsa(EcdsaPublicKey::NistP384(_)) => Algorithm::EcdsaP384Sha384,
            KeyData::Rsa(key) => {
                let bits = bits(&key.n);
                if !RSA_BITS.contains(&bits) {
                    return Err(PublicKeyError::RsaBits(bits));
                }
                Algorithm::RsaV15Sha256
            }
            other => return Err(PublicKeyError::Kind(other.algorithm().to_string())),
        };
        let digest = data.fingerprint(HashAlg::Sha256);
        let digits = BASE64_STANDARD_NO_PAD.encode(digest.as_bytes());
        let fingerprint = Fingerprint(format!("{}{digits}", Fingerprint::PREFIX));
        Ok(Self { data, algorithm, fingerprint })
    }

    /// Reads `ssh-ed25519 AAAA…`; what follows is the comment, handed back too.
    pub fn from_openssh(text: &str) -> Result<(Self, String), PublicKeyError> {
        let key = ssh_key::PublicKey::from_openssh(text).map_err(|_| PublicKeyError::Malformed)?;
        Ok((Self::of(key.key_data().clone())?, key.comment().to_owned()))
    }

    /// Reads `rsa-pub-…`, as the Python original writes it.
    pub fn from_original(text: &str) -> Result<Self, PublicKeyError> {
        let digits = text.strip_prefix(ORIGINAL_PREFIX).ok_or(PublicKeyError::Malformed)?;
        let der = BASE64_URL_SAFE_NO_PAD.decode(digits.trim_end_matches('='));
        Self::from_pkcs1(&der.map_err(|_| PublicKeyError::Malformed)?)
    }

    /// Reads an RSA key in DER, as in RFC 8017.
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, PublicKeyError> {
        let key = rsa::pkcs1::RsaPublicKey::from_der(der).map_err(|_| PublicKeyError::Malformed)?;
        let number = |number: UintRef<'_>| Mpint::from_positive_bytes(number.as_bytes());
        match (number(key.modulus), number(key.public_exponent)) {
            (Ok(n), Ok(e)) => Self::of(KeyData::Rsa(RsaPublicKey { e, n })),
            _ => Err(PublicKeyError::Malformed),
        }
    }

    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, PublicKeyError> {
        let key = ssh_key::PublicKey::from_bytes(blob).map_err(|_| PublicKeyError::Malformed)?;
        Self::of(key.key_data().clone())
    }

    /// As it travels in the ssh protocol.
    pub(super) fn blob(&self) -> Vec<u8> {
        self.ssh("").to_bytes().expect("a key that was read can be written")
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// A line of `authorized_keys`, without an end of line.
    pub fn to_openssh(&self, comment: &str) -> String {
        let line = self.ssh(comment).to_openssh().expect("a key that was read can be written");
        line.trim_end().to_owned()
    }

    /// A line of the Python original's `authorized_keys`; it knows RSA keys only.
    pub fn to_original(&self) -> Option<String> {
        let rsa = self.data.rsa()?;
        let modulus = UintRef::new(rsa.n.as_positive_bytes()?).ok()?;
        let public_exponent = UintRef::new(rsa.e.as_positive_bytes()?).ok()?;
        let der = rsa::pkcs1::RsaPublicKey { modulus, public_exponent }.to_der().ok()?;
        Some(format!("{ORIGINAL_PREFIX}{}", BASE64_URL_SAFE.encode(der)))
    }

    /// Whether this key made the signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.data {
            KeyData::Ed25519(key) => {
                UnparsedPublicKey::new(&signature::ED25519, key.as_ref()).verify(message, signature)
            }
            KeyData::Ecdsa(key @ EcdsaPublicKey::NistP256(_)) => {
                let key = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, key.as_sec1_bytes());
                key.verify(message, signature)
            }
            KeyData::Ecdsa(key) => {
                let key = UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, key.as_sec1_bytes());
                key.verify(message, signature)
            }
            KeyData::Rsa(RsaPublicKey { n, e }) => {
                let number = |number: &Mpint| number.as_positive_bytes().unwrap_or_default().to_vec();
                let key = RsaPublicKeyComponents { n: number(n), e: number(e) };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }

    /// The name by which the Python original calls the key: the end of its line. Few bits of it differ from key to key.
    pub fn original_id(&self) -> Option<String> {
        let line = self.to_original()?;
        Some(line[line.len() - ORIGINAL_ID_LENGTH..].to_owned())
    }

    /// Whether this key made the signature of what has this SHA-256, in the way of the Python original.
    pub fn verifies_as_original(&self, sha256: &[u8; 32], signature: &[u8]) -> bool {
        self.data.rsa().is_some_and(|key| pss::verifies(key, sha256, signature))
    }

    /// Bytes of an RSA signature; none for other keys.
    pub(super) fn modulus_bytes(&self) -> Option<usize> {
        self.data.rsa().map(|key| bits(&key.n).div_ceil(8))
    }

    fn ssh(&self, comment: &str) -> ssh_key::PublicKey {
        ssh_key::PublicKey::new(self.data.clone(), comment)
    }
}

fn bits(number: &Mpint) -> usize {
    let bytes = number.as_positive_bytes().unwrap_or_default();
    let zeros = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    bytes.len() * 8 - zeros
}
