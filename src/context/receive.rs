//! The server's end of a push: the stream → a checked file that only the server may read.

use std::fmt;
use std::fs;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_util::io::ReaderStream;

use super::error::ArchiveError;
use super::unzip::{self, Trouble};
use super::{DOCKERFILE, EntryKind, Limits, archive};

type Result<T, E = ArchiveError> = std::result::Result<T, E>;

/// An upload of which nothing comes for so long is given up.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// Nor may it take for ever: after a while it has to be as fast on the whole as the slowest of lines.
const GRACE: Duration = Duration::from_secs(60);
const LEAST_BYTES_PER_SECOND: u64 = 4096;

/// No Dockerfile is longer.
const DOCKERFILE_LIMIT: u64 = 1 << 20;

/// For what was received within limits already.
const UNLIMITED: Limits = Limits { bytes: u64::MAX, files: u64::MAX };

/// A context that a server holds. It cannot be guessed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContextId(String);

/// A text that is no context id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a context")]
pub struct ContextIdError(String);

impl ContextId {
    fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(hex(&bytes)))
    }

    /// Where its archive is, in the folder that it was received into.
    pub fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.tar.gz", self.0))
    }
}

impl FromStr for ContextId {
    type Err = ContextIdError;

    fn from_str(text: &str) -> Result<Self, ContextIdError> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_id { Ok(Self(text.to_owned())) } else { Err(ContextIdError(text.chars().take(40).collect())) }
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A context that was received whole and found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: ContextId,
    pub path: PathBuf,
    /// As sent, compressed.
    pub bytes: u64,
    /// Files and symlinks; folders do not count.
    pub files: u64,
    /// `sha256:…` of what was sent.
    pub digest: String,
}

/// Writes what comes to a new file in the folder, and checks it. Leaves no file behind when it fails or is dropped.
pub async fn receive<E>(
    stream: impl Stream<Item = Result<Bytes, E>>,
    folder: &Path,
    limits: &Limits,
) -> Result<Received>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let id = ContextId::random().map_err(on_disk("name a file in", folder))?;
    let file = Unfinished { path: id.path_in(folder) };
    let (bytes, digest) = write(stream, &file.path, limits).await?;
    let (path, limits) = (file.path.clone(), *limits);
    let files = blocking(move || count_files(&path, &limits)).await?;
    Ok(Received { id, path: file.keep(), bytes, files, digest })
}

/// The same for a zip, as the Python original's client sends one; what is kept is a context like any other.
pub async fn receive_zip<E>(
    stream: impl Stream<Item = Result<Bytes, E>>,
    folder: &Path,
    limits: &Limits,
) -> Result<Received>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let id = ContextId::random().map_err(on_disk("name a file in", folder))?;
    let zip = Unfinished { path: folder.join(format!("{id}.zip")) };
    let (bytes, digest) = write(stream, &zip.path, limits).await?;
    let file = Unfinished { path: id.path_in(folder) };
    let limits = *limits;
    let (files, file) = blocking(move || {
        unzip::convert(&zip.path, create(&file.path)?, &limits).map_err(|trouble| match trouble {
            Trouble::Zip(error) => error,
            Trouble::Disk(source) => on_disk("write", &file.path)(source),
        })?;
        Ok((count_files(&file.path, &limits)?, file))
    })
    .await?;
    Ok(Received { id, path: file.keep(), bytes, files, digest })
}

/// The Dockerfile of a context that was received; none when it has none.
pub async fn dockerfile_of(path: &Path) -> Result<Option<Vec<u8>>> {
    let path = path.to_owned();
    blocking(move || find_dockerfile(&path)).await
}

