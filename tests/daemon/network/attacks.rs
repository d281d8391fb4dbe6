//! A table of attacks, and what each gets.

use std::fmt::Write;

use jiff::Timestamp;
use mypaas::api::{AuditResult, By, ProblemCode};
use mypaas::client::ClientError;
use mypaas::keys::{Kind, generate};
use mypaas::proof::BodyDigest;
use regex::Regex;

use super::wire::{Answer, DOMAIN, Forged, Wire, fresh_address, public, signer, told};

/// The attacks of one run with their answers, a line each.
#[derive(Default)]
struct Table(String);

impl Table {
    fn add(&mut self, attack: &str, answer: &Answer) {
        let problem = answer.problem();
        let code = serde_json::to_value(problem.code).unwrap();
        let message = [
            ("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z", "TIME"),
            ("signed [0-9][^b]* (before|after)", "signed SOME TIME $1"),
            (":[0-9]{4,5}", ":PORT"),
        ]
        .iter()
        .fold(problem.message, |text, (pattern, word)| {
            Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
        });
        told(attack, &format!("{} {message}", answer.status));
        writeln!(self.0, "{attack:<52} {} {:<12} {message}", answer.status, code.as_str().unwrap()).unwrap();
    }
}

const DEPLOY: &str = "{\"target\":{\"kind\":\"service\",\"service\":\"web\",\"action\":{\"action\":\"restart\"}},\
                      \"origin\":{\"who\":\"mallory\",\"folder\":null,\"commit\":null}}";

async fn deploy(wire: &Wire, key: &str) -> Forged {
    Forged::with_body("POST", "/daemon/v1/deploys", DEPLOY).signed(wire, key).await
}

#[tokio::test]
async fn every_attack_is_refused_with_its_reason() {
    let wire = Wire::start().await;
    let mut table = Table::default();
    proofs(&wire, &mut table).await;
    times_and_audiences(&wire, &mut table).await;
    tampering(&wire, &mut table).await;
    rights(&wire, &mut table).await;
    insta::assert_snapshot!(table.0);
    assert_eq!(wire.stage.snapshot().await.deploys.len(), 2, "nothing was done");
    assert_eq!(wire.send(&wire.good().await).await.status, 200, "who has a key is still let in");
}

/// Requests that are signed badly, or not at all.
async fn proofs(wire: &Wire, table: &mut Table) {
    let good = wire.good().await;
    let bare = Forged::new("GET", "/daemon/v1/server").set("host", wire.authority()).set("x-real-ip", "198.18.255.1");
    let cases = [
        ("no signature", bare),
        ("no Signature", good.clone().without("signature")),
        ("no Signature-Input", good.clone().without("signature-input")),
        ("no Content-Digest", good.clone().without("content-digest")),
        ("no Host", good.clone().without("host")),
        ("two Hosts", good.clone().twice("host")),
        ("two Signatures", good.clone().twice("signature")),
        (
            "two signatures in one field",
            good.clone().set("signature-input", format!("{}, b=()", good.field("signature-input"))),
        ),
        ("Signature-Input that is no dictionary", good.clone().set("signature-input", "(((")),
        ("Signature that is no bytes", good.clone().set("signature", "mypaas=1")),
        ("Signature of no bytes", good.clone().set("signature", "mypaas=::")),
        ("Signature-Input of 3,000 bytes", good.clone().set("signature-input", "x".repeat(3000))),
        ("query not covered", good.clone().change("signature-input", "\"@query\" ", "")),
        (
            "nothing covered",
            good.clone().set(
                "signature-input",
                format!("mypaas=(){}", good.field("signature-input").split_once(')').unwrap().1),
            ),
        ),
        ("no nonce", good.clone().change("signature-input", ";nonce", ";nothing")),
        ("tag of something else", good.clone().change("signature-input", "\"mypaas\"", "\"other\"")),
        ("another algorithm", good.clone().change("signature-input", "\"ed25519\"", "\"hmac-sha256\"")),
        (
            "another key's name",
            good.clone().change(
                "signature-input",
                signer("ed25519").public().fingerprint().as_str(),
                signer("p256").public().fingerprint().as_str(),
            ),
        ),
    ];
    for (attack, request) in cases {
        table.add(attack, &wire.send(&request.set("x-real-ip", fresh_address())).await);
    }
    let stranger = generate(Kind::Ed25519, "mallory", None);
    let fingerprint = stranger.public.fingerprint().to_string();
    let own =
        wire.good().await.change("signature-input", signer("ed25519").public().fingerprint().as_str(), &fingerprint);
    let answer = wire.send(&own).await;
    table.add("unknown key", &Answer { body: answer.body.replace(&fingerprint, "SHA256:STRANGER"), ..answer });
}

