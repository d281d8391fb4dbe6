//! Machines that are made for the purpose, with a real sshd and nothing else: they become servers, with one command.
//!
//! ```text
//! machine.rs    a machine of the test's own, in namespaces (machine.sh)
//! cut_off.rs    upgrades that are cut off
//! original.rs   one on which the Python original runs
//! registry.rs   where its Docker gets the router's image from
//! operator.rs   the operator's workstation: its ssh, its keys, its fleet
//! ```

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "all of it is tests")]

mod cut_off;
#[allow(dead_code, reason = "shared with tests that look at more of a report")]
#[path = "../support/load.rs"]
mod load;
mod machine;
mod operator;
mod original;
#[path = "../support/project.rs"]
mod project;
mod registry;
#[allow(dead_code, reason = "shared with tests that sweep this machine's Docker")]
#[path = "../support/sweep.rs"]
mod sweep;
#[allow(dead_code, reason = "shared with tests that look at more of a terminal")]
#[path = "../support/terminal.rs"]
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use load::{Load, Pressure};
use machine::{Keeper, Machine};
use operator::Operator;
use project::Project;

const WEB: &str = "web.test";

/// A request may wait a while on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What is on the machine that `server add` would bring there.
const TRACES: &str = "ls -d /usr/local/bin/mypaas* /usr/local/bin/.mypaas* ~/_mypaas /etc/systemd/system/mypaas* \
                      /usr/sbin/dockerd /home/*/_mypaas 2>/dev/null || true";

#[tokio::test]
async fn from_sshd_alone_to_a_service_by_one_command_and_a_push() {
    let operator = Operator::new();
    let machine = Machine::start(Keeper::None, &operator.public_key()).await;
    let root = machine.destination("root");
    let add = ["server", "add", "shop", &root, "--domain", "paas.localhost"];

    let told = operator.mypaas(&[&add[..], &["--dry-run"]].concat()).await.done();
    assert!(told.contains("would be installed by apt") && told.contains("nothing was changed"), "{told}");
    assert_eq!(machine.run(TRACES), "");
    assert!(!operator.fleet().exists());

    let told = operator.mypaas(&add).await.done();
    println!("{told}");
    for step in
        ["machine", "program", "docker     was installed by apt", "config", "keys", "daemon", "answers", "fleet"]
    {
        assert!(told.contains(&format!("✓ {step}")), "no {step}: {told}");
    }
    let mode = machine.run("stat -c '%a %U' ~/_mypaas/config.toml ~/_mypaas/authorized_keys ~/_mypaas");
    assert_eq!(mode, "600 root\n600 root\n700 root\n");
    assert!(machine.run("cat ~/_mypaas/authorized_keys").contains(operator.public_key().split(' ').nth(1).unwrap()));

    let project = Project::new("t-machine");
    let folder = project.write(1, &["service=web", "url=http://web.test", "scale=1"], &[]).display().to_string();
    operator.mypaas(&["push", "shop", &folder]).await.done();
    assert!(machine.hello(WEB).await.contains("release r1"));

    let before = machine.run("cat ~/_mypaas/supervisor.lock");
    let told = operator.mypaas(&add).await.done();
    assert!(told.contains("runs already") && told.contains("is there already") && told.contains("as before"), "{told}");
    assert_eq!(machine.run("cat ~/_mypaas/supervisor.lock"), before, "nothing was restarted");

    let load = Load {
        server: machine.router(),
        host: WEB.to_owned(),
        per_second: 50,
        limit: LIMIT,
        pressure: Pressure::Steady,
    }
    .start();
    a_broken_program_is_given_up_again(&operator, &machine).await;
    a_program_is_taken_on(&operator, &machine).await;
    cut_off::while_it_is_brought_there(&operator, &machine).await;
    cut_off::while_the_server_restarts(&operator, &machine).await;
    cut_off::with_all_that_runs(&operator, &machine).await;
    one_that_dies_is_started_again(&machine).await;
    let report = load.stop().await;
    assert!(report.sent > 100 && report.failed() == 0, "{report}");

    let told = machine.run("mypaas server restart all && mypaas server status");
    assert!(
        told.contains("engine and router are well") && told.contains("kept by   a supervisor process, as root"),
        "{told}"
    );
    assert!(machine.hello(WEB).await.contains("release r1"));
}

