//! Any bytes as the header fields of a proof (a line each): no panic, what is read is bounded, and nothing that was not
//! signed with a key is taken for proven by it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::keys::PublicKey;
use mypaas::proof::{BodyDigest, Proof, Request};

const KEYS: [&str; 2] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFdRZQy64eP5Wr+gKZHw/uxC6YkHKgzHWTMQNJkDJ2zn",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBlUJsItLsi5YUlrb46ghR/LHatTneUh6CuZwPlEFLsRrRsE8YvKJu3qZYvdfo3xScLLOPiGd3ZtD7Su6+Am7rg=",
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (input, signature, digest, path) = (line(), line(), line(), line());
    if let Some(digest) = BodyDigest::read(digest) {
        assert_eq!(BodyDigest::read(&digest.field()), Some(digest));
    }
    let Ok(proof) = Proof::read(input, signature) else { return };
    assert!((16..=64).contains(&proof.claim.nonce.len()));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let request = Request { method: "POST", authority: "paas.example.com", path, query, digest };
    for key in KEYS.iter().filter_map(|key| PublicKey::from_openssh(key).ok()) {
        assert!(!proof.holds(&request, &key.0));
    }
});