async fn times_and_audiences(wire: &Wire, table: &mut Table) {
    let now = Timestamp::now().as_second();
    let server = || Forged::new("GET", "/daemon/v1/server");
    for (attack, created) in [
        ("signed 2 minutes ago", now - 120),
        ("signed 2 minutes from now", now + 120),
        ("signed in 1970", 0),
        ("signed before 1970", -1),
        ("signed in the year 33658", 1_000_000_000_000),
        ("signed before the server started", now - 50),
    ] {
        table.add(attack, &wire.send(&server().signed_for(&wire.authority(), "ed25519", created).await).await);
    }
    for (attack, authority) in [
        ("meant for another server", "other.example.com".to_owned()),
        ("meant for a name that begins like the server's", format!("{DOMAIN}.example.com")),
        ("meant for a name that ends like the server's", format!("x{DOMAIN}")),
        ("meant for the server's address", wire.address.to_string()),
    ] {
        table.add(attack, &wire.send(&server().signed_for(&authority, "ed25519", now).await).await);
    }
    let relayed = server().signed_for("other.example.com", "ed25519", now).await.set("host", wire.authority());
    table.add("meant for another server, Host changed", &wire.send(&relayed).await);
    let used = wire.good().await;
    assert_eq!(wire.send(&used).await.status, 200);
    table.add("replay", &wire.send(&used).await);
    table.add("replay from another address", &wire.send(&used.clone().set("x-real-ip", "198.18.255.9")).await);
    let acted = deploy(wire, "p256").await;
    wire.send(&acted).await;
    table.add("replay of a refused request", &wire.send(&acted).await);
}

async fn tampering(wire: &Wire, table: &mut Table) {
    let good = deploy(wire, "ed25519").await;
    let mut body = good.clone();
    body.body = DEPLOY.replace("restart", "remove_").into_bytes();
    table.add("body changed", &wire.send(&body.clone().set("content-length", body.body.len().to_string())).await);

    let good = deploy(wire, "ed25519").await;
    let mut other = good.clone();
    other.body = DEPLOY.replace("restart", "stop").into_bytes();
    let digest = BodyDigest::of(&other.body).field();
    let other = other.clone().set("content-digest", digest).set("content-length", other.body.len().to_string());
    table.add("body and digest changed", &wire.send(&other).await);

    let mut longer = deploy(wire, "ed25519").await;
    longer.body.extend(b" ");
    table.add(
        "a byte behind the body",
        &wire.send(&longer.clone().set("content-length", longer.body.len().to_string())).await,
    );
    let mut shorter = deploy(wire, "ed25519").await;
    shorter.body.clear();
    table.add("body left out", &wire.send(&shorter.set("content-length", "0")).await);

    let with_target = |request: Forged, target: &str| Forged { target: target.to_owned(), ..request };
    table.add("path changed", &wire.send(&with_target(wire.good().await, "/daemon/v1/snapshot")).await);
    table.add("query added", &wire.send(&with_target(wire.good().await, "/daemon/v1/server?x=1")).await);
    let audit = Forged::new("GET", "/daemon/v1/audit?limit=1").signed(wire, "ed25519").await;
    table.add("query changed", &wire.send(&with_target(audit, "/daemon/v1/audit?limit=9")).await);
    let head =
        Forged { method: "POST".to_owned(), ..Forged::new("GET", "/daemon/v1/deploys").signed(wire, "ed25519").await };
    table.add("method changed", &wire.send(&head).await);

    // A whole archive, of which one byte is another: nothing of it is kept.
    let mut upload = Forged::with_body("POST", "/daemon/v1/contexts", vec![7; 100_000]).signed(wire, "ed25519").await;
    upload.body[50_000] ^= 1;
    table.add("context changed on its way", &wire.send(&upload).await);
    assert_eq!(std::fs::read_dir(wire.stage.home().join("incoming")).unwrap().count(), 0);
}

