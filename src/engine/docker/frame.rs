//! Docker's pieces of a log → lines. A piece is a time, a blank and up to 16 KB of a line; a longer line comes in several.

use bollard::container::LogOutput;
use jiff::Timestamp;

use crate::engine::{LogLine, LogStream};
use crate::name::ContainerName;

/// A longer line is passed on in parts, so that a container cannot fill our memory.
const LONGEST_LINE: usize = 256 * 1024;

/// Puts the lines of one container together, each of its two streams for itself.
#[derive(Debug)]
pub(super) struct Frames {
    container: ContainerName,
    stdout: Option<Begun>,
    stderr: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    at: Timestamp,
    text: Vec<u8>,
}

impl Frames {
    pub(super) fn new(container: ContainerName) -> Self {
        Self { container, stdout: None, stderr: None }
    }

    /// The line that this piece completes, if it does.
    pub(super) fn take(&mut self, piece: &LogOutput) -> Option<LogLine> {
        let stream = match piece {
            LogOutput::StdErr { .. } => LogStream::Stderr,
            _ => LogStream::Stdout,
        };
        let (at, text) = split_time(piece.as_ref());
        let begun = self.begun(stream);
        let line = begun.get_or_insert(Begun { at: at.unwrap_or(Timestamp::UNIX_EPOCH), text: Vec::new() });
        line.text.extend_from_slice(text);
        if !text.ends_with(b"\n") && line.text.len() < LONGEST_LINE {
            return None;
        }
        begun.take().map(|line| self.whole(stream, &line))
    }

    /// A line that has begun and will have no end.
    pub(super) fn rest(&mut self) -> Option<LogLine> {
        let stream = if self.stdout.is_some() { LogStream::Stdout } else { LogStream::Stderr };
        self.begun(stream).take().map(|line| self.whole(stream, &line))
    }

    fn begun(&mut self, stream: LogStream) -> &mut Option<Begun> {
        match stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr => &mut self.stderr,
        }
    }

    fn whole(&self, stream: LogStream, line: &Begun) -> LogLine {
        let text = line.text.strip_suffix(b"\n").unwrap_or(&line.text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let text = String::from_utf8_lossy(text).into_owned();
        LogLine { container: self.container.clone(), at: line.at, stream, text }
    }
}

fn split_time(piece: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let blank = piece.iter().position(|&byte| byte == b' ');
    let parsed =
        blank.and_then(|end| Some((std::str::from_utf8(&piece[..end]).ok()?.parse().ok()?, &piece[end + 1..])));
    match parsed {
        Some((at, text)) => (Some(at), text),
        None => (None, piece),
    }
}

/// The lines of pieces of a log, each of which says whether it is of the standard output. Only for fuzzing.
#[cfg(fuzzing)]
pub fn log_lines(pieces: &[(bool, &[u8])]) -> Vec<String> {
    let mut frames = Frames::new(ContainerName::from_engine("web.r1.1"));
    let mut lines = Vec::new();
    for (is_output, piece) in pieces {
        let message = bytes::Bytes::copy_from_slice(piece);
        let piece = if *is_output { LogOutput::StdOut { message } } else { LogOutput::StdErr { message } };
        lines.extend(frames.take(&piece));
    }
    lines.extend(std::iter::from_fn(|| frames.rest()));
    lines.into_iter().map(|line| line.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: format!("2026-11-23T15:54:10.213467668Z {text}").into() }
    }

    fn err(text: &[u8]) -> LogOutput {
        LogOutput::StdErr { message: [b"2026-11-23T15:54:11Z ", text].concat().into() }
    }

    fn frames() -> Frames {
        Frames::new(ContainerName::from_engine("web.r1.1"))
    }

    #[test]
    fn a_piece_with_an_end_is_a_line_with_its_time_and_stream() {
        let line = frames().take(&out("hello  world \n")).unwrap();
        assert_eq!(line.text, "hello  world ");
        assert_eq!(line.at.to_string(), "2026-11-23T15:54:10.213467668Z");
        assert_eq!(line.stream, LogStream::Stdout);
        assert_eq!(frames().take(&err(b"no\xff\r\n")).unwrap().text, "no\u{fffd}");
        assert_eq!(frames().take(&out("\n")).unwrap().text, "");
    }

    #[test]
    fn pieces_of_two_streams_do_not_mix() {
        let mut frames = frames();
        assert_eq!(frames.take(&out("one ")), None);
        assert_eq!(frames.take(&err(b"trouble\n")).unwrap().text, "trouble");
        assert_eq!(frames.take(&out("line\n")).unwrap().text, "one line");
    }

    #[test]
    fn lines_without_an_end_come_last() {
        let mut frames = frames();
        assert_eq!(frames.take(&err(b"b")), None);
        assert_eq!(frames.take(&out("a")), None);
        assert_eq!(frames.rest().map(|line| line.text).as_deref(), Some("a"));
        assert_eq!(frames.rest().map(|line| line.text).as_deref(), Some("b"));
        assert_eq!(frames.rest(), None);
    }

    #[test]
    fn an_endless_line_is_passed_on_in_parts() {
        let mut frames = frames();
        let piece = out(&"x".repeat(16 * 1024));
        let parts: Vec<usize> = (0..33).filter_map(|_| frames.take(&piece)).map(|line| line.text.len()).collect();
        assert_eq!(parts, [LONGEST_LINE, LONGEST_LINE]);
    }

    #[test]
    fn a_piece_without_a_time_is_kept() {
        let line = frames().take(&LogOutput::StdOut { message: "no time here\n".into() }).unwrap();
        assert_eq!(line.text, "no time here");
    }
}
