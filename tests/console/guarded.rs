//! What is not shown, and what is not done without more than a yes: values of variables, and locked servers.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::session::{Home, Session};

const SIZE: (u16, u16) = (120, 40);

const ENTER: &str = "\r";
const ESCAPE: &str = "\u{1b}";

/// Nothing else is written so.
const VALUE: &str = "xK7-open-sesame-q9Z";

/// One server with the services api, auth and billing, as the console's `fleet.toml` lists it.
struct Stage {
    session: Session,
    home: Home,
    folder: TempDir,
    // Dropped after the console.
    _fleet: Fleet,
}

impl Stage {
    fn new(as_listed: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::start("1x5", &["--still"], &folder.path().join("fleet"));
        let home = Home::new(&as_listed(fleet.listed()), "");
        let session = home.console(&[], SIZE);
        session.wait_for("✓ succeeded  d1 push → r1");
        Self { session, home, folder, _fleet: fleet }
    }

    /// What the server was configured with, and what was set since.
    fn config(&self) -> String {
        fs::read_to_string(self.folder.path().join("fleet/s01/config.toml")).unwrap_or_default()
    }
}

/// Whether any file below the folder has the text in it.
fn is_below(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => is_below(&path, text),
        false => fs::read(path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()),
    })
}

#[test]
fn a_variable_is_set_and_unset_and_its_value_is_never_shown() {
    let mut stage = Stage::new(|listed| listed);
    stage.session.press_for("ge", "Values are given and never shown");
    stage.session.press_for("n", "name ");
    stage.session.press_for(&format!("API_KEY{ENTER}"), "value of API_KEY (not shown)");
    // Each character is seen as a dot before the next step.
    let dots = "·".repeat(VALUE.len());
    stage.session.press_for(VALUE, &dots);
    stage.session.press_for(ENTER, "Set API_KEY on s01?");
    stage.session.press_for("y", "API_KEY is set on s01");
    assert!(stage.config().contains(VALUE), "the server has it");
    stage.session.wait_while("Set API_KEY on s01?");
    stage.session.wait_for("▌API_KEY");
    stage.session.press_for("X", "Unset API_KEY on s01?");
    stage.session.press_for("y", "API_KEY has no value any more on s01");
    assert!(!stage.config().contains(VALUE), "and has it no more");
    stage.session.press("q");
    assert!(stage.session.end());
    assert!(!stage.session.wrote(VALUE), "the terminal never had it");
    assert!(!is_below(stage.home.path(), VALUE), "and the console kept it nowhere");
}

#[test]
fn without_a_yes_no_variable_is_set() {
    let mut stage = Stage::new(|listed| listed);
    stage.session.press_for("ge", "Values are given and never shown");
    stage.session.press_for("n", "name ");
    stage.session.press_for(&format!("API_KEY{ENTER}"), "value of API_KEY (not shown)");
    stage.session.press_for(&format!("{VALUE}{ENTER}"), "Set API_KEY on s01?");
    // Cancel is chosen.
    stage.session.press(ENTER);
    stage.session.wait_while("Set API_KEY on s01?");
    assert!(!stage.config().contains(VALUE) && !stage.session.wrote(VALUE));
}

#[test]
fn a_locked_server_is_changed_only_once_its_name_was_typed() {
    let mut stage = Stage::new(|listed| listed + "lock = true\n");
    stage.session.press_for("S", "Stop api on s01?");
    stage.session.wait_for("STEPS");
    stage.session.press_for("y", "before its name was typed");
    stage.session.press_for(&format!("s02{ENTER}"), "type s01 to go on");
    stage.session.press_for(ESCAPE, "STEPS");
    stage.session.press(ESCAPE);
    stage.session.wait_while("Stop api on s01?");
    assert!(stage.session.screen().contains("● api"), "{}", stage.session.screen());

    stage.session.press_for("S", "Stop api on s01?");
    stage.session.wait_for("STEPS");
    stage.session.press_for("y", "before its name was typed");
    // Three were there: what was left before came to none.
    stage.session.press_for(&format!("s01{ENTER}"), "deploy d4");
    stage.session.wait_for("stop of api on s01 done");
}
