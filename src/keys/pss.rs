//! RSA-PSS as the Python original signs: SHA-256, and the longest salt that there is room for. `ring` knows no such
//! salt, so the `rsa` crate does it; it is as slow as it is because it hides the key from those who measure times.

use rsa::rand_core::OsRng;
use rsa::sha2::Sha256;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pss, RsaPrivateKey, RsaPublicKey};
use ssh_key::Mpint;
use ssh_key::public;

use super::public::RSA_BITS;

const DIGEST_BYTES: usize = 32;

pub(super) fn verifies(key: &public::RsaPublicKey, sha256: &[u8; DIGEST_BYTES], signature: &[u8]) -> bool {
    let number = |number: &Mpint| number.as_positive_bytes().map(BigUint::from_bytes_be);
    let (Some(n), Some(e)) = (number(&key.n), number(&key.e)) else { return false };
    let Ok(key) = RsaPublicKey::new_with_max_size(n, e, *RSA_BITS.end()) else { return false };
    let padding = Pss::new_with_salt::<Sha256>(longest_salt(&key));
    key.verify(padding, sha256, signature).is_ok()
}

/// None when the machine gives no random numbers.
pub(super) fn sign(key: &RsaPrivateKey, sha256: &[u8; DIGEST_BYTES]) -> Option<Vec<u8>> {
    let padding = Pss::new_blinded_with_salt::<Sha256>(longest_salt(key));
    key.sign_with_rng(&mut OsRng, padding, sha256).ok()
}

/// What RFC 8017 leaves beside the digest and two bytes of its own.
fn longest_salt(key: &impl PublicKeyParts) -> usize {
    let encoded = (key.n().bits() - 1).div_ceil(8);
    encoded.saturating_sub(DIGEST_BYTES + 2)
}
