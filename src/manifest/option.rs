//! Lines → `mypaas.key=value` with positions, and what only looks like one. Whether the value is good is not known
//! here.

use super::diagnostic::{Diagnostic, Problem, Severity, quoted};
use super::text::Line;
use super::value::Fault;

/// More options than this are no service but an accident, and reading them all would let a file of a megabyte grow
/// into a hundred of diagnostics.
const MOST_OPTIONS: usize = 1000;

/// What the original strips from both ends of a key and a value.
const STRIPPED: [char; 4] = ['"', '\'', ' ', '\t'];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Service,
    Url,
    Volume,
    Env,
    Port,
    Publish,
    Scale,
    Healthcheck,
    MaxCpu,
    MaxMem,
    Release,
}

impl Key {
    const ALL: [Self; 11] = [
        Self::Service,
        Self::Url,
        Self::Volume,
        Self::Env,
        Self::Port,
        Self::Publish,
        Self::Scale,
        Self::Healthcheck,
        Self::MaxCpu,
        Self::MaxMem,
        Self::Release,
    ];

    /// The name, and a value to learn from.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Service => ("service", "hello"),
            Self::Url => ("url", "https://example.com/path"),
            Self::Volume => ("volume", "~/data:/data"),
            Self::Env => ("env", "LOG_LEVEL=info"),
            Self::Port => ("port", "8080"),
            Self::Publish => ("publish", "5432:5432"),
            Self::Scale => ("scale", "2 roll"),
            Self::Healthcheck => ("healthcheck", "/status 10s 2s"),
            Self::MaxCpu => ("maxcpu", "1.5"),
            Self::MaxMem => ("maxmem", "512m"),
            Self::Release => ("release", "./migrate"),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        self.texts().0
    }

    pub(super) fn example(self) -> String {
        let (name, value) = self.texts();
        format!("for example `# mypaas.{name}={value}`")
    }

    pub(super) const fn is_repeatable(self) -> bool {
        matches!(self, Self::Url | Self::Volume | Self::Env | Self::Publish)
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// The option that was perhaps meant: the first word of what was written, or a name much like it.
    fn like(written: &str) -> Option<Self> {
        const ENOUGH: f64 = 0.8;
        let written = written.to_ascii_lowercase();
        let word = written.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let letters: String = written.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let likeness = |key: Self| strsim::jaro_winkler(key.name(), &letters);
        let closest = Self::ALL.into_iter().max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
        Self::of(word).or(closest.filter(|key| likeness(*key) >= ENOUGH))
    }
}

/// An option with a known key and a value that is not empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'t> {
    pub(super) line: Line<'t>,
    pub(super) key: Key,
    /// As written, `mypaas.` included: a part of the line.
    name: &'t str,
    /// Without the blanks and quotes around it: a part of the line.
    pub(super) value: &'t str,
}

impl Found<'_> {
    /// What is wrong with the value, with an example where there is no better hint.
    pub(super) fn fault(&self, fault: Fault) -> Diagnostic {
        let value = part_of(self.line.text, self.value);
        let part = fault.part.filter(|part| !part.is_empty());
        let part = part.map_or(value.clone(), |part| value.start + part.start..value.start + part.end);
        let problem = match self.value.contains(" #") {
            true => fault.problem.hint("a comment needs a line of its own"),
            false => fault.problem.or_hint(|| self.key.example()),
        };
        Diagnostic::of_line(Severity::Error, self.line, part, problem)
    }

    pub(super) fn warning(&self, problem: Problem) -> Diagnostic {
        Diagnostic::of_line(Severity::Warning, self.line, part_of(self.line.text, self.value), problem)
    }

    /// About the option as such, whatever its value.
    pub(super) fn about_key(&self, severity: Severity, problem: Problem) -> Diagnostic {
        Diagnostic::of_line(severity, self.line, part_of(self.line.text, self.name), problem)
    }
}

