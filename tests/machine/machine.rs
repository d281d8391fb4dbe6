//! A machine of the test's own: this one's programs, in namespaces, with an own network, own users, sshd, and no Docker.
//! It is gone with its first process, and so is everything that ran on it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::registry;
use crate::terminal::{Terminal, size};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const START_LIMIT: Duration = Duration::from_secs(120);
const LIMIT: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const MIRROR_PORT: u16 = 5000;

/// What runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    Systemd,
    /// Nothing: as in a container.
    None,
}

pub(crate) struct Machine {
    name: String,
    gateway: Ipv4Addr,
    address: Ipv4Addr,
    unshare: Child,
    /// Its first process, as this machine sees it.
    first: u32,
    folder: Option<tempfile::TempDir>,
}

impl Machine {
    /// Returns once sshd lets this key in.
    pub(crate) async fn start(keeper: Keeper, key: &str) -> Self {
        let random = getrandom::u32().unwrap();
        let [high, low, ..] = random.to_be_bytes();
        // Far from the networks of tests and of Docker.
        let (gateway, address) =
            (Ipv4Addr::new(10, 250, high, (low & 0xfc) | 1), Ipv4Addr::new(10, 250, high, (low & 0xfc) | 2));
        let name = format!("t-{random:08x}");
        let folder = tempfile::Builder::new().prefix("machine-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for part in ["root", "docker"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let packages =
            fs::canonicalize(Path::new(ROOT).join("target/dev/packages")).expect("`./dev setup test` gets them");
        // Whatever ends the test ends it too.
        let mut unshare = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "bash"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/machine/machine.sh"))
            .args([folder.path().join("root"), folder.path().join("docker"), packages])
            .args([address.to_string(), gateway.to_string(), name.clone()])
            .arg(format!("http://{gateway}:{MIRROR_PORT}"))
            .arg(key)
            .arg(if keeper == Keeper::Systemd { "systemd" } else { "none" })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = unshare.stderr.take().unwrap();
        let mut machine = Self { name, gateway, address, unshare, first: 0, folder: Some(folder) };
        // From now on it is gone when this is dropped.
        let told = tokio::task::spawn_blocking(move || until_born(BufReader::new(told)));
        let told = timeout(START_LIMIT, told).await.expect("the machine does not start").unwrap();
        machine.first = machine.child().unwrap_or_else(|| panic!("the machine did not start: {told}"));
        machine.connect();
        registry::serve((machine.gateway, MIRROR_PORT).into()).await;
        machine.until_sshd().await;
        machine
    }

    /// Of the process that made the namespaces.
    fn child(&self) -> Option<u32> {
        let pid = self.unshare.id();
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?.trim().parse().ok()
    }

    /// A cable from this machine to that one.
    fn connect(&self) {
        let Self { name, gateway, first, .. } = self;
        let ip = |arguments: String| {
            let done = Command::new("ip").args(arguments.split(' ')).status().unwrap();
            assert!(done.success(), "ip {arguments}");
        };
        ip(format!("link add {name} type veth peer name eth0 netns {first}"));
        ip(format!("address add {gateway}/30 dev {name}"));
        ip(format!("link set {name} up"));
    }

    async fn until_sshd(&self) {
        let start = Instant::now();
        while TcpStream::connect((self.address, 22)).await.is_err() {
            assert!(start.elapsed() < START_LIMIT, "sshd does not come up");
            sleep(LOOK_AGAIN).await;
        }
    }

    /// As `server add` wants it.
    pub(crate) fn destination(&self, user: &str) -> String {
        format!("{user}@{}", self.address)
    }

    pub(crate) fn router(&self) -> SocketAddr {
        (self.address, 80).into()
    }

    /// This machine, as that one sees it.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        self.gateway
    }

    /// A file there, as this machine sees it.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        format!("/proc/{}/root{inside}", self.first).into()
    }

    /// What a shell of root says there.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.shell(script);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{out}{err}");
        out.into_owned()
    }

    /// Waits until a shell there agrees.
    pub(crate) async fn until(&self, script: &str) {
        let start = Instant::now();
        loop {
            let output = self.shell(script);
            if output.status.success() {
                return;
            }
            assert!(start.elapsed() < LIMIT, "never: {script}\n{}", String::from_utf8_lossy(&output.stdout));
            sleep(LOOK_AGAIN).await;
        }
    }

    fn shell(&self, script: &str) -> std::process::Output {
        Command::new("nsenter").args(self.inside(script)).stdin(Stdio::null()).output().unwrap()
    }

    /// A shell of root there on a terminal of its own.
    pub(crate) fn terminal(&self, script: &str) -> Terminal {
        let mut command = CommandBuilder::new("nsenter");
        command.args(self.inside(script));
        Terminal::start(command, size(120, 40), LIMIT)
    }

    /// What `nsenter` is told so that a shell of root runs this there.
    fn inside(&self, script: &str) -> Vec<String> {
        let target = format!("--target={}", self.first);
        let namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wd"];
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let shell = ["env", "-i", "TERM=xterm", "HOME=/root", path, "sh", "-c", script];
        [&[target.as_str()][..], &namespaces, &shell].concat().into_iter().map(str::to_owned).collect()
    }

    /// What a service there says of itself.
    pub(crate) async fn hello(&self, host: &str) -> String {
        let client = mypaas::http::plain().timeout(LIMIT).build().unwrap();
        let answer = client.get(format!("http://{}/", self.router())).header("Host", host).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        answer.text().await.unwrap()
    }
}

/// Reads until the machine wants its cable; what it said until then. The rest is read by nobody, and is short.
fn until_born(told: BufReader<impl std::io::Read + Send + 'static>) -> String {
    let mut all = String::new();
    let mut lines = told.lines();
    while let Some(Ok(line)) = lines.next() {
        if line == "born" {
            std::thread::spawn(move || lines.count());
            break;
        }
        all += &(line + "\n");
    }
    all
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its first process dies with it, and with that all others there.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
        let start = Instant::now();
        while Path::new(&format!("/proc/{}", self.first)).exists() && start.elapsed() < LIMIT {
            std::thread::sleep(LOOK_AGAIN);
        }
        let _ = Command::new("ip").args(["link", "delete", &self.name]).stderr(Stdio::null()).status();
        let folder = self.folder.take().map(tempfile::TempDir::keep);
        while let Some(folder) = &folder
            && fs::remove_dir_all(folder).is_err()
            && start.elapsed() < LIMIT
        {
            std::thread::sleep(LOOK_AGAIN);
        }
        for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            remove_groups(&hierarchy.path().join(&self.name));
        }
        remove_groups(&PathBuf::from("/sys/fs/cgroup").join(&self.name));
    }
}

/// Control groups are removed from the innermost on; what is in them is no file.
fn remove_groups(folder: &Path) {
    for inner in fs::read_dir(folder).into_iter().flatten().flatten().filter(|inner| inner.path().is_dir()) {
        remove_groups(&inner.path());
    }
    let _ = fs::remove_dir(folder);
}
