use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

const PASSPHRASE: &str = "correct horse";

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn open(name: &str) -> PrivateKey {
    match KeyText::parse(&fixture(name)) {
        Ok(KeyText::Open(key)) => key,
        other => panic!("{name}: {other:?}"),
    }
}

fn locked(name: &str) -> LockedKey {
    match KeyText::parse(&fixture(name)) {
        Ok(KeyText::Locked(key)) => key,
        other => panic!("{name}: {other:?}"),
    }
}

fn public(name: &str) -> PublicKey {
    PublicKey::from_openssh(&fixture(name)).unwrap().0
}

#[test]
fn a_fingerprint_is_the_one_that_ssh_keygen_shows() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys");
    for name in ["ed25519.pub", "rsa.pub", "p256.pub", "p384.pub"] {
        let told = Command::new("ssh-keygen").arg("-lf").arg(path.join(name)).output().unwrap().stdout;
        let told = String::from_utf8(told).unwrap();
        assert_eq!(public(name).fingerprint().as_str(), told.split(' ').nth(1).unwrap(), "{name}");
    }
}

#[test]
fn every_kind_of_key_signs_what_its_public_half_verifies_and_nothing_else() {
    let kinds = [("ed25519", "ed25519"), ("rsa", "rsa-v1_5-sha256"), ("p256", "ecdsa-p256-sha256")];
    for (name, algorithm) in kinds.into_iter().chain([("p384", "ecdsa-p384-sha384")]) {
        let key = open(name);
        let public = public(&format!("{name}.pub"));
        assert_eq!(*key.public(), public, "{name}");
        assert_eq!(key.algorithm().name(), algorithm);
        let signature = key.sign(b"message").unwrap();
        assert!(public.verifies(b"message", &signature), "{name}");
        assert!(!public.verifies(b"massage", &signature), "{name}");
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut other = signature.clone();
            other[at] ^= 1;
            assert!(!public.verifies(b"message", &other), "{name}, byte {at}");
        }
        assert!(!public.verifies(b"message", &signature[1..]), "{name}, too short");
        assert!(!public.verifies(b"message", b""), "{name}, empty");
    }
}

#[test]
fn the_example_of_rfc_9421_is_signed_as_it_says() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n\
               -----END PRIVATE KEY-----\n";
    let Ok(KeyText::Open(key)) = KeyText::parse(key) else { panic!("the key of RFC 9421, B.1.4") };
    let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
                \"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n\
                \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
                \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
    let signature = BASE64_STANDARD.encode(key.sign(base.as_bytes()).unwrap());
    assert_eq!(signature, "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
}

#[test]
fn a_locked_key_opens_with_its_passphrase_only() {
    for (name, public) in [
        ("ed25519_locked", public("ed25519_locked.pub")),
        ("original_locked", PublicKey::from_original(fixture("original.pub").trim()).unwrap()),
    ] {
        let key = locked(name);
        assert!(matches!(key.unlock("wrong"), Err(PrivateKeyError::Passphrase)), "{name}");
        assert!(matches!(key.unlock(""), Err(PrivateKeyError::Passphrase)), "{name}");
        let open = key.unlock(PASSPHRASE).unwrap();
        assert_eq!(*open.public(), public, "{name}");
        assert!(public.verifies(b"message", &open.sign(b"message").unwrap()), "{name}");
        assert!(!format!("{key:?}{open:?}").contains("PRIVATE"), "{name} shows nothing of itself");
    }
    assert_eq!(locked("ed25519_locked").public(), Some(public("ed25519_locked.pub")));
}

#[test]
fn keys_of_the_original_are_read_and_their_public_halves_written_as_it_does() {
    let written = fixture("original.pub");
    for name in ["original", "rsa.pkcs1"] {
        let key = open(name);
        assert_eq!(key.public().to_original().as_deref(), Some(written.trim()), "{name}");
    }
    assert_eq!(open("ed25519").public().to_original(), None);
}

