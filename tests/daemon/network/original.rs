//! Pushes as the Python original's client signs them: what is let in, and what everything else gets.

use std::io::{Cursor, Write};
use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::{AuditResult, By, ProblemCode};
use mypaas::deploy::Outcome;
use mypaas::engine::{Behaviour, Exit, Fault, Moment};
use mypaas::keys::Signer;
use mypaas::original::{Signed, Token};
use mypaas::proof::BodyDigest;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::wire::{Answer, Forged, Wire, fresh_address, original, public, read_answer, signer};
use crate::stage::{ROLLING, SINGLE};

const DENIED: (u16, &str) = (403, "Access denied");

fn zip_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::default());
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A push of the service `web`, which the key `rsa` may push.
fn web() -> Vec<u8> {
    zip_of(&[("data", "1"), ("Dockerfile", SINGLE)])
}

fn signed(signer: &Signer, token: Token, zip: &[u8]) -> Signed {
    let sign = |bytes: &[u8]| signer.sign_as_original(BodyDigest::of(bytes).bytes()).unwrap();
    let (over_token, over_body) = (sign(token.as_str().as_bytes()), sign(zip));
    Signed { id: signer.public().original_id().unwrap(), token, over_token, over_body }
}

impl Wire {
    async fn push(&self, signed: &Signed, zip: Vec<u8>) -> Answer {
        self.push_with(&signed.query(), zip).await
    }

    async fn push_with(&self, query: &str, zip: Vec<u8>) -> Answer {
        let length = zip.len().to_string();
        let request = Forged::with_body("POST", &format!("/daemon/push?{query}"), zip)
            .set("host", self.authority())
            .set("x-real-ip", fresh_address())
            .set("content-length", length);
        self.send(&request).await
    }

    /// What it tells the time by.
    async fn token(&self) -> Token {
        let request = Forged::new("GET", "/daemon/time").set("host", self.authority());
        let answer = self.send(&request).await;
        assert!(answer.status == 200 && answer.head.contains("content-type: text/plain"), "{answer:?}");
        Token::new(answer.body.parse().unwrap()).unwrap()
    }
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body.as_str())
}

#[tokio::test]
async fn a_push_takes_the_same_road_as_any_other() {
    let wire = Wire::start().await;
    let (key, zip) = (signer("rsa"), web());
    let answer = wire.push(&signed(&key, wire.token().await, &zip), zip).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("content-type: text/plain") && answer.head.contains("transfer-encoding: chunked"));
    for part in ["deploys web for rsa key (d3)\n", "building\n", "done: web is deployed (d3)\n"] {
        assert!(answer.body.contains(part), "{part:?}: {answer:?}");
    }
    assert!(answer.body.ends_with("\r\n0\r\n\r\n"), "it comes to a good end: {answer:?}");
    let detail = wire.client("ed25519").service(&"web".parse().unwrap()).await.unwrap();
    assert_eq!(wire.stage.end_of(detail.deploys[0].id).await.outcome, Outcome::Succeeded);
    let origin = &detail.releases[0].release.origin;
    assert_eq!((origin.who.as_str(), origin.folder.as_deref()), ("rsa key", None));
    assert_eq!(origin.key.as_ref().unwrap().fingerprint, *key.public().fingerprint());
    let entry = &wire.client("ed25519").audit(None, 1).await.unwrap()[0];
    assert_eq!((entry.request.as_str(), &entry.result), ("POST /daemon/push", &AuditResult::Done));
    assert_eq!((entry.deploy, entry.service.as_ref().unwrap().as_str()), (Some(detail.deploys[0].id), "web"));
}

/// While what was before still stops.
#[tokio::test]
async fn what_a_push_is_told_ends_when_it_is_done() {
    let wire = Wire::start().await;
    let key = signer("rsa");
    let push = async || {
        let zip = zip_of(&[("Dockerfile", ROLLING)]);
        timeout(Duration::from_secs(30), wire.push(&signed(&key, wire.token().await, &zip), zip)).await
    };
    push().await.unwrap();
    let web = "web".parse().unwrap();
    let live = wire.stage.snapshot().await.services.into_iter().find(|service| service.name == web).unwrap();
    wire.stage.engine.plan_fault_at_each(&format!("stop web.{}.1", live.release.unwrap()), Fault::Hang);
    let answer = push().await.expect("the answer ends");
    assert!(answer.body.contains("done: web is deployed") && answer.body.ends_with("\r\n0\r\n\r\n"), "{answer:?}");
    assert!(!answer.body.contains("retiring"), "{answer:?}");
    assert!(!wire.stage.snapshot().await.deploys[0].is_finished());
}

