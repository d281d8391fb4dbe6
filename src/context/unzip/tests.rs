//! Zips as clients of the original send them, and such as nobody should.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, symlink};

use bytes::Bytes;
use futures_util::stream;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::{archive, receive_zip, select, zip_up};
use super::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, files: 20 };

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644)
}

fn zip_with(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::default());
    write(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(|zip| {
        for (name, content) in files {
            zip.start_file(*name, stored()).unwrap();
            zip.write_all(content).unwrap();
        }
    })
}

/// Replaces a text in all places that it has.
fn patched(mut zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..=zip.len() - from.len()).filter(|at| zip[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| zip[at..at + to.len()].copy_from_slice(to));
    zip
}

/// What a server keeps of it; nothing else may be left in its folder.
fn received(zip: &[u8], limits: &Limits) -> Result<Vec<(Entry, Vec<u8>)>> {
    let folder = tempfile::tempdir().unwrap();
    let chunks: Vec<Result<Bytes, io::Error>> = zip.chunks(1000).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let received = runtime.block_on(receive_zip(stream::iter(chunks), folder.path(), limits));
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, usize::from(received.is_ok()), "{received:?}");
    let received = received?;
    assert_eq!(received.bytes, zip.len() as u64);
    assert_eq!(fs::metadata(&received.path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut members = Vec::new();
    let file = BufReader::new(File::open(received.path).unwrap());
    archive::read(file, &Limits::default(), |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        members.push((entry.clone(), bytes));
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    Ok(members)
}

#[track_caller]
fn refusal(zip: &[u8]) -> String {
    let error = received(zip, &LIMITS).unwrap_err();
    std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[test]
fn a_folder_goes_into_a_zip_and_comes_out_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("bin/empty")).unwrap();
    for (name, text, mode) in [("Dockerfile", "FROM scratch\n", 0o600), ("bin/run", "#!", 0o755), ("é", "x", 0o640)] {
        fs::write(path(name), text).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink("run", path("bin/again")).unwrap();
    symlink("empty", path("bin/nothing")).unwrap();
    let selection = select(folder.path(), &Limits::default()).unwrap();
    let (mut zip, left_out) = zip_up(&selection).unwrap();
    assert_eq!(left_out, [Path::new("bin/nothing")]);
    let mut bytes = Vec::new();
    zip.read_to_end(&mut bytes).unwrap();
    let last = bytes.windows(10).rposition(|part| part == b"Dockerfile").unwrap();
    assert!(bytes[last..].windows(7).all(|part| part != b"bin/run"), "the Dockerfile comes last");

    let members = received(&bytes, &Limits::default()).unwrap();
    let told: Vec<_> =
        members.iter().map(|(entry, content)| (entry.path.to_str().unwrap(), entry.mode, &content[..])).collect();
    assert_eq!(
        told,
        [
            ("Dockerfile", 0o600, &b"FROM scratch\n"[..]),
            ("bin/again", 0o755, b"#!"),
            ("bin/run", 0o755, b"#!"),
            ("é", 0o640, b"x"),
        ]
    );
    let written = fs::metadata(path("bin/run")).unwrap().modified().unwrap();
    let seconds = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(members[2].0.modified, seconds - seconds % 2, "as precise as a zip is");
}

#[test]
fn what_dockerignore_leaves_out_stays_out() {
    let list = b"*\n!src\nsrc/*.log\n";
    let zip =
        zip_of(&[(".dockerignore", list), ("src/a", b""), ("src/b.log", b""), ("secret", b""), (DOCKERFILE, b"")]);
    let names: Vec<_> = received(&zip, &LIMITS).unwrap().into_iter().map(|(entry, _)| entry.path).collect();
    assert_eq!(names, ["Dockerfile", ".dockerignore", "src/a"].map(std::path::PathBuf::from));
    let bad = zip_of(&[(".dockerignore", b"ok\nbad[\n"), (DOCKERFILE, b"")]);
    assert!(refusal(&bad).starts_with("line 2 of .dockerignore is no pattern: \"bad[\""));
}

#[test]
fn a_dockerignore_of_which_only_a_part_would_be_read_is_refused() {
    let list = "# a comment\n".repeat(100_000) + "secret\n";
    let zip = zip_of(&[(".dockerignore", list.as_bytes()), ("secret", b""), (DOCKERFILE, b"")]);
    let refused = received(&zip, &Limits::default()).unwrap_err();
    assert!(matches!(refused, ArchiveError::LongIgnoreList { .. }), "{refused:?}");
}

#[test]
fn what_no_context_may_hold_is_refused() {
    let mode = |mode: u32| stored().external_attributes(mode << 16);
    let one = |name: &str, options| zip_with(|zip| zip.start_file(name, options).unwrap());
    for (zip, reason) in [
        (zip_of(&[("../up", b"")]), "its path leaves the context with .."),
        (zip_of(&[("a/../../up", b"")]), "its path leaves the context with .."),
        (zip_of(&[("/etc/passwd", b"")]), "its path is absolute"),
        (one(&"x".repeat(5000), stored()), "its path is empty or longer than 4096 bytes"),
        (zip_with(|zip| zip.add_symlink("link", "/etc", stored()).unwrap()), "symlinks are not taken in a zip"),
        (one("device", mode(0o020_644)), "devices and named pipes are not taken"),
        (one("pipe", mode(0o010_644)), "devices and named pipes are not taken"),
        (one("file", mode(0o040_755)), "its name or size is told twice, and differently"),
        (patched(zip_of(&[("aa", b"1"), ("ab", b"2")]), b"ab", b"aa"), "its path is that of another member"),
        (zip_of(&[("a", b"1"), ("./a", b"2")]), "its path is that of another member"),
        (zip_of(&[("a", b"1"), ("a/b", b"2")]), "lies below one that is no folder"),
        (zip_of(&[("Dockerfile/a", b"2"), (DOCKERFILE, b"")]), "its path is that of another member"),
    ] {
        let told = refusal(&zip);
        assert!(told.contains(reason), "{reason}: {told}");
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let deflated = stored().compression_method(CompressionMethod::Deflated);
    let bomb = zip_with(|zip| {
        zip.start_file("bomb", deflated).unwrap();
        zip.write_all(&vec![0; 8 << 20]).unwrap();
    });
    assert!(bomb.len() < 20_000);
    assert!(refusal(&bomb).contains("unpacks to more than"), "{}", refusal(&bomb));
    // It says that it is small, in both places.
    let liar = patched(bomb, &(8_u32 << 20).to_le_bytes(), &5_u32.to_le_bytes());
    assert!(refusal(&liar).contains("larger than its declared uncompressed size"), "{}", refusal(&liar));
    let many: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(refusal(&zip_of(&many)).contains("more than 20 files"));
    let sent = vec![b'x'; usize::try_from(LIMITS.archive_bytes()).unwrap() + 1];
    assert!(refusal(&sent).contains("the upload is larger than"));
}

#[test]
fn what_is_no_whole_zip_is_refused() {
    let good = zip_of(&[("a", b"content"), (DOCKERFILE, b"FROM scratch")]);
    received(&good, &LIMITS).unwrap();
    let encrypted = patched(good.clone(), b"PK\x03\x04\x0a\x00\x00", b"PK\x03\x04\x0a\x00\x01");
    for (zip, what) in [
        (Vec::new(), "nothing"),
        (b"no zip at all".to_vec(), "something else"),
        (good[..good.len() - 10].to_vec(), "a part"),
        (good[30..].to_vec(), "the end"),
        (patched(good.clone(), b"content", b"CONTENT"), "a wrong checksum"),
        (encrypted, "headers that differ"),
    ] {
        assert!(refusal(&zip).starts_with("this is not a whole zip"), "{what}: {}", refusal(&zip));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_files_a_zip_holds_arrive(
        files in prop::collection::btree_map("[a-c]{1,2}(/[d-f é]{1,3}){0,2}/[x-z]", prop::collection::vec(any::<u8>(), 0..2000), 0..8),
        deflated: bool,
    ) {
        let method = if deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let zip = zip_with(|zip| for (name, content) in &files {
            zip.start_file(name.as_str(), stored().compression_method(method)).unwrap();
            zip.write_all(content).unwrap();
        });
        let members = received(&zip, &LIMITS).unwrap();
        let arrived: BTreeMap<String, Vec<u8>> =
            members.into_iter().map(|(entry, content)| (entry.path.to_str().unwrap().to_owned(), content)).collect();
        prop_assert_eq!(arrived, files);
    }

    #[test]
    fn damaged_zips_are_refused_or_read_and_leave_nothing(at in 0.0..1.0f64, byte: u8, cut: bool) {
        let mut zip = zip_of(&[("a", b"content"), (DOCKERFILE, b"FROM scratch")]);
        let index = (zip.len() as f64 * at) as usize;
        if cut { zip.truncate(index) } else { zip[index] = byte }
        let result = received(&zip, &LIMITS);
        prop_assert!(!cut || result.is_err(), "a part of a zip is no zip");
    }
}
