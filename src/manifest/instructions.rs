//! What Docker would make of the lines, as far as it matters here: which of them are the text of a heredoc, and which
//! images the Dockerfile builds on. Options do not depend on it; they may stand anywhere.

use std::collections::HashMap;
use std::ops::Range;

use super::text::Line;

/// The part of a Dockerfile's instructions that matters to a manifest.
#[derive(Debug, Default)]
pub(super) struct Instructions {
    heredocs: Vec<Range<usize>>,
    /// The image of each FROM, as written.
    images: Vec<String>,
    /// The line on which each FROM ends, counted from one; not of one that is cut off by the end of the file.
    pub(super) from_ends: Vec<u32>,
    /// A `# syntax=` directive hands the file to a frontend that may know other instructions than a Dockerfile's.
    pub(super) has_own_syntax: bool,
}

impl Instructions {
    pub(super) fn of(lines: &[Line<'_>]) -> Self {
        let directives = Directives::of(lines);
        let ends = HeredocEnds::of(lines);
        let mut found = Self { has_own_syntax: directives.has_own_syntax, ..Self::default() };
        let mut next = 0;
        while next < lines.len() {
            let instruction;
            (instruction, next) = logical_line(lines, next, directives.escape);
            if let Some(image) = image(&instruction) {
                found.images.push(image);
                let is_whole = !without_continuation(lines[next - 1].text, directives.escape).1;
                found.from_ends.extend(is_whole.then_some(next as u32));
            }
            for heredoc in heredocs(&instruction) {
                let Some(end) = ends.after(lines, next, &heredoc) else { break };
                found.heredocs.push(next..end);
                next = end + 1;
            }
        }
        found
    }

    pub(super) fn is_in_heredoc(&self, line: Line<'_>) -> bool {
        let index = (line.number as usize).saturating_sub(1);
        let after = self.heredocs.partition_point(|heredoc| heredoc.end <= index);
        self.heredocs.get(after).is_some_and(|heredoc| heredoc.contains(&index))
    }

    pub(super) fn has_from(&self) -> bool {
        !self.images.is_empty()
    }

    /// As in the original, `x:latest-slim` counts too: it moves just as well.
    pub(super) fn pulls_latest(&self) -> bool {
        self.images.iter().any(|image| image.contains(":latest"))
    }
}

/// The comments at the very top that are meant for Docker.
struct Directives {
    escape: char,
    has_own_syntax: bool,
}

impl Directives {
    fn of(lines: &[Line<'_>]) -> Self {
        let mut directives = Self { escape: '\\', has_own_syntax: false };
        for (name, value) in lines.iter().map_while(|line| directive(line.text)) {
            match name.to_ascii_lowercase().as_str() {
                "escape" if value == "`" => directives.escape = '`',
                "syntax" => directives.has_own_syntax = !value.contains("docker/dockerfile"),
                _ => {}
            }
        }
        directives
    }
}

fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    is_word.then(|| (name, value.trim()))
}

/// The instruction that starts at this line, with its continuations, and the number of the line behind it. Comments and
/// empty lines do not end a continuation.
fn logical_line(lines: &[Line<'_>], first: usize, escape: char) -> (String, usize) {
    let mut instruction = String::new();
    for (index, line) in lines.iter().enumerate().skip(first) {
        let text = line.text.trim_start();
        let goes_on = index > first;
        if text.starts_with('#') || (goes_on && text.is_empty()) {
            if goes_on {
                continue;
            }
            return (instruction, index + 1);
        }
        let (part, continues) = without_continuation(line.text, escape);
        instruction.push_str(part);
        if !continues {
            return (instruction, index + 1);
        }
    }
    (instruction, lines.len())
}

/// A doubled escape character stands for itself.
fn without_continuation(line: &str, escape: char) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(rest) if !rest.ends_with(escape) => (rest, true),
        _ => (line, false),
    }
}

fn image(instruction: &str) -> Option<String> {
    let mut words = instruction.split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case("from"))?;
    words.find(|word| !word.starts_with("--")).map(str::to_owned)
}

#[derive(Debug, PartialEq, Eq)]
struct Heredoc {
    end: String,
    /// Written `<<-`: the end may be indented with tabs.
    indented: bool,
}

fn heredocs(instruction: &str) -> Vec<Heredoc> {
    let mut rest = instruction.trim_start();
    let mut name = first_word(&mut rest);
    if name.eq_ignore_ascii_case("onbuild") {
        name = first_word(&mut rest);
    }
    let may_have_one = ["run", "copy", "add"].iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_json = rest.starts_with('[') && rest.trim_end().ends_with(']');
    if !may_have_one || is_json || !rest.contains("<<") {
        return Vec::new();
    }
    shell_words(rest).into_iter().filter_map(heredoc).collect()
}

fn first_word<'t>(rest: &mut &'t str) -> &'t str {
    let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    *rest = behind.trim_start();
    word
}

fn heredoc(word: &str) -> Option<Heredoc> {
    let name = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (name, indented) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
    let end: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
    (!end.is_empty() && !end.contains('<')).then_some(Heredoc { end, indented })
}