#[tokio::test]
async fn a_push_that_fails_says_so_in_its_last_line_and_breaks_off() {
    let wire = Wire::start().await;
    let key = signer("rsa");
    let bad = SINGLE.replace("# mypaas.url", "# mypaas.urls");
    let hostile = zip_of(&[("../x", ""), ("Dockerfile", SINGLE)]);
    for (zip, reason) in [
        (zip_of(&[("Dockerfile", &SINGLE.replace("web", "hidden"))]), "FAIL: the key"),
        (zip_of(&[("Dockerfile", &bad)]), "Dockerfile:2:"),
        (zip_of(&[("Dockerfile", &bad)]), "FAIL: the Dockerfile has problems; nothing is deployed"),
        (zip_of(&[("data", "1")]), "FAIL: the Dockerfile has problems; nothing is deployed"),
        (hostile, "FAIL: \"../x\" is refused: its path leaves the context"),
        (b"no zip".to_vec(), "FAIL: this is not a whole zip"),
    ] {
        let answer = wire.push(&signed(&key, wire.token().await, &zip), zip).await;
        assert!(answer.status == 200 && answer.body.contains(reason), "{reason}: {answer:?}");
        assert!(!answer.body.ends_with("0\r\n\r\n"), "it does not come to a good end: {answer:?}");
        let entry = &wire.client("ed25519").audit(None, 1).await.unwrap()[0];
        assert!(matches!(entry.result, AuditResult::Refused { .. }), "{entry:?}");
    }
    assert_eq!(wire.stage.snapshot().await.deploys.len(), 2, "nothing was done");
    assert_eq!(std::fs::read_dir(wire.stage.home().join("incoming")).unwrap().count(), 0, "nothing of it is kept");

    let exit = Exit { code: 3, out_of_memory: false };
    wire.stage.script("web", Behaviour { exit: Some((Moment::Probes(0), exit)), ..Behaviour::default() });
    let answer = wire.push(&signed(&key, wire.token().await, &web()), web()).await;
    assert!(
        answer.body.contains("FAIL: while probing:") && answer.body.contains("r1 of web serves as before"),
        "{answer:?}"
    );
    assert!(!answer.body.ends_with("0\r\n\r\n"), "{answer:?}");
}

#[tokio::test]
async fn every_other_push_is_denied() {
    let wire = Wire::start().await;
    let (key, zip) = (signer("rsa"), web());
    let good = signed(&key, wire.token().await, &zip);
    let now = Timestamp::now().as_second();
    let at = |time| signed(&key, Token::new(time).unwrap(), &zip).query();
    let theirs = signed(&signer("original"), wire.token().await, &zip);
    let query = good.query();
    for (attack, query) in [
        ("no parameters", String::new()),
        ("no token", query.replace("token=", "x=")),
        ("no number as a token", query.replace("token=1", "token=x1")),
        ("no signature", query.replace("sig1=", "x=")),
        ("no signature of the zip", query.replace("sig2=", "x=")),
        ("a token twice", format!("{query}&{query}")),
        ("a token of 6 seconds ago", at(now - 6)),
        ("a token of 1970", at(0)),
        ("a token of tomorrow", at(now + 86_400)),
        ("another token than was signed", Signed { token: Token::new(now).unwrap(), ..good.clone() }.query()),
        ("the zip's signature for the token's", Signed { over_token: good.over_body.clone(), ..good.clone() }.query()),
        ("an unknown key", theirs.query()),
        ("an unknown key by another's name", Signed { id: good.id.clone(), ..theirs.clone() }.query()),
    ] {
        assert_eq!(told(&wire.push_with(&query, zip.clone()).await), DENIED, "{attack}");
    }
    let entry = &wire.client("ed25519").audit(None, 1).await.unwrap()[0];
    let By::Nobody { claimed } = &entry.by else { panic!("{entry:?}") };
    assert_eq!(claimed.as_ref(), Some(key.public().fingerprint()), "whom it claimed to be");
    assert!(matches!(entry.result, AuditResult::Refused { code: ProblemCode::Unauthorized, .. }), "{entry:?}");
    assert_eq!(wire.stage.snapshot().await.deploys.len(), 2, "nothing was done");
}

