//! Ctrl-c, a reader that goes away, a server that dies.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use mypaas::api::Deploy;
use mypaas::engine::{Behaviour, BuildScript};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::stage::{ROLLING, SINGLE, Stage};

fn slow_build(takes: Duration) -> Behaviour {
    Behaviour { build: BuildScript { takes, ..BuildScript::default() }, ..Behaviour::default() }
}

/// Starts the program and returns once it has printed a line with this in it.
fn started(stage: &Stage, line: &str, until: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = stage.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    tokio::task::block_in_place(|| {
        while !text.contains(until) {
            assert!(out.read_line(&mut text).unwrap() > 0, "it ended early: {text}");
        }
    });
    (child, out)
}

fn ended(mut child: Child, mut out: BufReader<std::process::ChildStdout>) -> (i32, String, String) {
    tokio::task::block_in_place(|| {
        let (mut told, mut err) = (String::new(), String::new());
        out.read_to_string(&mut told).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (child.wait().unwrap().code().unwrap(), told, err)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_deploy_alone_and_says_how_to_see_it() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    stage.script("blog", slow_build(Duration::from_secs(8)));
    let (child, out) = started(&stage, "push local blog", "building");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let (code, _, err) = ended(child, out);
    assert_eq!(code, 130, "{err}");
    assert!(err.contains("d2 of blog goes on") && err.contains("mypaas follow local d2"), "{err}");
    assert!(err.contains("mypaas cancel local d2"), "{err}");
    stage.run("follow local d2").succeeded().shows(&["d2: push of blog", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_cancelled_is_no_success_for_who_follows_it() {
    let stage = Stage::new().await;
    stage.script("blog", slow_build(Duration::from_secs(30)));
    stage.source("blog", SINGLE);
    let (child, out) = started(&stage, "push local blog", "Step 1/1");
    stage.run("cancel local d1").succeeded().shows(&["d1 of blog is cancelled"]);
    let (code, told, err) = ended(child, out);
    assert_eq!(code, 1, "{err}");
    assert!(told.contains("cancelled by") && err.contains("push of blog was cancelled by"), "{told}{err}");
    stage.run("cancel local d1").failed(1, &["error:"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_changes_nothing() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    for line in ["status", "redeploy local blog", "logs local blog", "completions bash", "--help"] {
        let mut child = stage.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), b"".as_slice()), "{line}");
    }
    let deploys: Vec<Deploy> = stage.run("deploys local --json").succeeded().json();
    assert_eq!(deploys.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn following_logs_ends_when_nobody_reads() {
    let stage = Stage::new().await;
    stage.script("blog", Behaviour { chatter: Some(Duration::from_millis(50)), ..Behaviour::default() });
    stage.push("blog", SINGLE);
    let (mut child, out) = started(&stage, "logs local blog --follow", "listening");
    drop(out);
    assert_eq!(tokio::task::block_in_place(|| child.wait().unwrap()).code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_through_a_restart_of_the_server_until_the_service_is_gone() {
    let mut stage = Stage::new().await;
    stage.script("blog", Behaviour { chatter: Some(Duration::from_millis(50)), ..Behaviour::default() });
    stage.push("blog", SINGLE);
    let (child, mut out) = started(&stage, "logs local blog --follow --timestamps", "listening");
    stage.die_and_start().await;
    let restarted = jiff::Timestamp::now();
    let mut told = Vec::new();
    tokio::task::block_in_place(|| {
        while told.last().is_none_or(|line: &String| time(line) <= restarted) {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended early: {told:?}");
            told.push(line);
        }
    });
    stage.run("remove local blog --yes").succeeded();
    let (code, rest, err) = ended(child, out);
    told.extend(rest.lines().map(str::to_owned));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("so nothing more is followed"), "{err}");
    assert!(told.is_sorted_by_key(|line| time(line)), "{told:?}");
}

/// When a line was written, as `--timestamps` tells it.
fn time(line: &str) -> jiff::Timestamp {
    let at = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", &line[..23]).unwrap();
    jiff::tz::TimeZone::system().to_timestamp(at).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_and_comes_back_still_tells_how_the_deploy_ended() {
    let mut stage = Stage::new().await;
    stage.push("web", ROLLING);
    stage.script("web", slow_build(Duration::from_secs(30)));
    let (child, out) = started(&stage, "redeploy local web", "Step 1/1");
    stage.die_and_start().await;
    let (code, _, err) = ended(child, out);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("redeploy of web was interrupted"), "{err}");
    stage.run("status").succeeded().shows(&["running  2/2    r1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_removing_asks_for_the_name() {
    let stage = Stage::new().await;
    stage.push("blog", SINGLE);
    let (code, told) = answered(&stage.command("remove local blog"), "blgo\n");
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("Type blog to go on") && told.contains("nothing was removed"), "{told}");
    stage.run("status local blog").succeeded();
    let (code, told) = answered(&stage.command("remove local blog"), "blog\n");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("removal of") && told.contains("\u{1b}[32mdone"), "{told}");
    stage.run("status").succeeded().shows(&["no services yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_pruning_asks_for_the_name_of_the_server() {
    let stage = Stage::new().await;
    stage.script(
        "blog",
        Behaviour { build: BuildScript { leaves: 5000, ..BuildScript::default() }, ..Behaviour::default() },
    );
    stage.push("blog", SINGLE);
    let (code, told) = answered(&stage.command("prune local"), "yes\n");
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("Type local to go on") && told.contains("nothing was removed"), "{told}");
    let (code, told) = answered(&stage.command("prune local"), "local\n");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("This removes from local") && told.contains("removed 1 image from local"), "{told}");
    let (code, told) = answered(&stage.command("prune local"), "");
    assert!(code == 0 && told.contains("nothing was removed"), "without anything to remove it does not ask: {told}");
}

/// The same command, to be started on a terminal.
pub(crate) fn on_terminal(plain: &std::process::Command) -> CommandBuilder {
    let mut command = CommandBuilder::new(plain.get_program());
    command.args(plain.get_args());
    command.cwd(plain.get_current_dir().unwrap());
    command.env_clear();
    plain.get_envs().for_each(|(name, value)| command.env(name, value.unwrap()));
    command.env("TERM", "xterm");
    command
}

/// Runs the program on a terminal, and types this when it asks.
pub(crate) fn answered(plain: &std::process::Command, typed: &str) -> (u32, String) {
    let command = on_terminal(plain);
    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut writer = pty.master.take_writer().unwrap();
    writer.write_all(typed.as_bytes()).unwrap();
    tokio::task::block_in_place(|| {
        let mut told = Vec::new();
        // The end of a terminal reads as an error.
        let _ = reader.read_to_end(&mut told);
        (child.wait().unwrap().exit_code(), String::from_utf8_lossy(&told).into_owned())
    })
}