/// How much a context that was received holds, before compression.
pub async fn unpacked_bytes(path: &Path) -> Result<u64> {
    let path = path.to_owned();
    blocking(move || {
        let mut bytes = 0;
        archive::read(reader(&path)?, &UNLIMITED, |entry, _| {
            bytes += entry.bytes();
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(bytes)
    })
    .await
}

/// The archive as it was received, for the engine to build from.
pub async fn open(path: &Path) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<>> {
    const CHUNK: usize = 64 * 1024;
    let file = tokio::fs::File::open(path).await.map_err(on_disk("open", path))?;
    Ok(ReaderStream::with_capacity(file, CHUNK))
}

async fn write<E>(stream: impl Stream<Item = Result<Bytes, E>>, path: &Path, limits: &Limits) -> Result<(u64, String)>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut file = tokio::fs::File::from_std(create(path)?);
    let mut stream = pin!(stream);
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let begun = Instant::now();
    while let Some(chunk) = next(&mut stream).await? {
        bytes += chunk.len() as u64;
        check_pace(bytes, begun.elapsed())?;
        if bytes > limits.archive_bytes() {
            return Err(ArchiveError::SentTooMuch { limit: limits.archive_bytes() });
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(on_disk("write", path))?;
    }
    file.flush().await.map_err(on_disk("write", path))?;
    Ok((bytes, format!("sha256:{}", hex(&hash.finalize()))))
}

/// At once and not on another thread: when the upload is dropped, the file is there to be removed.
fn create(path: &Path) -> Result<fs::File> {
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.map_err(on_disk("create", path))
}

async fn next<E>(stream: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin)) -> Result<Option<Bytes>>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let waited = tokio::time::timeout(STALL_LIMIT, stream.next()).await;
    let chunk = waited.map_err(|_| ArchiveError::Stalled { limit: STALL_LIMIT })?;
    chunk.transpose().map_err(|error| ArchiveError::Broken(error.into()))
}

fn check_pace(bytes: u64, taken: Duration) -> Result<()> {
    if taken > GRACE && bytes < LEAST_BYTES_PER_SECOND * taken.as_secs() {
        return Err(ArchiveError::TooSlow { least: LEAST_BYTES_PER_SECOND, taken });
    }
    Ok(())
}

fn count_files(path: &Path, limits: &Limits) -> Result<u64> {
    let mut files = 0;
    archive::read(reader(path)?, limits, |entry, _| {
        files += u64::from(entry.kind != EntryKind::Folder);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(files)
}

fn find_dockerfile(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut found = None;
    archive::read(reader(path)?, &UNLIMITED, |entry, content| {
        if entry.path != Path::new(DOCKERFILE) {
            return Ok(ControlFlow::Continue(()));
        }
        if entry.bytes() > DOCKERFILE_LIMIT {
            return Err(ArchiveError::LongDockerfile { limit: DOCKERFILE_LIMIT });
        }
        let mut text = Vec::new();
        content.read_to_end(&mut text).map_err(ArchiveError::Malformed)?;
        found = Some(text);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

fn reader(path: &Path) -> Result<BufReader<fs::File>> {
    fs::File::open(path).map(BufReader::new).map_err(on_disk("open", path))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ArchiveError::Broken(error.into())))
}

fn on_disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |source| ArchiveError::Disk { action, path, source }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that is removed unless it is kept.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "an unfinished upload could not be removed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_trickles_in_for_ever_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let trickle = |bytes: usize| {
            stream::unfold((), move |()| async move {
                tokio::time::sleep(Duration::from_secs(10)).await;
                Some((Ok::<_, io::Error>(Bytes::from(vec![7; bytes])), ()))
            })
        };
        let limits = Limits { bytes: 1 << 20, ..Limits::default() };
        let slow = receive(trickle(100), folder.path(), &limits).await.unwrap_err();
        assert!(matches!(slow, ArchiveError::TooSlow { .. }), "{slow}");
        let steady = receive(trickle(50_000), folder.path(), &limits).await.unwrap_err();
        assert!(matches!(steady, ArchiveError::SentTooMuch { .. }), "it is slow, and fast enough: {steady}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
