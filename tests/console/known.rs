//! What is shown before any server answers, and of servers that stop answering.

use nix::sys::signal::Signal;

use crate::fleet::Fleet;
use crate::session::Home;

const SIZE: (u16, u16) = (120, 40);

#[test]
fn what_servers_said_last_is_shown_with_its_age_until_they_answer() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start("2x5", &["--still"], folder.path());
    let home = Home::of(&fleet);
    let kept = home.path().join("state/mypaas/last-known");
    let mut session = home.console(&[], SIZE);
    session.wait_for("● billing");
    session.press("q");
    assert!(session.end());
    // What is kept is what is said first, and then nothing was deployed yet.
    if kept.exists() {
        std::fs::remove_dir_all(&kept).unwrap();
    }
    let mut session = home.console(&[], SIZE);
    session.wait_until("servers kept", || ["s01.json", "s02.json"].iter().all(|name| kept.join(name).exists()));
    session.press("q");
    assert!(session.end());

    // Stopped they take connections, and say nothing.
    fleet.signal(Signal::SIGSTOP);
    let session = home.console(&[], SIZE);
    session.wait_for("● billing");
    session.wait_for("connecting; as it was");
    session.wait_for("connecting to 2 servers");
    fleet.signal(Signal::SIGCONT);
    session.wait_until("servers that answer", || !session.screen().contains("connecting"));
    assert!(session.screen().contains("● billing"), "{}", session.screen());

    drop(fleet);
    let session = home.console(&[], SIZE);
    session.wait_for("● billing");
    session.wait_for("silent for");
}

#[test]
fn keys_work_while_a_server_hangs_and_it_is_shown_as_silent() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [fleet, hanging] = folders.each_ref().map(|folder| Fleet::start("1x5", &["--still"], folder.path()));
    let listed = fleet.listed() + &hanging.listed().replace("[servers.s01]", "[servers.other]");
    let mut session = Home::new(&listed, "").console(&[], SIZE);
    session.wait_until("both servers", || session.screen().matches("● billing").count() == 2);
    hanging.signal(Signal::SIGSTOP);
    session.press_for("?", "Keys");
    session.press("\u{1b}");
    session.wait_while("Keys");
    session.wait_for("silent for");
    session.press_for("r", "Restart api on");
    hanging.signal(Signal::SIGCONT);
}
