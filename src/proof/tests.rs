use std::path::PathBuf;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use proptest::prelude::*;

use super::*;
use crate::keys::{KeyText, PublicKey};

fn signer(name: &str) -> Signer {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
    match KeyText::parse(&std::fs::read_to_string(path).unwrap()) {
        Ok(KeyText::Open(key)) => key.into(),
        other => panic!("{other:?}"),
    }
}

const DIGEST: &str = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:";

const REQUEST: Request<'_> = Request {
    method: "POST",
    authority: "PaaS.example.com:8443",
    path: "/daemon/v1/services/team%2Fapp/logs",
    query: Some("tail=5&follow=true"),
    digest: DIGEST,
};

async fn signed(request: &Request<'_>) -> (Signed, PublicKey) {
    let signer = signer("ed25519");
    (sign(request, &signer, 1_764_000_000).await.unwrap(), signer.public().clone())
}

fn read(signed: &Signed) -> Result<Proof, ProofError> {
    Proof::read(&signed.signature_input, &signed.signature)
}

/// Without what is new each time.
fn settled(text: &str) -> String {
    let nonce = regex::Regex::new("nonce=\"[^\"]*\"").unwrap();
    nonce.replace_all(text, "nonce=\"N\"").into_owned()
}

#[tokio::test]
async fn what_is_signed_is_as_rfc_9421_says() {
    let (signed, _) = signed(&REQUEST).await;
    let proof = read(&signed).unwrap();
    insta::assert_snapshot!(settled(&format!("{}\n\n{}", signed.signature_input, base::text(&REQUEST, &proof.list))));
}

#[tokio::test]
async fn every_kind_of_key_proves() {
    for name in ["ed25519", "rsa", "p256", "p384"] {
        let signer = signer(name);
        let signed = sign(&REQUEST, &signer, 1_764_000_000).await.unwrap();
        let proof = read(&signed).unwrap();
        assert_eq!(proof.claim.key, *signer.public().fingerprint());
        assert_eq!(proof.claim.created, 1_764_000_000);
        assert!(proof.holds(&REQUEST, signer.public()), "{name}");
    }
}

#[tokio::test]
async fn two_proofs_of_one_request_differ() {
    let [one, two] = [signed(&REQUEST).await.0, signed(&REQUEST).await.0];
    assert_ne!(read(&one).unwrap().claim.nonce, read(&two).unwrap().claim.nonce);
}

#[tokio::test]
async fn a_proof_holds_for_nothing_but_what_was_signed() {
    let (signed, key) = signed(&REQUEST).await;
    let proof = read(&signed).unwrap();
    let others = [
        Request { method: "GET", ..REQUEST },
        Request { authority: "other.example.com:8443", ..REQUEST },
        Request { authority: "paas.example.com", ..REQUEST },
        Request { path: "/daemon/v1/services/team/app/logs", ..REQUEST },
        Request { path: "/daemon/v1/services/team%2fapp/logs", ..REQUEST },
        Request { query: None, ..REQUEST },
        Request { query: Some("tail=5&follow=true&x"), ..REQUEST },
        Request { digest: "sha-256=:AAAA:", ..REQUEST },
    ];
    for other in others {
        assert!(!proof.holds(&other, &key), "{other:?}");
    }
    assert!(proof.holds(&Request { authority: "paas.EXAMPLE.com:8443", ..REQUEST }, &key), "the case does not matter");
    assert!(!proof.holds(&REQUEST, signer("p256").public()), "another key");
}

#[tokio::test]
async fn what_a_proof_says_of_itself_is_signed_too() {
    let (signed, key) = signed(&REQUEST).await;
    for (from, to) in
        [("created=1764000000", "created=1764000001"), (";nonce=\"", ";nonce=\"x"), (";alg=\"ed25519\"", "")]
    {
        assert!(signed.signature_input.contains(from));
        let changed = Signed { signature_input: signed.signature_input.replace(from, to), ..signed.clone() };
        assert!(!read(&changed).unwrap().holds(&REQUEST, &key), "{from}");
    }
}

