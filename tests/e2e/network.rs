//! Operators elsewhere: by https through Traefik with their keys, and by ssh.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use mypaas::api::{AuditEntry, AuditResult, By, ProblemCode, ReleaseView};
use serde::de::DeserializeOwned;

use crate::stage::authority::issue;
use crate::stage::operator::Operator;
use crate::stage::sshd::Sshd;
use crate::stage::{Settings, Stage, Told, docker};

const DOMAIN: &str = "paas.test";

/// A server that is reached by its domain, with a certificate of its own, and one who may do everything there.
async fn stage() -> (Stage, Operator, tempfile::TempDir) {
    // Nobody is there to be asked for another certificate.
    let init = format!("[init]\ndomain = \"{DOMAIN}\"\nemail = \"ada@paas.test\"\n");
    let more = init + "[acme]\nserver = \"https://127.0.0.1:1/dir\"\n";
    let mut stage = Stage::without_server(Settings { more, ..Settings::default() }).await;
    let authority = tempfile::tempdir().unwrap();
    let certificates = stage.home().join("certificates");
    fs::create_dir_all(&certificates).unwrap();
    let vouches = issue(&certificates, "own", DOMAIN, authority.path());
    stage.start().await;
    let ada = Operator::new(DOMAIN, &vouches).await;
    ada.is_let_in(&stage, "").await;
    ada.knows(&stage).await;
    ada.is_answered().await;
    (stage, ada, authority)
}

