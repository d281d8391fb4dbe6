//! Puts our labels on every layer that a build makes. Docker itself puts them on the last one only, so that what a failed
//! build leaves, or a stage, could not be told from what others left. A LABEL goes behind each FROM of the Dockerfile while
//! the context is on its way to Docker.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path};
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use futures_util::stream::{self, BoxStream, StreamExt};
use regex::{Captures, Regex};
use tar::{Archive, Builder, EntryType};
use tokio_util::io::{ReaderStream, StreamReader, SyncIoBridge};

use crate::manifest::from_ends;

/// What travels at once.
const CHUNK: usize = 64 * 1024;

/// A larger Dockerfile is left as it is, and not read into memory.
const LARGEST_DOCKERFILE: u64 = 1 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Which lines of the Dockerfile have got one behind them; known once the Dockerfile has passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Added(Arc<OnceLock<Vec<u32>>>);

/// The context as a plain tar, with this instruction behind each FROM. Needs a tokio runtime.
pub(super) fn marked(
    context: BoxStream<'static, io::Result<Bytes>>,
    instruction: String,
) -> (BoxStream<'static, io::Result<Bytes>>, Added) {
    let (written, read) = tokio::io::duplex(CHUNK);
    let (source, target) = (SyncIoBridge::new(StreamReader::new(context)), SyncIoBridge::new(written));
    let added = Added::default();
    let lines = added.clone();
    let work = tokio::task::spawn_blocking(move || {
        let source = BufReader::with_capacity(CHUNK, source);
        rewrite(source, BufWriter::with_capacity(CHUNK, target), &instruction, &lines)
    });
    let end = stream::once(work).filter_map(|done| async move {
        match done {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Err(error)),
            Err(error) => Some(Err(io::Error::other(error))),
        }
    });
    (ReaderStream::with_capacity(read, CHUNK).chain(end).boxed(), added)
}

fn rewrite(mut source: impl BufRead, target: impl Write, instruction: &str, added: &Added) -> io::Result<()> {
    match source.fill_buf()?.starts_with(&GZIP) {
        true => copy(MultiGzDecoder::new(source), target, instruction, added),
        false => copy(source, target, instruction, added),
    }
}

/// Member by member as they are, but for the Dockerfile.
fn copy(source: impl Read, target: impl Write, instruction: &str, added: &Added) -> io::Result<()> {
    let mut copied = Builder::new(target);
    let mut archive = Archive::new(source);
    for member in archive.entries()?.raw(true) {
        let mut member = member?;
        let mut header = member.header().clone();
        let is_dockerfile = header.entry_type() == EntryType::Regular
            && member.size() <= LARGEST_DOCKERFILE
            && is_at_the_root(&member.path()?);
        if !is_dockerfile {
            copied.append(&header, &mut member)?;
            continue;
        }
        let mut text = Vec::new();
        member.read_to_end(&mut text)?;
        let ends = from_ends(&text);
        let text = with_lines(&text, &ends, instruction);
        header.set_size(text.len() as u64);
        header.set_cksum();
        copied.append(&header, text.as_slice())?;
        // There is one Dockerfile only.
        let _ = added.0.set(ends);
    }
    // Behind the end of the tar the source may still tell that it is broken.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    copied.into_inner()?.flush()
}

fn is_at_the_root(path: &Path) -> bool {
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    parts.next() == Some(Component::Normal("Dockerfile".as_ref())) && parts.next().is_none()
}

/// The text with a line behind each of these, which are counted from one.
fn with_lines(text: &[u8], behind: &[u32], line: &str) -> Vec<u8> {
    let mut longer = Vec::with_capacity(text.len() + behind.len() * (line.len() + 2));
    for (number, part) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        longer.extend_from_slice(part);
        if behind.binary_search(&number).is_ok() {
            let start: &[u8] = if part.ends_with(b"\n") { b"" } else { b"\n" };
            longer.extend_from_slice(start);
            longer.extend_from_slice(line.as_bytes());
            longer.push(b'\n');
        }
    }
    longer
}

impl Added {
    /// What Docker says about a line, said about the line that the operator wrote.
    pub(super) fn explain(&self, message: String) -> String {
        static LINE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(parse error (?:on )?line )(\d+)").expect("the pattern is valid"));
        let Some(ends) = self.0.get() else { return message };
        let told = |found: &Captures<'_>| match found[2].parse() {
            Ok(line) => format!("{}{}", &found[1], original(line, ends)),
            Err(_) => found[0].to_owned(),
        };
        LINE.replace_all(&message, told).into_owned()
    }
}

/// The number that a line had before others were put in; of one that was put in, that of the line before it.
fn original(line: u32, ends: &[u32]) -> u32 {
    let before = (1..).zip(ends).take_while(|(count, end)| **end + count <= line).count();
    line - before as u32
}

#[cfg(test)]
mod tests {
    use flate2::write::GzEncoder;
    use futures_util::TryStreamExt;
    use tar::Header;

    use super::*;

    const LABEL: &str = "LABEL a=\"b\"";

    fn tar(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    async fn passed(bytes: Vec<u8>) -> (io::Result<Vec<u8>>, Added) {
        let chunks: Vec<_> = bytes.chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let (context, added) = marked(stream::iter(chunks).boxed(), LABEL.to_owned());
        (context.try_collect::<Vec<Bytes>>().await.map(|chunks| chunks.concat()), added)
    }

    #[tokio::test]
    async fn only_the_dockerfile_changes_zipped_or_not() {
        let long = format!("{}/file", "folder/".repeat(30));
        let (before, after) =
            ("FROM a AS x\nRUN b\nFROM c", "FROM a AS x\nLABEL a=\"b\"\nRUN b\nFROM c\nLABEL a=\"b\"\n");
        let big = "0123456789".repeat(50_000);
        let files = |dockerfile| tar(&[("./Dockerfile", dockerfile), (&long, "FROM a\n"), ("sub/Dockerfile", &big)]);
        let mut zipped = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zipped.write_all(&files(before)).unwrap();
        for context in [files(before), zipped.finish().unwrap()] {
            assert!(passed(context).await.0.unwrap() == files(after));
        }
    }

    #[tokio::test]
    async fn a_context_that_breaks_off_is_not_made_whole() {
        let mut cut = tar(&[("Dockerfile", "FROM a\n"), ("file", &"x".repeat(9000))]);
        cut.truncate(5000);
        assert!(passed(cut).await.0.is_err());
        let broken = stream::iter([Err(io::Error::other("the disk is gone"))]).boxed();
        let error = marked(broken, LABEL.to_owned()).0.try_collect::<Vec<Bytes>>().await.unwrap_err();
        assert!(error.to_string().contains("the disk is gone"), "{error}");
    }

    #[tokio::test]
    async fn a_line_that_docker_names_is_the_line_that_was_written() {
        let (_, added) = passed(tar(&[("Dockerfile", "FROM a\nCOPPY b\nFROM c\nCOPPY d\n")])).await;
        let told = |line| added.explain(format!("dockerfile parse error line {line}: unknown instruction: COPPY"));
        for (docker, written) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (6, 4)] {
            assert!(told(docker).contains(&format!("line {written}:")), "{docker}: {}", told(docker));
        }
        let other = "The command 'check line 3' returned a non-zero code: 1".to_owned();
        assert_eq!(added.explain(other.clone()), other);
    }
}
