//! Upgrades that are cut off: the line to the server breaks, or their own process is killed. The server goes on with the old
//! program or with the new one, and the next upgrade is one like any other.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::machine::Machine;
use crate::operator::Operator;

const LIMIT: Duration = Duration::from_secs(120);
const INSTALLED: &str = "sha256sum </usr/local/bin/mypaas";
const UNIT: &str = "cat /etc/systemd/system/mypaas.service";
const REAL: &str = "/usr/local/bin/real";
const NO_UPLOAD: &str = "! ls /usr/local/bin/.mypaas.upload.* 2>/dev/null";

/// All connections of operators; what listens for new ones stays.
const CUT_THE_LINE: &str = "pkill -f '[s]shd: root'";

/// This very program, with as many bytes more, and without what only a debugger wants: it is brought there sooner.
fn newer(operator: &Operator, bytes: usize) -> String {
    let path = operator.home().join("stripped");
    let stripped = Command::new("strip").arg("-o").arg(&path).arg(env!("CARGO_BIN_EXE_mypaas")).status().unwrap();
    assert!(stripped.success());
    let program = [fs::read(&path).unwrap(), vec![0; bytes]].concat();
    operator.program("newer", &program)
}

/// Waits until the upgrade of the server in this folder is at that stage.
async fn until_at(machine: &Machine, folder: &str, stage: &str) {
    let file = machine.path(folder).join("upgrade.json");
    let stage = format!("\"stage\":\"{stage}\"");
    let begin = Instant::now();
    while !fs::read_to_string(&file).is_ok_and(|text| text.contains(&stage)) {
        assert!(begin.elapsed() < LIMIT, "the upgrade is never at {stage}: {:?}", fs::read_to_string(&file));
        sleep(Duration::from_millis(5)).await;
    }
}

async fn until_something_arrives(machine: &Machine) {
    let begin = Instant::now();
    let arrives = || {
        let files = fs::read_dir(machine.path("/usr/local/bin")).unwrap().map(Result::unwrap);
        files.into_iter().any(|file| {
            file.file_name().to_string_lossy().starts_with(".mypaas.upload")
                && file.metadata().is_ok_and(|it| it.len() > 0)
        })
    };
    while !arrives() {
        assert!(begin.elapsed() < LIMIT, "nothing arrives");
        sleep(Duration::from_millis(5)).await;
    }
}

/// What the operator is told of an upgrade to which something happens.
async fn told_when(happens: impl Future<Output = ()>, operator: &Operator, program: &str) -> String {
    let upgrade = ["server", "upgrade", "shop", "--binary", program];
    tokio::join!(operator.mypaas(&upgrade), happens).0.failed()
}

/// The line breaks while the program is brought there.
pub(crate) async fn while_it_is_brought_there(operator: &Operator, machine: &Machine) {
    let look = format!("{INSTALLED}; cat ~/_mypaas/supervisor.lock");
    let before = machine.run(&look);
    let large = [fs::read(env!("CARGO_BIN_EXE_mypaas")).unwrap(), vec![0; 2]].concat();
    let newer = operator.program("large", &large);
    let cut = async {
        until_something_arrives(machine).await;
        machine.run(CUT_THE_LINE);
    };
    let told = told_when(cut, operator, &newer).await;
    assert!(told.contains("broke") && told.contains("repeat the command"), "{told}");
    machine.until(NO_UPLOAD).await;
    assert_eq!(machine.run(&look), before, "the old program runs on");
}

/// The line breaks while the server waits for the new program to come up.
pub(crate) async fn while_the_server_restarts(operator: &Operator, machine: &Machine) {
    let before = machine.run(INSTALLED);
    let newer = newer(operator, 3);
    let cut = async {
        until_at(machine, "/root/_mypaas", "restarting").await;
        machine.run(CUT_THE_LINE);
    };
    let told = told_when(cut, operator, &newer).await;
    assert!(told.contains("broke"), "{told}");
    until_at(machine, "/root/_mypaas", "done").await;
    assert_ne!(machine.run(INSTALLED), before, "the new program runs");
    let told = operator.mypaas(&["server", "upgrade", "shop", "--binary", &newer]).await.done();
    assert!(told.contains("runs this very program already"), "{told}");
}

