//! The tables of the layers, and what breaks them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{InlineModules, Kind, Token, Used, tokens, used};

/// How much of a module may be used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum May {
    Use(&'static str),
    /// Only what is written with a capital letter: data, no functions.
    UseTypes(&'static str),
}

use May::{Use, UseTypes};

/// The modules of the core, bottom first, and what each may use of the others.
pub(crate) const CORE: &[(&str, &[May])] = &[
    ("name", &[]),
    ("atomic_file", &[]),
    ("machine", &[]),
    ("http", &[]),
    ("keys", &[Use("name")]),
    ("original", &[]),
    ("proof", &[Use("keys")]),
    ("manifest", &[Use("name")]),
    ("context", &[Use("name")]),
    ("fleet", &[Use("manifest"), Use("name"), Use("atomic_file")]),
    ("engine", &[Use("manifest"), Use("name"), Use("atomic_file"), Use("http")]),
    ("router", &[Use("engine"), Use("manifest"), Use("name"), Use("atomic_file"), Use("http")]),
    ("store", &[Use("manifest"), Use("name"), Use("atomic_file")]),
    (
        "deploy",
        &[
            Use("router"),
            Use("store"),
            Use("engine"),
            Use("context"),
            Use("manifest"),
            Use("keys"),
            Use("name"),
            Use("atomic_file"),
        ],
    ),
    ("api", &[Use("deploy"), Use("router"), Use("engine"), Use("context"), Use("manifest"), Use("keys"), Use("name")]),
    (
        "server",
        &[
            Use("api"),
            Use("deploy"),
            Use("router"),
            Use("store"),
            Use("engine"),
            Use("context"),
            Use("machine"),
            Use("manifest"),
            Use("original"),
            Use("proof"),
            Use("keys"),
            Use("name"),
            Use("atomic_file"),
            Use("http"),
        ],
    ),
    (
        "client",
        &[
            Use("api"),
            UseTypes("deploy"),
            UseTypes("engine"),
            UseTypes("fleet"),
            Use("context"),
            Use("manifest"),
            Use("original"),
            Use("proof"),
            Use("keys"),
            Use("name"),
            Use("http"),
        ],
    ),
    (
        "install",
        &[
            Use("client"),
            Use("server"),
            Use("api"),
            Use("engine"),
            Use("fleet"),
            Use("manifest"),
            Use("keys"),
            Use("name"),
            Use("atomic_file"),
        ],
    ),
];

/// The parts of the binary, and what each may use of the core. The console knows a server by the wire only.
const UI: &[(&str, &[May])] = &[
    (
        "console",
        &[Use("api"), Use("atomic_file"), Use("client"), Use("context"), Use("fleet"), Use("manifest"), Use("name")],
    ),
    (
        "cli",
        &[
            Use("api"),
            Use("client"),
            Use("context"),
            Use("fleet"),
            Use("install"),
            Use("keys"),
            Use("manifest"),
            Use("name"),
            Use("original"),
            Use("server"),
            UseTypes("deploy"),
            UseTypes("engine"),
            UseTypes("router"),
        ],
    ),
];

/// Parts of the deploy core that decide and never wait.
pub(crate) const PURE: [&str; 2] = ["src/deploy/plan", "src/deploy/queue"];

/// Crates of the screen and the command line.
pub(crate) const NOT_IN_THE_CORE: [&str; 6] =
    ["ratatui", "crossterm", "clap", "clap_complete", "comfy-table", "directories"];

/// One file of the project.
pub(crate) struct Source {
    /// Relative to the project's root.
    pub(crate) path: PathBuf,
    pub(crate) tokens: Vec<Token>,
}

impl Source {
    pub(crate) fn read(path: impl AsRef<Path>) -> Self {
        let text = fs::read_to_string(root().join(&path)).expect("a source file can be read");
        Self { path: path.as_ref().to_owned(), tokens: tokens(&text) }
    }

    /// Where it stands in its crate: `["deploy", "plan"]`; nothing for `lib.rs` and `main.rs`.
    fn module(&self) -> Vec<&str> {
        let parts = self.path.iter().filter_map(|part| part.to_str()).skip_while(|part| *part != "src").skip(1);
        let names = parts.map(|part| part.trim_end_matches(".rs"));
        names.filter(|name| !matches!(*name, "mod" | "lib" | "main")).collect()
    }

    /// The modules that it declares.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.tokens.windows(3).filter_map(|three| match [&three[0].kind, &three[1].kind, &three[2].kind] {
            [Kind::Word(keyword), Kind::Word(name), Kind::Sign(';')] if keyword == "mod" => Some(name.as_str()),
            _ => None,
        })
    }

    fn violation(&self, line: usize, what: String) -> Violation {
        Violation { path: self.path.clone(), line, what }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) path: PathBuf,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.what)
    }
}

