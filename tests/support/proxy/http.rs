//! Where a request and an answer begin and end, as much of HTTP/1.1 as Docker and its clients speak.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};

/// The first line and the headers, as they came.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) text: Vec<u8>,
    pub(super) body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked,
    /// As long as the connection: only answers.
    ToTheEnd,
}

impl Head {
    /// The next one; none when the other end has closed.
    pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut text = Vec::new();
        loop {
            let before = text.len();
            if from.read_until(b'\n', &mut text).await? == 0 {
                return if text.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            if &text[before..] == b"\r\n" {
                let body = body_after(&text);
                return Ok(Some(Self { text, body }));
            }
        }
    }

    /// Method and path, without the API's version and the query.
    pub(super) fn call(&self) -> String {
        let first = self.first_line();
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target.split('?').next().unwrap_or_default();
        let versioned = path.strip_prefix("/v1.").and_then(|rest| rest.split_once('/'));
        format!("{method} /{}", versioned.map_or(path.trim_start_matches('/'), |(_, rest)| rest))
    }

    pub(super) fn keeps_connection(&self) -> bool {
        self.body != Body::ToTheEnd && header(&self.text, "connection").is_none_or(|value| value != "close")
    }

    fn first_line(&self) -> String {
        let end = self.text.iter().position(|byte| *byte == b'\r').unwrap_or(self.text.len());
        String::from_utf8_lossy(&self.text[..end]).into_owned()
    }
}

fn body_after(head: &[u8]) -> Body {
    let is_answer = head.starts_with(b"HTTP/");
    let has_none = is_answer && matches!(head.get(9..12), Some(b"204" | b"304"));
    let length = header(head, "content-length").and_then(|value| value.parse().ok());
    match (header(head, "transfer-encoding"), length) {
        _ if has_none => Body::Length(0),
        (Some(coding), _) if coding == "chunked" => Body::Chunked,
        (_, Some(length)) => Body::Length(length),
        _ if is_answer => Body::ToTheEnd,
        _ => Body::Length(0),
    }
}

/// Its value in lower case.
fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let named = |line: &str| Some(line.split_once(':').filter(|(found, _)| *found == name)?.1.trim().to_owned());
    text.lines().find_map(named)
}

/// Copies a body as it is framed, and not a byte of what follows.
pub(super) async fn copy_body(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    body: Body,
) -> io::Result<()> {
    match body {
        Body::Length(length) => copy_exactly(from, to, length).await,
        Body::ToTheEnd => copy(from, to).await.map(drop),
        Body::Chunked => loop {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line).await?;
            to.write_all(&line).await?;
            let size = String::from_utf8_lossy(&line);
            let size = u64::from_str_radix(size.trim_end(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
            copy_exactly(from, to, size + 2).await?;
            if size == 0 {
                return Ok(());
            }
        },
    }
}

async fn copy_exactly(
    from: &mut (impl AsyncBufRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    length: u64,
) -> io::Result<()> {
    if copy(&mut from.take(length), to).await? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
