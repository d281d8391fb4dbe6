//! The console on a terminal of its own, from the keyboard only, under load: push, roll back, scale.

use std::time::Duration;

use portable_pty::CommandBuilder;
use tokio::task::spawn_blocking;

use crate::stage::{Settings, Stage};
use crate::terminal::{Terminal, size};

const ENTER: &str = "\r";
const ESCAPE: &str = "\u{1b}";

/// A deploy with its build, its start and its drain.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests a second, on a machine that bears them easily: the console follows a line of log for each.
const RATE: u32 = 500;

/// Where the machine bears fewer, deploys take longer too.
const FEWEST: u64 = 2_000;

fn console(stage: &Stage) -> Terminal {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mypaas"));
    command.env_clear();
    command.env("HOME", stage.user_home());
    command.env("MYPAAS_HOME", stage.home());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    Terminal::start(command, size(120, 40), PATIENCE)
}

/// Presses the keys, and waits until the deploy they began has ended well.
fn deploy(console: &mut Terminal, keys: &[(&str, &str)], ended: &str) {
    for (shown, pressed) in keys {
        console.wait_for(shown);
        console.press(pressed);
    }
    console.wait_for(ended);
    console.wait_for("took");
    console.press(ESCAPE);
    console.wait_for("enter open");
}

#[tokio::test]
async fn everything_is_done_from_the_keyboard_and_no_request_fails() {
    let stage = Stage::alone(Settings::default()).await;
    let options = ["url=http://web.test", "scale=3", "healthcheck=/health 1s 500ms"];
    let folder = stage.project("web", &options, &[]);
    stage.push(&folder).await.done();
    let load = stage.load("web.test", RATE).await;
    stage.project("web", &options, &["ENV VERSION=new"]);

    let mut console = console(&stage);
    let (console, folder) = spawn_blocking(move || {
        console.wait_for("3/3");
        console.press("p");
        deploy(&mut console, &[("FOLDER", &folder), (&folder, ENTER), ("r1 → r2", "y")], "r2 of web on local is live");
        deploy(&mut console, &[("r2", "b"), ("r1", ENTER), ("r2 → r1", "y")], "r1 of web on local is live");
        (console, folder)
    })
    .await
    .unwrap();
    drop(folder);
    scale(console, &stage).await;

    let report = load.stop().await;
    eprintln!("{report}");
    assert_eq!(report.failed(), 0, "{report}");
    assert!(report.sent > FEWEST, "{report}");
    for release in ["r1", "r2"] {
        let release = format!("(release {release},");
        assert!(report.answers.keys().any(|answer| answer.contains(&release)), "{report}");
    }
}

/// To five, and to one.
async fn scale(mut console: Terminal, stage: &Stage) {
    for (keys, count) in [("++", 5), ("----", 1)] {
        console = spawn_blocking(move || {
            // The first key opens the dialog with one more, or one less.
            for key in keys.chars() {
                console.press(&key.to_string());
                std::thread::sleep(Duration::from_millis(200));
            }
            console.wait_for(&format!("→ {count}"));
            console.press(ENTER);
            console.wait_for("took");
            console.press(ESCAPE);
            console.wait_for(&format!("{count}/{count}"));
            console
        })
        .await
        .unwrap();
        let service = stage.service("web").await.service;
        assert_eq!((service.ready, service.wanted), (count, count));
    }
    console.press("q");
    let given_back = move || console.end() && console.wrote("\u{1b}[?1049l");
    assert!(spawn_blocking(given_back).await.unwrap());
}
