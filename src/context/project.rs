//! `mypaas.toml`, the project's own file: what a push leaves out, beside `.dockerignore`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ContextError;
use super::ignore_list::{BadPattern, IgnoreList};

pub(super) const FILE: &str = "mypaas.toml";

/// What is left out where the project does not say: none of it belongs into an image, and all of it is large.
const DEFAULT_IGNORE: [&str; 4] = ["__pycache__", "htmlcov", ".git", "node_modules"];

/// The keys there are.
const KEYS: [&str; 1] = ["ignore"];

const EXAMPLE: &str = r#"write it so: ignore = ["docs", "*.log"]"#;

/// What a project says about itself.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) ignore: IgnoreList,
    /// The project did not say what to leave out.
    pub(super) is_default: bool,
}

impl Project {
    /// Reads the text of `mypaas.toml`; none when there is none.
    pub(super) fn parse(file: &Path, text: Option<&str>) -> Result<Self, ContextError> {
        let text = text.unwrap_or_default();
        let at = |span: std::ops::Range<usize>, problem: String, hint: Option<String>| {
            let (line, column) = position(text, span.start);
            ContextError::Project { file: file.to_owned(), line, column, problem, hint }
        };
        let table = DeTable::parse(text)
            .map_err(|error| at(error.span().unwrap_or_default(), error.message().to_owned(), Some(EXAMPLE.into())))?;
        if let Some(key) = table.get_ref().keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            let problem = format!("there is no key {:?}", key.get_ref());
            return Err(at(key.span(), problem, Some(did_you_mean(key.get_ref()))));
        }
        let Some(value) = table.get_ref().get("ignore") else {
            return Ok(Self { ignore: default_ignore(), is_default: true });
        };
        let names =
            names(value).map_err(|span| at(span, "`ignore` is a list of names".into(), Some(EXAMPLE.into())))?;
        let ignore = ignore_list(names.iter().map(|name| name.get_ref().as_str())).map_err(|bad| {
            let span = names[bad.line as usize].span();
            at(span, format!("{:?} is no pattern: {}", names[bad.line as usize].get_ref(), bad.problem), None)
        })?;
        Ok(Self { ignore, is_default: false })
    }
}

/// A name without a slash is meant wherever it occurs; anything else is a pattern as in `.dockerignore`.
fn ignore_list<'a>(names: impl Iterator<Item = &'a str>) -> Result<IgnoreList, BadPattern> {
    let patterns: Vec<String> = names.map(anywhere).collect();
    IgnoreList::of((0..).zip(patterns.iter().map(String::as_str)))
}

fn anywhere(name: &str) -> String {
    let (exception, rest) = match name.trim().strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", name.trim()),
    };
    let plain = rest.trim_end_matches('/');
    if plain.is_empty() || plain.contains('/') { name.to_owned() } else { format!("{exception}**/{plain}") }
}

fn default_ignore() -> IgnoreList {
    ignore_list(DEFAULT_IGNORE.into_iter()).expect("plain names are patterns")
}

/// The list's members, or where something else stands.
fn names(value: &Spanned<DeValue<'_>>) -> Result<Vec<Spanned<String>>, std::ops::Range<usize>> {
    let items = value.get_ref().as_array().ok_or(value.span())?;
    let name = |item: &Spanned<DeValue<'_>>| {
        let text = item.get_ref().as_str().filter(|text| !text.trim().is_empty()).ok_or(item.span())?;
        Ok(Spanned::new(item.span(), text.to_owned()))
    };
    items.iter().map(name).collect()
}

fn did_you_mean(key: &str) -> String {
    match KEYS.iter().find(|known| strsim::damerau_levenshtein(known, key) <= 3) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the keys are: {}", KEYS.join(", ")),
    }
}

/// Line and column, counted from one.
fn position(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::ignore_list::FolderMatches;
    use super::*;

    fn parse(text: &str) -> Result<Project, ContextError> {
        Project::parse(Path::new(FILE), Some(text))
    }

    fn leaves_out(project: &Project, path: &str) -> bool {
        project.ignore.leaves_out(path, &FolderMatches::default())
    }

    #[test]
    fn names_are_left_out_wherever_they_are() {
        let project = parse(r#"ignore = ["docs", "*.log", "/build", "a/b/*", "!keep.log", "cache/"]"#).unwrap();
        for path in ["docs", "x/docs", "x/y/a.log", "a.log", "build", "a/b/c", "x/cache"] {
            assert!(leaves_out(&project, path), "{path}");
        }
        for path in ["x/build", "docs2", "keep.log", "x/keep.log", "a/b", "x/a/b/c"] {
            assert!(!leaves_out(&project, path), "{path}");
        }
        assert!(!project.is_default);
    }

    #[test]
    fn without_a_word_about_it_the_usual_names_are_left_out() {
        for text in [None, Some(""), Some("# nothing\n")] {
            let project = Project::parse(Path::new(FILE), text).unwrap();
            assert!(project.is_default && leaves_out(&project, "x/node_modules") && leaves_out(&project, ".git"));
        }
        let project = parse("ignore = []").unwrap();
        assert!(!leaves_out(&project, "node_modules"));
    }

    #[test]
    fn problems_say_where_and_what_to_do() {
        let told = |text: &str| {
            let error = parse(text).unwrap_err();
            format!("{error}\n  hint: {}", error.hint().unwrap_or_else(|| "none".into()))
        };
        let problems = [
            "\nignor = []",
            "ignore = []\ncolour = 1",
            "ignore = \"docs\"",
            "ignore = [\n  \"a\",\n  7,\n]",
            "ignore = [\"a\", \"b[\"]",
            "ignore = [\"\"]",
            "ignore = [\"a\"",
            "ignore = []\nignore = []",
            "[ignore]\na = 1",
        ];
        insta::assert_snapshot!(problems.map(|text| format!("{text}\n→ {}\n", told(text))).join("\n"));
    }
}
