//! Holds the layers of the project: who may use whom, and what the core must not know. Reads the source as text, so
//! a violation is told by file and line. The tables are in `layers/rules.rs`.

#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/source.rs"]
mod source;

use std::fs;

use rules::{
    CORE, NOT_IN_THE_CORE, PURE, Source, Violation, assert_none, belongs, core_violations, is_pure, root, sources,
    surroundings_violations, tokio_violations, ui_violations,
};
use source::tokens;

#[test]
fn the_core_uses_only_layers_below() {
    let violations: Vec<Violation> = sources("src").iter().flat_map(core_violations).collect();
    assert_none(&violations);
}

#[test]
fn the_screen_uses_only_what_it_may_of_the_core() {
    let violations: Vec<Violation> = sources("ui/src").iter().flat_map(ui_violations).collect();
    assert_none(&violations);
}

#[test]
fn the_core_neither_prints_nor_reads_the_environment() {
    let violations: Vec<Violation> = sources("src").iter().flat_map(surroundings_violations).collect();
    assert_none(&violations);
}

#[test]
fn planning_and_queueing_never_wait() {
    let sources = sources("src/deploy");
    let pure: Vec<&Source> = sources.iter().filter(|file| is_pure(&file.path)).collect();
    if sources.iter().any(|file| file.path.starts_with("src/deploy/execute")) {
        for part in PURE {
            assert!(pure.iter().any(|file| belongs(&file.path, part)), "{part} is gone; what is it called now?");
        }
    }
    let violations: Vec<Violation> = pure.into_iter().flat_map(tokio_violations).collect();
    assert_none(&violations);
}

#[test]
fn the_core_depends_on_nothing_of_the_screen() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    assert!(dependencies.contains_key("tokio"), "the dependencies were read");
    for name in NOT_IN_THE_CORE {
        assert!(!dependencies.contains_key(name), "Cargo.toml: the core must not depend on {name}");
    }
}

#[test]
fn every_module_has_a_layer() {
    let library = Source::read("src/lib.rs");
    let declared: Vec<&str> = library.modules().collect();
    assert!(declared.len() > 5, "the module list was read");
    for module in declared {
        let has_layer = CORE.iter().any(|(name, _)| *name == module);
        assert!(has_layer, "src/lib.rs: module {module} has no layer; add it to the table in tests/layers/rules.rs");
    }
}

#[test]
fn violations_are_found_wherever_they_hide() {
    let found = |path: &str, text: &str| -> Vec<String> {
        let file = Source { path: path.into(), tokens: tokens(text) };
        let all = [core_violations(&file), surroundings_violations(&file), tokio_violations(&file)].concat();
        all.iter().map(ToString::to_string).collect()
    };
    let lines = [
        "use crate::{name::ServiceName, deploy::{Event, plan::Plan}};",
        "// use crate::server::run;",
        "fn f<'a>(x: &'a str) -> char { let _ = \"use crate::server\"; crate::server::run(); '\"' }",
        "use super::super::deploy; /* use crate::api; /* */ use crate::api; */",
        "mod tests { use super::*; use super::docker::x; use super::super::super::client::Client; }",
        "use self::inner::thing; use crate::engine::docker; let r#type = r#\"crate::api::x\"#;",
        "fn h() { println!(\"x\"); std::env::var(\"X\"); let home = env!(\"HOME\"); tokio::spawn(x); }",
        "#[cfg(test)] mod tests { fn t() { println!(\"fine\"); } }",
    ];
    assert_eq!(
        found("src/engine/docker.rs", &lines.join("\n")),
        [
            "src/engine/docker.rs:1: engine must not use deploy::Event",
            "src/engine/docker.rs:1: engine must not use deploy::plan::Plan",
            "src/engine/docker.rs:3: engine must not use server::run",
            "src/engine/docker.rs:4: engine must not use deploy",
            "src/engine/docker.rs:5: engine must not use client::Client",
            "src/engine/docker.rs:7: the core must not print (println!); report it, or use tracing",
            "src/engine/docker.rs:7: the core must not read the environment (env::var); let the caller give it",
            "src/engine/docker.rs:7: the core must not know \"HOME\"; let the caller give the path",
            "src/engine/docker.rs:7: this part decides and never waits: no tokio in it",
        ]
    );
}

#[test]
fn the_console_is_told_from_the_command_line() {
    let text = "use mypaas::{api::Snapshot, engine::ContainerState};\nuse mypaas::server;\nuse crate::cli::x;";
    let found = |path: &str| -> Vec<String> {
        let file = Source { path: path.into(), tokens: tokens(text) };
        ui_violations(&file).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        found("ui/src/console/view/mod.rs"),
        [
            "ui/src/console/view/mod.rs:1: console must not use engine::ContainerState of the core",
            "ui/src/console/view/mod.rs:2: console must not use server of the core",
            "ui/src/console/view/mod.rs:3: console must not use the command line",
        ]
    );
    assert_eq!(found("ui/src/cli/push.rs"), [] as [&str; 0]);
    let functions = Source { path: "ui/src/cli/x.rs".into(), tokens: tokens("mypaas::deploy::execute()") };
    assert_eq!(ui_violations(&functions).len(), 1, "types only");
}
