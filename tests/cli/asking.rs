//! A key that is locked, on a real terminal: its passphrase is asked for once, and shown by nobody.

use std::net::TcpListener;
use std::time::Duration;

use super::keys::Home;
use super::leaving::on_terminal;
use super::terminal::{Terminal, size};

const PATIENCE: Duration = Duration::from_secs(30);
const PROMPT: &str = "Passphrase of ~/.ssh/mypaas_ed25519: ";

/// Where nobody listens, so that a command that got the key open fails there.
fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The status of two servers that only the locked key gets into.
fn status(home: &Home) -> Terminal {
    home.keygen("mypaas_ed25519", "ed25519", "open sesame");
    for name in ["shop", "attic"] {
        home.run(&format!("servers add {name} https://{}", nowhere())).succeeded();
    }
    Terminal::start(on_terminal(&home.command("status shop,attic")), size(120, 40), PATIENCE)
}

/// Types this at the latest prompt. It is there a moment before the terminal is told to show nothing.
fn answer(terminal: &mut Terminal, typed: &str) {
    let shows = |terminal: &Terminal| {
        let settings = terminal.master.get_termios().unwrap();
        settings.local_flags.bits() & nix::libc::ECHO != 0
    };
    terminal.wait_until("terminal that shows nothing", || !shows(terminal));
    terminal.press(&format!("{typed}\r"));
}

fn count(terminal: &Terminal, text: &str) -> usize {
    terminal.screen().matches(text).count()
}

#[test]
fn a_passphrase_is_asked_for_once_for_all_servers_and_shown_nowhere() {
    let home = Home::new();
    let mut terminal = status(&home);
    terminal.wait_for(PROMPT);
    answer(&mut terminal, "open sesame");
    assert!(!terminal.end(), "nobody listens there");
    terminal.wait_until("word of both servers", || count(&terminal, "no server answers at https://127.0.0.1") >= 2);
    assert_eq!(count(&terminal, "Passphrase"), 1, "{}", terminal.screen());
    assert!(!terminal.wrote("sesame"), "{}", terminal.screen());
}

#[test]
fn a_wrong_passphrase_is_told_and_the_right_one_still_opens_the_key() {
    let home = Home::new();
    let mut terminal = status(&home);
    terminal.wait_for(PROMPT);
    answer(&mut terminal, "open barley");
    terminal.wait_for(&format!("That is not it. {PROMPT}"));
    answer(&mut terminal, "open sesame");
    terminal.wait_for("no server answers at https://127.0.0.1");
    terminal.end();
    assert!(!terminal.wrote("barley") && !terminal.wrote("sesame"), "{}", terminal.screen());
}

#[test]
fn a_passphrase_that_is_wrong_again_and_again_is_an_error_that_says_so() {
    let home = Home::new();
    let mut terminal = status(&home);
    for attempt in 1..=3 {
        terminal.wait_until("another prompt", || count(&terminal, PROMPT) == attempt);
        answer(&mut terminal, "open barley");
    }
    assert!(!terminal.end());
    terminal.wait_for("the key in ~/.ssh/mypaas_ed25519 cannot be used");
    terminal.wait_for("the passphrase is wrong");
    terminal.wait_for("its key stays locked");
    assert_eq!(count(&terminal, PROMPT), 3, "{}", terminal.screen());
    assert!(!terminal.wrote("barley"));
}
