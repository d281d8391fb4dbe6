//! The proof that a request comes from the holder of a key: an HTTP message signature (RFC 9421) over method,
//! authority, path, query and the digest of the body (RFC 9530), with the time, a nonce and the key's fingerprint.
//!
//! ```text
//! Content-Digest: sha-256=:…:
//! Signature-Input: mypaas=("@method" "@authority" "@path" "@query" "content-digest");created=1764000000;
//!     nonce="…";keyid="SHA256:…";alg="ed25519";tag="mypaas"
//! Signature: mypaas=:…:
//! ```
//!
//! ```text
//! digest.rs   the digest of a body: written, read, compared while the body arrives
//! base.rs     the text that is signed
//! read.rs     the header fields → what they claim
//! ```
//!
//! Whether a claim is good (its time, its nonce, whose key it is) is for the server to decide.

mod base;
mod digest;
mod read;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sfv::{DictSerializer, InnerList, Item, Key, Parameters, StringRef, key_ref};

pub use self::base::Request;
pub use self::digest::{Altered, BodyDigest, Hasher, checked};
pub use self::read::{Claim, Proof, ProofError};
use crate::keys::{SignError, Signer};

/// The header fields, in lower case.
pub const CONTENT_DIGEST: &str = "content-digest";
pub const SIGNATURE_INPUT: &str = "signature-input";
pub const SIGNATURE: &str = "signature";

/// What a signature is for, so that none that was made for something else is taken for a proof.
const TAG: &str = "mypaas";

/// What a server wants to be signed, as the value of the header field `Accept-Signature`.
pub const ACCEPTED: &str = "mypaas=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created;nonce;\
                            keyid;alg;tag=\"mypaas\"";

const NONCE_BYTES: usize = 16;

/// The two header fields that go with a request beside its `Content-Digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub signature_input: String,
    pub signature: String,
}

/// Signs a request, as of this second since 1970. Each call has a nonce of its own, so each proof is good for one
/// request.
pub async fn sign(request: &Request<'_>, signer: &Signer, created: i64) -> Result<Signed, SignError> {
    let list = InnerList::with_params(base::covered(), parameters(signer, created)?);
    let signature = signer.sign(base::text(request, &list).as_bytes()).await?;
    let name = key_ref(TAG);
    let mut input = DictSerializer::new();
    let mut inner = input.inner_list(name);
    inner.items(&list.items);
    let _ = inner.finish().parameters(&list.params);
    let mut value = DictSerializer::new();
    let _ = value.bare_item(name, signature.as_slice());
    let whole = "a dictionary of one member is not empty";
    Ok(Signed { signature_input: input.finish().expect(whole), signature: value.finish().expect(whole) })
}

fn parameters(signer: &Signer, created: i64) -> Result<Parameters, SignError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| SignError::Random)?;
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(nonce);
    let created = sfv::Integer::try_from(created).unwrap_or(sfv::Integer::ZERO);
    let text = |text: &str| sfv::String::from_string(text.to_owned()).expect("names and digits are ASCII");
    let key = signer.public();
    Ok(Parameters::from_iter([
        (parameter("created"), created.into()),
        (parameter("nonce"), text(&nonce).into()),
        (parameter("keyid"), text(key.fingerprint().as_str()).into()),
        (parameter("alg"), text(key.algorithm().name()).into()),
        (parameter("tag"), text(TAG).into()),
    ]))
}

fn parameter(name: &str) -> Key {
    key_ref(name).to_owned()
}

/// An item without parameters.
fn component(name: &str) -> Item {
    Item::new(StringRef::from_str(name).expect("names of components are ASCII").to_owned())
}