async fn rights(wire: &Wire, table: &mut Table) {
    table.add("viewer deploys", &wire.send(&deploy(wire, "p256").await).await);
    let cancel =
        Forged::with_body("POST", "/daemon/v1/deploys/d1/cancel", "{\"who\":\"x\"}").signed(wire, "p256").await;
    table.add("viewer cancels", &wire.send(&cancel).await);
    let upload = Forged::with_body("POST", "/daemon/v1/contexts", vec![7; 100]).signed(wire, "p384").await;
    table.add("viewer uploads", &wire.send(&upload).await);
    let hidden = DEPLOY.replace("\"web\"", "\"hidden\"");
    let hidden = Forged::with_body("POST", "/daemon/v1/deploys", hidden).signed(wire, "rsa").await;
    table.add("key of another service deploys", &wire.send(&hidden).await);
    let logs = Forged::new("GET", "/daemon/v1/services/hidden/logs").signed(wire, "rsa").await;
    table.add("key of another service reads logs", &wire.send(&logs).await);
    let none = Forged::new("GET", "/daemon/v1/services/none").signed(wire, "rsa").await;
    table.add("key of another service asks for one that is not there", &wire.send(&none).await);
    let events = Forged::new("GET", "/daemon/v1/deploys/d2/events").signed(wire, "rsa").await;
    table.add("key of another service reads events", &wire.send(&events).await);
}

#[tokio::test]
async fn who_fails_too_often_is_told_shortly_and_shuts_nobody_else_out() {
    let wire = Wire::start().await;
    let from = "203.0.113.7";
    let mut statuses = Vec::new();
    for _ in 0..15 {
        let bad = wire.good().await.without("signature").set("x-real-ip", from);
        statuses.push(wire.send(&bad).await.status);
    }
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 5]].concat());
    let answer = wire.send(&wire.good().await.without("signature").set("x-real-ip", from)).await;
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    assert_eq!(wire.stage.audit().len(), 10, "the rest fills no log");
    told(
        "15 failures from one address",
        "10 times 401 with its reason, then 429 with retry-after, and no line in the log",
    );
    assert_eq!(wire.send(&wire.good().await.set("x-real-ip", from)).await.status, 200, "a neighbour with a key");
    let other = wire.good().await.without("signature").set("x-real-ip", "203.0.113.8");
    assert_eq!(wire.send(&other).await.status, 401, "another address");
}

#[tokio::test]
async fn refusals_are_written_down() {
    let wire = Wire::start().await;
    wire.send(&wire.good().await.without("signature").set("x-real-ip", "203.0.113.7")).await;
    wire.send(&deploy(&wire, "p256").await.set("x-real-ip", "203.0.113.8")).await;
    let entries = wire.client("ed25519").audit(None, 9).await.unwrap();
    let [viewer, nobody] = entries.as_slice() else { panic!("{entries:#?}") };
    assert_eq!(nobody.by, By::Nobody { claimed: None });
    assert_eq!(nobody.request, "GET /daemon/v1/server");
    assert_eq!(nobody.address, Some("203.0.113.7".parse().unwrap()));
    let AuditResult::Refused { code, message } = &viewer.result else { panic!("{viewer:?}") };
    assert_eq!(*code, ProblemCode::Forbidden);
    assert!(message.contains("p256") && message.contains("viewer"), "{message}");
    assert!(matches!(&viewer.by, By::Key(holder) if holder.comment == "p256"), "{viewer:?}");
}

