//! The selected files → a stream of tar.gz. Who and which group owns a file stays behind, so that equal folders give
//! equal archives. The Dockerfile comes first, so that a server need not look far for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::Stream;
use nix::fcntl::OFlag;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::error::ContextError;
use super::{DOCKERFILE, Entry, EntryKind, Selection};

/// What is sent at once.
const CHUNK: usize = 64 * 1024;

/// How many chunks may wait for a slow receiver.
const WAITING_CHUNKS: usize = 16;

/// The files as a tar.gz. `progress` grows with the bytes read, up to the selection's. A file that cannot be read or
/// that changed since it was selected ends the stream with an error that names it ([`ContextError`]), never with a
/// whole archive. Needs a tokio runtime; when the stream is dropped the work stops.
pub fn pack(
    selection: Selection,
    progress: Option<Arc<AtomicU64>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    tokio::task::spawn_blocking(move || {
        let chunks = Chunks { sender: sender.clone(), waiting: Vec::with_capacity(CHUNK) };
        if let Err(error) = write_archive(&selection, chunks, &progress.unwrap_or_default()) {
            // Nobody listens any more when this fails.
            let _ = sender.blocking_send(Err(error));
        }
    });
    ReceiverStream::new(receiver)
}

fn write_archive(selection: &Selection, chunks: Chunks, progress: &AtomicU64) -> io::Result<()> {
    // The fastest level: the folder goes to this machine or through an ssh link more often than through a slow line.
    let mut archive = Builder::new(GzEncoder::new(chunks, Compression::fast()));
    let is_dockerfile = |entry: &&Entry| entry.path == Path::new(DOCKERFILE);
    let first = selection.entries.iter().filter(is_dockerfile);
    let others = selection.entries.iter().filter(|entry| !is_dockerfile(entry));
    for entry in first.chain(others) {
        append(&mut archive, selection, entry, progress)?;
    }
    archive.into_inner()?.finish()?.flush()
}

fn append(
    archive: &mut Builder<impl Write>,
    selection: &Selection,
    entry: &Entry,
    progress: &AtomicU64,
) -> io::Result<()> {
    let mut header = header_of(entry);
    match &entry.kind {
        EntryKind::Folder => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, &entry.path, io::empty())
        }
        EntryKind::Symlink { target } => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, &entry.path, target)
        }
        EntryKind::File { bytes } => {
            let mut content = Content::open(selection.source(entry), &entry.path, *bytes, progress)?;
            archive.append_data(&mut header, &entry.path, &mut content)?;
            content.check_end()
        }
    }
}

fn header_of(entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(entry.mode);
    header.set_size(entry.bytes());
    header.set_mtime(entry.modified);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// A file's content, exactly as long as it was when it was selected.
pub(super) struct Content<'a> {
    file: File,
    path: PathBuf,
    left: u64,
    progress: &'a AtomicU64,
}

impl<'a> Content<'a> {
    pub(super) fn open(source: PathBuf, name: &Path, bytes: u64, progress: &'a AtomicU64) -> io::Result<Self> {
        // Nothing that took the file's place meanwhile is followed or waited for.
        let follow = if name == Path::new(DOCKERFILE) { OFlag::empty() } else { OFlag::O_NOFOLLOW };
        let flags = (OFlag::O_NONBLOCK | follow).bits();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(&source);
        let unreadable = |error| io::Error::other(ContextError::Unreadable { path: source.clone(), source: error });
        let file = opened.map_err(unreadable)?;
        let is_same = file.metadata().map_err(unreadable)?.is_file();
        let content = Self { file, path: source, left: bytes, progress };
        if is_same { Ok(content) } else { Err(content.changed()) }
    }

    fn changed(&self) -> io::Error {
        io::Error::other(ContextError::Changed { path: self.path.clone() })
    }

    pub(super) fn check_end(mut self) -> io::Result<()> {
        match self.file.read(&mut [0; 1])? {
            0 => Ok(()),
            _ => Err(self.changed()),
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.file.read(&mut buffer[..wanted])?;
        if count == 0 {
            return Err(self.changed());
        }
        self.left -= count as u64;
        self.progress.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Gathers what is written into chunks and sends them.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK));
        self.sender.blocking_send(Ok(chunk.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