impl Operator {
    /// Their key gets its line, with these limits.
    async fn is_let_in(&self, stage: &Stage, limits: &str) {
        let file = stage.home().join("authorized_keys");
        let known = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, format!("{known}{limits} {}\n", self.public_key().await)).unwrap();
    }

    async fn knows(&self, stage: &Stage) {
        let address = format!("https://{DOMAIN}:{}", stage.https_port().await);
        self.mypaas(&["servers", "add", "shop", &address]).await.done();
    }

    /// Returns once the router has the way to the API: it opens after the server's socket.
    async fn is_answered(&self) {
        let begin = Instant::now();
        while self.mypaas(&["status", "shop"]).await.code != 0 {
            assert!(begin.elapsed() < Duration::from_secs(30), "the API is not reached");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> T {
        let told = self.mypaas(&[arguments, &["--json"]].concat()).await.done();
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }
}

fn refused(told: Told, why: &[&str]) {
    let error = told.failed();
    for part in why {
        assert!(error.contains(part), "{part:?} is missing: {error}");
    }
}

#[tokio::test]
async fn keys_let_in_over_https_what_they_may_and_nothing_else() {
    let (stage, ada, authority) = stage().await;
    let vouches = authority.path().join("authority.crt");
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    let pushed = ada.mypaas(&["push", "shop", &folder]).await.done();
    assert!(pushed.contains("done"), "{pushed}");
    assert!(stage.hello("web.test").await.contains("release r1"));
    let releases: Vec<ReleaseView> = ada.json(&["releases", "shop", "web"]).await;
    let holder = releases[0].release.origin.key.clone().expect("the key stands beside the release");
    let line = ada.public_key().await;
    assert!(line.ends_with(&holder.comment), "{line}");
    let table = ada.mypaas(&["releases", "shop", "web"]).await.done();
    assert!(table.contains(&format!("{} ({})", holder.comment, holder.fingerprint.short())), "{table}");

    let grace = Operator::new(DOMAIN, &vouches).await;
    grace.knows(&stage).await;
    refused(grace.mypaas(&["status", "shop"]).await, &["no key SHA256:", "is authorized on this server"]);
    grace.is_let_in(&stage, "mypaas-role=\"viewer\"").await;
    let status = grace.mypaas(&["status", "shop"]).await.done();
    assert!(status.contains("web"), "{status}");
    refused(grace.mypaas(&["push", "shop", &folder]).await, &["has the role viewer", "takes the role operator"]);
    refused(grace.mypaas(&["restart", "shop", "web"]).await, &["has the role viewer"]);

    let linus = Operator::new(DOMAIN, &vouches).await;
    linus.is_let_in(&stage, "mypaas-services=\"blog\"").await;
    linus.knows(&stage).await;
    refused(linus.mypaas(&["push", "shop", &folder]).await, &["is for blog only, not for web"]);
    let blog = stage.project("blog", &["url=http://blog.test"], &[]);
    linus.mypaas(&["push", "shop", &blog]).await.done();
    let status = linus.mypaas(&["status", "shop"]).await.done();
    assert!(status.contains("blog") && !status.contains("web"), "{status}");
    assert_eq!(stage.service("web").await.releases.len(), 1, "nothing was done that was refused");

    let entries: Vec<AuditEntry> = ada.json(&["audit", "shop"]).await;
    let by_ada = entries.iter().filter(|entry| entry.by == By::Key(holder.clone()));
    assert!(by_ada.clone().any(|entry| entry.deploy.is_some() && entry.result == AuditResult::Done), "{entries:#?}");
    let forbidden =
        |entry: &&AuditEntry| matches!(entry.result, AuditResult::Refused { code: ProblemCode::Forbidden, .. });
    assert!(entries.iter().filter(forbidden).count() >= 2, "{entries:#?}");
    assert!(entries.iter().any(|entry| matches!(entry.by, By::Nobody { claimed: Some(_) })), "{entries:#?}");
}

/// It asks for itself by way of the router, with https and without.
#[tokio::test]
async fn the_server_sees_that_its_domain_leads_to_it() {
    let until_seen = async |mut stage: Stage| {
        let begin = Instant::now();
        while !stage.process().log().contains("the API is reached over the network") {
            assert!(begin.elapsed() < Duration::from_secs(30), "{}", stage.process().log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(stage.view().await.unreached, None);
    };
    until_seen(stage().await.0).await;
    let more = "[init]\ndomain = \"paas.localhost\"\n".to_owned();
    until_seen(Stage::with(Settings { more, ..Settings::default() }).await).await;
}

#[tokio::test]
async fn who_does_not_trust_the_certificate_or_has_no_key_gets_nowhere() {
    let (stage, ada, _authority) = stage().await;
    let other = tempfile::tempdir().unwrap();
    let impostor = issue(other.path(), "own", DOMAIN, other.path());
    let mallory = Operator::new(DOMAIN, &impostor).await;
    mallory.knows(&stage).await;
    refused(mallory.mypaas(&["status", "shop"]).await, &["certificate"]);
    // Only the router's own host name and path lead to the API.
    let url = format!("https://127.0.0.1:{}/daemon/v1/server", stage.https_port().await);
    let code = |more: &[&str]| {
        let arguments = [&["-k", "-s", "-o", "/dev/null", "-w", "%{http_code}"], more, &[&url]].concat();
        let output = std::process::Command::new("curl").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(code(&[]), "404");
    assert_eq!(code(&["-H", &format!("Host: {DOMAIN}")]), "401");
    fs::remove_dir_all(ada.home().join(".ssh")).unwrap();
    refused(ada.mypaas(&["status", "shop"]).await, &["no key was found", "mypaas key init"]);
}

#[tokio::test]
async fn ssh_leads_to_the_server_also_when_its_router_is_gone() {
    let stage = Stage::new().await;
    let authority = tempfile::tempdir().unwrap();
    let nobody = issue(authority.path(), "x", "x.test", authority.path());
    let ada = Operator::new(DOMAIN, &nobody).await;
    let programs = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_mypaas"), programs.path().join("mypaas")).unwrap();
    let sshd = Sshd::start(programs.path());
    let address = format!("ssh://127.0.0.1:{}{}", sshd.port, stage.home().display());
    ada.mypaas(&["servers", "add", "shop", &address]).await.done();
    refused(ada.mypaas(&["status", "shop"]).await, &["no server answers at ssh://", "hint: does `ssh` get there"]);

    sshd.let_in(&ada);
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    ada.mypaas(&["push", "shop", &folder]).await.done();
    assert!(stage.hello("web.test").await.contains("release r1"));
    let logs = ada.mypaas(&["logs", "shop", "web"]).await.done();
    assert!(!logs.is_empty());
    docker(&["rm", "-f", &format!("{}-router", stage.instance())]).await;
    let status = ada.mypaas(&["status", "shop", "web"]).await.done();
    assert!(status.contains("web"), "{status}");

    let elsewhere = format!("ssh://127.0.0.1:{}/nowhere", sshd.port);
    ada.mypaas(&["servers", "add", "nowhere", &elsewhere]).await.done();
    refused(ada.mypaas(&["status", "nowhere"]).await, &["no server answers at /nowhere/mypaas.sock there"]);
}

#[tokio::test]
async fn a_viewer_s_console_says_so_and_asks_the_server_for_nothing() {
    let (stage, ada, authority) = stage().await;
    let folder = stage.project("web", &["url=http://web.test"], &[]);
    ada.mypaas(&["push", "shop", &folder]).await.done();
    let grace = Operator::new(DOMAIN, &authority.path().join("authority.crt")).await;
    grace.is_let_in(&stage, "mypaas-role=\"viewer\"").await;
    grace.knows(&stage).await;
    let mut console = grace.console();
    let looking = move || {
        console.wait_for("● web");
        console.wait_for("read only");
        for key in ["r", "R", "b", "+", "S", "X", "s", "p"] {
            console.press(key);
            console.wait_for("your key may look at shop and change nothing");
            // Where something was asked no help would come.
            console.press("?");
            console.wait_for("Keys");
            console.press("\u{1b}");
            console.wait_until("end of the help", || !console.screen().contains("Keys"));
        }
        console.press("ge");
        console.wait_for("variables  read only");
        console.press("q");
        assert!(console.end());
    };
    tokio::task::spawn_blocking(looking).await.unwrap();
    let entries: Vec<AuditEntry> = ada.json(&["audit", "shop"]).await;
    let tried = entries.iter().filter(|entry| matches!(entry.result, AuditResult::Refused { .. }));
    assert_eq!(tried.count(), 0, "{entries:#?}");
    assert_eq!(stage.service("web").await.deploys.len(), 1);
}
