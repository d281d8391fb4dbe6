//! What a machine is like, and whether it can become a server. One script tells it of this machine and of others.

use std::collections::BTreeMap;
use std::fmt;

/// For a POSIX shell; it prints what [`Findings::parse`] reads, and changes nothing.
pub const SCRIPT: &str = include_str!("../../assets/install/probe.sh");

/// Docker's API has what is needed since this version.
const OLDEST_DOCKER: u32 = 20;

/// Without services; theirs comes on top.
const LEAST_MEMORY_MIB: u64 = 384;
/// For Docker, Traefik and a first image.
const LEAST_DISK_MIB: u64 = 2048;

/// What the script found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub kernel: String,
    /// As `uname -m` says it.
    pub architecture: String,
    /// As in `Debian GNU/Linux 12 (bookworm)`; empty when the system does not say.
    pub os: String,
    pub user: String,
    pub privilege: Privilege,
    pub has_systemd: bool,
    pub has_apt: bool,
    /// Of the Docker engine that is installed, as in `20.10.24+dfsg1`.
    pub docker: Option<String>,
    /// The version of the kernel's control groups; none: they are not mounted.
    pub cgroups: Option<u32>,
    /// TCP ports that somebody listens on.
    pub listens: Vec<u16>,
    pub memory_mib: u64,
    pub disk_free_mib: u64,
    /// What `mypaas --version` says there, and what it is to the byte.
    pub program: Option<Program>,
    /// A server was set up before, so that the ports in use are probably its own.
    pub is_settled: bool,
    /// Of its last upgrade it is not known yet how it went, so that what runs may be another program than the one that is
    /// installed.
    pub has_open_upgrade: bool,
}

/// Whether what only root may do can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    Root,
    /// By `sudo`, without a password.
    Sudo,
    /// `sudo` wants a password, or does not let this user do everything.
    Password,
    NoSudo,
}

/// A mypaas that is installed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub version: String,
    /// In hexadecimal.
    pub sha256: String,
}

/// What is going to be set up.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// 0: any that is free.
    pub http_port: u16,
    pub https_port: u16,
    /// Of the binary that is to run there, as `uname -m` says it; none: it runs there already.
    pub architecture: Option<&'a str>,
    /// What only root may do has to be done.
    pub privileged: bool,
}

/// Why a machine cannot become a server as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    Kernel(String),
    Architecture { here: String, there: String },
    Privilege { user: String, why: Privilege },
    Port(u16),
    NoDocker { os: String },
    OldDocker(String),
    NoControlGroups,
    Memory { mib: u64 },
    Disk { mib: u64 },
}

/// What answered was not the script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what the machine is like could not be found out: {0}")]
pub struct Unreadable(String);

