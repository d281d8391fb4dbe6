//! Reading a context's tar.gz, member by member. Names and sizes are read here and not by the tar library, so that
//! nothing in an archive makes the server hold more than a little of it in memory, and so that what this reads and what
//! the engine reads cannot differ.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry as TarEntry, EntryType, PaxExtensions};

use super::error::{ArchiveError, Refusal};
use super::select::points_out;
use super::{DOCKERFILE, Entry, EntryKind, Limits};

type Result<T, E = ArchiveError> = std::result::Result<T, E>;

/// A name of a member, or its further attributes, may be so long.
const LONGEST_ATTRIBUTES: u64 = 64 * 1024;

/// As long as Linux takes a path.
const LONGEST_PATH: usize = 4096;

/// Reads all members in order, until `visit` breaks off. What a context may not hold is an error, and so is an
/// archive that is larger than the limits, or cut off, or goes on after its end.
pub fn read(
    compressed: impl BufRead,
    limits: &Limits,
    mut visit: impl FnMut(&Entry, &mut dyn Read) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let unpacked = Bounded { inner: MultiGzDecoder::new(compressed), left: limits.archive_bytes() };
    let explain = |error: io::Error| match error.get_ref().is_some_and(|cause| cause.is::<Overlong>()) {
        true => ArchiveError::TooLarge { limit: limits.bytes },
        false => ArchiveError::Malformed(error),
    };
    let mut archive = Archive::new(unpacked);
    let mut tally = Tally::new(limits);
    let mut attributes = Attributes::default();
    for member in archive.entries().map_err(explain)?.raw(true) {
        let mut member = member.map_err(explain)?;
        if attributes.take(&mut member)? {
            continue;
        }
        let entry = std::mem::take(&mut attributes).entry(&member)?;
        tally.add(&entry)?;
        if visit(&entry, &mut member)?.is_break() {
            return Ok(());
        }
    }
    check_rest(&mut archive.into_inner()).map_err(explain)
}

/// Reads to the end, which also checks the checksum; there may be nothing but padding.
fn check_rest(rest: &mut impl Read) -> io::Result<()> {
    let mut block = [0; 8192];
    loop {
        match rest.read(&mut block)? {
            0 => return Ok(()),
            count if block[..count].iter().all(|&byte| byte == 0) => {}
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "there is something after the end of the tar")),
        }
    }
}

