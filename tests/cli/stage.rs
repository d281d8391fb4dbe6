//! A server with engine and router in memory, and the program run against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mypaas::engine::{Behaviour, Exit, MemoryEngine, Moment};
use mypaas::machine::MemoryMachine;
use mypaas::name::InstanceName;
use mypaas::router::MemoryRouter;
use mypaas::server::config::Config;
use mypaas::server::{Core, Place, serve, socket_path};
use mypaas::store::Store;
use serde::de::DeserializeOwned;
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub(crate) const SINGLE: &str = "# mypaas.service=blog\n# mypaas.url=http://blog.test\nFROM scratch\n";
pub(crate) const ROLLING: &str = "# mypaas.service=web\n# mypaas.url=http://web.test\n# mypaas.scale=2\nFROM scratch\n";

/// A program that writes two lines and exits before it is ready.
pub(crate) fn dies(code: i64) -> Behaviour {
    let exit = Exit { code, out_of_memory: false };
    let logs = ["starting", "no database"].map(str::to_owned).into();
    Behaviour { exit: Some((Moment::Probes(1), exit)), logs, ready_after: u32::MAX, ..Behaviour::default() }
}

/// A folder of its own, with a server on it.
pub(crate) struct Stage {
    pub(crate) engine: Arc<MemoryEngine>,
    router: Arc<MemoryRouter>,
    pub(crate) machine: Arc<MemoryMachine>,
    folder: tempfile::TempDir,
    core: Arc<Core>,
    /// The server's own threads, so that it can die with all its connections.
    server: Option<Runtime>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(MemoryEngine::starting_at(InstanceName::default(), jiff::Timestamp::now()));
        let router = Arc::new(MemoryRouter::new());
        let machine = Arc::new(MemoryMachine::default());
        let (core, server) = start(folder.path(), &engine, &router, &machine).await;
        Self { engine, router, machine, folder, core, server: Some(server) }
    }

    /// The server dies where it is, and starts again on what it left.
    pub(crate) async fn die_and_start(&mut self) {
        self.core.abandon();
        // Deploys end where they are before the threads under them do.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.die();
        std::fs::remove_file(self.socket()).unwrap();
        let (core, server) = start(self.folder.path(), &self.engine, &self.router, &self.machine).await;
        (self.core, self.server) = (core, Some(server));
    }

    fn die(&mut self) {
        self.core.abandon();
        self.server.take().into_iter().for_each(Runtime::shutdown_background);
    }

    /// As if the service's program were this from the next build on.
    pub(crate) fn script(&self, service: &str, behaviour: Behaviour) {
        self.engine.script(&service.parse().unwrap(), behaviour);
    }

    /// A folder with this Dockerfile.
    pub(crate) fn source(&self, name: &str, dockerfile: &str) -> PathBuf {
        let folder = self.folder.path().join("sources").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
        folder
    }

    /// The program, ready to be started in the stage's `sources`.
    pub(crate) fn command(&self, line: &str) -> Command {
        program(self.folder.path(), line)
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, line: &str) -> Ended {
        Ended::of(line, &mut self.command(line))
    }

    /// The same with this on its standard input.
    pub(crate) fn run_with(&self, line: &str, input: &str) -> Ended {
        let file = self.folder.path().join("input");
        std::fs::write(&file, input).unwrap();
        Ended::of(line, self.command(line).stdin(std::fs::File::open(file).unwrap()))
    }

    /// Pushes a folder with this Dockerfile, which must succeed.
    pub(crate) fn push(&self, name: &str, dockerfile: &str) -> Ended {
        self.source(name, dockerfile);
        self.run(&format!("push local {name}")).succeeded()
    }

    pub(crate) fn write_fleet(&self, text: &str) {
        let folder = self.folder.path().join("user/.config/mypaas");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("fleet.toml"), text).unwrap();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket_path(self.folder.path())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.die();
    }
}

/// The program with a server folder and a home of its own, and nothing else of this process's environment.
pub(crate) fn program(home: &Path, line: &str) -> Command {
    let sources = home.join("sources");
    std::fs::create_dir_all(&sources).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mypaas"));
    command
        .args(line.split_whitespace())
        .current_dir(sources)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home.join("user"))
        .env("MYPAAS_HOME", home)
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .stdin(Stdio::null());
    command
}

async fn start(
    home: &Path,
    engine: &Arc<MemoryEngine>,
    router: &Arc<MemoryRouter>,
    machine: &Arc<MemoryMachine>,
) -> (Arc<Core>, Runtime) {
    let place = Place { home: home.to_owned(), user_home: home.join("user"), docker_host: None, docker_config: None };
    std::fs::create_dir_all(&place.user_home).unwrap();
    let mut config = Config::default();
    (config.deploy.drain, config.deploy.settle) = (Duration::ZERO, Duration::from_millis(100));
    let store = Arc::new(Store::open(&home.join("store.db")).unwrap());
    let core =
        Core::new(place, config, store, Arc::clone(engine) as _, Arc::clone(router) as _, Arc::clone(machine) as _);
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let on_ready = move || ready.send(()).unwrap();
    let (served, socket) = (Arc::clone(&core), socket_path(home));
    server.spawn(async move {
        let listener = UnixListener::bind(socket).unwrap();
        serve(listener, served, on_ready, CancellationToken::new()).await.unwrap();
    });
    is_ready.await.unwrap();
    (core, server)
}

/// The program at its end.
pub(crate) struct Ended {
    line: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(line: &str, command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = tokio::task::block_in_place(|| command.output().unwrap());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { line: line.to_owned(), code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It failed with this code, and its standard error says all of this.
    pub(crate) fn failed(self, code: i32, told: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for part in told {
            assert!(self.err.contains(part), "{part:?} is missing: {self:?}");
        }
        self
    }

    /// Its standard output says all of this.
    pub(crate) fn shows(self, told: &[&str]) -> Self {
        for part in told {
            assert!(self.out.contains(part), "{part:?} is missing: {self:?}");
        }
        self
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its standard output, a JSON value a line.
    pub(crate) fn json_lines<T: DeserializeOwned>(&self) -> Vec<T> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        self.out.lines().map(parse).collect()
    }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, code, out, err } = self;
        write!(f, "`mypaas {line}` ended with {code}\n--- out\n{out}\n--- err\n{err}")
    }
}