#[test]
fn what_cannot_be_used_as_a_key_is_told_apart() {
    let refused = |text: &str| KeyText::parse(text).unwrap_err();
    assert!(matches!(refused(""), PrivateKeyError::NotAKey));
    assert!(matches!(refused(&fixture("ed25519.pub")), PrivateKeyError::NotAKey));
    assert!(matches!(refused(&fixture("legacy_locked")), PrivateKeyError::Form(_)));
    assert!(matches!(refused(&fixture("rsa_short")), PrivateKeyError::Public(PublicKeyError::RsaBits(1024))));
    let cut = &fixture("ed25519")[..200];
    assert!(matches!(refused(cut), PrivateKeyError::Malformed));
    let other_form = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----";
    assert!(refused(other_form).hint().unwrap().contains("ssh-keygen -p"));
}

#[test]
fn a_new_key_can_be_read_and_locked_ones_only_with_the_passphrase() {
    let new = generate(Kind::Ed25519, "ada@laptop", None);
    let Ok(KeyText::Open(key)) = KeyText::parse(&new.text.replace('\n', "_")) else { panic!("in one line") };
    assert_eq!((key.public(), key.comment()), (&new.public, "ada@laptop"));
    assert_ne!(new.public, generate(Kind::Ed25519, "ada@laptop", None).public);
    for kind in [Kind::Ed25519, Kind::Rsa] {
        let new = generate(kind, "ada@laptop", Some(PASSPHRASE));
        let Ok(KeyText::Locked(key)) = KeyText::parse(&new.text) else { panic!("{kind:?}") };
        assert!(key.unlock("wrong").is_err());
        assert_eq!(*key.unlock(PASSPHRASE).unwrap().public(), new.public);
    }
}

#[test]
fn a_public_key_is_written_as_it_was_read() {
    for name in ["ed25519.pub", "rsa.pub", "p256.pub", "p384.pub"] {
        let line = fixture(name);
        let (key, comment) = PublicKey::from_openssh(&line).unwrap();
        assert_eq!(key.to_openssh(&comment), line.trim());
        assert_eq!(PublicKey::from_blob(&key.blob()), Ok(key));
    }
}

/// An agent of the test's own; it ends with the test.
struct Agent {
    process: Child,
    folder: tempfile::TempDir,
}

impl Agent {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(folder.path().join("socket"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self { process, folder };
        // The file is there before somebody listens at it.
        let begin = Instant::now();
        while std::os::unix::net::UnixStream::connect(agent.socket()).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "ssh-agent does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        agent
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn add(&self, name: &str) {
        // ssh-add takes no key that others may read.
        let copy = self.folder.path().join(name);
        std::fs::write(&copy, fixture(name)).unwrap();
        let only_mine = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&copy, only_mine).unwrap();
        let added = Command::new("ssh-add").arg("-q").arg(&copy).env("SSH_AUTH_SOCK", self.socket()).status();
        assert!(added.unwrap().success(), "{name}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn an_agent_signs_with_every_kind_of_key() {
    let agent = Agent::start();
    assert_eq!(agent::keys(&agent.socket()).await.unwrap(), []);
    let names = ["ed25519", "rsa", "p256", "p384", "p521"];
    names.iter().for_each(|name| agent.add(name));
    let keys = agent::keys(&agent.socket()).await.unwrap();
    let found: Vec<_> = keys.iter().map(|key| key.public().clone()).collect();
    let expected: Vec<_> = names[..4].iter().map(|name| public(&format!("{name}.pub"))).collect();
    assert_eq!(found, expected, "p521 is not among them");
    assert_eq!(keys[0].comment(), "ada@laptop");
    // ECDSA's numbers are now and then shorter than their place.
    for round in 0..40 {
        let message = format!("message {round}");
        for key in &keys {
            let signer = Signer::from(key.clone());
            let signature = signer.sign(message.as_bytes()).await.unwrap();
            assert!(signer.public().verifies(message.as_bytes(), &signature), "{:?}", key.public().algorithm());
        }
    }
}

#[tokio::test]
async fn an_agent_that_is_not_there_or_has_not_the_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let none = agent::keys(&folder.path().join("none")).await;
    assert!(matches!(none, Err(agent::AgentError::Unreachable { .. })), "{none:?}");

    let agent = Agent::start();
    agent.add("ed25519");
    let key = agent::keys(&agent.socket()).await.unwrap().remove(0);
    Command::new("ssh-add").args(["-q", "-D"]).env("SSH_AUTH_SOCK", agent.socket()).status().unwrap();
    let refused = Signer::from(key).sign(b"message").await;
    assert!(matches!(refused, Err(SignError::Agent(agent::AgentError::Refused))), "{refused:?}");
}
