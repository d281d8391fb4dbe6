//! A Docker engine of the trials' own, that may go down and come back. It lives on a network and with mounts of its own,
//! and so does the program that tries it: what it does to networks, and what it leaves mounted, nobody else sees.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bollard::Docker;
use mypaas::router::traefik::DEFAULT_IMAGE;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

/// The engine's folder, for the program that runs beside it.
const FOLDER: &str = "MYPAAS_TEST_ENGINE";

const SOCKET: &str = "docker.sock";

const START_LIMIT: Duration = Duration::from_secs(60);
/// It gives its containers time to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// When it is dropped it is stopped.
#[derive(Debug)]
pub(crate) struct Engine {
    folder: PathBuf,
    dockerd: Mutex<Option<Child>>,
    /// Runs the containers. As where systemd starts it, it stays when dockerd goes.
    containerd: Mutex<Child>,
}

/// How it goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As an operator does it: it stops its containers first.
    Stop,
    /// SIGKILL: its containers go on.
    Kill,
}

/// Runs this program once more, with these arguments, where an engine can be started: then [`Engine::start_here`] does.
pub(crate) fn run_beside_it(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("router.tar");
    let saved = Command::new("docker").arg("save").arg("-o").arg(&image).arg(DEFAULT_IMAGE).status().unwrap();
    assert!(saved.success(), "the router's image could not be saved: `./dev setup` gets it");
    Command::new("unshare")
        .args(["--net", "--mount", "--uts"])
        .arg(env::current_exe().unwrap())
        .args(arguments)
        .env(FOLDER, folder.path())
        .env("DOCKER_HOST", format!("unix://{}", socket_in(folder.path()).display()))
        .stderr(Stdio::inherit())
        .output()
        .expect("only root may have a network of its own")
}

impl Engine {
    /// None in a program that was not started by [`run_beside_it`].
    pub(crate) async fn start_here() -> Option<Self> {
        let folder = PathBuf::from(env::var_os(FOLDER)?);
        run("ip", &["link", "set", "lo", "up"]);
        fs::write(folder.join("daemon.json"), "{}").unwrap();
        let containerd = Mutex::new(spawn_containerd(&folder));
        let engine = Self { folder, dockerd: Mutex::default(), containerd };
        engine.start().await;
        run("docker", &["load", "-q", "-i", engine.folder.join("router.tar").to_str().unwrap()]);
        Some(engine)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket_in(&self.folder)
    }

    /// Returns once it answers.
    pub(crate) async fn start(&self) {
        *self.dockerd() = Some(spawn_dockerd(&self.folder));
        let begin = Instant::now();
        while !answers().await {
            let over = self.dockerd().as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
            assert!(!over && begin.elapsed() < START_LIMIT, "no engine comes up: {}", self.log());
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Returns once it is gone.
    pub(crate) fn end(&self, how: End) {
        if let Some(mut child) = self.dockerd().take() {
            end(&mut child, how);
        }
    }

    fn dockerd(&self) -> MutexGuard<'_, Option<Child>> {
        self.dockerd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end(End::Stop);
        end(self.containerd.get_mut().unwrap_or_else(PoisonError::into_inner), End::Stop);
    }
}

fn spawn_containerd(folder: &Path) -> Child {
    let at = |name: &str| folder.join(name);
    let settings = format!(
        "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\naddress = {:?}\n",
        at("containerd"),
        at("containerd.state"),
        at("containerd.sock")
    );
    fs::write(at("containerd.toml"), settings).unwrap();
    spawn(folder, "containerd", &[("--config", "containerd.toml")])
}

fn spawn_dockerd(folder: &Path) -> Child {
    let options = [
        ("--config-file", "daemon.json"),
        ("--containerd", "containerd.sock"),
        ("--data-root", "data"),
        ("--exec-root", "run"),
        ("--pidfile", "pid"),
        ("--host", SOCKET),
    ];
    spawn(folder, "dockerd", &options)
}

/// With these files of the folder. Whatever ends this program ends it too.
fn spawn(folder: &Path, program: &str, options: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", program]);
    for (option, name) in options {
        let path = folder.join(name);
        let scheme = if *option == "--host" { "unix://" } else { "" };
        command.arg(option).arg(format!("{scheme}{}", path.display()));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn end(child: &mut Child, how: End) {
    if how == End::Stop {
        // It may have ended already.
        let _ = kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM);
        let begin = Instant::now();
        while begin.elapsed() < STOP_LIMIT && child.try_wait().unwrap().is_none() {
            thread::sleep(LOOK_AGAIN);
        }
    }
    let _ = child.kill();
    child.wait().unwrap();
}

async fn answers() -> bool {
    match Docker::connect_with_unix_defaults() {
        Ok(docker) => docker.ping().await.is_ok(),
        // There is no socket yet.
        Err(_) => false,
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join(SOCKET)
}

fn run(program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(ended.unwrap().success(), "{program} {arguments:?} failed");
}
