//! The operator's keys: made, chosen and shown, with the real ssh-agent and ssh-keygen beside them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::leaving::answered;
use super::stage::{Ended, program};

/// A home of the test's own.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("user")).unwrap();
        Self(folder)
    }

    fn user(&self) -> PathBuf {
        self.0.path().join("user")
    }

    fn ssh(&self, file: &str) -> PathBuf {
        self.user().join(".ssh").join(file)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        program(self.0.path(), line)
    }

    pub(crate) fn run(&self, line: &str) -> Ended {
        Ended::of(line, &mut self.command(line))
    }

    fn answered(&self, line: &str, typed: &str) -> (u32, String) {
        answered(&self.command(line), typed)
    }

    /// A key of ssh-keygen's making, locked with the passphrase.
    pub(crate) fn keygen(&self, file: &str, kind: &str, passphrase: &str) {
        std::fs::create_dir_all(self.user().join(".ssh")).unwrap();
        let path = self.ssh(file);
        let path = path.to_str().unwrap();
        run("ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", "ada@laptop", "-f", path]);
    }

    fn public(&self, file: &str) -> String {
        std::fs::read_to_string(self.ssh(file)).unwrap().trim().to_owned()
    }

    fn shown(&self, line: &str) -> String {
        self.run(line).succeeded().out.trim().to_owned()
    }
}

/// An ssh-agent that ends with the test.
struct Agent {
    process: Child,
    folder: tempfile::TempDir,
}