#[tokio::test]
async fn a_proof_that_was_ahead_of_the_clock_is_not_taken_again_after_a_restart() {
    let mut wire = Wire::start().await;
    let created = Timestamp::now().as_second() + 30;
    let ahead = Forged::new("GET", "/daemon/v1/server").signed_for(DOMAIN, "ed25519", created).await;
    assert_eq!(wire.send(&ahead).await.status, 200);
    wire.restart().await;
    let answer = wire.send(&ahead).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.problem().message.contains("before this server started"), "{answer:?}");
    told(
        "replay after a restart, of a proof signed 30 s ahead",
        &format!("401 {}", "signed before the server started"),
    );
    let newer = Forged::new("GET", "/daemon/v1/server").signed_for(DOMAIN, "ed25519", created + 1).await;
    assert_eq!(wire.send(&newer).await.status, 200);
}

#[tokio::test]
async fn strangers_cannot_fill_the_audit_log_nor_erase_what_others_did() {
    let wire = Wire::start().await;
    wire.send(&deploy(&wire, "p256").await).await;
    let bare = || Forged::new("GET", "/daemon/v1/server").set("host", wire.authority());
    for _ in 0..1010 {
        assert_eq!(wire.send(&bare().set("x-real-ip", fresh_address())).await.status, 401);
    }
    let long = Forged { target: format!("/daemon/v1/services/{}/logs", "ä%20".repeat(6000)), ..bare() };
    assert_eq!(wire.send(&long.set("x-real-ip", fresh_address())).await.status, 401);
    let entries = wire.stage.audit();
    assert_eq!(entries.len(), 1001, "the newest 1,000 of strangers, and what a key did");
    assert!(matches!(entries.last().unwrap().by, By::Key(_)), "it is still there");
    let longest = entries[0].request.chars().count();
    assert!(longest == 201 && entries[0].request.ends_with('…'), "{}", entries[0].request);
    told("1,011 refusals of strangers, one with a path of 30 KB", "the audit log keeps 1,000, 200 characters of each");
}

#[tokio::test]
async fn a_key_that_is_taken_away_is_out_at_once_and_a_new_one_in() {
    let wire = Wire::start().await;
    let (ada, grace) = (wire.client("ed25519"), wire.client("original"));
    ada.server().await.unwrap();
    assert!(matches!(grace.server().await, Err(ClientError::Refused(_))));
    let keys = wire.stage.home().join("authorized_keys");
    std::fs::write(&keys, std::fs::read_to_string("tests/fixtures/keys/original.pub").unwrap()).unwrap();
    grace.server().await.unwrap();
    let Err(ClientError::Refused(problem)) = ada.server().await else { panic!("ada is still let in") };
    assert!(problem.message.contains(signer("ed25519").public().fingerprint().as_str()), "{problem:?}");
    std::fs::write(&keys, public("ed25519")).unwrap();
    ada.server().await.unwrap();
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_told_what_to_upgrade() {
    let wire = Wire::start().await;
    for (version, upgrade) in [("v2", "Upgrade the server."), ("v0", "Upgrade mypaas on the machine that asks.")] {
        let request = Forged::new("GET", &format!("/daemon/{version}/snapshot")).signed(&wire, "ed25519").await;
        let problem = wire.send(&request).await.problem();
        assert_eq!((problem.code, problem.hint.as_deref()), (ProblemCode::Version, Some(upgrade)));
    }
    let odd = Forged::new("GET", "/daemon/v1/nothing").signed(&wire, "ed25519").await;
    assert_eq!(wire.send(&odd).await.problem().code, ProblemCode::NotFound);
}

#[tokio::test]
async fn whoever_is_not_the_router_is_turned_away_before_a_word() {
    let wire = Wire::from("127.0.0.2".parse().unwrap()).await;
    let answer = wire.send(&wire.good().await).await;
    assert_eq!((answer.status, answer.body.as_str()), (0, ""));
    told("somebody who is not the router", "closed before a word");
}
