//! New keys.

use ring::signature::{Ed25519KeyPair, KeyPair};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use ssh_key::private::{self, Ed25519Keypair, Ed25519PrivateKey};
use ssh_key::public::Ed25519PublicKey;
use zeroize::Zeroizing;

use super::private::PrivateKey;
use super::public::PublicKey;

const RSA_BITS: usize = 3072;

/// Which kind of key to make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Ed25519,
    /// The only kind that the Python original knows.
    Rsa,
}

/// A new key.
#[derive(Debug)]
pub struct Generated {
    /// The text of its file: OpenSSH's form, or PKCS#8 for RSA, which the Python original reads too.
    pub text: Zeroizing<String>,
    pub public: PublicKey,
}

/// Makes a key, locked with the passphrase if there is one. Takes a second or more for RSA.
pub fn generate(kind: Kind, comment: &str, passphrase: Option<&str>) -> Generated {
    match kind {
        Kind::Ed25519 => ed25519(comment, passphrase),
        Kind::Rsa => rsa(passphrase),
    }
}

fn ed25519(comment: &str, passphrase: Option<&str>) -> Generated {
    let mut seed = Zeroizing::new([0; Ed25519PrivateKey::BYTE_SIZE]);
    OsRng.fill_bytes(&mut *seed);
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("a seed is 32 bytes");
    let public = Ed25519PublicKey::try_from(pair.public_key().as_ref()).expect("a public key is 32 bytes");
    let pair = Ed25519Keypair { public, private: Ed25519PrivateKey::from_bytes(&seed) };
    let mut key = private::PrivateKey::new(pair.into(), comment).expect("the pair belongs together");
    let public = PublicKey::of(key.public_key().key_data().clone()).expect("ed25519 is a kind that is used");
    if let Some(passphrase) = passphrase {
        key = key.encrypt(&mut OsRng, passphrase).expect("a key in memory can be encrypted");
    }
    Generated { text: key.to_openssh(LineEnding::LF).expect("a key in memory can be written"), public }
}

fn rsa(passphrase: Option<&str>) -> Generated {
    let key = rsa::RsaPrivateKey::new(&mut OsRng, RSA_BITS).expect("the machine gives random numbers");
    let public = PrivateKey::from_rsa(&key).expect("a key in memory can be read").public().clone();
    let text = match passphrase {
        Some(passphrase) => key.to_pkcs8_encrypted_pem(OsRng, passphrase, LineEnding::LF),
        None => key.to_pkcs8_pem(LineEnding::LF),
    };
    Generated { text: text.expect("a key in memory can be written"), public }
}
