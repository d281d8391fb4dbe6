//! Dockerfiles as files, and what is read from them; properties that hold for any text.

#![cfg(test)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use mypaas::manifest::{Checked, Diagnostic, Severity, check, check_missing};

#[path = "manifest/properties.rs"]
mod properties;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dockerfiles")
}

/// One test for each file in the folder, and one that none was forgotten.
macro_rules! fixtures {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let path = folder().join(concat!(stringify!($name), ".Dockerfile"));
            let checked = check(&std::fs::read(path).unwrap());
            insta::assert_snapshot!(stringify!($name), shown(&checked));
        })*

        #[test]
        fn every_fixture_has_a_test() {
            let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            files.sort();
            let mut tests = vec![$(stringify!($name)),*];
            tests.sort();
            assert_eq!(files, tests);
        }
    };
}

fixtures! {
    all_options smallest written_in_other_ways
    unknown_keys bad_values given_twice no_service no_from empty other_frontend
    latin1 utf16 nul windows old_macintosh long_line hostile
    heredoc near_misses variables
    contested_ports contested_port_of_one contested_by_none health_without_scale urls_again nested_volumes
}

#[test]
fn a_missing_dockerfile_says_what_to_do() {
    insta::assert_snapshot!(shown(&check_missing()));
}

#[test]
fn a_file_of_a_megabyte_is_refused_and_one_of_less_is_read_at_once() {
    let line = "# mypaas.helth=1\r# mypaas.url=x\n";
    let largest = line.repeat(1024 * 1024 / line.len());
    let started = std::time::Instant::now();
    assert!(check(largest.as_bytes()).diagnostics.len() > 1000);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    let checked = check(&vec![b'#'; 1024 * 1024 + 1]);
    assert_eq!((checked.manifest, checked.diagnostics.len()), (None, 1));
}

/// As a person would want to read it, to be judged in a snapshot.
fn shown(checked: &Checked) -> String {
    let mut text = String::new();
    for diagnostic in &checked.diagnostics {
        show_diagnostic(&mut text, diagnostic).unwrap();
    }
    match serde_json::to_value(&checked.manifest).unwrap() {
        serde_json::Value::Object(manifest) => {
            for (field, value) in manifest.iter().filter(|(field, _)| *field != "options") {
                writeln!(text, "{field}: {value}").unwrap();
            }
        }
        _ => text.push_str("no manifest\n"),
    }
    for option in checked.manifest.iter().flat_map(|manifest| &manifest.options) {
        writeln!(text, "option {} {}={}", option.line, option.key, option.value).unwrap();
    }
    text
}

fn show_diagnostic(text: &mut String, diagnostic: &Diagnostic) -> std::fmt::Result {
    let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
    writeln!(text, "{severity} {}:{} {}", diagnostic.line, diagnostic.column, diagnostic.message)?;
    if let Some(excerpt) = diagnostic.excerpt() {
        let (before, marked, after) = (excerpt.before, excerpt.marked, excerpt.after);
        let short = |part: &str| part.chars().take(80).collect::<String>().escape_debug().to_string();
        writeln!(text, "    {}⟦{}⟧{}", short(before), short(marked), short(after))?;
    }
    match &diagnostic.hint {
        Some(hint) => writeln!(text, "    → {hint}\n"),
        None => writeln!(text),
    }
}
