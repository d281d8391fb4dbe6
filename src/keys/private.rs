//! Private keys: read from the text of a key file, perhaps unlocked with a passphrase, and signing with them.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use rsa::BigUint;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfo, SecretDocument};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData};
use ssh_key::{EcdsaCurve, Mpint, private};
use zeroize::Zeroizing;

use super::pss;
use super::public::{Algorithm, PublicKey, PublicKeyError};

/// Why a text gives no private key.
#[derive(Debug, thiserror::Error)]
pub enum PrivateKeyError {
    #[error("this is not a private key")]
    NotAKey,
    #[error("the private key is damaged, or written in a way that is not known here")]
    Malformed,
    #[error("private keys written as {0:?} cannot be read")]
    Form(String),
    #[error("the passphrase is wrong")]
    Passphrase,
    #[error("the private key cannot be used")]
    Public(#[from] PublicKeyError),
}

impl PrivateKeyError {
    /// What to do next.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAKey => Some("a private key begins with -----BEGIN … PRIVATE KEY-----"),
            Self::Form(_) => Some("`ssh-keygen -p -f FILE` writes it anew in the usual way"),
            Self::Malformed => Some("can `ssh-keygen -y -f FILE` read it? If so, `ssh-add FILE` lets an agent sign"),
            Self::Passphrase | Self::Public(_) => None,
        }
    }
}

/// What a key file holds.
#[derive(Debug)]
pub enum KeyText {
    Open(PrivateKey),
    /// Needs a passphrase.
    Locked(LockedKey),
}

impl KeyText {
    /// Reads the text of a key file: OpenSSH's form, PKCS#8, or PKCS#1 for RSA. Ends of lines may be written as `_`,
    /// as the Python original does to get a key into one line.
    pub fn parse(text: &str) -> Result<Self, PrivateKeyError> {
        let pem = Zeroizing::new(text.trim().replace('_', "\n"));
        match label(&pem).ok_or(PrivateKeyError::NotAKey)? {
            "OPENSSH PRIVATE KEY" => {
                let key = private::PrivateKey::from_openssh(&*pem).map_err(|_| PrivateKeyError::Malformed)?;
                if key.is_encrypted() {
                    return Ok(Self::Locked(LockedKey(Locked::OpenSsh(Box::new(key)))));
                }
                PrivateKey::from_openssh(&key).map(Self::Open)
            }
            "PRIVATE KEY" => PrivateKey::from_pkcs8(&document(&pem)?).map(Self::Open),
            "ENCRYPTED PRIVATE KEY" => Ok(Self::Locked(LockedKey(Locked::Pkcs8(document(&pem)?)))),
            "RSA PRIVATE KEY" if !pem.contains("Proc-Type:") => {
                let key = rsa::RsaPrivateKey::from_pkcs1_pem(&pem).map_err(|_| PrivateKeyError::Malformed)?;
                PrivateKey::from_rsa(&key).map(Self::Open)
            }
            other => Err(PrivateKeyError::Form(other.chars().take(60).collect())),
        }
    }
}

/// A private key that needs a passphrase.
#[derive(Debug)]
pub struct LockedKey(Locked);

enum Locked {
    OpenSsh(Box<private::PrivateKey>),
    Pkcs8(SecretDocument),
}

impl fmt::Debug for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl LockedKey {
    /// Its public half, where that can be told without the passphrase.
    pub fn public(&self) -> Option<PublicKey> {
        match &self.0 {
            Locked::OpenSsh(key) => PublicKey::of(key.public_key().key_data().clone()).ok(),
            Locked::Pkcs8(_) => None,
        }
    }

    /// Slow on purpose: guessing is to be expensive.
    pub fn unlock(&self, passphrase: &str) -> Result<PrivateKey, PrivateKeyError> {
        match &self.0 {
            Locked::OpenSsh(key) => {
                let key = key.decrypt(passphrase).map_err(|_| PrivateKeyError::Passphrase)?;
                PrivateKey::from_openssh(&key)
            }
            Locked::Pkcs8(document) => {
                let info = EncryptedPrivateKeyInfo::from_der(document.as_bytes());
                let info = info.map_err(|_| PrivateKeyError::Malformed)?;
                let open = info.decrypt(passphrase).map_err(|_| PrivateKeyError::Passphrase)?;
                PrivateKey::from_pkcs8(&open)
            }
        }
    }
}

