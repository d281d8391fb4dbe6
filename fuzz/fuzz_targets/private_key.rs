//! Any bytes as a private key: no panic, and a key that is read signs what its public half verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::keys::{KeyText, PublicKey};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(KeyText::Open(key)) = KeyText::parse(&text) {
        let line = key.public().to_openssh("");
        assert_eq!(PublicKey::from_openssh(&line).map(|(key, _)| key).as_ref(), Ok(key.public()));
    }
});
