//! A certificate authority of the test's own: Pebble, with a DNS that says of every domain that it is this machine.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

/// So that Traefik, told that they are valid for an hour, renews them at its first look: after a minute.
const VALIDITY_SECONDS: u32 = 1230;

pub(crate) struct Pebble {
    folder: TempDir,
    at: Ipv4Addr,
    api: u16,
    management: u16,
    dns_management: u16,
    _processes: [Process; 2],
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Pebble {
    /// Reached at this address of the machine; it looks for challenges at this port of 127.0.0.1.
    pub(crate) async fn start(at: Ipv4Addr, http_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [api, management, dns, dns_management] = [(); 4].map(|()| free_port());
        make_certificate(&folder.path().join("api"), &format!("IP:{at},IP:127.0.0.1"));
        let file = |name: &str| folder.path().join(name);
        let config = json!({ "pebble": {
            "listenAddress": format!("0.0.0.0:{api}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": file("api.crt"),
            "privateKey": file("api.key"),
            "httpPort": http_port,
            "tlsPort": 1,
            "certificateValidityPeriod": VALIDITY_SECONDS,
        }});
        fs::write(file("config.json"), config.to_string()).unwrap();
        let mut names = bound("pebble-challtestsrv");
        names.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        names.args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &format!("127.0.0.1:{dns_management}")]);
        let mut pebble = bound("pebble");
        pebble.args(["-strict=false", "-dnsserver", &format!("127.0.0.1:{dns}"), "-config"]).arg(file("config.json"));
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0");
        let processes = [run(names, &file("names.log")), run(pebble, &file("pebble.log"))];
        let pebble = Self { folder, at, api, management, dns_management, _processes: processes };
        pebble.until_it_answers().await;
        pebble
    }

    /// For config.toml.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[init]\ndomain = \"127.0.0.1\"\nemail = \"ada@example.com\"\n\
             [acme]\nserver = \"https://{}:{}/dir\"\nca_file = {:?}\nhours = 1\n",
            self.at,
            self.api,
            self.folder.path().join("api.crt")
        )
    }

    /// From now on its DNS says that the domain is there.
    pub(crate) fn point(&self, domain: &str, address: &str) {
        let body = json!({ "host": format!("{domain}."), "addresses": [address] });
        let url = format!("http://127.0.0.1:{}/add-a", self.dns_management);
        assert!(curl(&["-d", &body.to_string(), &url]).is_some());
    }

    /// A file that vouches for all that it issues.
    pub(crate) fn authority(&self) -> PathBuf {
        let file = self.folder.path().join("authority.pem");
        let url = format!("https://127.0.0.1:{}/roots/0", self.management);
        assert!(curl(&["-k", "-o", file.to_str().unwrap(), &url]).is_some());
        file
    }

    async fn until_it_answers(&self) {
        let url = format!("https://127.0.0.1:{}/dir", self.api);
        for _ in 0..200 {
            if curl(&["-k", &url]).is_some() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("Pebble does not answer: {}", fs::read_to_string(self.folder.path().join("pebble.log")).unwrap());
    }
}

/// A certificate `FILE.crt` that vouches for itself, and its key `FILE.key`.
pub(crate) fn make_certificate(file: &Path, names: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"])
        .args(["-subj", "/O=Made for a test", "-addext", &format!("subjectAltName={names}")])
        .arg("-keyout")
        .arg(file.with_extension("key"))
        .arg("-out")
        .arg(file.with_extension("crt"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What it prints; none when it fails.
pub(crate) fn curl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["-sS", "--fail", "--max-time", "20"]).args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Whatever ends the test ends it too.
fn bound(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

fn run(mut command: Command, log: &Path) -> Process {
    let log = File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    Process(command.spawn().unwrap())
}
