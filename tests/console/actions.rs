//! Each action, from the key to what a real server made of it. Its engine and router are simulated: what they do with
//! real ones is tested elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::session::{Home, Session};

/// One server with the services api (three containers), auth and billing.
struct Stage {
    session: Session,
    folder: TempDir,
    // Dropped after the console.
    _fleet: Fleet,
}

impl Stage {
    fn new() -> Self {
        Self::with(&[], &[])
    }

    fn with(options: &[&str], environment: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::start("1x5", &[&["--still"], options].concat(), &folder.path().join("fleet"));
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mypaas"));
        environment.iter().for_each(|(name, value)| command.env(name, value));
        let session = Home::of(&fleet).start(command, (120, 40));
        // The pane beside the list has been filled.
        session.wait_for("✓ succeeded  d1 push → r1");
        Self { session, folder, _fleet: fleet }
    }

    /// What was asked is confirmed, and comes to a good end.
    fn confirm(&mut self, question: &str, end: &str) {
        // Nothing can be confirmed before it is known what would happen.
        self.session.wait_for(question);
        self.session.wait_for("STEPS");
        self.session.press_for("y", end);
    }

    fn back(&mut self) {
        self.session.press("\u{1b}");
        self.session.wait_for("SERVICE");
    }

    /// A folder with a Dockerfile of these lines.
    fn project(&self, name: &str, lines: &[&str]) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("Dockerfile"), lines.join("\n") + "\nFROM scratch\n").unwrap();
        folder
    }
}

#[test]
fn a_restart() {
    let mut stage = Stage::new();
    stage.session.press("r");
    stage.confirm("Restart api on s01?", "r1 of api on s01 is live");
    stage.back();
    stage.session.wait_for("r1.4");
}

#[test]
fn scaling_up() {
    let mut stage = Stage::new();
    stage.session.press_for("+", "3 → 4 containers");
    stage.session.press_for("+", "3 → 5 containers");
    stage.session.wait_for("STEPS");
    stage.session.press_for("\r", "api on s01 runs 5 containers");
    stage.back();
    stage.session.wait_for("5/5");
}

#[test]
fn a_stop_and_a_start() {
    let mut stage = Stage::new();
    stage.session.press("S");
    stage.confirm("Stop api on s01?", "stop of api on s01 done");
    stage.back();
    stage.session.wait_for("○ api");
    stage.session.press("S");
    stage.confirm("Start api on s01?", "r1 of api on s01 is live");
    stage.back();
    stage.session.wait_for("● api");
}

#[test]
fn a_redeploy_and_a_way_back() {
    let mut stage = Stage::new();
    stage.session.press("R");
    stage.confirm("Redeploy api on s01?", "r2 of api on s01 is live");
    stage.back();
    stage.session.wait_for("releases 2");
    stage.session.press("b");
    stage.session.wait_for("Roll back api on s01 to");
    stage.session.wait_for("STEPS");
    stage.session.press("\r");
    stage.confirm("Roll back api on s01 to r1?", "r1 of api on s01 is live");
}

#[test]
fn a_removal() {
    let mut stage = Stage::new();
    stage.session.press("X");
    stage.session.wait_for("Remove api on s01?");
    stage.session.wait_for("3 containers, the routes, all releases of api");
    // Without a choice nothing is removed.
    stage.session.press("\r");
    stage.session.wait_while("Remove api on s01?");
    stage.session.press("X");
    stage.confirm("Remove api on s01?", "remove of api on s01 done");
    stage.back();
    stage.session.wait_while("● api");
}

#[test]
fn a_push_of_a_folder_whose_dockerfile_is_mended_first() {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    fs::write(&editor, "#!/bin/sh\nfor file; do :; done\nsed -i s/servise/service/ \"$file\"\n").unwrap();
    fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut stage = Stage::with(&[], &[("EDITOR", &editor)]);
    let project = stage.project("blog", &["# mypaas.servise=blog"]);
    stage.session.press_for("p", "Push a folder to s01");
    stage.session.press(&format!("{}", project.display()));
    stage.session.press_for("\r", "mypaas.servise");
    stage.session.press_for("e", "r1, the first release");
    stage.session.press_for("y", "r1 of blog on s01 is live");
    stage.back();
    stage.session.wait_for("● blog");
}

#[test]
fn a_shell_that_is_left_with_an_exit_code() {
    let mut stage = Stage::new();
    stage.session.press_for("s", "shell in api on s01");
    stage.session.wait_for("$ ");
    stage.session.press_for("hello\r", "you said hello");
    stage.session.press("exit\r");
    stage.session.wait_for("SERVICE");
    stage.session.press_for("?", "Keys");
}

#[test]
fn a_name_that_is_copied() {
    let mut stage = Stage::new();
    stage.session.press_for("yn", "copied api");
    let sequence = format!("\u{1b}]52;c;{}\u{7}", BASE64_STANDARD.encode("api"));
    assert!(stage.session.wrote(&sequence));
}

#[test]
fn logs_that_are_searched_and_saved() {
    let mut stage = Stage::with(&["--flood", "20"], &[]);
    let path = stage.folder.path().join("saved.log");
    stage.session.press_for("l", "logs");
    stage.session.wait_until("lines", || stage.session.screen().matches("200").count() > 5);
    stage.session.press_for("S", "save as");
    stage.session.press("\u{15}");
    stage.session.press_for(&format!("{}\r", path.display()), "saved as");
    let saved = fs::read_to_string(&path).unwrap();
    assert!(saved.lines().count() > 5 && saved.contains("api.r1."), "{saved}");
}