/// It says that it is a newer mypaas, and does not come up.
async fn a_broken_program_is_given_up_again(operator: &Operator, machine: &Machine) {
    let broken = operator
        .program("broken", b"#!/bin/sh\n[ \"$1\" = --version ] && echo mypaas 9.9.9 && exit\necho no way; exit 1\n");
    let before = machine.run("sha256sum </usr/local/bin/mypaas");
    let upgrade = ["server", "upgrade", "shop", "--limit", "3", "--binary", &broken];
    let told = operator.mypaas(&upgrade).await.failed();
    assert!(told.contains("the one before runs again") && told.contains("| no way"), "{told}");
    assert_eq!(machine.run("sha256sum </usr/local/bin/mypaas"), before);
    let told = machine.run("mypaas server status");
    assert!(told.contains("was reverted: the server did not come up") && told.contains("runs for"), "{told}");

    let stranger = operator.program("stranger", b"#!/bin/sh\necho something else 1.0\n");
    let told = operator.mypaas(&["server", "upgrade", "shop", "--binary", &stranger]).await.failed();
    assert!(told.contains("is no mypaas") && told.contains("nothing was changed"), "{told}");
    assert_eq!(
        machine.run("sha256sum </usr/local/bin/mypaas; ls -A /usr/local/bin | grep mypaas.upload || true"),
        before
    );
}

/// The same one with another byte at its end.
async fn a_program_is_taken_on(operator: &Operator, machine: &Machine) {
    let mut bytes = fs::read(env!("CARGO_BIN_EXE_mypaas")).unwrap();
    bytes.push(0);
    let newer = operator.program("newer", &bytes);
    drop(bytes);
    let before = machine.run("cat ~/_mypaas/supervisor.lock");
    let upgrade = ["server", "upgrade", "shop", "--binary", &newer];
    let told = operator.mypaas(&upgrade).await.done();
    assert!(told.contains("✓ answers") && told.contains("shop is upgraded"), "{told}");
    assert_ne!(machine.run("cat ~/_mypaas/supervisor.lock"), before);
    let told = operator.mypaas(&upgrade).await.done();
    assert!(told.contains("runs this very program already"), "{told}");
    assert_eq!(machine.run("ls /usr/local/bin | grep ^mypaas"), "mypaas\nmypaas.previous\n");
}

async fn one_that_dies_is_started_again(machine: &Machine) {
    let pids = machine.run("cat ~/_mypaas/supervisor.lock");
    let (supervisor, server) = pids.trim().split_once(' ').unwrap();
    machine.run(&format!("kill -9 {server}"));
    machine
        .until(&format!(
            "grep -q '^{supervisor} ' ~/_mypaas/supervisor.lock && ! grep -qw {server} \
                            ~/_mypaas/supervisor.lock && mypaas server status | grep 'runs for'"
        ))
        .await;
}