#[tokio::test]
async fn what_is_no_proof_is_told_apart() {
    let (good, _) = signed(&REQUEST).await;
    let with = |from: &str, to: &str| {
        assert!(good.signature_input.contains(from), "{from}");
        Proof::read(&good.signature_input.replace(from, to), &good.signature).unwrap_err()
    };
    let (input, signature) = (good.signature_input.as_str(), good.signature.as_str());
    let cases = [
        (with("\"@query\" ", ""), ProofError::Coverage),
        (with("\"@query\"", "\"@path\""), ProofError::Coverage),
        (with("\"@query\"", "\"@query\" \"@query\""), ProofError::Coverage),
        (with("\"@query\"", "\"@query\";req"), ProofError::Coverage),
        (with("\"@query\"", "\"@query\" \"date\""), ProofError::Coverage),
        (with("\"@query\"", "query"), ProofError::Coverage),
        (with("tag=\"mypaas\"", "tag=\"other\""), ProofError::Tag),
        (with(";tag=\"mypaas\"", ""), ProofError::Tag),
        (with("tag=\"mypaas\"", "tag=mypaas"), ProofError::Parameter("tag")),
        (with("keyid=\"SHA256:", "keyid=\"MD5:"), ProofError::Parameter("keyid")),
        (with("created=1764000000", "created=\"1764000000\""), ProofError::Parameter("created")),
        (with("created=1764000000;", ""), ProofError::Parameter("created")),
        (with("nonce=\"", "nonce=\"short\";x=\""), ProofError::UnknownParameter("x".to_owned())),
        (with(";alg", ";expires=1;alg"), ProofError::UnknownParameter("expires".to_owned())),
        (Proof::read("", signature).unwrap_err(), ProofError::NotOne),
        (Proof::read(&input[1..], signature).unwrap_err(), ProofError::NotOne),
        (Proof::read(&format!("{input}, b=()"), signature).unwrap_err(), ProofError::NotOne),
        (Proof::read("mypaas=(", signature).unwrap_err(), ProofError::Field("Signature-Input")),
        (Proof::read("mypaas", signature).unwrap_err(), ProofError::Field("Signature-Input")),
        (Proof::read(input, "mypaas=1").unwrap_err(), ProofError::Field("Signature")),
        (Proof::read(input, "mypaas=(1 2)").unwrap_err(), ProofError::Field("Signature")),
        (Proof::read(input, &"x".repeat(3000)).unwrap_err(), ProofError::TooLong),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    for nonce in ["", "short", &"n".repeat(65)] {
        let nonce = settled(input).replace("\"N\"", &format!("{nonce:?}"));
        assert_eq!(Proof::read(&nonce, signature).unwrap_err(), ProofError::Parameter("nonce"));
    }
}

#[test]
fn a_digest_is_written_and_read_as_rfc_9530_says() {
    let digest = BodyDigest::of(b"{\"hello\": \"world\"}\n");
    assert_eq!(digest.field(), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
    assert_eq!(BodyDigest::read(&digest.field()), Some(digest));
    let more = format!("sha-512=:AAAA:, {};x=1", digest.field());
    assert_eq!(BodyDigest::read(&more), Some(digest));
    for wrong in ["", "sha-256", "sha-256=:AAAA:", "sha-256=(1)", "sha-512=:AAAA:", "sha-256=:RK/0qy18M", "\u{e9}"] {
        assert_eq!(BodyDigest::read(wrong), None, "{wrong}");
    }
}

fn chunks(
    parts: &[&'static str],
) -> impl stream::Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin + 'static {
    stream::iter(parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))).collect::<Vec<_>>())
}

#[tokio::test]
async fn an_altered_body_comes_to_no_good_end() {
    let digest = BodyDigest::of(b"abcdef");
    for (parts, good) in [
        (&["abc", "def"][..], true),
        (&["", "abcde", "f"][..], true),
        (&["abc", "deF"][..], false),
        (&["abc"][..], false),
        (&["abcdef", "g"][..], false),
        (&[][..], false),
    ] {
        let read: Vec<_> = checked(chunks(parts), move |found| found == digest).collect().await;
        let last = read.last().map(|last| last.as_ref().map_err(|error| error.downcast_ref::<Altered>().copied()));
        assert_eq!(!matches!(last, Some(Err(Some(Altered)))), good, "{parts:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_an_altered_one() {
    let broken = chunks(&["abc"]).chain(stream::iter([Err(std::io::Error::other("cut"))]));
    let read: Vec<_> = checked(broken, |found| found == BodyDigest::of(b"abc")).collect().await;
    assert_eq!(read.last().unwrap().as_ref().unwrap_err().to_string(), "cut");
}

proptest! {
    #[test]
    fn no_text_in_the_fields_panics(input in "\\PC{0,200}", signature in "\\PC{0,200}") {
        let _ = Proof::read(&input, &signature);
        let _ = BodyDigest::read(&input);
    }

    #[test]
    fn no_single_byte_of_the_fields_may_change(at: prop::sample::Index, bit in 0u8..7) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (signed, key) = runtime.block_on(signed(&REQUEST));
        let mut both = format!("{}\n{}", signed.signature_input, signed.signature).into_bytes();
        let at = at.index(both.len());
        both[at] ^= 1 << bit;
        let both = String::from_utf8(both).unwrap();
        let Some((signature_input, signature)) = both.split_once('\n') else { return Ok(()) };
        if let Ok(proof) = Proof::read(signature_input, signature)
            && proof.holds(&REQUEST, &key)
        {
            // The last digit of a base64 has spare bits.
            prop_assert_eq!(proof.claim, read(&signed).unwrap().claim, "{}", both);
        }
    }
}
