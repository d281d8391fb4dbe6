//! Reads Rust source as far as the rules need it: its words, and the paths that its words make.

use std::iter::Peekable;
use std::str::Chars;

/// One word or sign of a source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Word(String),
    /// A string literal's content, as written.
    Text(String),
    /// `::`.
    Of,
    Sign(char),
}

/// A path that begins at a crate's root, without its first word: `deploy`, `Event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) line: usize,
    /// `crate`, or the name of another crate.
    pub(crate) root: String,
    pub(crate) path: Vec<String>,
}

/// The words and signs of a source text, without its comments.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source.chars().peekable(), line: 1 };
    let mut tokens = Vec::new();
    loop {
        let line = lexer.line;
        match lexer.next() {
            Found::Token(kind) => tokens.push(Token { line, kind }),
            Found::Nothing => {}
            Found::End => return tokens,
        }
    }
}

enum Found {
    Token(Kind),
    Nothing,
    End,
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Found {
        let Some(character) = self.bump() else { return Found::End };
        match character {
            '/' if self.eat('/') => while self.rest.peek().is_some_and(|&c| c != '\n') && self.bump().is_some() {},
            '/' if self.eat('*') => self.block_comment(),
            '"' => return Found::Token(Kind::Text(self.string())),
            '\'' => self.character_or_lifetime(),
            ':' if self.eat(':') => return Found::Token(Kind::Of),
            c if c.is_alphanumeric() || c == '_' => return self.word(c),
            c if c.is_whitespace() => {}
            c => return Found::Token(Kind::Sign(c)),
        }
        Found::Nothing
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.rest.next();
        self.line += usize::from(character == Some('\n'));
        character
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest.peek() == Some(&wanted) && self.bump().is_some()
    }

    fn word(&mut self, first: char) -> Found {
        let mut word = String::from(first);
        while let Some(&c) = self.rest.peek()
            && (c.is_alphanumeric() || c == '_')
        {
            word.push(c);
            self.bump();
        }
        let is_raw = matches!(word.as_str(), "r" | "br" | "cr") && matches!(self.rest.peek(), Some('#' | '"'));
        if is_raw {
            return self.raw_string();
        }
        let is_prefix = matches!(word.as_str(), "b" | "c") && self.rest.peek() == Some(&'"');
        if is_prefix { Found::Nothing } else { Found::Token(Kind::Word(word)) }
    }

    fn string(&mut self) -> String {
        let mut text = String::new();
        while let Some(character) = self.bump()
            && character != '"'
        {
            text.push(character);
            if character == '\\' {
                text.extend(self.bump());
            }
        }
        text
    }

    /// Behind the `r`; `r#name` is a word.
    fn raw_string(&mut self) -> Found {
        let mut hashes = 0;
        while self.eat('#') {
            hashes += 1;
        }
        if !self.eat('"') {
            return Found::Nothing;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while !text.ends_with(&end)
            && let Some(character) = self.bump()
        {
            text.push(character);
        }
        text.truncate(text.len().saturating_sub(end.len()));
        Found::Token(Kind::Text(text))
    }

    fn block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0
            && let Some(character) = self.bump()
        {
            match character {
                '*' if self.eat('/') => depth -= 1,
                '/' if self.eat('*') => depth += 1,
                _ => {}
            }
        }
    }

    /// A lifetime has no closing quote; its name is then read as a word, which does no harm.
    fn character_or_lifetime(&mut self) {
        if self.eat('\\') {
            self.bump();
            while self.bump().is_some_and(|c| c != '\'') {}
            return;
        }
        let mut ahead = self.rest.clone();
        ahead.next();
        if ahead.next() == Some('\'') {
            self.bump();
            self.bump();
        }
    }
}

/// The paths of a source text that begin with one of these roots, or with `crate`, or with `super` as far as it leads
/// to the crate's root. `module` is where the text stands: `["deploy", "plan"]`.
pub(crate) fn used(tokens: &[Token], module: &[&str], roots: &[&str]) -> Vec<Used> {
    let mut found = Vec::new();
    let mut inline = InlineModules::default();
    for (index, token) in tokens.iter().enumerate() {
        inline.pass(tokens, index);
        let Kind::Word(word) = &token.kind else { continue };
        let is_continued = index > 0 && tokens[index - 1].kind == Kind::Of;
        if is_continued || !is(tokens, index + 1, &Kind::Of) {
            continue;
        }
        if word == "crate" || roots.contains(&word.as_str()) {
            branches(tokens, index + 2, &[], &mut |line, path| {
                found.push(Used { line, root: word.clone(), path });
            });
        } else if word == "super" {
            let mut place: Vec<String> = module.iter().map(|&part| part.to_owned()).collect();
            place.extend(inline.names());
            place.pop();
            branches(tokens, index + 2, &place, &mut |line, path| {
                found.push(Used { line, root: "crate".into(), path });
            });
        }
    }
    found
}

/// Calls for each path that a tree such as `a::{b, c::D}` stands for, and says where it ends. `before` leads to it.
fn branches(tokens: &[Token], at: usize, before: &[String], each: &mut impl FnMut(usize, Vec<String>)) -> usize {
    let Some(token) = tokens.get(at) else { return at };
    let mut path = before.to_vec();
    match &token.kind {
        Kind::Sign('{') => return group(tokens, at, before, each),
        Kind::Word(word) if word == "super" => drop(path.pop()),
        Kind::Word(word) if word != "self" => path.push(word.clone()),
        _ => {}
    }
    if is(tokens, at + 1, &Kind::Of) {
        return branches(tokens, at + 2, &path, each);
    }
    each(token.line, path);
    at + 1
}

fn group(tokens: &[Token], at: usize, before: &[String], each: &mut impl FnMut(usize, Vec<String>)) -> usize {
    let mut next = at + 1;
    while next < tokens.len() && !is(tokens, next, &Kind::Sign('}')) {
        let begins = matches!(tokens[next - 1].kind, Kind::Sign('{' | ','));
        next = if begins { branches(tokens, next, before, each) } else { next + 1 };
    }
    next + 1
}

fn is(tokens: &[Token], index: usize, kind: &Kind) -> bool {
    tokens.get(index).is_some_and(|token| token.kind == *kind)
}

/// The modules that are written out within a file, as `mod tests { … }`, around the present token.
#[derive(Debug, Default)]
pub(crate) struct InlineModules {
    depth: usize,
    open: Vec<(usize, String)>,
}

impl InlineModules {
    pub(crate) fn pass(&mut self, tokens: &[Token], index: usize) {
        match &tokens[index].kind {
            Kind::Sign('{') => {
                self.depth += 1;
                if let [Kind::Word(keyword), Kind::Word(name)] = &before(tokens, index)[..]
                    && keyword == "mod"
                {
                    self.open.push((self.depth, name.clone()));
                }
            }
            Kind::Sign('}') => {
                self.open.retain(|(depth, _)| *depth < self.depth);
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.open.iter().map(|(_, name)| name.clone())
    }
}

fn before(tokens: &[Token], index: usize) -> Vec<Kind> {
    tokens[index.saturating_sub(2)..index].iter().map(|token| token.kind.clone()).collect()
}
