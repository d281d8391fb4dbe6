//! Any bytes as a pushed archive: no panic, nothing is read beyond the limits, and what is let through lies inside the
//! context.
#![no_main]

use std::collections::HashSet;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use mypaas::context::{EntryKind, Limits, read_archive};

const LIMITS: Limits = Limits { bytes: 64 * 1024, files: 16 };

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // Most random bytes are no gzip, whose checksum is not what is tried here.
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(bytes).unwrap();
    read(&packed.finish().unwrap());
});

fn read(packed: &[u8]) {
    let (mut bytes, mut paths, mut is_cut) = (0, HashSet::new(), false);
    let done = read_archive(packed, &LIMITS, |entry, content| {
        assert!(is_inside(&entry.path), "{entry:?}");
        assert!(paths.insert(entry.path.clone()), "twice: {entry:?}");
        if let EntryKind::Symlink { target } = &entry.kind {
            assert!(leads_inside(entry.path.parent().unwrap_or(Path::new("")), target), "{entry:?}");
        }
        let mut sink = Vec::new();
        is_cut |= content.read_to_end(&mut sink).is_err() || sink.len() as u64 != entry.bytes();
        bytes += sink.len() as u64;
        Ok(ControlFlow::Continue(()))
    });
    assert!(bytes <= LIMITS.bytes && paths.len() as u64 <= LIMITS.files, "{bytes} bytes, {} members", paths.len());
    assert!(!is_cut || done.is_err(), "a file that was cut off is not told");
}

fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// An absolute target means a file of the image.
fn leads_inside(folder: &Path, target: &Path) -> bool {
    let mut at = PathBuf::from(folder);
    target.is_absolute()
        || target.components().all(|part| match part {
            Component::Normal(part) => {
                at.push(part);
                true
            }
            Component::CurDir => true,
            Component::ParentDir => at.pop(),
            Component::RootDir | Component::Prefix(_) => false,
        })
}