/// The machine loses its power while the new program comes up.
pub(crate) async fn with_all_that_runs(operator: &Operator, machine: &Machine) {
    let before = machine.run(INSTALLED);
    let newer = newer(operator, 4);
    let cut = async {
        until_at(machine, "/root/_mypaas", "restarting").await;
        machine.run("pkill -9 -f '/usr/local/bin/[m]ypaas'");
    };
    told_when(cut, operator, &newer).await;
    let told = machine.run("mypaas server status || true");
    assert!(told.contains("was cut off; the next start of the server completes it"), "{told}");
    machine.run("mypaas server restart daemon");
    until_at(machine, "/root/_mypaas", "done").await;
    assert_ne!(machine.run(INSTALLED), before, "it came up, so it stays");
    let log = machine.run("grep supervisor: ~/_mypaas/log/server.log");
    assert!(log.contains("start 1 of 3 of mypaas"), "{log}");
}

/// The upgrade's own process is killed, and the new program does not come up: with nobody but systemd to notice.
pub(crate) async fn with_a_program_that_does_not_come_up(operator: &Operator, machine: &Machine) {
    let (folder, before) = ("/home/grace/_mypaas", machine.run(INSTALLED));
    let broken = b"#!/bin/sh\n[ \"$1\" = --version ] && echo mypaas 9.9.9 && exit\necho no way; exit 1\n";
    let broken = operator.program("broken", broken);
    let server = machine.run("systemctl show --property=MainPID --value mypaas");
    let cut = async {
        until_at(machine, folder, "restarting").await;
        // Killed before it has the server restarted, it leaves one that runs on.
        machine
            .until(&format!("[ \"$(systemctl show --property=MainPID --value mypaas)\" != {} ]", server.trim()))
            .await;
        machine.run("pkill -9 -f 'server [s]wap'");
    };
    told_when(cut, operator, &broken).await;
    until_at(machine, folder, "reverted").await;
    assert_eq!(machine.run(INSTALLED), before);
    machine.until("mypaas server status --user grace | grep 'runs for'").await;
    let told = machine.run("mypaas server status --user grace; stat -c %U /home/grace/_mypaas/upgrade.*");
    assert!(told.contains("was reverted: the upgrade was cut off"), "{told}");
    assert!(told.ends_with("grace\ngrace\n"), "{told}");
    let told = operator.mypaas(&["server", "upgrade", "shop", "--binary", &newer(operator, 5)]).await.done();
    assert!(told.contains("shop is upgraded"), "{told}");
}

/// A program that is the one there, but for the unit that it wants.
fn wanting(operator: &Operator, name: &str, change: &str) -> String {
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2\" = 'server unit' ] && {{ {REAL} \"$@\" | sed '{change}'; exit; }}\nexec {REAL} \"$@\"\n"
    );
    operator.program(name, script.as_bytes())
}

pub(crate) async fn with_another_unit(operator: &Operator, machine: &Machine) {
    let before = machine.run(&format!("cp /usr/local/bin/mypaas {REAL}; {UNIT}"));
    let upgrade = async |program: &str| {
        operator.mypaas(&["server", "upgrade", "shop", "--limit", "15", "--binary", program]).await.done()
    };
    let broken = wanting(operator, "broken-unit", "s|^ExecStart=.*|ExecStart=/bin/false|");
    let told = upgrade(&broken).await;
    assert!(told.contains("the one of before is back") && told.contains("shop is upgraded"), "{told}");
    assert_eq!(machine.run(UNIT), before);

    let told = upgrade(&wanting(operator, "other-unit", "s/^Description=.*/Description=other/")).await;
    assert!(told.contains("is the one that the new program wants"), "{told}");
    let other = machine.run(UNIT);
    assert!(other.contains("Description=other\n") && other != before, "{other}");

    let told = upgrade(&newer(operator, 6)).await;
    assert!(told.contains("mypaas.service was changed, so it stays as it is"), "{told}");
    assert_eq!(machine.run(UNIT), other);
}
