//! The other terminal programs for containers, those of them that could be installed, on real containers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use portable_pty::CommandBuilder;

use crate::course::{self, Idle, Keys, Program};
use crate::ours::{middle, on_a_terminal};
use crate::process;

/// With what has to be pressed before keys move through the containers.
const PEERS: [(&str, &str); 3] = [("lazydocker", ""), ("oxker", ""), ("dtop", "")];

pub(crate) struct Figures {
    pub(crate) first: Duration,
    pub(crate) keys: Keys,
    pub(crate) idle: Idle,
    pub(crate) memory: u64,
    pub(crate) memory_after: u64,
}

/// Those that are there, in a folder of their own, with what they keep.
pub(crate) fn installed(folder: &Path, containers: &Containers) -> Vec<Program> {
    let found = PEERS.into_iter().filter_map(|(name, begin)| {
        let path = folder.join(name);
        let command = command(&path, &containers.home);
        path.is_file().then(|| Program {
            name: name.to_owned(),
            command,
            row: containers.prefix.clone(),
            begin,
            containers: containers.count,
        })
    });
    found.collect()
}

fn command(path: &Path, home: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(path);
    command.env("HOME", home);
    command.env("XDG_CONFIG_HOME", home.join("config"));
    command.cwd(home);
    on_a_terminal(&mut command);
    command
}

/// None when it does not come up.
pub(crate) fn measure(program: &Program, starts: usize) -> Option<Figures> {
    let mut first = Vec::new();
    for _ in 0..starts {
        first.push(program.try_start()?.1);
    }
    let screen = program.settled();
    let memory = process::memory(screen.id());
    let keys = course::keys(&screen);
    let idle = course::idle(&screen);
    course::hold(&screen, program.containers);
    let memory_after = process::memory(screen.id());
    Some(Figures { first: middle(&mut first), keys, idle, memory, memory_after })
}

/// Real containers that do nothing. When dropped, also by a panic, they go.
pub(crate) struct Containers {
    prefix: String,
    count: usize,
    home: PathBuf,
}

impl Containers {
    /// `app` is the program of the example services.
    pub(crate) fn start(count: usize, app: &Path, home: &Path) -> Self {
        let containers = Self { prefix: format!("b-{}-", std::process::id()), count, home: home.to_owned() };
        let build = home.join("image");
        std::fs::create_dir_all(&build).unwrap();
        std::fs::copy(app, build.join("app")).unwrap();
        std::fs::write(build.join("Dockerfile"), "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\"]\n").unwrap();
        docker(&["build", "-q", "-t", &containers.image(), &build.display().to_string()]);
        for number in 1..=count {
            let name = containers.name(number);
            docker(&["run", "-d", "--network=none", "-e", "SERVICE=idle", "--name", &name, &containers.image()]);
        }
        containers
    }

    fn image(&self) -> String {
        format!("{}image", self.prefix)
    }

    fn name(&self, number: usize) -> String {
        format!("{}{number:03}", self.prefix)
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let names: Vec<_> = (1..=self.count).map(|number| self.name(number)).collect();
        let mut remove = Command::new("docker");
        remove.args(["rm", "-f"]).args(&names).stdout(Stdio::null()).stderr(Stdio::null());
        let _ = remove.status();
        let _ = Command::new("docker").args(["rmi", "-f", &self.image()]).stdout(Stdio::null()).status();
    }
}

fn docker(arguments: &[&str]) {
    let mut command = Command::new("docker");
    let output = command.args(arguments).env("DOCKER_BUILDKIT", "0").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