#[tokio::test]
async fn a_machine_of_systemd_is_given_a_unit() {
    let operator = Operator::new();
    let machine = Machine::start(Keeper::Systemd, &operator.public_key()).await;
    let grace = machine.destination("grace");
    let told = operator.mypaas(&["server", "add", "shop", &grace]).await.done();
    println!("{told}");
    assert!(told.contains("was started by systemd, mypaas.service"), "{told}");
    assert_eq!(machine.run("stat -c %U /home/grace/_mypaas/mypaas.sock"), "grace\n");
    let told = operator.mypaas(&["status", "shop"]).await.done();
    assert!(told.contains("shop: mypaas"), "{told}");

    let project = Project::new("t-machine");
    let folder = project.write(1, &["service=web", "url=http://web.test", "volume=~/data:/data"], &[]);
    operator.mypaas(&["push", "shop", &folder.display().to_string()]).await.done();
    assert!(machine.hello(WEB).await.contains("release r1"));
    assert_eq!(machine.run("stat -c %a /home/grace/data"), "755\n", "any user of a container gets into its volume");

    what_is_not_given_is_asked_for_on_a_terminal(&machine);
    cut_off::with_a_program_that_does_not_come_up(&operator, &machine).await;
    cut_off::with_another_unit(&operator, &machine).await;
    let pid = "systemctl show --property=MainPID --value mypaas";
    let before = machine.run(pid);
    let told = machine.run("mypaas server restart daemon --user grace");
    assert!(told.contains("was restarted by systemd"), "{told}");
    let after = machine.run(pid);
    assert_ne!(after, before);
    // It hangs: nothing is said to the watchdog any more, which is to have less patience than usual.
    machine.run("mkdir -p /run/systemd/system/mypaas.service.d && printf '[Service]\\nWatchdogSec=3\\n' \
                 >/run/systemd/system/mypaas.service.d/quick.conf && systemctl daemon-reload && systemctl restart mypaas");
    let hung = machine.run(pid);
    machine.run(&format!("kill -STOP {hung}"));
    machine
        .until(&format!("[ \"$({pid})\" != {} ] && mypaas server status --user grace | grep 'runs for'", hung.trim()))
        .await;
    let told = machine.run("mypaas server status --user grace");
    assert!(told.contains("kept by   systemd, mypaas.service, as grace, starts with the machine"), "{told}");
    assert!(machine.hello(WEB).await.contains("release r1"));

    it_is_reached_at_its_domain(&operator, &machine).await;
    let told = machine.run(
        "mypaas server schedule-reboot +90m && mypaas server status --user grace && \
                            mypaas server schedule-reboot --cancel",
    );
    assert!(told.contains("this machine reboots at") && told.contains("reboot    planned at"), "{told}");
    assert!(told.ends_with("no reboot is planned\n"), "{told}");
}

/// What stands in the way is told, and once it is mended the same command goes on.
async fn it_is_reached_at_its_domain(operator: &Operator, machine: &Machine) {
    let grace = machine.destination("grace");
    let add = ["server", "add", "paas", &grace, "--domain", "paas.test", "--https"];
    let told = operator.mypaas(&add).await.failed();
    assert!(told.contains("paas is set up and in the list of servers, and does not answer at its domain"), "{told}");
    assert!(told.contains("paas.test has no address: have its DNS record point to 10.250."), "{told}");
    assert!(fs::read_to_string(operator.fleet()).unwrap().contains("https://paas.test"));

    operator.know("paas.test", machine.router().ip());
    let [certificate, _] = original::certificates(&operator.home());
    let folder = "/home/grace/_mypaas/certificates";
    machine.run(&format!("mkdir -p {folder}"));
    for ending in ["crt", "key"] {
        let path = machine.path(&format!("{folder}/paas.{ending}"));
        fs::copy(format!("{}.{ending}", certificate.display()), path).unwrap();
    }
    machine.run(&format!("chown -R grace: {folder} && mypaas server restart daemon --user grace"));
    let told = operator.mypaas(&add).await.done();
    assert!(told.contains("answers at https://paas.test"), "{told}");
    let told = operator.mypaas(&["status", "paas"]).await.done();
    assert!(told.contains("paas: mypaas"), "{told}");
}