/// A private key that can sign.
#[derive(Debug)]
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
    comment: String,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(Box<EcdsaKeyPair>),
    /// The document says the same, for the way of signing that the pair does not know.
    Rsa(Box<RsaKeyPair>, SecretDocument),
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl PrivateKey {
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whose key it is, where the file tells.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The signature in the form of RFC 9421; none when the machine has no randomness to give.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    /// The signature of what has this SHA-256, in the way of the Python original; none for keys other than RSA, or when
    /// the machine has no randomness to give.
    pub(super) fn sign_as_original(&self, sha256: &[u8; 32]) -> Option<Vec<u8>> {
        let Pair::Rsa(_, document) = &self.pair else { return None };
        pss::sign(&rsa::RsaPrivateKey::from_pkcs8_der(document.as_bytes()).ok()?, sha256)
    }

    fn from_openssh(key: &private::PrivateKey) -> Result<Self, PrivateKeyError> {
        // Told by kind and size, before anything else is tried.
        PublicKey::of(key.public_key().key_data().clone())?;
        let comment = key.comment().to_owned();
        let read = match key.key_data() {
            private::KeypairData::Ed25519(pair) => {
                let seed = Zeroizing::new(pair.private.to_bytes());
                let pair = Ed25519KeyPair::from_seed_and_public_key(&*seed, pair.public.as_ref());
                Self::of(Pair::Ed25519(pair.map_err(|_| PrivateKeyError::Malformed)?))
            }
            private::KeypairData::Ecdsa(pair) => {
                let algorithm = match pair.curve() {
                    EcdsaCurve::NistP256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    _ => &ECDSA_P384_SHA384_FIXED_SIGNING,
                };
                let (private, public) = (pair.private_key_bytes(), pair.public_key_bytes());
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random);
                Self::of(Pair::Ecdsa(Box::new(pair.map_err(|_| PrivateKeyError::Malformed)?)))
            }
            private::KeypairData::Rsa(pair) => Self::from_rsa(&rsa_of(pair)?),
            _ => Err(PrivateKeyError::Malformed),
        };
        Ok(Self { comment, ..read? })
    }

    pub(super) fn from_rsa(key: &rsa::RsaPrivateKey) -> Result<Self, PrivateKeyError> {
        Self::from_pkcs8(&key.to_pkcs8_der().map_err(|_| PrivateKeyError::Malformed)?)
    }

    /// The text does not say of which kind it is before it is read as one.
    fn from_pkcs8(document: &SecretDocument) -> Result<Self, PrivateKeyError> {
        let (der, random) = (document.as_bytes(), SystemRandom::new());
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Self::of(Pair::Ed25519(pair));
        }
        for algorithm in [&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(algorithm, der, &random) {
                return Self::of(Pair::Ecdsa(Box::new(pair)));
            }
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| PrivateKeyError::Malformed)?;
        Self::of(Pair::Rsa(Box::new(pair), document.clone()))
    }

    fn of(pair: Pair) -> Result<Self, PrivateKeyError> {
        let public = match &pair {
            Pair::Ed25519(pair) => {
                let key = Ed25519PublicKey::try_from(pair.public_key().as_ref());
                PublicKey::of(KeyData::Ed25519(key.map_err(|_| PrivateKeyError::Malformed)?))?
            }
            Pair::Ecdsa(pair) => {
                let key = EcdsaPublicKey::from_sec1_bytes(pair.public_key().as_ref());
                PublicKey::of(KeyData::Ecdsa(key.map_err(|_| PrivateKeyError::Malformed)?))?
            }
            Pair::Rsa(pair, _) => PublicKey::from_pkcs1(pair.public().as_ref())?,
        };
        Ok(Self { pair, public, comment: String::new() })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }
}

/// `ssh-key` can make the other crate's key itself, but takes p for q.
fn rsa_of(pair: &private::RsaKeypair) -> Result<rsa::RsaPrivateKey, PrivateKeyError> {
    let number = |number: &Mpint| number.as_positive_bytes().map(BigUint::from_bytes_be);
    let (public, private) = (&pair.public, &pair.private);
    let numbers = (number(&public.n), number(&public.e), number(&private.d), number(&private.p), number(&private.q));
    let (Some(n), Some(e), Some(d), Some(p), Some(q)) = numbers else { return Err(PrivateKeyError::Malformed) };
    rsa::RsaPrivateKey::from_components(n, e, d, vec![p, q]).map_err(|_| PrivateKeyError::Malformed)
}

/// What stands between `-----BEGIN ` and `-----`.
fn label(pem: &str) -> Option<&str> {
    let (label, _) = pem.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    label.ends_with("PRIVATE KEY").then_some(label)
}

fn document(pem: &str) -> Result<SecretDocument, PrivateKeyError> {
    SecretDocument::from_pem(pem).map(|(_, document)| document).map_err(|_| PrivateKeyError::Malformed)
}
