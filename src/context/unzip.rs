//! A zip, as the Python original's client sends one → a context like any other. What may be in it is what may be in any
//! context, but no symlinks: a zip of the original has none.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil;
use jiff::tz::TimeZone;
use tar::{Builder, EntryType, Header};
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, DateTime, System, ZipReadOptions};

use super::archive::{Tally, checked_path, refused};
use super::error::{ArchiveError, Refusal};
use super::ignore_list::{FolderMatches, IgnoreList};
use super::{DOCKERFILE, DOCKERIGNORE, Entry, EntryKind, Limits};

type Result<T, E = ArchiveError> = std::result::Result<T, E>;

/// No list of what to leave out is longer.
const LONGEST_LIST: u64 = 1 << 20;

/// What a zip says of a file's kind and rights, beside those of systems that know neither.
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;
const PLAIN: u32 = 0o100_000;
const UNKNOWN: u32 = 0;

/// Writes what the zip holds as a tar.gz, the Dockerfile first, without what its `.dockerignore` leaves out. Blocks.
pub(super) fn convert(zip: &Path, into: File, limits: &Limits) -> Result<(), Trouble> {
    let mut zip = Zip::open(zip)?;
    zip.check(limits)?;
    let ignore = zip.ignore_list()?;
    let mut tar = Builder::new(GzEncoder::new(into, Compression::fast()));
    for is_dockerfile in [true, false] {
        zip.each(|entry, content| {
            if (entry.path == Path::new(DOCKERFILE)) != is_dockerfile || ignore.leaves_out(entry) {
                return Ok(());
            }
            append(&mut tar, entry, content)
        })?;
    }
    tar.into_inner().and_then(GzEncoder::finish).map_err(Trouble::Disk)?;
    Ok(())
}

/// Why a zip did not become a context.
#[derive(Debug)]
pub(super) enum Trouble {
    Zip(ArchiveError),
    /// What it was to become could not be written.
    Disk(io::Error),
}

impl From<ArchiveError> for Trouble {
    fn from(error: ArchiveError) -> Self {
        Trouble::Zip(error)
    }
}

/// A zip whose directory is walked, never held: however many files it names, they take no room.
struct Zip {
    directory: ZipIterable<BufReader<File>>,
    contents: BufReader<File>,
}

impl Zip {
    fn open(path: &Path) -> Result<Self> {
        let unopened = |source| ArchiveError::Disk { action: "open", path: path.to_owned(), source };
        let file = || File::open(path).map(BufReader::new).map_err(unopened);
        let directory = ZipIterable::try_new(file()?, Config::default()).map_err(malformed)?;
        // A name or size that is told differently in two places is a trick.
        Ok(Self { directory: directory.enforce_header_consistency(true), contents: file()? })
    }

    /// Looks at all that it names, before any of it is unpacked.
    fn check(&mut self, limits: &Limits) -> Result<()> {
        let mut tally = Tally::new(limits);
        for member in self.directory.files().map_err(malformed)? {
            tally.add(&entry_of(&member.map_err(malformed)?)?)?;
        }
        Ok(())
    }

    fn each(&mut self, mut visit: impl FnMut(&Entry, &mut dyn Read) -> Result<(), Trouble>) -> Result<(), Trouble> {
        for member in self.directory.files().map_err(malformed)? {
            let member = member.map_err(malformed)?;
            let entry = entry_of(&member)?;
            let mut content = member.with_reader(&mut self.contents, ZipReadOptions::new()).map_err(malformed)?;
            visit(&entry, &mut content)?;
        }
        Ok(())
    }

    fn ignore_list(&mut self) -> Result<Ignored, Trouble> {
        let mut text = String::new();
        self.each(|entry, content| {
            if entry.path == Path::new(DOCKERIGNORE) {
                // Of a part of it, what the rest leaves out would be sent along.
                if entry.bytes() > LONGEST_LIST {
                    return Err(ArchiveError::LongIgnoreList { limit: LONGEST_LIST }.into());
                }
                content.take(LONGEST_LIST).read_to_string(&mut text).map_err(broken)?;
            }
            Ok(())
        })?;
        match IgnoreList::parse(&text) {
            Ok(list) => Ok(Ignored(list)),
            Err(bad) => Err(ArchiveError::Pattern { line: bad.line, pattern: bad.pattern, source: bad.problem }.into()),
        }
    }
}

/// What `docker build` would not have sent, which is what the original ran.
struct Ignored(IgnoreList);

