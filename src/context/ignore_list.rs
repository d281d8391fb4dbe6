//! What a list of patterns leaves out. A pattern that matches a folder matches all that is in it; the last pattern
//! that matches decides.

use super::error::PatternError;
use super::pattern::Pattern;

/// The patterns of one file, in their order.
#[derive(Debug, Default)]
pub(super) struct IgnoreList {
    patterns: Vec<Pattern>,
}

/// Which patterns match a folder or one it lies in, so that they match all that is in it.
#[derive(Debug, Default)]
pub(super) struct FolderMatches(Vec<bool>);

/// A pattern that cannot be read.
#[derive(Debug)]
pub(super) struct BadPattern {
    /// Counted from one.
    pub(super) line: u32,
    pub(super) pattern: String,
    pub(super) problem: PatternError,
}

impl IgnoreList {
    /// Reads a `.dockerignore`: a pattern a line, `#` in the first column makes a comment.
    pub(super) fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = (1..).zip(text.lines());
        Self::of(lines.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty()))
    }

    /// Reads numbered patterns.
    pub(super) fn of<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> Result<Self, BadPattern> {
        let read = |(line, text): (u32, &str)| {
            Pattern::parse(text).map_err(|problem| BadPattern { line, pattern: text.trim().to_owned(), problem })
        };
        Ok(Self { patterns: lines.map(read).collect::<Result<_, _>>()? })
    }

    /// What is known of a folder, given what is known of the folder that it is in.
    pub(super) fn enter(&self, folder: &str, parent: &FolderMatches) -> FolderMatches {
        let matched = |(index, pattern): (usize, &Pattern)| parent.has(index) || pattern.matches(folder);
        FolderMatches(self.patterns.iter().enumerate().map(matched).collect())
    }

    /// Whether a path is left out, given what is known of the folder that it is in.
    pub(super) fn leaves_out(&self, path: &str, parent: &FolderMatches) -> bool {
        let mut last_first = self.patterns.iter().enumerate().rev();
        last_first
            .find(|(index, pattern)| parent.has(*index) || pattern.matches(path))
            .is_some_and(|(_, pattern)| !pattern.exception)
    }

    /// Whether an exception could keep something in this folder, though the folder is left out.
    pub(super) fn may_keep_below(&self, folder: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.exception && pattern.may_match_below(folder))
    }
}

impl FolderMatches {
    fn has(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves_out(list: &IgnoreList, path: &str) -> bool {
        let mut matches = FolderMatches::default();
        for (end, _) in path.match_indices('/') {
            matches = list.enter(&path[..end], &matches);
        }
        list.leaves_out(path, &matches)
    }

    #[test]
    fn whole_lists_leave_out_what_docker_leaves_out() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            // A matched folder takes all that is in it along.
            ("docs", &["docs", "docs/a", "docs/a/b"], &["src/docs", "docs2"]),
            ("docs/", &["docs/a"], &["doc"]),
            ("*/build", &["a/build/x/y"], &["build/x", "a/b/build"]),
            ("**/target", &["target/x", "a/b/target/x"], &["a/targets"]),
            // The last match decides.
            ("*.md\n!README.md", &["a.md"], &["README.md", "b.txt"]),
            ("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md", "a.md"], &["README.md"]),
            ("*.md\nREADME-secret.md\n!README*.md", &["a.md"], &["README-secret.md", "README.md"]),
            ("!README.md\n*.md", &["README.md"], &[]),
            // Everything but.
            ("*\n!src", &["a", "a/b"], &["src", "src/a", "src/a/b"]),
            ("**\n!src/a", &["src", "src/b", "x"], &["src/a", "src/a/b"]),
            ("*\n!src\nsrc/*.log", &["src/a.log"], &["src/a.rs", "src/b/a.log"]),
            ("docs\n!docs/README.md", &["docs", "docs/a"], &["docs/README.md"]),
            ("docs\n!docs/**/keep", &["docs/x"], &["docs/a/b/keep", "docs/keep"]),
            // Comments, blank lines, spaces, line ends, a byte order mark, slashes in front.
            ("\u{feff}# notes\r\n\r\n  a  \r\n/b\n", &["a", "b"], &["# notes", "c"]),
            (" # not a comment", &["# not a comment"], &["a"]),
            ("*\n! src ", &["a"], &["src"]),
            ("/a/b\n!/a/b/c", &["a/b", "a/b/d"], &["a/b/c", "b"]),
            ("# only comments\n", &[], &["a", "only"]),
        ];
        for (text, out, kept) in cases {
            let list = IgnoreList::parse(text).unwrap();
            for path in *out {
                assert!(leaves_out(&list, path), "{text:?} should leave out {path}");
            }
            for path in *kept {
                assert!(!leaves_out(&list, path), "{text:?} should keep {path}");
            }
        }
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_line() {
        let bad = IgnoreList::parse("# a\nok\n\n bad[ \n").unwrap_err();
        assert_eq!((bad.line, bad.pattern.as_str()), (4, "bad["));
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_an_error(text in "(\\PC|\n|\\*\\*|[\\[\\]!/\\\\^-]){0,40}", path in "[a-z*/]{1,12}") {
            if let Ok(list) = IgnoreList::parse(&text) {
                leaves_out(&list, &path);
            }
        }

        #[test]
        fn no_kept_path_lies_in_a_folder_that_is_not_searched(
            lines in prop::collection::vec("!?(a|b|\\*|\\*\\*|a\\*|[ab])(/(a|b|\\*|\\*\\*|\\?)){0,2}", 1..5),
            path in "[ab](/[ab]){1,3}",
        ) {
            let list = IgnoreList::parse(&lines.join("\n")).unwrap();
            if !leaves_out(&list, &path) {
                for (end, _) in path.match_indices('/') {
                    let folder = &path[..end];
                    prop_assert!(!leaves_out(&list, folder) || list.may_keep_below(folder), "{folder}");
                }
            }
        }
    }
}
