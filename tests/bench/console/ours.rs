//! Our console, on simulated servers; one of them in a process that can be stopped.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::course::{self, Idle, Keys, Program};
use crate::fleet::Fleet;
use crate::process;

/// So many servers with so many containers each, and one more of the same kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    servers: usize,
    each: usize,
}

pub(crate) const EXTENTS: [Extent; 3] =
    [Extent { servers: 1, each: 5 }, Extent { servers: 5, each: 50 }, Extent { servers: 19, each: 50 }];

impl Extent {
    pub(crate) fn containers(self) -> usize {
        (self.servers + 1) * self.each
    }
}

/// Ages are told in minutes once they are longer, so most of the time none of them changes.
const MINUTE: Duration = Duration::from_secs(60);

/// How long a server that is stopped is left alone before keys are pressed.
const FROZEN: Duration = Duration::from_secs(1);

pub(crate) struct Ours {
    fleet: Fleet,
    other: Fleet,
    folder: TempDir,
    extent: Extent,
}

pub(crate) struct Figures {
    /// Of a first start ever, with no server's last words kept; of another start; and of one with a server stopped.
    pub(crate) first: [Duration; 3],
    /// Until nothing shown is from an earlier session any more.
    pub(crate) live: Duration,
    pub(crate) keys: Keys,
    pub(crate) keys_frozen: Keys,
    pub(crate) idle: Idle,
    /// What the simulated servers use meanwhile, as a share of one CPU.
    pub(crate) servers: f64,
    pub(crate) memory: u64,
    pub(crate) memory_after: u64,
}

impl Ours {
    pub(crate) fn start(extent: Extent) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let each = extent.each;
        let fleet = Fleet::start(&format!("{}x{each}", extent.servers), &["--still"], &folder.path().join("fleet"));
        let other = Fleet::start(&format!("1x{each}"), &["--still"], &folder.path().join("other"));
        let config = folder.path().join("config/mypaas");
        fs::create_dir_all(&config).unwrap();
        let listed = fleet.listed() + &other.listed().replace("[servers.s01]", "[servers.other]");
        fs::write(config.join("fleet.toml"), listed).unwrap();
        Self { fleet, other, folder, extent }
    }

    pub(crate) fn measure(&self, starts: usize) -> Figures {
        let first = self.first_rows(starts, || drop(fs::remove_dir_all(self.state())));
        let (again, live) = (self.first_rows(starts, || {}), self.live(starts));
        let program = self.program();
        let screen = program.settled();
        let memory = process::memory(screen.id());
        let keys = course::keys(&screen);
        self.wait_for_still_ages();
        let (servers, began) = (self.servers(), Instant::now());
        let idle = course::idle(&screen);
        let servers = (self.servers() - servers).as_secs_f64() / began.elapsed().as_secs_f64();
        self.other.signal(Signal::SIGSTOP);
        std::thread::sleep(FROZEN);
        let keys_frozen = course::keys(&screen);
        course::hold(&screen, self.extent.containers());
        let memory_after = process::memory(screen.id());
        drop(screen);
        let frozen = self.first_rows(starts, || {});
        self.other.signal(Signal::SIGCONT);
        Figures { first: [first, again, frozen], live, keys, keys_frozen, idle, servers, memory, memory_after }
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    fn program(&self) -> Program {
        Program {
            name: "mypaas".to_owned(),
            command: command(self.folder.path()),
            row: "running".to_owned(),
            begin: "",
            containers: self.extent.containers(),
        }
    }

    /// The middle of some starts.
    fn first_rows(&self, starts: usize, prepare: impl Fn()) -> Duration {
        let mut took: Vec<_> = (0..starts)
            .map(|_| {
                prepare();
                let (screen, took) = self.program().start();
                // What servers say first is kept for the next start.
                std::thread::sleep(Duration::from_millis(500));
                drop(screen);
                took
            })
            .collect();
        middle(&mut took)
    }

    fn live(&self, starts: usize) -> Duration {
        let mut took: Vec<_> = (0..starts)
            .map(|_| {
                let (screen, _) = self.program().start();
                let is_live = |shown: &vt100::Screen| !shown.contents().contains("connecting");
                let at = screen.until(Duration::from_secs(20), is_live).unwrap();
                at.saturating_duration_since(screen.started)
            })
            .collect();
        middle(&mut took)
    }

    fn servers(&self) -> Duration {
        process::cpu(self.fleet.id()) + process::cpu(self.other.id())
    }

    /// Waits for a time in which no age that is shown changes.
    fn wait_for_still_ages(&self) {
        let longest = self.other.ready - self.fleet.began;
        assert!(longest + course::IDLE < MINUTE, "the fleet took {longest:?} to start: its ages change all the time");
        loop {
            let age = self.fleet.began.elapsed();
            let phase = Duration::from_nanos((age.as_nanos() % MINUTE.as_nanos()).try_into().unwrap());
            let settled = Duration::from_secs(2);
            if age > MINUTE && phase > longest + settled && phase + course::IDLE + settled < MINUTE {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The console, on the fleet that the folder's configuration lists.
pub(crate) fn command(folder: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mypaas"));
    for (name, part) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("MYPAAS_HOME", "none")] {
        command.env(name, folder.join(part));
    }
    on_a_terminal(&mut command);
    command
}

/// What a modern terminal tells of itself.
pub(crate) fn on_a_terminal(command: &mut CommandBuilder) {
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    command.env("LANG", "C.UTF-8");
    command.env_remove("NO_COLOR");
    command.env_remove("LC_ALL");
}

pub(crate) fn middle(all: &mut [Duration]) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}