pub(crate) fn assert_none(violations: &[Violation]) {
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "the layers are broken (see the tables in tests/layers/rules.rs):\n{}", told.join("\n"));
}

pub(crate) fn core_violations(file: &Source) -> Vec<Violation> {
    let module = file.module();
    let Some(own) = module.first() else { return Vec::new() };
    let Some((_, may)) = CORE.iter().find(|(name, _)| name == own) else {
        return vec![file.violation(1, format!("{own} has no layer; add it to the table in tests/layers/rules.rs"))];
    };
    let is_module = |name: &String| CORE.iter().any(|(module, _)| module == name);
    let strangers = used(&file.tokens, &module, &[]).into_iter().filter(|used| {
        used.path.first().is_some_and(|first| first != own && is_module(first)) && !allowed(may, &used.path)
    });
    strangers.map(|used| file.violation(used.line, format!("{own} must not use {}", used.path.join("::")))).collect()
}

pub(crate) fn ui_violations(file: &Source) -> Vec<Violation> {
    let module = file.module();
    let own = if module.first() == Some(&"console") { "console" } else { "cli" };
    let may = UI.iter().find(|(name, _)| *name == own).expect("both parts are in the table").1;
    let problem = |used: &Used| match used.root.as_str() {
        "mypaas" if !allowed(may, &used.path) => {
            Some(format!("{own} must not use {} of the core", used.path.join("::")))
        }
        "crate" if own == "console" && used.path.first().is_some_and(|first| first == "cli") => {
            Some("console must not use the command line".into())
        }
        _ => None,
    };
    let used = used(&file.tokens, &module, &["mypaas"]);
    used.iter().filter_map(|used| Some(file.violation(used.line, problem(used)?))).collect()
}

fn allowed(may: &[May], path: &[String]) -> bool {
    may.iter().any(|may| match may {
        Use(module) => path.first().is_some_and(|first| first == module),
        UseTypes(module) => {
            path.first().is_some_and(|first| first == module)
                && path.iter().any(|part| part.starts_with(|c: char| c.is_uppercase()))
        }
    })
}

/// Tests may print and look around.
pub(crate) fn surroundings_violations(file: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut inline = InlineModules::default();
    let is_test_file = file.module().contains(&"tests");
    for (index, token) in file.tokens.iter().enumerate() {
        inline.pass(&file.tokens, index);
        if is_test_file || inline.names().any(|name| name == "tests") {
            continue;
        }
        let next = |ahead: usize| file.tokens.get(index + ahead).map(|token| &token.kind);
        let what = match (&token.kind, next(1), next(2)) {
            (Kind::Word(word), Some(Kind::Sign('!')), _)
                if matches!(word.as_str(), "print" | "println" | "eprint" | "eprintln" | "dbg") =>
            {
                format!("the core must not print ({word}!); report it, or use tracing")
            }
            (Kind::Word(env), Some(Kind::Of), Some(Kind::Word(what)))
                if env == "env" && (what.starts_with("var") || what == "home_dir") =>
            {
                format!("the core must not read the environment (env::{what}); let the caller give it")
            }
            (Kind::Text(text), ..) if text == "HOME" && !is_given_to_a_child(&file.tokens[..index]) => {
                "the core must not know \"HOME\"; let the caller give the path".into()
            }
            _ => continue,
        };
        violations.push(file.violation(token.line, what));
    }
    violations
}

/// Whether what follows is the name of a variable that a process is started with, as in `.env("HOME", …)`.
fn is_given_to_a_child(before: &[Token]) -> bool {
    let kinds: Vec<_> = before.iter().rev().take(3).map(|token| &token.kind).collect();
    matches!(kinds[..], [Kind::Sign('('), Kind::Word(env), Kind::Sign('.')] if env == "env")
}

pub(crate) fn tokio_violations(file: &Source) -> Vec<Violation> {
    let is_tokio = |token: &&Token| matches!(&token.kind, Kind::Word(word) if word.starts_with("tokio"));
    let found = file.tokens.iter().filter(is_tokio);
    found.map(|token| file.violation(token.line, "this part decides and never waits: no tokio in it".into())).collect()
}

pub(crate) fn is_pure(path: &Path) -> bool {
    PURE.iter().any(|part| belongs(path, part))
}

/// Whether a file is this module, or lies in its folder.
pub(crate) fn belongs(path: &Path, module: &str) -> bool {
    path == Path::new(module).with_extension("rs") || path.starts_with(module)
}

/// All Rust files below a folder of the project.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a source folder can be listed") {
            let entry = entry.expect("a source folder can be listed");
            let path = folder.join(entry.file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(Source::read(path));
            }
        }
    }
    assert!(!sources.is_empty(), "{folder} holds no source");
    sources
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
