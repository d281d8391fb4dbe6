//! The selected files → a zip, as a server of the Python original takes it: stored, the Dockerfile last. Such a zip
//! holds files only: symlinks travel as what they point to, and empty folders not at all.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::pack::Content;
use super::{DOCKERFILE, Entry, EntryKind, Selection};

/// The zip in a file that is gone with it, and the symlinks that could not be sent as what they point to. Blocks. A file
/// that cannot be read or that changed since it was selected is an error that names it
/// ([`ContextError`](super::ContextError)).
pub fn zip_up(selection: &Selection) -> io::Result<(File, Vec<PathBuf>)> {
    let mut zip = ZipWriter::new(tempfile::tempfile()?);
    let mut left_out = Vec::new();
    let is_dockerfile = |entry: &&Entry| entry.path == Path::new(DOCKERFILE);
    let others = selection.entries.iter().filter(|entry| !is_dockerfile(entry));
    for entry in others.chain(selection.entries.iter().filter(is_dockerfile)) {
        match entry.kind {
            EntryKind::Folder => {}
            EntryKind::File { .. } => append(&mut zip, &entry.path, selection, entry)?,
            EntryKind::Symlink { .. } => match resolved(selection, entry) {
                Some(file) => append(&mut zip, &entry.path, selection, file)?,
                None => left_out.push(entry.path.clone()),
            },
        }
    }
    let mut file = zip.finish().map_err(written)?;
    file.rewind()?;
    Ok((file, left_out))
}

/// The file that a symlink leads to; none when it leads to none that is sent.
fn resolved<'a>(selection: &'a Selection, link: &Entry) -> Option<&'a Entry> {
    let root = selection.root.canonicalize().ok()?;
    let target = root.join(&link.path).canonicalize().ok()?;
    let path = target.strip_prefix(&root).ok()?;
    selection.entries.iter().find(|entry| entry.path == path && matches!(entry.kind, EntryKind::File { .. }))
}

fn append(zip: &mut ZipWriter<File>, name: &Path, selection: &Selection, file: &Entry) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(file.mode)
        .large_file(file.bytes() >= u64::from(u32::MAX))
        .last_modified_time(time(file.modified));
    zip.start_file(name.to_string_lossy(), options).map_err(written)?;
    let progress = AtomicU64::new(0);
    let mut content = Content::open(selection.source(file), &file.path, file.bytes(), &progress)?;
    io::copy(&mut content, zip)?;
    content.check_end()
}

/// A zip knows years from 1980 to 2107.
fn time(modified: u64) -> DateTime {
    let known = || {
        let at = Timestamp::from_second(i64::try_from(modified).ok()?).ok()?;
        let at = TimeZone::UTC.to_datetime(at);
        let part = |number: i8| u8::try_from(number).unwrap_or_default();
        let (year, month, day) = (u16::try_from(at.year()).ok()?, part(at.month()), part(at.day()));
        DateTime::from_date_and_time(year, month, day, part(at.hour()), part(at.minute()), part(at.second())).ok()
    };
    known().unwrap_or_default()
}

fn written(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        other => io::Error::other(other),
    }
}