/// Splits at blanks outside quotes; the quotes stay.
fn shell_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if quote.is_none() && !escaped && character.is_whitespace() {
            words.extend(start.take().map(|start: usize| &text[start..at]));
            continue;
        }
        start.get_or_insert(at);
        match character {
            _ if escaped => escaped = false,
            '\\' if quote != Some('\'') => escaped = true,
            '"' | '\'' if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

/// The last line of each text, so that a heredoc without an end is known at once: its text is then no heredoc.
struct HeredocEnds<'t> {
    exact: HashMap<&'t str, usize>,
    indented: HashMap<&'t str, usize>,
}

impl<'t> HeredocEnds<'t> {
    fn of(lines: &[Line<'t>]) -> Self {
        let numbered = || lines.iter().map(|line| line.text).enumerate();
        Self {
            exact: numbered().map(|(index, text)| (text, index)).collect(),
            indented: numbered().map(|(index, text)| (text.trim_start_matches('\t'), index)).collect(),
        }
    }

    fn after(&self, lines: &[Line<'t>], first: usize, heredoc: &Heredoc) -> Option<usize> {
        let last_lines = if heredoc.indented { &self.indented } else { &self.exact };
        let last = *last_lines.get(heredoc.end.as_str()).filter(|last| **last >= first)?;
        let is_end = |text: &str| match heredoc.indented {
            true => text.trim_start_matches('\t') == heredoc.end,
            false => text == heredoc.end,
        };
        (first..=last).find(|index| is_end(lines[*index].text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Instructions {
        let lines: Vec<_> = (1..).zip(text.lines()).map(|(number, text)| Line { number, text }).collect();
        Instructions::of(&lines)
    }

    /// The numbers of the lines that are a heredoc's text.
    fn heredoc_lines(text: &str) -> Vec<u32> {
        let found = read(text);
        (1..)
            .zip(text.lines())
            .filter(|(n, t)| found.is_in_heredoc(Line { number: *n, text: t }))
            .map(|(n, _)| n)
            .collect()
    }

    #[test]
    fn the_text_of_a_heredoc_ends_where_its_name_stands_alone() {
        assert_eq!(heredoc_lines("FROM x\nRUN <<EOF\na\n EOF\nEOF\nb"), [3, 4]);
        assert_eq!(heredoc_lines("RUN cat <<-'END' > f && true\na\n\t\tEND\nb"), [2]);
        assert_eq!(heredoc_lines("COPY <<\"A\" <<B /x\na\nA\nb\nB\nc"), [2, 4]);
        assert_eq!(heredoc_lines("onbuild run \\\n # why\n cat 3<<EOF\na\nEOF"), [4]);
    }

    #[test]
    fn what_only_looks_like_a_heredoc_is_none() {
        for text in [
            "RUN <<EOF\na",
            "ENV <<EOF\na\nEOF",
            "RUN [\"<<EOF\"]\na\nEOF",
            "RUN cat <<<EOF\na\nEOF",
            "RUN echo \"a <<EOF\"\na\nEOF",
            "RUN echo $((1<<2))\na\n2",
            "# RUN <<EOF\na\nEOF",
        ] {
            assert!(heredoc_lines(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn images_are_those_of_from_instructions() {
        let all = "ARG A=1\n  from --platform=linux/amd64 \\\n# c\n\n x:latest AS y\nFROM scratch\nRUN <<E\nFROM no\nE\nRUN \\\nFROM no";
        assert_eq!(read(all).images, ["x:latest", "scratch"]);
        assert!(read(all).pulls_latest());
    }

    #[test]
    fn a_from_ends_where_its_last_continuation_does() {
        let ends = |text: &str| read(text).from_ends;
        assert_eq!(ends("# c\nFROM x\nRUN a\nFROM \\\n# c\n\ny AS z\nRUN b"), [2, 7]);
        assert_eq!(ends("# escape=`\nFROM `\nx"), [3]);
        for text in ["RUN <<E\nFROM no\nE", "FROM a \\", "# FROM a"] {
            assert_eq!(ends(text), [] as [u32; 0], "{text}");
        }
    }

    #[test]
    fn only_the_tag_latest_pulls_anew() {
        for (text, pulls) in [
            ("FROM x", false),
            ("FROM latest", false),
            ("FROM x:1 AS latest", false),
            ("# FROM x:latest", false),
            ("FROM x:latest", true),
            ("FROM r.example.com:5000/y:latest-slim", true),
        ] {
            assert_eq!(read(text).pulls_latest(), pulls, "{text}");
        }
    }

    #[test]
    fn directives_stand_only_at_the_top() {
        assert_eq!(read("# escape=`\nFROM `\nx").images, ["x"]);
        assert_eq!(read("# mypaas.a=1\n# escape=`\nFROM `\nx").images, ["`"]);
        assert!(read("#syntax=example.com/other:1\nservices:").has_own_syntax);
        assert!(!read("services:\n#syntax=example.com/other:1").has_own_syntax);
        assert!(!read("# syntax = docker/dockerfile:1\nFROM x").has_own_syntax);
    }

    #[test]
    fn many_heredocs_without_an_end_take_no_time() {
        let text = format!("{}\tA", "RUN <<A\n".repeat(100_000));
        let started = std::time::Instant::now();
        assert!(read(&text).heredocs.is_empty());
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    }
}
