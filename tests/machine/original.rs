//! A machine on which the Python original runs as its manual has it: daemon, router and certificates. One command makes it
//! one of ours.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mypaas::router::traefik::DEFAULT_IMAGE;
use reqwest::{Certificate, Client};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::LIMIT;
use crate::machine::{Keeper, Machine};
use crate::operator::Operator;
use crate::project::Project;

/// Where `./dev setup test` puts it.
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dev/original");

/// Its own domain, and that of a service.
const DOMAINS: [&str; 2] = ["paas.test", "safe.test"];

/// Between requests of one client.
const PAUSE: Duration = Duration::from_millis(10);

/// Docker with its client, which newer Debian has in a package of its own, and the original's router, for which ours stands in: its version is in no registry here. So nothing is pulled.
const INSTALL: &str = "apt-get update -q && apt-get install -q -y --no-install-recommends docker.io && \
                       { ! apt-cache show docker-cli || apt-get install -q -y docker-cli; } && \
                       systemctl start docker && docker pull -q IMAGE && docker tag IMAGE traefik:2.5.6 && \
                       printf '#!/bin/sh\\n[ \"$1\" = pull ] || exec /usr/bin/docker \"$@\"\\n' >/usr/local/bin/docker && \
                       chmod 755 /usr/local/bin/docker && docker network create mypaas-net && \
                       echo /root/original >/usr/lib/python3/dist-packages/original.pth";

/// What its `server init` and `server restart` do. Ours does not know its kind of figures any more.
const SET_UP: &str = "
from mypaas.server import deploy
from mypaas.server._auth import save_config
from mypaas.server._daemon import restart_daemon
from mypaas.server._traefik import init_router, restart_router
init = {'domain': 'paas.test', 'email': 'ada@example.com', 'web_credentials': 'ada:x'}
save_config({'init': init, 'env': {'TOKEN': 'sesame street'}})
open('/root/_mypaas/config.toml', 'a').write('[acme]\\nserver = \"https://AUTHORITY/dir\"\\n')
init_router()
path = '/root/_mypaas/traefik.toml'
text = open(path).read()
open(path, 'w').write(text.split('[metrics]')[0])
restart_router()
restart_daemon()
deploy('/root/web')
";

/// As the original's router keeps what it got from the authority.
fn acme(certificates: &[(&str, &Path)]) -> String {
    let encoded = |path: &Path, ending: &str| BASE64_STANDARD.encode(fs::read(file(path, ending)).unwrap());
    let stored = certificates.iter().map(|(domain, path)| {
        let (certificate, key) = (encoded(path, "crt"), encoded(path, "key"));
        serde_json::json!({ "domain": { "main": domain }, "certificate": certificate, "key": key, "Store": "default" })
    });
    let stored: Vec<_> = stored.collect();
    serde_json::json!({ "default": { "Account": null, "Certificates": stored } }).to_string()
}

/// A certificate for each of the domains, as `DOMAIN.crt` with `DOMAIN.key`, that is not about to lapse; `authority.crt`
/// vouches for them.
pub(crate) fn certificates(folder: &Path) -> [PathBuf; 2] {
    let make = |name: &str, more: &[&str]| {
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "90",
            ])
            .args(["-subj", &format!("/CN={name}"), "-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")])
            .args(more)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder.join(name)
    };
    make("authority", &["-addext", "keyUsage=critical,keyCertSign"]);
    DOMAINS.map(|domain| {
        let names = format!("subjectAltName=DNS:{domain}");
        let constraints = "basicConstraints=critical,CA:FALSE";
        make(domain, &["-CA", "authority.crt", "-CAkey", "authority.key", "-addext", &names, "-addext", constraints])
    })
}

/// `with_extension` would take the domain's last part for one.
fn file(path: &Path, ending: &str) -> String {
    format!("{}.{ending}", path.display())
}

/// Of the certificate that is served for this name, and of the one in this file.
fn serials(machine: &Machine, domain: &str, path: &Path) -> [String; 2] {
    let address = SocketAddr::from((machine.router().ip(), 443));
    let script = "openssl s_client -connect \"$0\" -servername \"$1\" </dev/null 2>/dev/null | \
                  openssl x509 -noout -serial; openssl x509 -noout -serial -in \"$2\"";
    let said =
        Command::new("sh").args(["-c", script, &address.to_string(), domain, &file(path, "crt")]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (served, own) = said.split_once('\n').unwrap_or_else(|| panic!("no certificate for {domain}: {said}"));
    [served.to_owned(), own.trim().to_owned()]
}

/// Requests without a pause, on a fresh connection each.
struct Load {
    stopping: Arc<AtomicBool>,
    clients: Vec<JoinHandle<(u32, Vec<String>)>>,
}

impl Load {
    fn on(machine: &Machine, authority: &Path) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let address = machine.router().ip();
        let authority = fs::read(authority).unwrap();
        let clients = ["http://web.test", "https://safe.test"].map(|url| {
            let client = mypaas::http::secure().timeout(LIMIT).pool_max_idle_per_host(0);
            let client = client.tls_certs_only([Certificate::from_pem(&authority).unwrap()]);
            let client = client.resolve(url.rsplit('/').next().unwrap(), SocketAddr::from((address, 0)));
            tokio::spawn(request_until(Arc::clone(&stopping), client.build().unwrap(), url))
        });
        Self { stopping, clients: clients.into() }
    }

    async fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        for client in self.clients {
            let (count, failures) = client.await.unwrap();
            println!("{count} requests, {} failed", failures.len());
            assert!(
                failures.is_empty() && count > 100,
                "{} of {count} failed, as {:?}",
                failures.len(),
                failures.first()
            );
        }
    }
}