/// What stands in front of a member about it: GNU's long names and POSIX attributes.
#[derive(Default)]
struct Attributes {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Attributes {
    /// Takes a member that is about another one; says whether it was one.
    fn take(&mut self, member: &mut TarEntry<'_, impl Read>) -> Result<bool> {
        let kind = member.header().entry_type();
        match kind {
            EntryType::GNULongName => set(&mut self.path, until_nul(content(member)?))?,
            EntryType::GNULongLink => set(&mut self.target, until_nul(content(member)?))?,
            EntryType::XHeader => self.take_posix(&content(member)?)?,
            // Said of the whole archive by git; nothing that matters, and engines pass over it as well.
            EntryType::XGlobalHeader => drop(content(member)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_posix(&mut self, attributes: &[u8]) -> Result<()> {
        for attribute in PaxExtensions::new(attributes) {
            let attribute = attribute.map_err(ArchiveError::Malformed)?;
            let value = attribute.value_bytes();
            match attribute.key_bytes() {
                b"path" => set(&mut self.path, value.to_vec())?,
                b"linkpath" => set(&mut self.target, value.to_vec())?,
                b"size" => {
                    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.size = Some(number.ok_or(refused(b"attributes", Refusal::Contradiction))?);
                }
                key if key.starts_with(b"GNU.sparse") => return Err(refused(b"attributes", Refusal::Sparse)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The member that they are about.
    fn entry(self, member: &TarEntry<'_, impl Read>) -> Result<Entry> {
        let header = member.header();
        let name = self.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let path = checked_path(&name)?;
        let size = header.entry_size().map_err(ArchiveError::Malformed)?;
        if self.size.is_some_and(|told| told != size) {
            return Err(refused(&name, Refusal::Contradiction));
        }
        let target = || self.target.or_else(|| header.link_name_bytes().map(|t| t.into_owned())).unwrap_or_default();
        let kind = match header.entry_type() {
            EntryType::Regular if name.ends_with(b"/") => return Err(refused(&name, Refusal::Unknown)),
            EntryType::Regular => EntryKind::File { bytes: size },
            EntryType::Directory => EntryKind::Folder,
            EntryType::Symlink => EntryKind::Symlink { target: bytes_path(&target()) },
            EntryType::Link => return Err(refused(&name, Refusal::HardLink)),
            EntryType::Char | EntryType::Block | EntryType::Fifo => return Err(refused(&name, Refusal::Special)),
            EntryType::GNUSparse => return Err(refused(&name, Refusal::Sparse)),
            _ => return Err(refused(&name, Refusal::Unknown)),
        };
        // Some readers skip such content, some read it as members.
        if size > 0 && !matches!(kind, EntryKind::File { .. }) {
            return Err(refused(&name, Refusal::Contradiction));
        }
        if matches!(&kind, EntryKind::Symlink { target } if points_out(&path, target)) {
            return Err(refused(&name, Refusal::SymlinkOut));
        }
        let mode = header.mode().map_err(ArchiveError::Malformed)? & 0o7777;
        let modified = header.mtime().map_err(ArchiveError::Malformed)?;
        Ok(Entry { path, kind, mode, modified })
    }
}

fn set(slot: &mut Option<Vec<u8>>, value: Vec<u8>) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(first) => Err(refused(&first, Refusal::Contradiction)),
    }
}

fn content(member: &mut TarEntry<'_, impl Read>) -> Result<Vec<u8>> {
    if member.size() > LONGEST_ATTRIBUTES {
        return Err(refused(&member.path_bytes(), Refusal::Length));
    }
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes).map_err(ArchiveError::Malformed)?;
    Ok(bytes)
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
    bytes
}

fn bytes_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The path without `.` parts; empty for the root of the context itself.
fn checked_path(name: &[u8]) -> Result<PathBuf> {
    if name.is_empty() || name.len() > LONGEST_PATH {
        return Err(refused(name, Refusal::Length));
    }
    let mut path = PathBuf::new();
    for part in bytes_path(name).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(refused(name, Refusal::Parent)),
            Component::RootDir | Component::Prefix(_) => return Err(refused(name, Refusal::Absolute)),
        }
    }
    Ok(path)
}

fn refused(name: &[u8], refusal: Refusal) -> ArchiveError {
    let path = String::from_utf8_lossy(&name[..name.len().min(200)]).into_owned();
    ArchiveError::Refused { path, refusal }
}

/// What was read so far, as far as it matters for what may follow. Paths are kept as hashes with a random key: a few
/// bytes each, however long they are.
struct Tally<'a> {
    limits: &'a Limits,
    bytes: u64,
    members: u64,
    seen: HashMap<u64, Seen>,
    hashing: RandomState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Something lies in it, and it was not listed itself.
    ImpliedFolder,
    Folder,
    Other,
}

impl<'a> Tally<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, bytes: 0, members: 0, seen: HashMap::new(), hashing: RandomState::new() }
    }

    fn add(&mut self, entry: &Entry) -> Result<()> {
        self.members += 1;
        self.bytes = self.bytes.saturating_add(entry.bytes());
        if self.members > self.limits.files {
            return Err(ArchiveError::TooMany { limit: self.limits.files });
        }
        if self.bytes > self.limits.bytes {
            return Err(ArchiveError::TooLarge { limit: self.limits.bytes });
        }
        if entry.path == Path::new(DOCKERFILE) && !matches!(entry.kind, EntryKind::File { .. }) {
            return Err(refused(DOCKERFILE.as_bytes(), Refusal::Dockerfile));
        }
        if self.clashes(entry) {
            return Err(refused(entry.path.as_os_str().as_bytes(), Refusal::Clash));
        }
        Ok(())
    }

    /// The same path twice means that two readers may see two files; a path below a symlink leads elsewhere.
    fn clashes(&mut self, entry: &Entry) -> bool {
        let kind = if entry.kind == EntryKind::Folder { Seen::Folder } else { Seen::Other };
        let before = self.seen.insert(self.hash(&entry.path), kind);
        if !matches!((before, kind), (None, _) | (Some(Seen::ImpliedFolder), Seen::Folder)) {
            return true;
        }
        entry.path.ancestors().skip(1).any(|folder| {
            let folder = self.hash(folder);
            *self.seen.entry(folder).or_insert(Seen::ImpliedFolder) == Seen::Other
        })
    }

    fn hash(&self, path: &Path) -> u64 {
        self.hashing.hash_one(path.as_os_str())
    }
}

/// More came out of the archive than may.
#[derive(Debug, thiserror::Error)]
#[error("the archive is larger than it may be")]
struct Overlong;

struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| io::Error::other(Overlong))?;
        Ok(count)
    }
}
