//! A Dockerfile's bytes → its manifest and everything there is to say about it, at once.

use super::diagnostic::{Diagnostic, Problem, Severity};
use super::draft::Draft;
use super::images::Images;
use super::instructions::Instructions;
use super::option::{Found, find};
use super::text::{Line, Text};
use super::{Checked, advice};

/// Reads a Dockerfile's options. There is a manifest when, and only when, no diagnostic is an error. Diagnostics come
/// in the order of the lines; those about the file as a whole come first.
pub fn check(dockerfile: &[u8]) -> Checked {
    match Text::read(dockerfile) {
        Ok(text) => check_text(&text),
        Err(diagnostic) => Checked { manifest: None, diagnostics: vec![diagnostic] },
    }
}

/// The lines on which FROM instructions end, counted from one; none in what is no text.
pub fn from_ends(dockerfile: &[u8]) -> Vec<u32> {
    Text::read(dockerfile).map(|text| Instructions::of(&text.lines()).from_ends).unwrap_or_default()
}

/// The images that its build takes something from; none in what is no text.
pub fn images(dockerfile: &[u8]) -> Images {
    Text::read(dockerfile).map(|text| Images::of(dockerfile, &text.lines())).unwrap_or_default()
}

/// What there is to say about a folder without a Dockerfile.
pub fn check_missing() -> Checked {
    let problem = Problem::new("there is no Dockerfile in the folder").hint(
        "name the folder that holds the service's Dockerfile; \
         the smallest one has two lines: `# mypaas.service=hello` and `FROM image:tag`",
    );
    Checked { manifest: None, diagnostics: vec![Diagnostic::of_file(Severity::Error, problem)] }
}

fn check_text(text: &Text<'_>) -> Checked {
    let lines = text.lines();
    let instructions = Instructions::of(&lines);
    let mut diagnostics = text.faults(&lines);
    diagnostics.extend(without_from(&lines, &instructions));
    let options = find(&lines, &mut diagnostics);
    diagnostics.extend(options.iter().filter_map(|option| in_heredoc(option, &instructions)));
    let draft = Draft::of(&options, &mut diagnostics);
    advice::about(&draft, &mut diagnostics);
    let manifest = draft.finish(&options, instructions.pulls_latest(), &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    let good = !diagnostics.iter().any(Diagnostic::is_error);
    Checked { manifest: manifest.filter(|_| good), diagnostics }
}

fn without_from(lines: &[Line<'_>], instructions: &Instructions) -> Option<Diagnostic> {
    if instructions.has_from() || instructions.has_own_syntax {
        return None;
    }
    let message = match lines.iter().all(|line| line.text.trim().is_empty()) {
        true => "the Dockerfile is empty",
        false => "the Dockerfile has no FROM instruction, so nothing can be built",
    };
    let problem =
        Problem::new(message).hint("say what image the service is made from, as in `FROM debian:stable-slim`");
    Some(Diagnostic::of_file(Severity::Error, problem))
}

fn in_heredoc(option: &Found<'_>, instructions: &Instructions) -> Option<Diagnostic> {
    instructions.is_in_heredoc(option.line).then(|| {
        let problem = Problem::new("this line is text within a heredoc, and counts as an option all the same")
            .hint("move the option out of the heredoc, or let the line start with something other than `# mypaas.`");
        option.about_key(Severity::Warning, problem)
    })
}
