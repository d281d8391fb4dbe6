//! Each proof is good for one request: those that were seen are remembered for as long as they would be good.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::keys::Fingerprint;
use crate::proof::Claim;

/// Of each key. A console needs a few each second at most.
const MOST_OF_A_KEY: usize = 10_000;

/// What became of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is new, and remembered from now on.
    New,
    Before,
    /// There is no room to remember it.
    Full,
}

/// The proofs of each key, oldest first. Only proofs that hold get in here, so only who has a key can fill it.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    seen: Mutex<HashMap<Fingerprint, BTreeSet<(i64, String)>>>,
}

impl Nonces {
    /// Remembers a proof that holds. Those made before `oldest` are forgotten: they are refused for their age.
    pub(super) fn see(&self, claim: &Claim, oldest: i64) -> Seen {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, proofs| {
            while proofs.first().is_some_and(|(created, _)| *created < oldest) {
                proofs.pop_first();
            }
            !proofs.is_empty()
        });
        let proofs = seen.entry(claim.key.clone()).or_default();
        let proof = (claim.created, claim.nonce.clone());
        if proofs.contains(&proof) {
            return Seen::Before;
        }
        if proofs.len() >= MOST_OF_A_KEY {
            return Seen::Full;
        }
        proofs.insert(proof);
        Seen::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(key: char, created: i64, nonce: &str) -> Claim {
        let key = format!("SHA256:{}", String::from(key).repeat(43)).parse().unwrap();
        Claim::new(key, created, nonce.to_owned())
    }

    #[test]
    fn a_proof_is_new_once_for_as_long_as_it_would_be_good() {
        let nonces = Nonces::default();
        assert_eq!(nonces.see(&claim('a', 100, "n"), 40), Seen::New);
        assert_eq!(nonces.see(&claim('a', 100, "n"), 40), Seen::Before);
        assert_eq!(nonces.see(&claim('a', 101, "n"), 40), Seen::New, "another second");
        assert_eq!(nonces.see(&claim('a', 100, "m"), 40), Seen::New, "another nonce");
        assert_eq!(nonces.see(&claim('b', 100, "n"), 40), Seen::New, "another key");
        assert_eq!(nonces.see(&claim('a', 100, "n"), 100), Seen::Before);
        nonces.see(&claim('b', 161, "later"), 101);
        assert_eq!(nonces.seen.lock().unwrap().values().map(BTreeSet::len).sum::<usize>(), 2, "the old are forgotten");
    }

    #[test]
    fn one_key_fills_its_own_room_only() {
        let nonces = Nonces::default();
        for number in 0..MOST_OF_A_KEY {
            assert_eq!(nonces.see(&claim('a', 100, &number.to_string()), 40), Seen::New);
        }
        assert_eq!(nonces.see(&claim('a', 100, "more"), 40), Seen::Full);
        assert_eq!(nonces.see(&claim('a', 100, "7"), 40), Seen::Before);
        assert_eq!(nonces.see(&claim('b', 100, "n"), 40), Seen::New);
        assert_eq!(nonces.see(&claim('a', 161, "later"), 101), Seen::New);
    }
}
