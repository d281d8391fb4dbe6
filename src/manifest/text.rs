//! Bytes → lines. Whatever is no text, and whatever Docker would not read as such, is said here.

use std::borrow::Cow;

use super::diagnostic::{Diagnostic, Problem, Severity};

/// A Dockerfile larger than this is a mistake; Docker itself has no limit.
const LARGEST_FILE: usize = 1024 * 1024;

/// Docker refuses a line that is longer.
const LONGEST_LINE: usize = 65_535;

/// A line without its line end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    /// Counted from one.
    pub(super) number: u32,
    pub(super) text: &'t str,
}

/// A Dockerfile's characters; what was not UTF-8 is replaced by U+FFFD, so that the rest can be read all the same.
#[derive(Debug)]
pub(super) struct Text<'b> {
    bytes: &'b [u8],
    characters: Cow<'b, str>,
}

impl<'b> Text<'b> {
    /// Fails when this is no text, or too much of it, so that there is no sense in reading on.
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, Diagnostic> {
        let refusal = if bytes.len() > LARGEST_FILE {
            Problem::new(format!("the Dockerfile has {} bytes; at most {LARGEST_FILE} are read", bytes.len()))
                .hint("is it another file? What a service needs is copied with COPY, not written into the Dockerfile")
        } else if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            Problem::new("the Dockerfile is encoded as UTF-16").hint("save it as UTF-8")
        } else {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = Self { bytes, characters: String::from_utf8_lossy(bytes) };
            return nul(&text.lines()).map_or(Ok(text), Err);
        };
        Err(Diagnostic::of_file(Severity::Error, refusal))
    }

    /// Lines end where Docker ends them: at a line feed, with or without a carriage return before it.
    pub(super) fn lines(&self) -> Vec<Line<'_>> {
        let numbered = (1..).zip(self.characters.split_terminator('\n'));
        numbered.map(|(number, text)| Line { number, text: text.trim_end_matches('\r') }).collect()
    }

    /// What is wrong with the text as a text; `lines` are its own.
    pub(super) fn faults(&self, lines: &[Line<'_>]) -> Vec<Diagnostic> {
        let long = lines.iter().copied().filter(|line| line.text.len() > LONGEST_LINE);
        let long = long.map(|line| Diagnostic::of_line(Severity::Error, line, 0..0, too_long()));
        self.bad_byte(lines).into_iter().chain(long).collect()
    }

    /// The first one is enough: a file with one often has thousands.
    fn bad_byte(&self, lines: &[Line<'_>]) -> Option<Diagnostic> {
        let good = std::str::from_utf8(self.bytes).err()?.valid_up_to();
        let before = &self.bytes[..good];
        let line = *lines.get(before.iter().filter(|byte| **byte == b'\n').count())?;
        // The good part of the line is the same in bytes and in replaced characters; one replacement follows it.
        let start = good - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let part = start..start + char::REPLACEMENT_CHARACTER.len_utf8();
        let problem = Problem::new(format!("the byte 0x{:02X} is not UTF-8", self.bytes[good]))
            .hint("save the Dockerfile as UTF-8, or remove the byte");
        Some(Diagnostic::of_line(Severity::Error, line, part, problem))
    }
}

fn nul(lines: &[Line<'_>]) -> Option<Diagnostic> {
    let (line, start) = lines.iter().find_map(|line| Some((*line, line.text.find('\0')?)))?;
    let problem =
        Problem::new("there is a NUL byte here, so the file is not a text").hint("save the Dockerfile as UTF-8");
    Some(Diagnostic::of_line(Severity::Error, line, start..start + 1, problem))
}

fn too_long() -> Problem {
    Problem::new(format!("the line is longer than {LONGEST_LINE} bytes; Docker refuses to build this"))
        .hint("break the line with \\ or move its text into a file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        Text::read(bytes).unwrap().lines().iter().map(|line| line.text.to_owned()).collect()
    }

    fn faults(bytes: &[u8]) -> Vec<(u32, u32, u32, String)> {
        let text = Text::read(bytes).unwrap();
        let faults = text.faults(&text.lines());
        faults.into_iter().map(|d| (d.line, d.column, d.length, d.message)).collect()
    }

    #[test]
    fn line_ends_of_either_kind_and_a_byte_order_mark_are_no_part_of_a_line() {
        assert_eq!(lines(b"\xef\xbb\xbfa\r\nb\n\nc\r\r\n"), ["a", "b", "", "c"]);
        assert_eq!(lines(b"a\rb\n"), ["a\rb"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn the_first_byte_that_is_no_character_is_found() {
        let found = faults(
            "\u{feff}ok\n# é ".as_bytes().iter().copied().chain(*b"\xff\xfe\n\xff").collect::<Vec<_>>().as_slice(),
        );
        assert_eq!(found, [(2, 5, 1, "the byte 0xFF is not UTF-8".to_owned())]);
    }

    #[test]
    fn a_character_cut_short_at_the_end_is_found() {
        assert_eq!(faults(b"a\nxy\xe6\xbc")[0], (2, 3, 1, "the byte 0xE6 is not UTF-8".to_owned()));
    }

    #[test]
    fn other_encodings_are_called_by_their_name() {
        let utf16: Vec<u8> = "\u{feff}FROM x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Text::read(&utf16).unwrap_err().message, "the Dockerfile is encoded as UTF-16");
        let error = Text::read(&utf16[2..]).unwrap_err();
        assert_eq!((error.line, error.column), (1, 2));
    }

    #[test]
    fn sizes_are_limited() {
        assert!(Text::read(&vec![b'\n'; LARGEST_FILE]).is_ok());
        assert!(Text::read(&vec![b'\n'; LARGEST_FILE + 1]).is_err());
        assert!(faults(&vec![b'x'; LONGEST_LINE]).is_empty());
        assert_eq!(faults(&vec![b'x'; LONGEST_LINE + 1]).len(), 1);
    }
}