impl Findings {
    /// Reads what the script printed; what a login shell prints before it is no hindrance.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut values: BTreeMap<&str, &str> = BTreeMap::new();
        let mut listens = Vec::new();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match (key, value.parse()) {
                ("listens", Ok(port)) => listens.push(port),
                _ => drop(values.insert(key, value.trim())),
            }
        }
        if !values.contains_key("end") {
            let first = text.lines().next().unwrap_or("it said nothing");
            return Err(Unreadable(first.chars().take(200).collect()));
        }
        listens.sort_unstable();
        listens.dedup();
        let text = |key: &str| values.get(key).copied().unwrap_or_default().to_owned();
        let mib = |key: &str| text(key).parse::<u64>().unwrap_or_default() / 1024;
        let program = Program { version: text("program"), sha256: text("program_sha256") };
        Ok(Self {
            kernel: text("kernel"),
            architecture: text("architecture"),
            os: text("os"),
            user: text("user"),
            privilege: privilege(&text("privilege")),
            has_systemd: text("manager") == "systemd",
            has_apt: text("packages") == "apt",
            docker: values.get("docker").map(|told| docker_version(told).to_owned()),
            cgroups: text("cgroups").parse().ok(),
            listens,
            memory_mib: mib("memory_kib"),
            disk_free_mib: mib("disk_free_kib"),
            program: values.contains_key("program_sha256").then_some(program),
            is_settled: values.contains_key("settled"),
            has_open_upgrade: values.contains_key("upgrade"),
        })
    }

    /// All that stands in the way, so that it can be mended at once.
    pub fn obstacles(&self, wanted: &Wanted<'_>) -> Vec<Obstacle> {
        let mut found = Vec::new();
        if self.kernel != "Linux" {
            return vec![Obstacle::Kernel(self.kernel.clone())];
        }
        if let Some(here) = wanted.architecture.filter(|here| *here != self.architecture) {
            found.push(Obstacle::Architecture { here: here.to_owned(), there: self.architecture.clone() });
        }
        if wanted.privileged && !matches!(self.privilege, Privilege::Root | Privilege::Sudo) {
            found.push(Obstacle::Privilege { user: self.user.clone(), why: self.privilege });
        }
        match &self.docker {
            None if !self.has_apt => found.push(Obstacle::NoDocker { os: self.os.clone() }),
            Some(version) if is_old(version) => found.push(Obstacle::OldDocker(version.clone())),
            _ => {}
        }
        if self.cgroups.is_none() {
            found.push(Obstacle::NoControlGroups);
        }
        if !self.is_settled {
            let ports = [wanted.http_port, wanted.https_port];
            found.extend(ports.into_iter().filter(|port| self.listens.contains(port)).map(Obstacle::Port));
            if self.disk_free_mib < LEAST_DISK_MIB {
                found.push(Obstacle::Disk { mib: self.disk_free_mib });
            }
        }
        if self.memory_mib < LEAST_MEMORY_MIB {
            found.push(Obstacle::Memory { mib: self.memory_mib });
        }
        found
    }
}

fn privilege(word: &str) -> Privilege {
    match word {
        "root" => Privilege::Root,
        "sudo" => Privilege::Sudo,
        "password" => Privilege::Password,
        _ => Privilege::NoSudo,
    }
}

/// As in `Docker version 20.10.24+dfsg1, build 297e128`.
fn docker_version(told: &str) -> &str {
    let version = told.strip_prefix("Docker version ").unwrap_or(told);
    version.split_once(',').map_or(version, |(version, _)| version)
}

