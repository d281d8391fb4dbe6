use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use proptest::prelude::*;

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name)).unwrap()
}

/// One line for each line that says something.
fn told(keys: &AuthorizedKeys) -> String {
    let found = keys.keys.iter().map(|(line, key)| {
        let Rights { role, services, until } = &key.rights;
        let services = services.as_ref().map(|names| format!(" of {names:?}")).unwrap_or_default();
        let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
        let (algorithm, comment) = (key.key.algorithm().name(), &key.comment);
        (*line, format!("{line:2} {algorithm} {comment:?} {role}{services}{until}"))
    });
    let wrong = keys.mistakes.iter().map(|mistake| (mistake.line, format!("{:2} ✗ {}", mistake.line, mistake.error)));
    let mut lines: Vec<_> = found.chain(wrong).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

#[test]
fn every_line_of_a_file_is_a_key_or_a_mistake_with_its_number() {
    let keys = AuthorizedKeys::parse(&fixture("authorized_keys"));
    insta::assert_snapshot!(told(&keys));
}

#[test]
fn an_expired_key_is_not_found() {
    let keys = AuthorizedKeys::parse(&fixture("authorized_keys"));
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let found = |comment: &str| {
        let key = keys.keys().find(|key| key.comment == comment).unwrap();
        keys.find(key.key.fingerprint(), now).is_some()
    };
    assert!(found("ada@laptop") && found("good for long"));
    assert!(!found("expired"));
}

fn line(comment: &str) -> String {
    format!("{} {comment}\n", String::from_utf8(fixture("p256.pub")).unwrap().trim())
}

fn comments(file: &KeyFile) -> Vec<String> {
    file.keys().keys().map(|key| key.comment.clone()).collect()
}

#[test]
fn the_file_is_read_again_when_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorized_keys");
    let file = KeyFile::new(path.clone());
    assert_eq!(comments(&file), [] as [&str; 0]);
    fs::write(&path, line("one")).unwrap();
    assert_eq!(comments(&file), ["p256 one"]);

    // Of equal length, and with the old time.
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, line("two")).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(comments(&file), ["p256 two"]);

    fs::write(folder.path().join("new"), line("new")).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert_eq!(comments(&file), ["p256 new"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(comments(&file), [] as [&str; 0]);
}

#[test]
fn a_file_that_did_not_change_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorized_keys");
    fs::write(&path, line("one")).unwrap();
    let file = KeyFile::new(path);
    assert!(Arc::ptr_eq(&file.keys(), &file.keys()));
}

#[test]
fn a_file_that_everybody_may_write_or_that_is_far_too_large_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorized_keys");
    let file = KeyFile::new(path.clone());
    fs::write(&path, line("one")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert_eq!(comments(&file), [] as [&str; 0]);
    fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    assert_eq!(comments(&file), ["p256 one"]);

    let mut large = File::options().append(true).open(&path).unwrap();
    large.write_all(&vec![b'#'; 5 * 1024 * 1024]).unwrap();
    large.set_modified(SystemTime::now()).unwrap();
    assert_eq!(comments(&file), [] as [&str; 0]);
}

proptest! {
    #[test]
    fn whatever_stands_around_it_a_good_line_is_found(
        before in proptest::collection::vec("[^\n]{0,80}", 0..6),
        after in proptest::collection::vec("[^\n]{0,80}", 0..6),
    ) {
        let text = [before.join("\n"), line("the good one"), after.join("\n")].join("\n");
        let keys = AuthorizedKeys::parse(text.as_bytes());
        prop_assert!(keys.keys().any(|key| key.comment == "p256 the good one"));
        let lines = u32::try_from(text.split('\n').count()).unwrap();
        prop_assert!(keys.mistakes().iter().all(|mistake| (1..=lines).contains(&mistake.line)));
    }

    #[test]
    fn no_text_in_quotes_changes_what_a_key_may_do(text in "[^\"\\\\\n]{0,60}") {
        let line = format!("command=\"{text}\",mypaas-role=\"viewer\" {}", line("limited"));
        let keys = AuthorizedKeys::parse(line.as_bytes());
        prop_assert_eq!(keys.keys().map(|key| key.rights.role).collect::<Vec<_>>(), [Role::Viewer]);
    }
}