impl Ignored {
    fn leaves_out(&self, entry: &Entry) -> bool {
        let path = entry.path.to_string_lossy();
        if path == DOCKERFILE || path == DOCKERIGNORE {
            return false;
        }
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let parent = folders.fold(FolderMatches::default(), |matches, folder| self.0.enter(folder, &matches));
        self.0.leaves_out(&path, &parent)
    }
}

/// A member's place, kind and rights, once they are known to be such as may be in a context.
fn entry_of(member: &ZipFileEntry<'_>) -> Result<Entry> {
    let name = member.name().map_err(malformed)?;
    let refuse = |refusal| Err(refused(name.as_bytes(), refusal));
    let path = checked_path(name.as_bytes())?;
    let attributes = if member.system() == System::Unix { member.external_attributes() >> 16 } else { 0 };
    let is_folder = name.ends_with('/');
    let kind = match attributes & KIND {
        SYMLINK => return refuse(Refusal::Symlink),
        FOLDER | UNKNOWN if is_folder => EntryKind::Folder,
        PLAIN | UNKNOWN if !is_folder => EntryKind::File { bytes: member.size() },
        FOLDER | PLAIN => return refuse(Refusal::Contradiction),
        _ => return refuse(Refusal::Special),
    };
    if member.encrypted() {
        return refuse(Refusal::Encrypted);
    }
    if !matches!(member.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return refuse(Refusal::Compression);
    }
    if kind == EntryKind::Folder && member.size() > 0 {
        return refuse(Refusal::Contradiction);
    }
    let usual = if is_folder { 0o755 } else { 0o644 };
    let mode = if attributes & 0o777 == 0 { usual } else { attributes & 0o777 };
    Ok(Entry { path, kind, mode, modified: member.last_modified().map_or(0, seconds) })
}

/// A zip tells the time of some clock on a wall; where it hung is not known.
fn seconds(time: DateTime) -> u64 {
    let part = |number: u8| i8::try_from(number).unwrap_or(i8::MAX);
    let year = i16::try_from(time.year()).unwrap_or(i16::MAX);
    let time = civil::DateTime::new(
        year,
        part(time.month()),
        part(time.day()),
        part(time.hour()),
        part(time.minute()),
        part(time.second()),
        0,
    );
    let there = time.ok().and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
    there.and_then(|there| u64::try_from(there.as_second()).ok()).unwrap_or(0)
}

fn append(tar: &mut Builder<impl io::Write>, entry: &Entry, content: &mut dyn Read) -> Result<(), Trouble> {
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode);
    header.set_mtime(entry.modified);
    header.set_size(entry.bytes());
    if entry.kind == EntryKind::Folder {
        // The context itself is a folder in any case.
        if entry.path.as_os_str().is_empty() {
            return Ok(());
        }
        header.set_entry_type(EntryType::Directory);
        return tar.append_data(&mut header, &entry.path, io::empty()).map_err(Trouble::Disk);
    }
    header.set_entry_type(EntryType::Regular);
    let mut content = Exactly { inner: content, left: entry.bytes() };
    tar.append_data(&mut header, &entry.path, &mut content).map_err(told_apart)?;
    // The checksum is compared at the very end only.
    match content.inner.read(&mut [0; 1]).map_err(broken)? {
        0 => Ok(()),
        _ => Err(refused(entry.path.as_os_str().as_encoded_bytes(), Refusal::Contradiction).into()),
    }
}

/// A member's content, as long as the directory says and no longer.
struct Exactly<'a> {
    inner: &'a mut dyn Read,
    left: u64,
}

/// Of the zip, not of the disk that it is written to.
#[derive(Debug, thiserror::Error)]
#[error("a member is shorter than the directory says, or damaged")]
struct Damaged(#[source] Option<io::Error>);

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.inner.read(&mut buffer[..wanted]).map_err(|error| io::Error::other(Damaged(Some(error))))?;
        if count == 0 {
            return Err(io::Error::other(Damaged(None)));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn told_apart(error: io::Error) -> Trouble {
    match error.get_ref() {
        Some(inner) if inner.is::<Damaged>() => broken(error).into(),
        _ => Trouble::Disk(error),
    }
}

fn broken(error: io::Error) -> ArchiveError {
    ArchiveError::NoZip(Box::new(error))
}

fn malformed(error: ZipError) -> ArchiveError {
    ArchiveError::NoZip(Box::new(error))
}

#[cfg(test)]
mod tests;