fn is_old(version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < OLDEST_DOCKER)
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Kernel(kernel) => write!(f, "its system is {kernel}, and mypaas runs on Linux only"),
            Obstacle::Architecture { here, there } => {
                write!(f, "it is {there}, and this mypaas is for {here}: use one that was built for {there} (--binary)")
            }
            Obstacle::Privilege { user, why: Privilege::Password } => {
                write!(f, "{user} may use sudo only with a password: allow it without, or come as root")
            }
            Obstacle::Privilege { user, .. } => {
                write!(
                    f,
                    "{user} is not root, and there is no sudo: come as root, or install sudo and let {user} use it"
                )
            }
            Obstacle::Port(port) => {
                write!(
                    f,
                    "somebody listens on port {port} (`ss -ltnp` there says who): stop it, or choose another port"
                )
            }
            Obstacle::NoDocker { os } => {
                let os = if os.is_empty() { "its system" } else { os };
                write!(
                    f,
                    "Docker is missing, and can be installed by apt only, which {os} does not have: install Docker"
                )
            }
            Obstacle::OldDocker(version) => write!(f, "Docker is {version}, and has to be {OLDEST_DOCKER} or newer"),
            Obstacle::NoControlGroups => {
                write!(f, "the kernel's control groups are not mounted at /sys/fs/cgroup, which Docker needs")
            }
            Obstacle::Memory { mib } => {
                write!(f, "it has {mib} MiB of memory, and {LEAST_MEMORY_MIB} are the least")
            }
            Obstacle::Disk { mib } => {
                write!(f, "{mib} MiB are free where Docker keeps its images, and {LEAST_DISK_MIB} are the least")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: &str = "Welcome to example hosting!\nkernel=Linux\narchitecture=x86_64\nos=Debian GNU/Linux 12 (bookworm)\n\
        user=ada\nhome=/home/ada\nprivilege=sudo\nmanager=systemd\npackages=apt\ncgroups=2\nlistens=22\nlistens=22\n\
        memory_kib=1010000\nmemory_available_kib=900000\ndisk_free_kib=20000000\nend=yes\n";

    const WANTED: Wanted<'_> =
        Wanted { http_port: 80, https_port: 443, architecture: Some("x86_64"), privileged: true };

    fn obstacles(changes: &[(&str, &str)], more: &str) -> Vec<String> {
        let text = changes.iter().fold(FRESH.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        let findings = Findings::parse(&(more.to_owned() + &text)).unwrap();
        findings.obstacles(&WANTED).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_fresh_machine_is_fit() {
        let found = Findings::parse(FRESH).unwrap();
        assert_eq!((found.user.as_str(), found.privilege, found.cgroups), ("ada", Privilege::Sudo, Some(2)));
        assert_eq!((found.listens.as_slice(), found.docker, found.program), (&[22][..], None, None));
        assert!(found.has_systemd && found.has_apt && !found.is_settled);
        assert_eq!(obstacles(&[], ""), [] as [&str; 0]);
    }

    #[test]
    fn all_that_stands_in_the_way_is_told_at_once() {
        let changes = [("x86_64", "aarch64"), ("=sudo", "=password"), ("packages=apt\n", ""), ("cgroups=2\n", "")];
        let told = obstacles(&changes, "listens=80\n");
        assert_eq!(told.len(), 5, "{told:#?}");
        for (told, part) in told.iter().zip(["aarch64", "password", "Docker is missing", "control groups", "port 80"]) {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(obstacles(&[("kernel=Linux", "kernel=FreeBSD"), ("=sudo", "=no_sudo")], "").len(), 1);
        let small = obstacles(&[("1010000", "200000"), ("20000000", "100000")], "");
        assert!(small[0].contains("97 MiB are free") && small[1].contains("195 MiB of memory"), "{small:?}");
    }

    #[test]
    fn what_is_there_already_is_known_again() {
        let more = "docker=Docker version 20.10.24+dfsg1, build 297e128\nlistens=80\nsettled=yes\n\
                    program=mypaas 0.1.0\nprogram_sha256=abc\n";
        assert_eq!(obstacles(&[], more), [] as [&str; 0], "its ports are its own");
        let found = Findings::parse(&(more.to_owned() + FRESH)).unwrap();
        assert_eq!(found.docker.as_deref(), Some("20.10.24+dfsg1"));
        assert_eq!(found.program, Some(Program { version: "mypaas 0.1.0".into(), sha256: "abc".into() }));
        assert!(obstacles(&[], "docker=Docker version 19.03.1, build x\n")[0].contains("20 or newer"));
    }

    #[test]
    fn an_answer_that_is_none_is_told() {
        for (text, told) in
            [("", "it said nothing"), ("kernel=Linux\n", "kernel=Linux"), ("not allowed\n", "not allowed")]
        {
            assert!(Findings::parse(text).unwrap_err().to_string().contains(told));
        }
    }

    #[test]
    fn the_script_tells_of_this_machine() {
        let output = std::process::Command::new("sh").args(["-c", SCRIPT]).output().unwrap();
        let found = Findings::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert_eq!((found.kernel.as_str(), found.architecture.as_str()), ("Linux", std::env::consts::ARCH));
        assert!(found.memory_mib > 100 && found.disk_free_mib > 1, "{found:?}");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let output = std::process::Command::new("sh").args(["-c", SCRIPT]).output().unwrap();
        let found = Findings::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert!(found.listens.contains(&listener.local_addr().unwrap().port()), "{found:?}");
    }
}