fn what_is_not_given_is_asked_for_on_a_terminal(machine: &Machine) {
    let mut terminal = machine.terminal("mypaas server init --user grace");
    terminal.wait_for("The server's own domain, as in paas.example.com");
    terminal.press("https://paas.test\r");
    terminal.wait_for("\"https://paas.test\" is no domain");
    terminal.wait_until("the question again", || terminal.screen().matches("The server's own domain").count() == 2);
    terminal.press("paas.test\r");
    terminal.wait_for("Your email address");
    terminal.press("ada@example.com\r");
    terminal.wait_for("config.toml got init.domain, init.email");
    terminal.wait_for("was restarted by systemd");
    assert!(terminal.end(), "{}", terminal.screen());
    let written =
        machine.run("grep -v '^\\[' /home/grace/_mypaas/config.toml; stat -c '%a %U' /home/grace/_mypaas/config.toml");
    assert_eq!(written, "domain = \"paas.test\"\nemail = \"ada@example.com\"\n600 grace\n");

    let mut terminal = machine.terminal("mypaas server init --user grace --domain other.localhost");
    terminal.wait_for("init.domain: \"paas.test\" becomes \"other.localhost\"");
    terminal.wait_for("Change it? [y/N]");
    terminal.press("\r");
    assert!(!terminal.end());
    terminal.wait_for("nothing was changed, as it was not agreed to");
    assert!(machine.run("cat /home/grace/_mypaas/config.toml").contains("\"paas.test\""));
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_before_anything_is_done() {
    let operator = Operator::new();
    let machine = Machine::start(Keeper::None, &operator.public_key()).await;
    let add = async |arguments: &[&str]| {
        operator.mypaas(&[&["server", "add", "shop"][..], arguments].concat()).await.failed()
    };

    let ada = machine.destination("ada");
    let told = add(&[ada.as_str()]).await;
    assert!(
        told.contains("ada may use sudo only with a password") && told.contains("nothing was changed there"),
        "{told}"
    );
    let nobody = machine.destination("nobody-here");
    let told = add(&[nobody.as_str()]).await;
    assert!(told.contains("ssh does not get to nobody-here@") && told.contains("Permission denied"), "{told}");
    let root = machine.destination("root");
    let told = add(&[root.as_str(), "--port", "1"]).await;
    assert!(told.contains("Connection refused") && told.contains("does `ssh` get there by itself?"), "{told}");

    machine.run("/usr/sbin/sshd -p 80");
    let told = add(&[root.as_str()]).await;
    assert!(told.contains("somebody listens on port 80"), "{told}");
    let told = operator.mypaas(&["server", "add", "shop", &root, "--http-port", "8080", "--dry-run"]).await.done();
    assert!(told.contains("nothing was changed"), "{told}");

    let broken = operator.program("broken", b"#!/bin/sh\necho \"version 'GLIBC_2.99' not found\" >&2\nexit 1\n");
    let told = add(&[root.as_str(), "--http-port", "8080", "--binary", &broken]).await;
    assert!(
        told.contains("running the program failed") && told.contains("GLIBC_2.99") && told.contains("statically"),
        "{told}"
    );
    assert_eq!(machine.run(TRACES), "");
    assert!(!operator.fleet().exists());

    operator.mypaas(&["servers", "add", "shop", "https://other.example.com"]).await.done();
    let told = add(&[root.as_str()]).await;
    assert!(told.contains("shop is in the list of servers already"), "{told}");
    let told = operator.mypaas(&["server", "upgrade", "shop"]).await.misused();
    assert!(told.contains("shop is not reached by ssh") && told.contains("--ssh user@host"), "{told}");

    operator.forget_hosts();
    operator.trust_no_new_hosts();
    let told = operator.mypaas(&["server", "add", "other", &root]).await.failed();
    assert!(told.contains("Host key verification failed") && told.contains("--accept-new-host-key"), "{told}");
}

#[tokio::test]
async fn without_a_terminal_missing_answers_are_an_error() {
    let operator = Operator::new();
    let told = operator.mypaas(&["server", "init"]).await.misused();
    assert!(told.contains("--domain NAME or --no-domain, --email ADDRESS"), "{told}");
    let home: PathBuf = operator.home().join("_mypaas");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("config.toml"), "[init]\ndomain = \"a.example\" # ours\nemail = \"a@example.com\"\n").unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let told = operator.mypaas(&["server", "init", "--domain", "b.example"]).await.misused();
    assert!(told.contains("init.domain: \"a.example\" becomes \"b.example\"") && told.contains("--yes"), "{told}");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1, "nothing was written");
    let told = operator.mypaas(&["server", "status"]).await;
    assert!(told.shown().contains("nothing; `mypaas server init` changes that"), "{}", told.shown());
    assert!(told.failed().contains("does not answer"));
    let told = operator.mypaas(&["server", "restart", "daemon"]).await.failed();
    assert!(told.contains("nothing keeps a server of"), "{told}");
}
