//! A session that is recorded, and played.

use crate::fleet::Fleet;
use crate::session::Home;

const SIZE: (u16, u16) = (120, 40);

#[test]
fn a_recording_shows_the_same_last_screen_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start("1x5", &["--still"], &folder.path().join("fleet"));
    let file = folder.path().join("session.jsonl");
    let path = file.to_str().unwrap();
    let mut session = Home::of(&fleet).console(&["--record", path], SIZE);
    session.wait_for("✓ succeeded  d1 push → r1");
    // What comes later would be told on the last screen or not, as it happens.
    session.wait_for("3 running");
    session.press_for("r", "STEPS");
    session.press_for("y", "r1 of api on s01 is live");
    // Its end is told wherever one is then.
    session.wait_for("  finished");
    // A key that follows at once would be taken as one with alt.
    session.press_for("\u{1b}", "SERVICE");
    session.press_for("/auth\r", "/auth");
    session.press_for("?", "Keys");
    let last = session.screen();
    session.press("\u{3}");
    assert!(session.end());
    drop(fleet);

    let mut player = Home::of_nobody("").console(&["--replay", path, "--speed", "100"], SIZE);
    player.wait_until("the last screen", || player.screen() == last);
    player.press("q");
    assert!(player.end());
    player.assert_given_back("a replay");
}

#[test]
fn a_recording_overwrites_nothing_and_another_file_is_not_played() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "mine\n").unwrap();
    for (option, told) in [("--record", "cannot be recorded in"), ("--replay", "is no recording of a session")] {
        let mut session = Home::of_nobody("").console(&[option, file.to_str().unwrap()], SIZE);
        session.wait_for(told);
        assert!(!session.end(), "{option}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
}
