//! The console on a terminal of its own: that it gives it back whatever happens, and what it writes to it. Here the
//! servers it shows do not answer.
//!
//! ```text
//! session.rs    a console on a terminal      known.rs      what is shown before servers answer, and when they do not
//! actions.rs    each action, on a server     recording.rs  sessions recorded and played
//! guarded.rs    variables, and locked servers
//! ```

#![cfg(test)]

mod actions;
#[path = "../support/fleet.rs"]
mod fleet;
mod guarded;
mod known;
mod recording;
mod session;
#[path = "../support/terminal.rs"]
mod terminal;

use std::process::ExitCode;
use std::time::Duration;

use mypaas_ui::console::{self, Options};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use self::session::{OWN_PROCESS, Session};
use self::terminal::size;

#[test]
fn keys_that_leave_give_the_terminal_back() {
    for (name, keys) in [("q", "q"), ("ctrl-c", "\u{3}"), ("ctrl-c in a dialog", "?\u{3}")] {
        let mut session = Session::console(&[], false);
        session.press(keys);
        assert!(session.end(), "{name}");
        session.assert_given_back(name);
    }
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut session = Session::console(&[], false);
        session.signal(signal);
        session.end();
        session.assert_given_back(signal.as_str());
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_then_told() {
    let mut session = Session::own("a_console_with_a_fault");
    session.wait_for("No server is known");
    session.signal(Signal::SIGUSR1);
    assert!(!session.end());
    session.assert_given_back("a panic");
    assert!(session.screen().contains("a fault for the test"), "{}", session.screen());
}

#[test]
fn the_console_comes_back_after_it_was_suspended() {
    let mut session = Session::console(&[], false);
    session.press("\u{1a}");
    session.wait_until("other screen", || session.wrote("\u{1b}[?1049l"));
    session.signal(Signal::SIGCONT);
    session.wait_for("SERVICE");
    session.press("?");
    session.wait_for("Next service");
    session.press("\u{3}");
    assert!(session.end());
}

/// As a script may be that prepares something first.
#[test]
fn what_runs_the_console_is_suspended_with_it() {
    let mut session = Session::of_a_shell();
    session.wait_for("shell>");
    session.press_for("bash -c '\"$CONSOLE\"; true'\r", "attic");
    session.press_for("\u{1a}", "Stopped");
    session.press_for("fg\r", "attic");
    session.press_for("?", "Next service");
    session.press("\u{3}");
    session.wait_while("Next service");
    session.press("exit\r");
    assert!(session.end());
}

#[test]
fn a_click_opens_what_it_is_on_unless_the_mouse_is_left_to_the_terminal() {
    let mut session = Session::console(&[], false);
    session.wait_for("? help");
    let screen = session.screen();
    let column = screen.lines().last().unwrap().find("? help").unwrap() + 1;
    session.press(&format!("\u{1b}[<0;{column};24M\u{1b}[<0;{column};24m"));
    session.wait_for("Keys");
    session.press("q");
    session.wait_until("help closed", || !session.screen().contains("Keys"));
    session.press("M");
    session.wait_until("mouse left", || session.wrote("\u{1b}[?1000l"));
    assert!(!Session::console(&["--no-mouse"], false).wrote("\u{1b}[?1000h"));
}

#[test]
fn the_operator_s_own_keys_hold_and_a_clash_is_told_before_anything_is_drawn() {
    let mut session = Session::with_keymap("[anywhere]\nquit = ['Q']\n", &[], false);
    session.wait_for("Q quit");
    session.press("q?");
    session.wait_for("Keys");
    session.press("\u{1b}");
    session.wait_until("help closed", || !session.screen().contains("Keys"));
    session.press("Q");
    assert!(session.end());

    let mut session = Session::begin("[services]\nmark = ['q']\n", &[], true);
    session.wait_for("q means both anywhere.quit and services.mark in the list of services");
    session.wait_for("2 | mark = ['q']");
    assert!(!session.end() && !session.wrote("\u{1b}[?1049h"));
}

#[test]
fn any_size_is_drawn_anew() {
    let mut session = Session::console(&[], false);
    for (cols, rows, sign) in
        [(20, 6, "attic"), (10, 3, "terminal"), (200, 50, "no server answers"), (80, 24, "q quit")]
    {
        session.written.lock().unwrap().clear();
        session.master.resize(size(cols, rows)).unwrap();
        session.wait_for(sign);
    }
    session.press("q");
    assert!(session.end());
}

#[test]
fn without_colours_none_are_written_and_ascii_is_ascii() {
    let session = Session::console(&["--ascii"], true);
    session.wait_for("q quit");
    let text = String::from_utf8(session.bytes()).unwrap();
    assert!(text.is_ascii(), "{text}");
    let colours = ["\u{1b}[38;", "\u{1b}[48;", "\u{1b}[31m", "\u{1b}[32m"];
    assert!(colours.iter().all(|colour| !text.contains(colour)), "{text:?}");
}

#[test]
fn colours_are_written_where_the_terminal_has_them() {
    let session = Session::console(&["--theme", "light"], false);
    session.wait_until("colour", || session.wrote("\u{1b}[38;2;"));
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut session = Session::own("a_console_without_servers");
    session.wait_for("No server is known");
    session.wait_for("q quit");
    // The picture is written at once, so nothing of it is still on its way after this.
    std::thread::sleep(Duration::from_millis(300));
    let before = session.bytes().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(session.bytes().len(), before);
    session.press("q");
    assert!(session.end());
}

#[test]
fn a_console_without_a_terminal_says_so() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mypaas"))
        .env("MYPAAS_HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", fleet_of_one().path())
        .output()
        .unwrap();
    assert_ne!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("needs a terminal") && told.contains("mypaas status"), "{told}");
}

fn fleet_of_one() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("mypaas")).unwrap();
    let fleet = "[servers.attic]\naddress = \"unix:///nonexistent.sock\"\n";
    std::fs::write(home.path().join("mypaas/fleet.toml"), fleet).unwrap();
    home
}

fn is_own_process() -> bool {
    std::env::var_os(OWN_PROCESS).is_some()
}

fn in_a_runtime(work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let result = tokio::runtime::Runtime::new().unwrap().block_on(work);
    // The runtime waits for nothing: a thread of it may sit in a read of the keyboard.
    std::process::exit(i32::from(result.is_err()));
}

#[test]
fn a_console_without_servers() {
    if !is_own_process() {
        return;
    }
    in_a_runtime(console::run(Vec::new(), Options::default()));
}

#[test]
fn a_console_with_a_fault() {
    if !is_own_process() {
        return;
    }
    in_a_runtime(async {
        let mut told = signal(SignalKind::user_defined1())?;
        tokio::spawn(async move {
            told.recv().await;
            panic!("a fault for the test");
        });
        console::run(Vec::new(), Options::default()).await
    });
}
