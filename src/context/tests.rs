//! A context's way from one end to the other, and what the server's end refuses.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, TryStreamExt, stream};
use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The archive's members with their contents.
fn members(archive: &Path) -> Vec<(Entry, Vec<u8>)> {
    let mut members = Vec::new();
    let file = io::BufReader::new(fs::File::open(archive).unwrap());
    archive::read(file, &Limits::default(), |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        members.push((entry.clone(), bytes));
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    members
}

async fn pushed(selection: &Selection, server: &Path) -> Result<Received, ArchiveError> {
    receive(pack(selection.clone(), None), server, &Limits::default()).await
}

#[tokio::test]
async fn a_folder_arrives_as_it_was() {
    let (folder, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let long = format!("deep/{}/{}", "d".repeat(120), "f".repeat(200));
    fs::create_dir_all(folder.path().join(&long).parent().unwrap()).unwrap();
    fs::write(folder.path().join(&long), "long").unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(folder.path().join("a.sh"), "#!/bin/sh").unwrap();
    fs::write(folder.path().join("big"), vec![7; 300_000]).unwrap();
    fs::set_permissions(folder.path().join("a.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("x".repeat(150), folder.path().join("link")).unwrap();
    let selection = select(folder.path(), &Limits::default()).unwrap();
    let progress = Arc::new(AtomicU64::new(0));

    let stream = pack(selection.clone(), Some(progress.clone()));
    let received = receive(stream, server.path(), &Limits::default()).await.unwrap();

    let mut arrived = members(&received.path);
    assert_eq!(arrived[0].0.path, Path::new(DOCKERFILE), "the Dockerfile comes first");
    arrived.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    assert_eq!(arrived.iter().map(|(entry, _)| entry.clone()).collect::<Vec<_>>(), selection.entries);
    for (entry, content) in &arrived {
        if matches!(entry.kind, EntryKind::File { .. }) {
            assert_eq!(content, &fs::read(folder.path().join(&entry.path)).unwrap());
        }
    }
    assert_eq!(progress.load(Ordering::Relaxed), selection.bytes);
    assert_eq!((received.files, received.bytes), (5, fs::metadata(&received.path).unwrap().len()));
    assert_eq!(received.path, received.id.to_string().parse::<ContextId>().unwrap().path_in(server.path()));
    assert_eq!(fs::metadata(&received.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(dockerfile_of(&received.path).await.unwrap().unwrap(), b"FROM scratch\n");
    let opened: Vec<Bytes> = open(&received.path).await.unwrap().try_collect().await.unwrap();
    assert_eq!(opened.concat(), fs::read(&received.path).unwrap());

    let again = pushed(&selection, server.path()).await.unwrap();
    assert_eq!(again.digest, received.digest, "equal folders give equal archives");
    assert_ne!(again.id, received.id);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_packed_arrives(
        files in prop::collection::btree_map("[a-c]{1,2}(/[d-f é]{1,3}){0,3}/[x-z]", prop::collection::vec(any::<u8>(), 0..2000), 0..12),
    ) {
        let (folder, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut files: BTreeMap<String, Vec<u8>> = files;
        files.insert(DOCKERFILE.into(), b"FROM scratch".to_vec());
        for (name, content) in &files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let selection = select(folder.path(), &Limits::default()).unwrap();
        let received = runtime().block_on(pushed(&selection, server.path())).unwrap();
        let arrived: BTreeMap<String, Vec<u8>> = members(&received.path)
            .into_iter()
            .filter(|(entry, _)| entry.kind != EntryKind::Folder)
            .map(|(entry, content)| (entry.path.to_str().unwrap().to_owned(), content))
            .collect();
        prop_assert_eq!(arrived, files);
    }

    #[test]
    fn damaged_archives_are_refused_or_read_but_never_more(at in 0.0..1.0f64, byte: u8, cut: bool) {
        let mut archive = gzip(&tar_of(&[("Dockerfile", EntryType::Regular, b"FROM x"), ("a", EntryType::Regular, b"1")]));
        let index = (archive.len() as f64 * at) as usize;
        if cut { archive.truncate(index) } else { archive[index] = byte }
        let result = receive_bytes(&archive, &Limits::default());
        prop_assert!(!cut || result.is_err(), "a part of an archive is no archive");
    }
}

#[tokio::test]
async fn a_file_that_changes_or_goes_ends_the_push_by_name() {
    let (folder, server) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("data");
    fs::write(folder.path().join("Dockerfile"), "").unwrap();
    fs::write(&file, "12345").unwrap();
    let selection = select(folder.path(), &Limits::default()).unwrap();
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("changed", |file| fs::write(file, "123456").unwrap()),
        ("changed", |file| fs::write(file, "1234").unwrap()),
        ("cannot be read", |file| fs::remove_file(file).unwrap()),
        ("cannot be read", |file| symlink("Dockerfile", file).unwrap()),
    ];
    for (expected, change) in changes {
        change(&file);
        let ArchiveError::Broken(cause) = pushed(&selection, server.path()).await.unwrap_err() else {
            panic!("the stream should break off");
        };
        assert!(cause.to_string().contains("/data ") && cause.to_string().contains(expected), "{cause}");
    }
    assert_eq!(fs::read_dir(server.path()).unwrap().count(), 0, "nothing is left on the server");
}

#[tokio::test]
async fn a_dropped_push_leaves_nothing_behind() {
    let server = tempfile::tempdir().unwrap();
    let never = stream::once(async { Ok::<_, io::Error>(Bytes::from_static(b"begin")) }).chain(stream::pending());
    let limits = Limits::default();
    let pushing = receive(never, server.path(), &limits);
    let given_up = tokio::time::timeout(std::time::Duration::from_millis(50), pushing).await;
    assert!(given_up.is_err());
    assert_eq!(fs::read_dir(server.path()).unwrap().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_push_that_stalls_is_given_up() {
    let server = tempfile::tempdir().unwrap();
    let never = stream::pending::<io::Result<Bytes>>();
    let error = receive(never, server.path(), &Limits::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing more was sent for 60s");
}

#[test]
fn what_a_context_may_not_hold_is_refused() {
    use EntryType::{Block, Char, Directory, Fifo, GNUSparse, Link, Regular, Symlink};
    let refused: [(&str, Vec<Raw<'_>>, Refusal); 20] = [
        ("absolute", vec![("/etc/passwd", Regular, b"x")], Refusal::Absolute),
        ("parent", vec![("../x", Regular, b"x")], Refusal::Parent),
        ("parent inside", vec![("a/../../x", Regular, b"x")], Refusal::Parent),
        ("empty name", vec![("", Regular, b"x")], Refusal::Length),
        ("hard link", vec![("a", Link, b"")], Refusal::HardLink),
        ("character device", vec![("a", Char, b"")], Refusal::Special),
        ("block device", vec![("a", Block, b"")], Refusal::Special),
        ("pipe", vec![("a", Fifo, b"")], Refusal::Special),
        ("sparse", vec![("a", GNUSparse, b"")], Refusal::Sparse),
        ("unknown", vec![("a", EntryType::new(b'V'), b"")], Refusal::Unknown),
        ("file with a slash", vec![("a/", Regular, b"x")], Refusal::Unknown),
        ("folder with content", vec![("a/", Directory, b"x")], Refusal::Contradiction),
        ("twice", vec![("Dockerfile", Regular, b"x"), ("./Dockerfile", Regular, b"y")], Refusal::Clash),
        ("below a file", vec![("a", Regular, b""), ("a/b", Regular, b"")], Refusal::Clash),
        ("below a symlink", vec![("a", Symlink, b""), ("a/b", Regular, b"")], Refusal::Clash),
        ("symlink over a folder", vec![("a/b", Regular, b""), ("a", Symlink, b"")], Refusal::Clash),
        ("Dockerfile is a folder", vec![("Dockerfile", Directory, b"")], Refusal::Dockerfile),
        (
            "two long names",
            vec![("x", EntryType::GNULongName, b"a"), ("x", EntryType::XHeader, b"10 path=b\n"), ("a", Regular, b"")],
            Refusal::Contradiction,
        ),
        ("another size", vec![("x", EntryType::XHeader, b"9 size=5\n"), ("a", Regular, b"12")], Refusal::Contradiction),
        (
            "long name leads out",
            vec![("x", EntryType::GNULongName, b"../../x\0"), ("a", Regular, b"")],
            Refusal::Parent,
        ),
    ];
    for (name, members, expected) in refused {
        let error = receive_bytes(&gzip(&tar_of(&members)), &Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::Refused { refusal, .. } if refusal == expected), "{name}: {error}");
    }
    let mut out = Header::new_gnu();
    out.set_entry_type(Symlink);
    out.set_size(0);
    out.set_mode(0o777);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_link(&mut out, "a/b", "../../c").unwrap();
    let error = receive_bytes(&gzip(&archive.into_inner().unwrap()), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), r#""a/b" is refused: a symlink points out of the context"#);
}

#[test]
fn what_git_and_other_archivers_write_is_taken() {
    let members: Vec<Raw<'_>> = vec![
        ("pax_global_header", EntryType::XGlobalHeader, b"19 comment=01234567\n"),
        ("./", EntryType::Directory, b""),
        ("./Dockerfile", EntryType::Regular, b"FROM x"),
        ("./a/b", EntryType::Regular, b"1"),
        ("./a/", EntryType::Directory, b""),
        ("x", EntryType::XHeader, b"15 path=a/long\n9 size=1\n"),
        ("short", EntryType::Regular, b"2"),
    ];
    assert_eq!(receive_bytes(&gzip(&tar_of(&members)), &Limits::default()).unwrap(), 3);
}

#[test]
fn bombs_are_refused_while_they_are_small() {
    let limits = Limits { bytes: 100_000, files: 10 };
    let zeros = vec![0; 50_000_000];
    let bomb = gzip(&tar_of(&[("zeros", EntryType::Regular, &zeros)]));
    assert!(bomb.len() < 300_000);
    assert!(matches!(
        receive_bytes(&bomb, &limits),
        Err(ArchiveError::SentTooMuch { .. } | ArchiveError::TooLarge { .. })
    ));
    let trailing = gzip(&[tar_of(&[("a", EntryType::Regular, b"")]), zeros.clone()].concat());
    assert!(matches!(
        receive_bytes(&trailing, &limits),
        Err(ArchiveError::SentTooMuch { .. } | ArchiveError::TooLarge { .. })
    ));
    let small = Limits { bytes: 100_000, files: 200_000 };
    assert!(matches!(receive_bytes(&bomb, &small), Err(ArchiveError::TooLarge { limit: 100_000 })));
    let long_name = gzip(&tar_of(&[("x", EntryType::GNULongName, &zeros[..200_000]), ("a", EntryType::Regular, b"")]));
    let refusal = receive_bytes(&long_name, &Limits::default()).unwrap_err();
    assert!(matches!(refusal, ArchiveError::Refused { refusal: Refusal::Length, .. }), "{refusal}");
    let names: Vec<String> = (0..11).map(|i| format!("f{i}")).collect();
    let many: Vec<Raw<'_>> = names.iter().map(|name| (name.as_str(), EntryType::Regular, &b""[..])).collect();
    assert!(matches!(receive_bytes(&gzip(&tar_of(&many)), &limits), Err(ArchiveError::TooMany { limit: 10 })));
}

#[test]
fn what_is_no_archive_is_refused() {
    let good = tar_of(&[("Dockerfile", EntryType::Regular, b"FROM x")]);
    let more = [good.clone(), b"more".to_vec()].concat();
    for bytes in [b"".to_vec(), b"no gzip".to_vec(), good.clone(), gzip(b"no tar, but a few bytes"), gzip(&more)] {
        let error = receive_bytes(&bytes, &Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::Malformed(_)), "{error}");
    }
    let two_parts = [gzip(&good[..700]), gzip(&good[700..])].concat();
    assert_eq!(receive_bytes(&two_parts, &Limits::default()).unwrap(), 1, "gzip may come in several parts");
}

#[tokio::test]
async fn an_archive_may_lack_a_dockerfile_but_not_have_a_huge_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar.gz");
    fs::write(&path, gzip(&tar_of(&[("a", EntryType::Regular, b"")]))).unwrap();
    assert!(dockerfile_of(&path).await.unwrap().is_none());
    let long = vec![b'#'; (1 << 20) + 1];
    fs::write(&path, gzip(&tar_of(&[("Dockerfile", EntryType::Regular, &long)]))).unwrap();
    let error = dockerfile_of(&path).await.unwrap_err();
    assert_eq!(error.to_string(), "the Dockerfile is larger than 1.0 MiB");
}

#[test]
fn ids_that_are_none_are_refused() {
    for text in ["", "..", "../../etc/passwd", &"a".repeat(31), &"A".repeat(32), &"g".repeat(32)] {
        assert!(text.parse::<ContextId>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_folder_knows_its_commit_and_whether_it_differs() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args(identity)
            .args(arguments)
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    assert_eq!(commit_of(folder.path()).await, None, "no repository");
    git(&["init", "-q"]);
    assert_eq!(commit_of(folder.path()).await, None, "no commit");
    fs::write(folder.path().join("a"), "1").unwrap();
    git(&["add", "a"]);
    git(&["commit", "-q", "-m", "Add a: ä\n\nIts body"]);
    let commit = commit_of(folder.path()).await.unwrap();
    assert_eq!((commit.subject.as_str(), commit.dirty), ("Add a: ä", false));
    assert!(commit.id.len() >= 7);
    fs::write(folder.path().join("b"), "2").unwrap();
    assert!(commit_of(folder.path()).await.unwrap().dirty);
}

type Raw<'a> = (&'a str, EntryType, &'a [u8]);

/// A tar with headers as given, however wrong.
fn tar_of(members: &[Raw<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The number of files, or why not; there is never a file left after a refusal.
fn receive_bytes(bytes: &[u8], limits: &Limits) -> Result<u64, ArchiveError> {
    let server = tempfile::tempdir().unwrap();
    let chunks: Vec<io::Result<Bytes>> = bytes.chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let received = runtime().block_on(receive(stream::iter(chunks), server.path(), limits));
    let left = fs::read_dir(server.path()).unwrap().count();
    assert_eq!(left, usize::from(received.is_ok()));
    received.map(|received| received.files)
}
