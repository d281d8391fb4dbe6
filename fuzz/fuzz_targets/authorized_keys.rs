//! Any bytes as `authorized_keys`: no panic, every line is a key or at most one mistake, a limit that is written is
//! never lost, and a good line is found whatever stands around it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypaas::keys::{AuthorizedKeys, PublicKey, Role};

const GOOD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFdRZQy64eP5Wr+gKZHw/uxC6YkHKgzHWTMQNJkDJ2zn the good one";

fuzz_target!(|bytes: &[u8]| {
    let keys = AuthorizedKeys::parse(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(keys.keys().count() + keys.mistakes().len() <= lines);
    for mistake in keys.mistakes() {
        assert!((1..=lines).contains(&(mistake.line as usize)), "{mistake:?}");
    }
    for key in keys.keys() {
        let line = key.key.to_openssh("");
        assert_eq!(PublicKey::from_openssh(&line).map(|(key, _)| key).as_ref(), Ok(&key.key));
        assert!(key.key.to_original().is_none_or(|text| PublicKey::from_original(&text).as_ref() == Ok(&key.key)));
    }

    let around = [bytes, b"\n", GOOD.as_bytes(), b"\n", bytes].concat();
    let (good, _) = PublicKey::from_openssh(GOOD).unwrap();
    assert!(AuthorizedKeys::parse(&around).keys().any(|key| key.key == good));

    // As the options of a line: whatever they are, they never take a limit back.
    if let Ok(options) = std::str::from_utf8(bytes)
        && !options.contains(['\n', '"', '\\'])
    {
        let line = format!("environment=\"{options}\",mypaas-role=\"viewer\" {GOOD}");
        let found = AuthorizedKeys::parse(line.as_bytes());
        assert_eq!(found.keys().map(|key| key.rights.role).collect::<Vec<_>>(), [Role::Viewer]);
    }
});
