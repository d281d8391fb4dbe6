//! Pushed archives that are not what they should be, sent by somebody with a key: each is refused, and nothing of it is
//! kept.

use std::fmt::Write as _;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::wire::{Forged, Wire, told};

/// A member: its path, its kind, and what a file holds or a link leads to.
type Member<'a> = (&'a str, EntryType, &'a [u8]);

/// Headers are written byte by byte, for the library would not write most of these.
fn tar_of(members: &[Member<'_>]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (path, kind, content) in members {
        let mut header = Header::new_gnu();
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        if is_link {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content);
        }
        let content = if is_link { &[][..] } else { content };
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Its context takes one MiB.
async fn small() -> Wire {
    Wire::with("[limits]\ncontext_mib = 1\nmin_free_mib = 0\n").await
}

#[tokio::test]
async fn archives_that_lead_out_of_the_context_or_are_bombs_are_refused() {
    use EntryType::{Block, Char, Fifo, Link, Regular, Symlink};
    let wire = small().await;
    let zeros = vec![0; 40 << 20];
    let deep = "d/".repeat(49) + "x";
    let one = |path: &'static str, kind, content: &'static [u8]| gzip(&tar_of(&[(path, kind, content)]));
    let cases = [
        ("archive: absolute path", one("/etc/cron.d/x", Regular, b"x")),
        ("archive: path with ..", one("a/../../x", Regular, b"x")),
        ("archive: symlink out of the context", one("a/b", Symlink, b"../../x")),
        ("archive: file below a symlink", gzip(&tar_of(&[("a", Symlink, b"b"), ("a/x", Regular, b"x")]))),
        ("archive: hard link", one("a", Link, b"Dockerfile")),
        ("archive: character device", one("a", Char, b"")),
        ("archive: block device", one("a", Block, b"")),
        ("archive: named pipe", one("a", Fifo, b"")),
        ("archive: the same file twice", gzip(&tar_of(&[("a", Regular, b"1"), ("./a", Regular, b"2")]))),
        ("archive: 40 MiB of zeros in 40 KB", gzip(&tar_of(&[("zeros", Regular, &zeros)]))),
        ("archive: a bomb in a bomb", gzip(&gzip(&tar_of(&[("zeros", Regular, &zeros)])))),
        ("archive: cut off", gzip(&tar_of(&[("a", Regular, &zeros[..9000])]))[..60].to_vec()),
        ("archive: nothing", Vec::new()),
    ];
    let mut table = String::new();
    for (attack, body) in cases {
        assert!(body.len() < 64 * 1024, "{attack} is {} bytes", body.len());
        let request = Forged::with_body("POST", "/daemon/v1/contexts", body).signed(&wire, "ed25519").await;
        let problem = wire.send(&request).await.problem();
        let causes = problem.causes.iter().map(|cause| format!(": {cause}")).collect::<String>();
        let got = format!("{}{causes}", problem.message);
        writeln!(table, "{attack:<42} {got}").unwrap();
        told(attack, &got);
        assert_eq!(wire.kept(), 0, "{attack}: nothing of it is kept");
    }
    insta::assert_snapshot!(table);
    let nested = gzip(&tar_of(&[(&deep, Regular, b"x")]));
    let request = Forged::with_body("POST", "/daemon/v1/contexts", nested).signed(&wire, "ed25519").await;
    assert_eq!(wire.send(&request).await.status, 200, "folders in folders are fine");
}