impl Agent {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-a"]).arg(folder.path().join("agent")).stdout(Stdio::null());
        let agent = Self { process: command.spawn().unwrap(), folder };
        let begun = Instant::now();
        while !agent.socket().exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "no agent");
            std::thread::sleep(Duration::from_millis(10));
        }
        agent
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    fn add(&self, key: &Path) {
        let status = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", self.socket()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_that_ssh_understands_and_never_overwritten() {
    let home = Home::new();
    home.run("key get").failed(1, &["no key was found", "mypaas key init"]);
    home.run("key init").failed(2, &["needs a passphrase", "--no-passphrase"]);
    let made = home.run("key init --no-passphrase").succeeded().shows(&["made the ed25519 key ~/.ssh/mypaas_ed25519"]);
    let file = home.ssh("mypaas_ed25519");
    assert_eq!((mode(&file), mode(&home.user().join(".ssh"))), (0o600, 0o700));
    let line = home.shown("key get");
    assert!(made.out.contains(&line) && line.starts_with("ssh-ed25519 AAAA"), "{made:?}");
    assert!(line.starts_with(&run("ssh-keygen", &["-y", "-f", file.to_str().unwrap()])), "{line}");
    assert_eq!(home.public("mypaas_ed25519.pub"), line);

    let before = std::fs::read(&file).unwrap();
    for line in ["key init", "key init --no-passphrase", "key init --type ed25519 --no-passphrase", "key-init"] {
        home.run(line).failed(1, &["there is a key already: ~/.ssh/mypaas_ed25519", "nothing is overwritten"]);
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    home.run("key init --type rsa --no-passphrase").succeeded().shows(&["made the RSA key ~/.ssh/mypaas_rsa"]);
    assert_eq!(home.shown("key get"), line, "the usual one still signs");
    let original = home.shown("key get ~/.ssh/mypaas_rsa --original");
    assert!(original.starts_with("rsa-pub-"), "{original}");
    home.run("key get --original").failed(1, &["RSA keys only", "--type rsa"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_half_that_is_left_over_is_in_the_way_before_anything_is_made() {
    let home = Home::new();
    std::fs::create_dir(home.user().join(".ssh")).unwrap();
    std::fs::write(home.ssh("mypaas_ed25519.pub"), "of another time").unwrap();
    let made = "key init --no-passphrase";
    home.run(made).failed(1, &["there is a key already: ~/.ssh/mypaas_ed25519.pub", "nothing is overwritten"]);
    assert!(!home.ssh("mypaas_ed25519").exists(), "half a key was made");
    assert_eq!(home.public("mypaas_ed25519.pub"), "of another time");
    std::fs::remove_file(home.ssh("mypaas_ed25519.pub")).unwrap();
    home.run(made).succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_typed_twice_and_locks_the_key() {
    let home = Home::new();
    let (code, told) = home.answered("key init", "one\ntwo\nthe same\nthe same\n");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("these were two different ones") && told.contains("locked with the passphrase"), "{told}");
    // What is typed before it asks is shown by the terminal itself.
    let (_, asked) = told.split_once("Passphrase").unwrap();
    assert!(!asked.contains("the same"), "what was typed is not shown: {told}");
    let file = home.ssh("mypaas_ed25519");
    let shown = home.shown("key get");
    let public = run("ssh-keygen", &["-y", "-P", "the same", "-f", file.to_str().unwrap()]);
    assert!(shown.starts_with(&public), "{shown} without the passphrase");

    let home = Home::new();
    let (code, told) = home.answered("key init", &"one\ntwo\n".repeat(3));
    assert!(code == 1 && told.contains("no key was made"), "{told}");
    assert!(!home.ssh("mypaas_ed25519").exists());
    let (code, told) = home.answered("key init", "\n\n");
    assert!(code == 0 && told.contains("without a passphrase"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_there_can_be_chosen() {
    let home = Home::new();
    home.keygen("id_ed25519", "ed25519", "");
    home.keygen("id_rsa", "rsa", "secret");
    let (code, told) = home.answered("key init", "9\n3\n");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("2  the one that is there, ~/.ssh/id_ed25519") && told.contains("from 1 to 3"), "{told}");
    assert_eq!(home.shown("key get"), home.public("id_rsa.pub"));
    let own = home.ssh("mypaas_rsa");
    let link = std::fs::read_to_string(&own).unwrap();
    assert_eq!(link.trim(), format!("file://{}", home.ssh("id_rsa").display()), "as the original writes it");
    assert_eq!(mode(&own), 0o600);

    let other = Home::new();
    other.keygen("work", "ed25519", "");
    other.run("key init --use ~/.ssh/nothing").failed(1, &["cannot be read", "No such file"]);
    std::fs::write(other.ssh("text"), "hello").unwrap();
    other.run("key init --use ~/.ssh/text").failed(1, &["is not a private key", "BEGIN"]);
    other.run("key init --use ~/.ssh/work").succeeded().shows(&["~/.ssh/work is the key from now on"]);
    assert_eq!(other.shown("key get"), other.public("work.pub"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_the_environment_is_printed_in_one_line() {
    for kind in ["ed25519", "rsa"] {
        let home = Home::new();
        let made = home.run(&format!("key gen --type {kind} --comment ci")).succeeded();
        assert_eq!(made.out.lines().count(), 1, "{made:?}");
        let shown = |text: &str| {
            let line = "key get --json";
            Ended::of(line, home.command(line).env("MYPAAS_PRIVATE_KEY", text)).succeeded().json::<Value>()
        };
        let public = shown(made.out.trim())["public_key"].as_str().unwrap().to_owned();
        let half = public.split(' ').nth(1).unwrap();
        assert!(made.err.contains(half), "{made:?} is not {public}");
        assert_eq!(shown(&made.out.replace('_', "\n"))["public_key"], public, "in several lines too");
        assert_eq!(shown(made.out.trim())["place"], "MYPAAS_PRIVATE_KEY");
        assert!(!home.user().join(".ssh").exists(), "it is kept nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_agent_are_used_where_none_was_chosen() {
    let (home, agent) = (Home::new(), Agent::start());
    home.keygen("one", "ed25519", "");
    home.keygen("two", "ecdsa", "");
    let with_agent = |line: &str| Ended::of(line, home.command(line).env("SSH_AUTH_SOCK", agent.socket()));
    with_agent("key get").failed(1, &["no key was found"]);
    agent.add(&home.ssh("one"));
    agent.add(&home.ssh("two"));
    assert_eq!(with_agent("key get").succeeded().out.trim(), home.public("one.pub"), "the first one");
    with_agent("key init --use ~/.ssh/two.pub").succeeded();
    assert_eq!(with_agent("key get").succeeded().out.trim(), home.public("two.pub"), "the one that was chosen");
    let listed = run("ssh-keygen", &["-l", "-f", home.ssh("one.pub").to_str().unwrap()]);
    let fingerprint = listed.split(' ').nth(1).unwrap();
    let one = with_agent(&format!("key get {fingerprint}")).succeeded();
    assert_eq!(one.out.trim(), home.public("one.pub"));
    home.run(&format!("key get {fingerprint}")).failed(1, &["none runs", "ssh-add"]);
}
