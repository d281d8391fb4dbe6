//! A real Traefik as a process of the test, on a loopback address of its own. Its binary comes from the image.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use std::{fs, process};

use mypaas::engine::Secret;
use mypaas::router::traefik::DEFAULT_IMAGE;
use mypaas::router::traefik::api::Api;
use mypaas::router::traefik::files::Files;
use mypaas::router::traefik::setup::{Base, Setup, render_base};
use mypaas::router::traefik::switch::{Patience, Switch};

/// It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Traefik {
    pub(crate) switch: Switch,
    pub(crate) password: Secret,
    network: Network,
    ports: Ports,
    /// The file with its own settings.
    setup: String,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    web: u16,
    secure: u16,
    api: u16,
    /// Of all containers.
    container: u16,
}

impl Ports {
    /// Those that others have on all addresses are not free here either.
    fn free_on(host: Ipv4Addr) -> Self {
        let taken = [(); 4].map(|()| TcpListener::bind((host, 0)).unwrap());
        let [web, secure, api, container] = taken.map(|listener| listener.local_addr().unwrap().port());
        Self { web, secure, api, container }
    }
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Loopback addresses that no other test uses: all of 127.0.0.0/8 is this machine.
#[derive(Debug, Clone, Copy)]
struct Network([u8; 2]);

impl Network {
    fn new() -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let [high, low] = (process::id() as u16).wrapping_mul(61).wrapping_add(count).to_be_bytes();
        Self([high | 1, low])
    }

    fn host(self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.0[0], self.0[1], number)
    }
}

impl Traefik {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::new();
        let files = Files::open(folder.path().to_owned()).await.unwrap();
        let password = files.password().await.unwrap();
        let ports = Ports::free_on(network.host(1));
        let at = |port| SocketAddrV4::new(network.host(1), port).to_string();
        let setup = Setup {
            http: at(ports.web),
            https: at(ports.secure),
            api: at(ports.api),
            routes: files.routes_folder().display().to_string(),
            certificates: folder.path().join("acme.json").display().to_string(),
            authority: String::new(),
            acme: None,
        };
        let setup = files.write_setup(&setup.render()).await.unwrap();
        let (server, fallback) = (Ipv4Addr::LOCALHOST, &files.fallback().await.unwrap());
        let base = Base { server, password: &password, fallback, https_port: None, own: &[] };
        files.write_base(&render_base(&base)).await.unwrap();
        let api = Api::new(format!("http://{}", at(ports.api)), password.clone()).unwrap();
        let rush = Duration::from_millis(500);
        let patience = Patience { limit: Duration::from_secs(10), rush, ..Patience::default() };
        let switch = Switch { files, api, patience, resolver: None };
        let mut traefik = Self { switch, password, network, ports, setup, folder, process: None };
        traefik.run();
        traefik.await_answer().await;
        traefik
    }

    /// Runs it, again where it was stopped; does not wait until it answers.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let config = self.folder.path().join("config").join(&self.setup);
        // Whatever ends the test ends it too.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(binary())
            .arg(format!("--configFile={}", config.display()))
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn();
        self.process = Some(Process(child.unwrap()));
    }

    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Where it takes http requests.
    pub(crate) fn web(&self) -> SocketAddr {
        SocketAddrV4::new(self.network.host(1), self.ports.web).into()
    }

    /// Where it takes https requests.
    pub(crate) fn secure(&self) -> SocketAddr {
        SocketAddrV4::new(self.network.host(1), self.ports.secure).into()
    }

    /// Where its API is.
    pub(crate) fn api(&self) -> SocketAddr {
        SocketAddrV4::new(self.network.host(1), self.ports.api).into()
    }

    /// The address of a container; the number is between 2 and 254.
    pub(crate) fn container(&self, number: u8) -> SocketAddrV4 {
        SocketAddrV4::new(self.network.host(number), self.ports.container)
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    async fn await_answer(&self) {
        for _ in 0..500 {
            if self.switch.api.version().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("Traefik does not answer:\n{}", self.log());
    }
}

/// Where the binary lies in the published image, and in one that is built here.
const IN_IMAGE: [&str; 2] = ["usr/local/bin/traefik", "traefik"];

/// Traefik's binary, copied out of its image once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let name = DEFAULT_IMAGE.replace(':', "-");
        let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        if !binary.exists() {
            let fresh = binary.with_file_name(format!("{name}.{}", process::id()));
            let container = docker(&["create", DEFAULT_IMAGE]);
            let copied = IN_IMAGE.map(|path| copy_out(&container, path, &fresh));
            docker(&["rm", &container]);
            assert!(copied.iter().any(Result::is_ok), "no Traefik in {DEFAULT_IMAGE}: {copied:?}");
            fs::rename(fresh, &binary).unwrap();
        }
        binary
    })
}

fn copy_out(container: &str, path: &str, to: &Path) -> Result<String, String> {
    run_docker(&["cp", &format!("{container}:/{path}"), &to.display().to_string()])
}

fn docker(arguments: &[&str]) -> String {
    run_docker(arguments).unwrap_or_else(|complaint| panic!("docker {arguments:?}: {complaint}"))
}

/// What it prints, or what it complains of.
fn run_docker(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