#[tokio::test]
async fn a_token_is_good_for_one_zip_and_only_for_the_one_that_was_signed() {
    let wire = Wire::start().await;
    let (key, zip) = (signer("rsa"), web());
    let altered = zip_of(&[("data", "2"), ("Dockerfile", SINGLE)]);
    let good = signed(&key, wire.token().await, &zip);
    let answer = wire.push(&good, altered).await;
    assert_eq!(told(&answer), (403, "Payload could not be verified."));
    assert_eq!(told(&wire.push(&good, zip.clone()).await), DENIED, "the token was used");
    let used = signed(&key, wire.token().await, &zip);
    assert_eq!(wire.push(&used, zip.clone()).await.status, 200);
    assert_eq!(told(&wire.push(&used, zip).await), DENIED);
    assert_eq!(wire.stage.snapshot().await.deploys.len(), 3);
}

#[tokio::test]
async fn a_viewer_is_told_why_and_who_fails_too_often_gets_a_short_answer() {
    let wire = Wire::start().await;
    let line = format!("mypaas-role=\"viewer\" {}", original("rsa"));
    std::fs::write(wire.stage.home().join("authorized_keys"), line).unwrap();
    let zip = web();
    let answer = wire.push(&signed(&signer("rsa"), wire.token().await, &zip), zip.clone()).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.starts_with("Access denied: the key \"rsa key\"") && answer.body.contains("viewer"),
        "{answer:?}"
    );
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let request = Forged::with_body("POST", "/daemon/push", "x")
            .set("host", wire.authority())
            .set("x-real-ip", "198.18.255.7")
            .set("content-length", "1");
        statuses.push(wire.send(&request).await.status);
    }
    assert_eq!((statuses[0], statuses[11]), (403, 429), "{statuses:?}");
}

#[tokio::test]
async fn a_key_of_another_form_does_not_push_by_the_original_s_protocol() {
    let wire = Wire::start().await;
    std::fs::write(wire.stage.home().join("authorized_keys"), public("rsa")).unwrap();
    let (key, zip) = (signer("rsa"), web());
    assert_eq!(told(&wire.push(&signed(&key, wire.token().await, &zip), zip).await), DENIED);
    let entry = &wire.client("rsa").audit(None, 1).await.unwrap()[0];
    let AuditResult::Refused { message, .. } = &entry.result else { panic!("{entry:?}") };
    assert!(message.contains("begins with rsa-pub-"), "{message}");
}

/// The head of a push that proves nothing, with a zip that never comes.
async fn begun(wire: &Wire, address: &str) -> TcpStream {
    let head = Forged::new("POST", "/daemon/push")
        .set("host", wire.authority())
        .set("x-real-ip", address)
        .set("content-length", "100000000");
    let mut stream = TcpStream::connect(wire.address).await.unwrap();
    stream.write_all(&head.bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_proves_nothing_cannot_take_all_connections_with_zips_that_never_come() {
    const MANY: usize = 60;
    const HEARD_OUT: usize = 16;
    let wire = Wire::start().await;
    let mut answers = JoinSet::new();
    for _ in 0..MANY {
        answers.spawn(read_answer(begun(&wire, &fresh_address()).await));
    }
    // Well before those that are heard out are given up on.
    let at_once = async {
        for _ in HEARD_OUT..MANY {
            assert_eq!(answers.join_next().await.unwrap().unwrap().status, 403);
        }
    };
    timeout(Duration::from_secs(12), at_once).await.expect("all but a few are answered at once");
    let key = signer("rsa");
    let answer = wire.push(&signed(&key, wire.token().await, &web()), web()).await;
    assert_eq!(answer.status, 200, "who has a key pushes all the same: {answer:?}");
}

#[tokio::test]
async fn who_failed_too_often_is_not_heard_out() {
    let wire = Wire::start().await;
    let address = fresh_address();
    for _ in 0..12 {
        let short = Forged::with_body("POST", "/daemon/push", "x")
            .set("host", wire.authority())
            .set("x-real-ip", &*address)
            .set("content-length", "1");
        wire.send(&short).await;
    }
    let answer = timeout(Duration::from_secs(12), read_answer(begun(&wire, &address).await)).await;
    assert_eq!(answer.expect("it is answered at once").status, 429);
}
