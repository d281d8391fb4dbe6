//! A machine of the test's own, as far as that goes: networks, mounts, names and a Docker engine. The original needs one
//! to itself: it wants certain ports, and prunes what others left in Docker.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mypaas::router::traefik::DEFAULT_IMAGE;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Names its folder, for the program that runs there.
const FOLDER: &str = "MYPAAS_TEST_MACHINE";

/// Its address beside those that every machine has.
pub(crate) const ADDRESS: &str = "192.0.2.10";

const LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// When it is dropped its engine stops.
pub(crate) struct Machine {
    pub(crate) folder: PathBuf,
    processes: Vec<Child>,
}

impl Machine {
    /// Runs the test of this name once more on such a machine, and there gives it. Elsewhere none: the test is over.
    /// The name stands for the address there.
    pub(crate) fn of(test: &str, name: &str, address: &str) -> Option<Self> {
        if let Some(folder) = env::var_os(FOLDER) {
            return Some(Self::set_up(folder.into(), name, address));
        }
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("router.tar");
        run("docker", &["save", "-o", image.to_str().unwrap(), DEFAULT_IMAGE]);
        let ended = Command::new("unshare")
            .args(["--net", "--mount", "--uts"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder.path())
            .env("DOCKER_HOST", socket(folder.path()))
            .output()
            .expect("only root may have a network of its own");
        let told = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        // Its result is no further one of the tests.
        told.lines().for_each(|line| println!("on its own machine: {line}"));
        let ran = ended.status.success() && told.contains("1 passed");
        assert!(ran, "{test} failed on its own machine, or did not run there; what it said is above");
        None
    }

    fn set_up(folder: PathBuf, name: &str, address: &str) -> Self {
        run("ip", &["link", "set", "lo", "up"]);
        run("ip", &["address", "add", &format!("{ADDRESS}/32"), "dev", "lo"]);
        fs::write(folder.join("hosts"), format!("127.0.0.1 localhost\n{address} {name}\n")).unwrap();
        run("mount", &["--bind", folder.join("hosts").to_str().unwrap(), "/etc/hosts"]);
        fs::write(folder.join("daemon.json"), "{}").unwrap();
        let settings = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = {:?}\n",
            folder.join("containerd"),
            folder.join("containerd.state"),
            folder.join("containerd.sock")
        );
        fs::write(folder.join("containerd.toml"), settings).unwrap();
        let mut machine = Self { folder, processes: Vec::new() };
        machine.spawn("containerd", &[("--config", "containerd.toml")]);
        machine.spawn(
            "dockerd",
            &[
                ("--config-file", "daemon.json"),
                ("--containerd", "containerd.sock"),
                ("--data-root", "data"),
                ("--exec-root", "run"),
                ("--pidfile", "pid"),
                ("--host", "docker.sock"),
            ],
        );
        let begin = Instant::now();
        while !Command::new("docker").arg("version").output().unwrap().status.success() {
            assert!(begin.elapsed() < LIMIT, "no engine comes up: {}", machine.log());
            thread::sleep(LOOK_AGAIN);
        }
        run("docker", &["load", "-q", "-i", machine.folder.join("router.tar").to_str().unwrap()]);
        // The original's router looks for the engine there.
        run("mount", &["--bind", machine.folder.join("docker.sock").to_str().unwrap(), "/var/run/docker.sock"]);
        machine
    }

    /// As in DOCKER_HOST.
    pub(crate) fn docker_host(&self) -> String {
        socket(&self.folder)
    }

    /// With these files of the folder. Whatever ends the test ends it too.
    fn spawn(&mut self, program: &str, options: &[(&str, &str)]) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", program]);
        for (option, name) in options {
            let path = self.folder.join(name);
            let scheme = if *option == "--host" { "unix://" } else { "" };
            command.arg(option).arg(format!("{scheme}{}", path.display()));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.push(command.spawn().unwrap());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for mut child in self.processes.drain(..).rev() {
            // It may have ended already.
            let _ = kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM);
            let begin = Instant::now();
            while begin.elapsed() < LIMIT && matches!(child.try_wait(), Ok(None)) {
                thread::sleep(LOOK_AGAIN);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn socket(folder: &Path) -> String {
    format!("unix://{}", folder.join("docker.sock").display())
}

pub(crate) fn run(program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(ended.unwrap().success(), "{program} {arguments:?} failed");
}
