//! The Python original as it is on PyPI, in folders of the test's own.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mypaas::router::traefik::DEFAULT_IMAGE;

use super::machine::{Machine, run};
use crate::stage::pebble::{curl, free_port};

/// Where `./dev setup` puts it.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dev/original");

const LIMIT: Duration = Duration::from_secs(30);

/// It has a home, in which it keeps a server's folder, and its Docker.
pub(crate) struct Original {
    pub(crate) home: PathBuf,
    docker_host: String,
    /// What it finds before what everybody finds.
    commands: PathBuf,
    /// The private key as its client wants it in the environment, and the public one's line.
    pub(crate) key: String,
    pub(crate) public: String,
    daemon: Option<Child>,
}

impl Original {
    /// At home in this folder.
    pub(crate) fn on(machine: &Machine, home: &Path) -> Self {
        assert!(Path::new(PACKAGES).exists(), "the original is not there: `./dev setup test` gets it");
        fs::create_dir_all(home.join("_mypaas")).unwrap();
        let mut original = Self {
            home: home.to_owned(),
            commands: commands(machine),
            docker_host: machine.docker_host(),
            key: String::new(),
            public: String::new(),
            daemon: None,
        };
        let keys = original.python(
            "from mypaas.utils import PrivateKey\nkey = PrivateKey.generate()\n\
             print(key.to_str(None))\nprint(key.get_public_key().to_str())",
        );
        let text = String::from_utf8(keys.stdout).unwrap();
        let (key, public) = text.trim().split_once('\n').unwrap();
        (original.key, original.public) = (key.to_owned(), public.to_owned());
        original
    }

    /// The server folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.join("_mypaas")
    }

    /// Its client pushes; the server's certificate is vouched for by this file.
    pub(crate) fn push(&self, domain: &str, folder: &str, key: &str, authority: &Path) -> Output {
        let mut command = self.command();
        command.args(["-m", "mypaas", "push", domain, folder]);
        command.env("MYPAAS_PRIVATE_KEY", key).env("REQUESTS_CA_BUNDLE", authority);
        command.output().unwrap()
    }

    pub(crate) fn python(&self, program: &str) -> Output {
        let output = self.command().args(["-c", program]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What its `server init` and `server restart router` do. Its version of Traefik is in no registry of packages, so ours
    /// stands in for it, without the kind of figures that it does not know any more.
    pub(crate) fn start_router(&self) {
        run("docker", &["network", "create", "mypaas-net"]);
        run("docker", &["tag", DEFAULT_IMAGE, "traefik:2.5.6"]);
        self.python(
            "from mypaas.server._auth import save_config\nfrom mypaas.server._traefik import init_router\n\
             init = {'domain': 'paas.test', 'email': 'ada@example.com', 'web_credentials': 'ada:x'}\n\
             save_config({'init': init, 'env': {'TOKEN': 'sesame street'}})\ninit_router()",
        );
        let path = self.folder().join("traefik.toml");
        let settings = fs::read_to_string(&path).unwrap();
        fs::write(&path, settings.split("[metrics]").next().unwrap()).unwrap();
        self.python("from mypaas.server._traefik import restart_router\nrestart_router()");
    }

    /// Returns once it answers, at port 88 of this machine.
    pub(crate) fn start_daemon(&mut self) {
        let log = File::create(self.home.join("daemon.log")).unwrap();
        let mut command = self.command();
        command.args(["-m", "mypaas.daemon"]).stdout(log.try_clone().unwrap()).stderr(log);
        self.daemon = Some(command.spawn().unwrap());
        let begin = Instant::now();
        while curl(&["http://127.0.0.1:88/daemon/time"]).is_none() {
            let log = || fs::read_to_string(self.home.join("daemon.log")).unwrap();
            assert!(begin.elapsed() < LIMIT, "the original's daemon does not come up: {}", log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn stop_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "python3"])
            .env_clear()
            .env("PATH", format!("{}:{}", self.commands.display(), std::env::var("PATH").unwrap_or_default()))
            .env("HOME", &self.home)
            .env("PYTHONPATH", PACKAGES)
            .env("PYTHONUNBUFFERED", "1")
            .env("DOCKER_HOST", &self.docker_host)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        self.stop_daemon();
    }
}

/// A `docker` that pulls nothing: what is wanted is there, and no registry is.
fn commands(machine: &Machine) -> PathBuf {
    let folder = machine.folder.join("commands");
    fs::create_dir_all(&folder).unwrap();
    let docker = folder.join("docker");
    let real = Command::new("which").arg("docker").output().unwrap().stdout;
    let real = String::from_utf8(real).unwrap();
    fs::write(&docker, format!("#!/bin/sh\n[ \"$1\" = pull ] || exec {} \"$@\"\n", real.trim())).unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A certificate `FILE.crt` for these names and its key `FILE.key`; what vouches for it is `FILE.authority`.
pub(crate) fn vouched_certificate(file: &Path, names: &str) -> PathBuf {
    let at = |ending: &str| file.with_extension(ending).to_str().unwrap().to_owned();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let openssl = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let (authority, its_key, request) = (at("authority"), at("authority-key"), at("request"));
    let own = ["req", "-x509", "-days", "30", "-subj", "/CN=An authority made for a test", "-keyout", &its_key, "-out"];
    openssl(&[&own[..], &[&authority, "-addext", "keyUsage=critical,keyCertSign"], &fresh].concat());
    let asked = ["req", "-new", "-subj", "/O=Made for a test", "-keyout", &at("key"), "-out", &request];
    openssl(&[&asked[..], &fresh].concat());
    let extensions = at("extensions");
    fs::write(
        &extensions,
        format!("subjectAltName={names}\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n"),
    )
    .unwrap();
    let serial = free_port().to_string();
    openssl(&[
        "x509",
        "-req",
        "-days",
        "30",
        "-in",
        &request,
        "-CA",
        &authority,
        "-CAkey",
        &its_key,
        "-set_serial",
        &serial,
        "-extfile",
        &extensions,
        "-out",
        &at("crt"),
    ]);
    PathBuf::from(authority)
}
