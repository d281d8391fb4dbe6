//! One pattern of a `.dockerignore`, with Docker's meaning: the path is relative to the root of the context; `*` and
//! `?` stop at a slash, `**` does not; `[a-z]` and `\` as in Go's `filepath.Match`; `!` in front makes an exception.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use super::error::PatternError;

/// What makes a part of a pattern more than plain text.
const SPECIAL: [char; 5] = ['*', '?', '[', ']', '\\'];

#[derive(Debug)]
pub(super) struct Pattern {
    /// It keeps what it matches.
    pub(super) exception: bool,
    regex: Regex,
    /// The folders it begins with, as far as they are plain text.
    plain_parts: Vec<String>,
    /// How many parts the paths have that it matches; none when that is open.
    depth: Option<usize>,
}

impl Pattern {
    /// Reads a line that is neither empty nor a comment.
    pub(super) fn parse(line: &str) -> Result<Self, PatternError> {
        let line = line.trim();
        let (exception, text) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if exception && text.is_empty() {
            return Err(PatternError::LoneException);
        }
        let cleaned = clean(text);
        let text = if cleaned.len() > 1 { cleaned.trim_start_matches('/') } else { &cleaned };
        let regex = Regex::new(&regex_of(text)?).map_err(|error| PatternError::Regex(Box::new(error)))?;
        let parts: Vec<&str> = text.split('/').collect();
        let open = text.contains("**") || text.contains('[');
        Ok(Self {
            exception,
            regex,
            plain_parts: parts.iter().take_while(|p| !p.contains(SPECIAL)).map(|&p| p.to_owned()).collect(),
            depth: (!open).then_some(parts.len()),
        })
    }

    /// Whether it matches this very path; paths below a match are for the caller to see.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// Whether it could match anything in this folder.
    pub(super) fn may_match_below(&self, folder: &str) -> bool {
        let agrees = self.plain_parts.iter().zip(folder.split('/')).all(|(part, other)| part == other);
        agrees && self.depth.is_none_or(|depth| depth > folder.split('/').count())
    }
}

/// The shortest path that means the same, as Go's `filepath.Clean` has it.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|&last| last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    match (rooted, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

fn regex_of(pattern: &str) -> Result<String, PatternError> {
    let mut regex = String::from("(?s)^");
    let mut rest = pattern.chars().peekable();
    // `**name` without a slash and without anything special behind it matches every path that ends so.
    if let Some(end) = pattern.strip_prefix("**")
        && !end.starts_with('/')
        && !end.contains(SPECIAL)
    {
        regex.push_str(".*");
        rest = end.chars().peekable();
    }
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                regex.push_str(if rest.peek().is_none() { ".*" } else { "(?:.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => regex.push_str(&class(&mut rest)?),
            '\\' => push_plain(&mut regex, rest.next().ok_or(PatternError::LoneBackslash)?),
            plain => push_plain(&mut regex, plain),
        }
    }
    regex.push('$');
    Ok(regex)
}

/// What stands between `[` and `]`.
fn class(rest: &mut Peekable<Chars<'_>>) -> Result<String, PatternError> {
    let mut class = String::from(if rest.next_if_eq(&'^').is_some() { "[^" } else { "[" });
    let mut is_empty = true;
    while is_empty || rest.next_if_eq(&']').is_none() {
        is_empty = false;
        let low = class_member(rest)?;
        let high = if rest.next_if_eq(&'-').is_some() { class_member(rest)? } else { low };
        if low > high {
            return Err(PatternError::Range { low, high });
        }
        push_plain(&mut class, low);
        class.push('-');
        push_plain(&mut class, high);
    }
    class.push(']');
    Ok(class)
}

fn class_member(rest: &mut Peekable<Chars<'_>>) -> Result<char, PatternError> {
    match rest.next() {
        Some('-' | ']') | None => Err(PatternError::Class),
        Some('\\') => rest.next().ok_or(PatternError::LoneBackslash),
        Some(character) => Ok(character),
    }
}

/// By number, so that no character means anything.
fn push_plain(regex: &mut String, character: char) {
    regex.push_str(&format!("\\x{{{:X}}}", u32::from(character)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).matches(path)
    }

    #[test]
    fn patterns_match_as_docker_matches() {
        let table = include_str!("../../tests/fixtures/context/patterns.txt");
        let mut rows = 0;
        for row in table.lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
            let [pattern, yes, no] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                panic!("three columns, please: {row}");
            };
            for path in yes.split_whitespace() {
                assert!(matches(pattern, path), "{pattern} should match {path}");
            }
            for path in no.split_whitespace() {
                assert!(!matches(pattern, path), "{pattern} should not match {path}");
            }
            rows += 1;
        }
        assert!(rows > 40, "the table was read");
    }

    #[test]
    fn patterns_that_cannot_be_meant_are_refused() {
        for pattern in ["!", "! ", "[", "a[", "[^", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\", "[z-a]"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, cleaned) in [
            ("a/b/", "a/b"),
            ("./a//b", "a/b"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("../../a/..", "../.."),
            ("/../a", "/a"),
            ("/", "/"),
            ("", "."),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_folder_is_searched_only_where_an_exception_can_reach() {
        let reaches = |pattern: &str, folder: &str| Pattern::parse(pattern).unwrap().may_match_below(folder);
        assert!(reaches("!docs/a.md", "docs"));
        assert!(!reaches("!docs/a.md", "node_modules"));
        assert!(!reaches("!docs/a.md", "docs/a.md"));
        assert!(reaches("!**/a.md", "node_modules/x"));
        assert!(!reaches("!*.md", "node_modules"));
        assert!(reaches("!*/a.md", "node_modules"));
    }
}
