//! A signed request → the key that it proves.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};

use super::Gate;
use super::denied::Denied;
use super::nonces::Seen;
use crate::keys::{AuthorizedKey, Fingerprint, PublicKey};
use crate::proof::{self, BodyDigest, CONTENT_DIGEST, Claim, Proof, SIGNATURE, SIGNATURE_INPUT};

/// How far the clocks of client and server may be apart, the way of the request included.
pub(super) const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What a request proves.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) key: AuthorizedKey,
    pub(super) body: BodyProof,
}

/// What tells the body that was signed from any other.
#[derive(Debug)]
pub(super) enum BodyProof {
    Digest(BodyDigest),
    /// As the Python original signs it.
    Signature {
        by: PublicKey,
        signature: Vec<u8>,
    },
}

impl BodyProof {
    /// Whether a body with this digest is the one.
    pub(super) fn holds(&self, found: BodyDigest) -> bool {
        match self {
            BodyProof::Digest(digest) => *digest == found,
            BodyProof::Signature { by, signature } => by.verifies_as_original(found.bytes(), signature),
        }
    }
}

/// A request that proves nothing, and the key that it named.
#[derive(Debug)]
pub(super) struct Unproven {
    pub(super) denied: Denied,
    pub(super) claimed: Option<Fingerprint>,
}

impl From<Denied> for Unproven {
    fn from(denied: Denied) -> Self {
        Self { denied, claimed: None }
    }
}

impl Gate {
    /// Checks everything that can be checked before the body is read. The proof is used up by this.
    pub(super) fn prove(&self, request: &Request, now: Timestamp) -> Result<Proven, Unproven> {
        let headers = request.headers();
        if !headers.contains_key(SIGNATURE_INPUT) && !headers.contains_key(SIGNATURE) {
            return Err(Denied::Unsigned.into());
        }
        let host = only(headers, header::HOST.as_str())?;
        let digest = only(headers, CONTENT_DIGEST)?;
        let proof = Proof::read(only(headers, SIGNATURE_INPUT)?, only(headers, SIGNATURE)?).map_err(Denied::from)?;
        let signed = proof::Request {
            method: request.method().as_str(),
            authority: host,
            path: request.uri().path(),
            query: request.uri().query(),
            digest,
        };
        let key = self.check(&proof, &signed, now);
        let key = key.map_err(|denied| Unproven { denied, claimed: Some(proof.claim.key.clone()) })?;
        Ok(Proven { key, body: BodyProof::Digest(BodyDigest::read(digest).ok_or(Denied::Digest)?) })
    }

    fn check(&self, proof: &Proof, signed: &proof::Request<'_>, now: Timestamp) -> Result<AuthorizedKey, Denied> {
        let claim = &proof.claim;
        self.check_audience(signed.authority)?;
        self.check_time(claim, now)?;
        let keys = self.keys.keys();
        let key = keys.find(&claim.key, now).ok_or_else(|| Denied::UnknownKey(claim.key.clone()))?;
        if !proof.holds(signed, &key.key) {
            return Err(Denied::Signature(claim.key.clone()));
        }
        self.use_up(claim, now)?;
        Ok(key.clone())
    }

    /// A proof that holds is good for this request only.
    pub(super) fn use_up(&self, claim: &Claim, now: Timestamp) -> Result<(), Denied> {
        match self.nonces.see(claim, now.as_second() - SKEW.as_secs()) {
            Seen::New => {
                self.since.note(&claim.key, claim.created, now);
                Ok(())
            }
            Seen::Before => Err(Denied::Replay),
            Seen::Full => Err(Denied::Forgetful(claim.key.clone())),
        }
    }

    /// On whichever port: one server has a domain for itself.
    fn check_audience(&self, authority: &str) -> Result<(), Denied> {
        let authority = authority.to_ascii_lowercase();
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let host = host.map_or(authority.as_str(), |(host, _)| host);
        if self.audience.as_deref() == Some(host) {
            return Ok(());
        }
        let asked = authority.chars().take(100).collect();
        Err(Denied::Audience { asked, own: self.audience.clone() })
    }

    /// What was signed before the server started may have been seen by the one before it.
    fn check_time(&self, claim: &Claim, now: Timestamp) -> Result<(), Denied> {
        let beyond = if claim.created > 0 { Timestamp::MAX } else { Timestamp::MIN };
        let signed = Timestamp::from_second(claim.created).unwrap_or(beyond);
        if (now.as_second() - claim.created).abs() > SKEW.as_secs() {
            return Err(Denied::Skew { signed, now });
        }
        check_since(claim.created, self.since.second(&claim.key, now, Instant::now()), now)
    }
}

/// The second of the start, or of the latest proof that was taken before it.
pub(super) fn check_since(created: i64, since: i64, now: Timestamp) -> Result<(), Denied> {
    if created < since {
        return Err(Denied::BeforeStart { since: Timestamp::from_second(since).unwrap_or(now) });
    }
    Ok(())
}

/// The value of a header field that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Denied> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Denied::Field(name)),
    }
}
