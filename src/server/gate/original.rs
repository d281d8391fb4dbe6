//! A push as the Python original's client signs it → the key that it proves.

use std::time::Instant;

use axum::extract::Request;
use jiff::Timestamp;

use super::Gate;
use super::denied::Denied;
use super::prove::{BodyProof, Proven, Unproven, check_since};
use crate::keys::AuthorizedKey;
use crate::original::{LIFETIME_SECONDS, Signed};
use crate::proof::{BodyDigest, Claim};

impl Gate {
    /// Checks everything that can be checked before the zip is read. The token is used up by this.
    pub(super) fn prove_as_original(&self, request: &Request, now: Timestamp) -> Result<Proven, Unproven> {
        let signed = request.uri().query().and_then(Signed::read).ok_or(Denied::Parameters)?;
        self.check_token_time(&signed, now)?;
        let key = self.signer_of(&signed, now)?;
        let claim = Claim::new(key.key.fingerprint().clone(), signed.token.time(), signed.token.to_string());
        self.use_up(&claim, now).map_err(|denied| Unproven { denied, claimed: Some(key.key.fingerprint().clone()) })?;
        let body = BodyProof::Signature { by: key.key.clone(), signature: signed.over_body };
        Ok(Proven { key, body })
    }

    /// The client asked for the time before, so its clock does not matter.
    fn check_token_time(&self, signed: &Signed, now: Timestamp) -> Result<(), Denied> {
        let time = signed.token.time();
        if !(now.as_second() - LIFETIME_SECONDS..=now.as_second()).contains(&time) {
            return Err(Denied::Token);
        }
        check_since(time, self.since.start(now, Instant::now()), now)
    }

    /// Two keys may be called alike; the signature tells which it is.
    fn signer_of(&self, signed: &Signed, now: Timestamp) -> Result<AuthorizedKey, Unproven> {
        let keys = self.keys.keys();
        let digest = BodyDigest::of(signed.token.as_str().as_bytes());
        let mut claimed = None;
        for key in keys.called_by_original(&signed.id, now) {
            if key.key.verifies_as_original(digest.bytes(), &signed.over_token) {
                return Ok(key.clone());
            }
            claimed = Some(key.key.fingerprint().clone());
        }
        let denied = match claimed.clone() {
            Some(key) => Denied::Signature(key),
            None => Denied::UnknownId(signed.id.chars().take(20).collect()),
        };
        Err(Unproven { denied, claimed })
    }
}
