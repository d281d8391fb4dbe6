//! A build's output: Docker's pieces → lines of plain text.

use std::sync::LazyLock;

use bollard::models::BuildInfo;
use regex::Regex;

/// A longer line goes on in the next one; nothing is lost and memory stays bounded.
const LONGEST_LINE: usize = 16 * 1024;

/// What a pull repeats for each of an image's layers; only their ends are worth a line.
const PROGRESS: [&str; 6] =
    ["Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete", "Extracting"];

/// Puts lines together. A piece may hold part of a line, or many lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: String,
}

impl Lines {
    /// Passes on the lines that this message completes.
    pub(super) fn take(&mut self, message: &BuildInfo, output: &mut (dyn FnMut(String) + Send)) {
        if let Some(text) = &message.stream {
            self.append(text, output);
        }
        if let Some(line) = pull_line(message) {
            output(line);
        }
    }

    /// Passes on a last line without an end.
    pub(super) fn finish(self, output: &mut (dyn FnMut(String) + Send)) {
        if !self.begun.is_empty() {
            output(plain(&self.begun));
        }
    }

    fn append(&mut self, text: &str, output: &mut (dyn FnMut(String) + Send)) {
        for piece in text.split_inclusive('\n') {
            self.begun.push_str(piece);
            if self.begun.ends_with('\n') || self.begun.len() >= LONGEST_LINE {
                output(plain(&self.begun));
                self.begun.clear();
            }
        }
    }
}

fn pull_line(message: &BuildInfo) -> Option<String> {
    let status = message.status.as_deref()?;
    if PROGRESS.contains(&status) {
        return None;
    }
    Some(match &message.id {
        Some(id) => format!("{id}: {status}"),
        None => status.to_owned(),
    })
}

/// Without line end and terminal codes. Of a line that overwrites itself, what would be seen at the end.
fn plain(line: &str) -> String {
    static CODE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("\x1b(\\[[0-9;?]*[ -/]*[@-~]|[@-Z\\\\-_])").expect("the pattern is valid"));
    let line = CODE.replace_all(line, "");
    let line = line.trim_end_matches(['\n', '\r']);
    line.rsplit('\r').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let (mut all, mut lines) = (Vec::new(), Lines::default());
        for &piece in pieces {
            lines.take(&BuildInfo { stream: Some(piece.to_owned()), ..Default::default() }, &mut |line| all.push(line));
        }
        lines.finish(&mut |line| all.push(line));
        all
    }

    #[test]
    fn pieces_become_lines() {
        assert_eq!(lines(&["Step 1/2 : FROM scratch", "\n", " ---> \n"]), ["Step 1/2 : FROM scratch", " ---> "]);
        assert_eq!(lines(&["a\nb\n\nc"]), ["a", "b", "", "c"]);
        assert_eq!(lines(&["half ", "a line"]), ["half a line"]);
        assert!(lines(&["", ""]).is_empty());
    }

    #[test]
    fn terminal_codes_and_overwritten_text_are_left_out() {
        assert_eq!(lines(&["\x1b[91merror: no\n", "\x1b[0m"]), ["error: no", ""]);
        assert_eq!(lines(&["10 %\r50 %\r100 %\r\n"]), ["100 %"]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let piece = "x".repeat(10_000);
        let all = lines(&[&piece, &piece, &piece]);
        assert_eq!(all.iter().map(String::len).collect::<Vec<_>>(), [20_000, 10_000]);
    }

    #[test]
    fn a_pull_is_told_by_its_ends_only() {
        let said = |status: &str, id: Option<&str>| {
            pull_line(&BuildInfo { status: Some(status.to_owned()), id: id.map(str::to_owned), ..Default::default() })
        };
        assert_eq!(said("Downloading", Some("4abc")), None);
        assert_eq!(said("Pull complete", Some("4abc")).as_deref(), Some("4abc: Pull complete"));
        assert_eq!(said("Digest: sha256:01", None).as_deref(), Some("Digest: sha256:01"));
    }
}
