//! As much of HTTP/1.1 as an example needs: requests with bodies of either kind, answers, connections that stay.

use std::io::{self, BufRead, Read, Write};

const LONGEST_HEAD: u64 = 32 * 1024;
const LARGEST_BODY: usize = 16 * 1024 * 1024;

pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub keep_alive: bool,
    /// It asks for another protocol than HTTP from here on.
    pub is_upgrade: bool,
    pub body: Vec<u8>,
}

impl Request {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(status: u16, text: String) -> Self {
        Self { status, body: text.into_bytes() }
    }
}

/// The request, or what to answer to something that is none.
pub fn read_request(reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<Result<Request, Answer>> {
    let Some(head) = read_head(&mut reader.take(LONGEST_HEAD))? else {
        return Ok(Err(Answer::text(431, "the request's head is too long, or cut off\n".into())));
    };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(protocol)) = (first.next(), first.next(), first.next()) else {
        return Ok(Err(Answer::text(400, "this is not HTTP\n".into())));
    };
    let header = |name: &str| {
        let found = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    if header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let is_chunked = header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let Some(body) = (if is_chunked { read_chunks(reader)? } else { read_body(reader, length)? }) else {
        return Ok(Err(Answer::text(413, "the body is too long\n".into())));
    };
    let connection = header("connection").unwrap_or_default();
    let keep_alive = match protocol {
        "HTTP/1.1" => !connection.eq_ignore_ascii_case("close"),
        _ => connection.eq_ignore_ascii_case("keep-alive"),
    };
    let is_upgrade = header("upgrade").is_some();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    Ok(Ok(Request { method, path, query, keep_alive, is_upgrade, body }))
}

/// Up to the empty line; none when it never comes.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
        if matches!(&head[before..], b"\r\n" | b"\n") && before > 0 {
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
    }
}

fn read_body(reader: &mut impl Read, length: usize) -> io::Result<Option<Vec<u8>>> {
    if length > LARGEST_BODY {
        return Ok(None);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(body))
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.take(1024).read_line(&mut line)?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let Some(chunk) = read_body(reader, size)?.filter(|chunk| body.len() + chunk.len() <= LARGEST_BODY) else {
            return Ok(None);
        };
        body.extend(chunk);
        line.clear();
        reader.take(1024).read_line(&mut line)?;
        if size == 0 {
            return Ok(Some(body));
        }
    }
}

pub fn write_upgrade(writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
}

pub fn write_answer(writer: &mut impl Write, answer: &Answer, keep_alive: bool, is_head: bool) -> io::Result<()> {
    let reason = if answer.status == 200 { "OK" } else { "Not OK" };
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let mut bytes = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: {connection}\r\n\r\n",
        answer.status,
        answer.body.len(),
    )
    .into_bytes();
    if !is_head {
        bytes.extend(&answer.body);
    }
    writer.write_all(&bytes)
}