async fn request_until(stopping: Arc<AtomicBool>, client: Client, url: &str) -> (u32, Vec<String>) {
    let (mut count, mut failures) = (0, Vec::new());
    while !stopping.load(Ordering::Relaxed) {
        count += 1;
        match client.get(url).send().await {
            Ok(answer) if answer.status() == 200 => {}
            Ok(answer) => failures.push(format!("{url}: {}", answer.status())),
            Err(error) => failures.push(format!("{url}: {error:?}")),
        }
        sleep(PAUSE).await;
    }
    (count, failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_the_original_becomes_ours_by_one_command_while_it_serves() {
    let operator = Operator::new();
    let machine = Machine::start(Keeper::Systemd, &operator.public_key()).await;
    let certificates = certificates(&operator.home());
    let (authority, asked) = authority(&machine).await;
    the_original_serves(&machine, &certificates, authority).await;
    fs::copy(env!("CARGO_BIN_EXE_mypaas"), machine.path("/usr/local/bin/mypaas")).unwrap();
    let containers =
        "docker ps --no-trunc --format '{{.ID}} {{.Status}}' --filter ancestor=web | cut -d ' ' -f 1 | sort";
    let before = machine.run(containers);
    assert_eq!(before.lines().count(), 2);

    let load = Load::on(&machine, &operator.authority());
    sleep(Duration::from_secs(1)).await;
    let told = machine.run("mypaas server init --adopt");
    println!("{told}");
    assert!(told.contains("web: r1 is live, in 2 containers that run on"), "{told}");
    assert!(told.contains("requests come to our router") && told.contains("the server is ready"), "{told}");
    assert_eq!(machine.run(containers), before, "no container of a service was touched");
    let units = "systemctl is-active mypaasd paas; systemctl is-enabled mypaasd paas; true";
    assert_eq!(machine.run(units), "inactive\nactive\ndisabled\nenabled\n");

    machine.run("mypaas deploy --json /root/web");
    assert_ne!(machine.run(containers), before);
    load.stop().await;
    for (domain, path) in DOMAINS.iter().zip(&certificates) {
        let [served, own] = serials(&machine, domain, path);
        assert_eq!(served, own, "{domain} has the certificate that it had");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "no certificate was asked for");
    let told = machine.run("mypaas server init --adopt");
    assert!(
        told.contains("was taken over before") && told.contains("runs already") && told.contains("the server is ready"),
        "{told}"
    );
    machine.run("echo '# mypaas.url=https://new.test' >>/root/web/Dockerfile && mypaas deploy /root/web");
    let begin = Instant::now();
    while asked.load(Ordering::Relaxed) == 0 {
        assert!(begin.elapsed() < LIMIT, "nobody asks for the certificate of a new domain");
        sleep(PAUSE).await;
    }
}

/// What our router takes for the certificate authority: how often it was connected to is all that it knows.
async fn authority(machine: &Machine) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((machine.gateway(), 0)).await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, asked)
}

/// With a service of two containers, and certificates that it got long ago.
async fn the_original_serves(machine: &Machine, certificates: &[PathBuf; 2], authority: SocketAddr) {
    assert!(Path::new(PACKAGES).exists(), "the original is not there: `./dev setup test` gets it");
    let options =
        ["service=web", "url=http://web.test", "url=https://safe.test", "scale=2", "healthcheck=/health 1s 500ms"];
    let project = Project::new("t-machine");
    for (from, to) in [(Path::new(PACKAGES), "/root/original"), (project.write(1, &options, &[]), "/root/web")] {
        let copied = Command::new("cp").arg("-a").arg(from).arg(machine.path(to)).status().unwrap();
        assert!(copied.success(), "{} was not copied to the machine", from.display());
    }
    fs::create_dir(machine.path("/root/_mypaas")).unwrap();
    let stored = [(DOMAINS[0], certificates[0].as_path()), (DOMAINS[1], certificates[1].as_path())];
    fs::write(machine.path("/root/_mypaas/acme.json"), acme(&stored)).unwrap();
    machine.run(&INSTALL.replace("IMAGE", DEFAULT_IMAGE));
    fs::write(machine.path("/root/set_up.py"), SET_UP.replace("AUTHORITY", &authority.to_string())).unwrap();
    println!("{}", machine.run("python3 /root/set_up.py"));
    machine.until("python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:88/daemon/time\")'").await;
    machine.hello("web.test").await;
    let [served, own] = serials(machine, DOMAINS[1], &certificates[1]);
    assert_eq!(served, own, "the original serves its certificate");
}