/// All options of these lines; what else was to say about them goes to `diagnostics`.
pub(super) fn find<'t>(lines: &[Line<'t>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Found<'t>> {
    let mut found = Vec::new();
    let mut seen = 0;
    for line in lines.iter().copied() {
        let Some(reading) = read(line) else { continue };
        seen += 1;
        if seen > MOST_OPTIONS {
            let problem = Problem::new(format!("here is option number {seen}; at most {MOST_OPTIONS} are read"))
                .hint("is this the Dockerfile of one service?");
            diagnostics.push(Diagnostic::of_line(Severity::Error, line, 0..0, problem));
            break;
        }
        match reading {
            Ok(option) => found.push(option),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    found
}

/// None where the line has nothing to do with options.
fn read(line: Line<'_>) -> Option<Result<Found<'_>, Diagnostic>> {
    match option_text(line.text) {
        Some(text) => Some(split(line, text)),
        None => near_miss(line).map(Err),
    }
}

/// What follows the `#`, where it starts with `mypaas.`.
fn option_text(line: &str) -> Option<&str> {
    let text = line.trim_start_matches([' ', '\t']).strip_prefix('#')?.trim_start_matches([' ', '\t']);
    text.starts_with("mypaas.").then_some(text)
}

fn split<'t>(line: Line<'t>, text: &'t str) -> Result<Found<'t>, Diagnostic> {
    let at = |part: &str, severity, problem| Diagnostic::of_line(severity, line, part_of(line.text, part), problem);
    let Some((name, value)) = text.split_once('=') else {
        return Err(at(text.trim_end(), Severity::Warning, without_equals(text)));
    };
    let name = name.trim_end_matches(STRIPPED);
    let word = name.strip_prefix("mypaas.").unwrap_or_default();
    let key = Key::of(word).ok_or_else(|| at(name, Severity::Error, unknown(word)))?;
    let value = without_quotes(value);
    if value.is_empty() {
        let problem = Problem::new(format!("`mypaas.{}` has no value, so the line means nothing", key.name()));
        return Err(at(name, Severity::Warning, problem.hint("give it a value or remove the line")));
    }
    Ok(Found { line, key, name, value })
}

fn without_equals(text: &str) -> Problem {
    let problem = Problem::new(format!("{} has no `=`, so it is not an option", quoted(text)));
    let word = text.strip_prefix("mypaas.").unwrap_or_default();
    problem.hint(match Key::like(word) {
        Some(key) => format!("write `# mypaas.{}=VALUE`, {}", key.name(), key.example()),
        None => "if it is only a comment, let it start with another word".to_owned(),
    })
}

fn unknown(word: &str) -> Problem {
    let problem = Problem::new(format!("there is no option {}", quoted(&format!("mypaas.{word}"))));
    problem.hint(match Key::like(word) {
        Some(key) => format!("did you mean `mypaas.{}`?", key.name()),
        None => format!("the options are {}", Key::ALL.map(Key::name).join(", ")),
    })
}

/// Blanks and pairs of quotes around the value, in any order.
fn without_quotes(value: &str) -> &str {
    let value = value.trim_matches([' ', '\t']);
    match paired(value) {
        Some(inner) => without_quotes(inner),
        None => value,
    }
}

/// What stands between two quotes of one kind.
pub(super) fn paired(value: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
}

/// A comment that the original reads as an option, or that an operator would, and that is none.
fn near_miss(line: Line<'_>) -> Option<Diagnostic> {
    let (text, hashes) = line.text.split(is_line_break_in_python).find_map(looks_like_option)?;
    let problem = if hashes > 1 {
        Problem::new("this is not read as an option, because it starts with more than one `#`")
            .hint("write one `#`; to comment an option out, write `#--- mypaas.…`")
    } else {
        Problem::new("this looks like an option, but is not read as one")
            .hint("an option is a line of its own that starts with `# mypaas.`, in lower case")
    };
    Some(Diagnostic::of_line(Severity::Warning, line, part_of(line.text, text), problem))
}

/// The text from `mypaas.` on, and how many `#` stand before it.
fn looks_like_option(text: &str) -> Option<(&str, usize)> {
    let comment = text.trim_start_matches(is_blank);
    let option = comment.starts_with('#').then(|| comment.trim_start_matches(|c| c == '#' || is_blank(c)))?;
    let (word, _) = option.get("mypaas.".len()..)?.split_once('=')?;
    let is_known = || Key::of(word.trim_end_matches(STRIPPED).to_ascii_lowercase().as_str()).is_some();
    let is_option =
        option.starts_with("mypaas.") || (option.get(.."mypaas.".len())?.eq_ignore_ascii_case("mypaas.") && is_known());
    let hashes = comment[..comment.len() - option.len()].matches('#').count();
    is_option.then_some((option.trim_end(), hashes))
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}' | '\u{200b}' | '\u{feff}')
}

fn is_line_break_in_python(character: char) -> bool {
    matches!(character, '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Where a part lies in the text that it was cut from.
pub(super) fn part_of(text: &str, part: &str) -> std::ops::Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    start..(start + part.len()).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Option<Result<Found<'_>, Diagnostic>> {
        read(Line { number: 1, text })
    }

    fn value(text: &str) -> &str {
        one(text).unwrap().unwrap().value
    }

    fn diagnostic(text: &str) -> (Severity, String, String) {
        let diagnostic = one(text).unwrap().unwrap_err();
        (diagnostic.severity, diagnostic.excerpt().unwrap().marked.to_owned(), diagnostic.hint.unwrap())
    }

    #[test]
    fn blanks_are_allowed_right_before_and_after_the_hash_and_around_the_equals_sign() {
        for text in ["#mypaas.port=80", " \t# \tmypaas.port=80", "# mypaas.port = 80 ", "#mypaas.port\t=\t80\t"] {
            assert_eq!(value(text), "80", "{text:?}");
        }
    }

    #[test]
    fn quotes_around_the_value_are_stripped_in_pairs() {
        for (text, expected) in [
            ("\"a b\"", "a b"),
            ("'a'", "a"),
            ("\" 'a' \"", "a"),
            ("\"a", "\"a"),
            ("a'", "a'"),
            ("A=\"b\"", "A=\"b\""),
            ("\"a\" \"b\"", "a\" \"b"),
        ] {
            assert_eq!(value(&format!("# mypaas.env={text}")), expected);
        }
    }

    #[test]
    fn other_comments_are_nobodys_business() {
        for text in [
            "#--- mypaas.url=x",
            "# see mypaas.url=x",
            "RUN echo # mypaas.url=x",
            "mypaas.url=x",
            "# mypaas",
            "## mypaas.url is where it is",
            "# MyPaas.com?a=b",
            "# mypaaß.url=x",
            "",
        ] {
            assert!(one(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_the_original_reads_and_we_do_not_is_told() {
        for (text, marked) in [
            ("## mypaas.url=x", "mypaas.url=x"),
            ("# # mypaas.other=x ", "mypaas.other=x"),
            ("\u{a0}# mypaas.url=x", "mypaas.url=x"),
            ("RUN a\u{c}# mypaas.url=x", "mypaas.url=x"),
            ("# a\r# mypaas.url=x\r# mypaas.port=1", "mypaas.url=x"),
        ] {
            let (severity, found, _) = diagnostic(text);
            assert_eq!((severity, found.as_str()), (Severity::Warning, marked), "{text:?}");
        }
    }

    #[test]
    fn what_an_operator_would_take_for_an_option_is_told() {
        for text in ["# MyPaas.URL=x", "#\u{a0}mypaas.url=x", "\u{feff}# mypaas.url=x"] {
            assert_eq!(diagnostic(text).0, Severity::Warning, "{text:?}");
        }
    }

    #[test]
    fn a_line_without_equals_sign_or_value_is_a_warning() {
        assert_eq!(diagnostic("# mypaas.port 80").1, "mypaas.port 80");
        assert!(diagnostic("# mypaas.port 80").2.starts_with("write `# mypaas.port=VALUE`"));
        assert_eq!(diagnostic("# mypaas.zzzz rocks").2, "if it is only a comment, let it start with another word");
        for text in ["# mypaas.port=", "# mypaas.port = ''"] {
            let (severity, marked, _) = diagnostic(text);
            assert_eq!((severity, marked.as_str()), (Severity::Warning, "mypaas.port"));
        }
    }

    #[test]
    fn a_mistyped_key_is_compared_with_the_known_ones() {
        for (written, meant) in [
            ("helthcheck", "healthcheck"),
            ("health_check", "healthcheck"),
            ("health", "healthcheck"),
            ("URL", "url"),
            ("url: https://x?a", "url"),
            ("urls", "url"),
            ("volumes", "volume"),
            ("ports", "port"),
            ("max_mem", "maxmem"),
            ("maxmemory", "maxmem"),
            ("max-cpus", "maxcpu"),
            ("enviroment", "env"),
            ("name", ""),
            ("", ""),
        ] {
            let (severity, marked, hint) = diagnostic(&format!("# mypaas.{written}=1"));
            assert_eq!((severity, marked), (Severity::Error, format!("mypaas.{written}")));
            match meant {
                "" => assert!(hint.starts_with("the options are service, url"), "{written}: {hint}"),
                _ => assert_eq!(hint, format!("did you mean `mypaas.{meant}`?"), "{written}"),
            }
        }
    }

    #[test]
    fn not_more_options_are_read_than_a_service_can_have() {
        let lines: Vec<_> = (1..2000).map(|number| Line { number, text: "# mypaas.env=A=1" }).collect();
        let mut diagnostics = Vec::new();
        assert_eq!(find(&lines, &mut diagnostics).len(), MOST_OPTIONS);
        assert_eq!(diagnostics.len(), 1);
        assert_eq!(diagnostics[0].line, 1001);
    }
}
