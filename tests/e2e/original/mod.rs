//! The Python original itself (0.5.9, from PyPI), at either end of a push.
//!
//! ```text
//! machine.rs   a machine of the test's own
//! adopt.rs     a server of the original becomes ours
//! python.rs    the original: its client, its daemon, what it keeps
//! ```

mod adopt;
mod machine;
mod python;

use std::fs;
use std::process::Output;

use self::machine::{Machine, run};
use self::python::{Original, vouched_certificate};
use crate::stage::{Settings, Stage, docker};

const BASE: &str = "program-of-the-example";

/// Nothing goes out to a certificate authority.
const SETTINGS: &str = "[init]\ndomain = \"paas.test\"\nemail = \"ada@example.com\"\n\
                        [acme]\nserver = \"https://127.0.0.1:1/dir\"\n";

/// The folder of a service for the original. It loses executable bits on the way, so the program is in an image that is there.
fn project(stage: &Stage, service: &str, options: &[&str]) -> String {
    let options: String = options.iter().map(|option| format!("# mypaas.{option}\n")).collect();
    let dockerfile = format!("# mypaas.service={service}\n{options}FROM {BASE}\nCMD [\"/app\"]\n");
    stage.folder(service, &dockerfile)
}

/// Makes that image.
fn build_base(stage: &Stage) {
    let folder = stage.folder("base", "FROM scratch\nCOPY app /app\n");
    run("docker", &["build", "-q", "-t", BASE, &folder]);
}

/// What it printed; shown where tests are watched.
#[track_caller]
fn told(what: &str, output: &Output, succeeds: bool) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    eprintln!("--- {what}\n{text}[{}]", output.status);
    assert_eq!(output.status.success(), succeeds, "{what}: {text}");
    text
}

#[tokio::test]
async fn its_client_pushes_to_our_server_and_ours_to_its_daemon() {
    let test = "original::its_client_pushes_to_our_server_and_ours_to_its_daemon";
    let Some(machine) = Machine::of(test, "paas.test", "127.0.0.1") else { return };
    let settings = Settings { more: SETTINGS.to_owned(), ..Settings::default() };
    let mut stage = Stage::without_server(settings).await;
    stage.docker_host = Some(machine.docker_host());
    let mut original = Original::on(&machine, &machine.folder.join("original"));
    fs::write(stage.home().join("authorized_keys"), format!("{}\n", original.public)).unwrap();
    let authority = vouched_certificate(&stage.home().join("certificates/paas"), "DNS:paas.test");
    stage.start().await;

    to_our_server(&stage, &original, &authority).await;
    to_its_daemon(&stage, &mut original).await;
}

/// The original's client, unchanged, with its own key.
async fn to_our_server(stage: &Stage, original: &Original, authority: &std::path::Path) {
    let domain = format!("paas.test:{}", stage.https_port().await);
    let folder = stage.project("shop", &["url=http://shop.test"], &[]);
    let push = |folder: &str, key: &str| original.push(&domain, folder, key, authority);
    let text = told("the original's client pushes", &push(&folder, &original.key), true);
    assert!(text.contains("done: shop is deployed (d1)"), "{text}");
    assert!(stage.hello("shop.test").await.contains("release r1"));
    let shown = stage.mypaas(&["releases", "local", "shop"]).await.done();
    assert!(shown.contains("SHA256:"), "{shown}");

    let bad = stage.folder("bad", "# mypaas.service=bad\n# mypaas.ulr=http://bad.test\nFROM scratch\n");
    let text = told("it pushes a mistake", &push(&bad, &original.key), false);
    assert!(text.contains("Dockerfile:2:") && text.contains("FAIL: the Dockerfile has problems"), "{text}");
    let dies = stage.project("dies", &["url=http://dies.test"], &[]);
    let dockerfile = fs::read_to_string(format!("{dies}/Dockerfile")).unwrap();
    fs::write(format!("{dies}/Dockerfile"), dockerfile.replace("[\"/app\"]", "[\"/none\"]")).unwrap();
    let text = told("it pushes what cannot start", &push(&dies, &original.key), false);
    assert!(text.contains("FAIL: while starting") || text.contains("FAIL: while probing"), "{text}");
    let stranger = original.python("from mypaas.utils import PrivateKey\nprint(PrivateKey.generate().to_str(None))");
    let stranger = String::from_utf8(stranger.stdout).unwrap();
    let text = told("a stranger pushes", &push(&folder, stranger.trim()), false);
    assert!(text.contains("Push failed: Access denied"), "{text}");
    assert!(stage.hello("shop.test").await.contains("release r1"));
}

/// Our client to the original's daemon, unchanged.
async fn to_its_daemon(stage: &Stage, original: &mut Original) {
    fs::write(original.folder().join("authorized_keys"), &original.public).unwrap();
    fs::write(original.folder().join("config.toml"), "[init]\n[env]\n").unwrap();
    run("docker", &["network", "create", "mypaas-net"]);
    original.start_daemon();
    stage.mypaas(&["servers", "add", "old", "http://127.0.0.1:88", "--key", "~/.ssh/mypaas_rsa"]).await.done();
    build_base(stage);
    let folder = project(stage, "old", &[]);
    let keyless = stage.mypaas(&["push", "old", &folder]).await.failed();
    assert!(keyless.contains("mypaas_rsa"), "{keyless}");
    fs::create_dir_all(stage.user_home().join(".ssh")).unwrap();
    fs::write(stage.user_home().join(".ssh/mypaas_rsa"), original.key.replace('_', "\n")).unwrap();
    let pushed = stage.mypaas(&["push", "old", &folder]).await;
    eprintln!("{pushed}");
    assert!(pushed.done().contains("done deploying old"));
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let address = docker(&["inspect", "-f", format, "old"]).await;
    let answer = crate::stage::ask(format!("{address}:80").parse().unwrap(), "old", "/").await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let bad = stage.folder("failing", "# mypaas.service=failing\nFROM nothing-of-that-name\nCOPY none /none\n");
    let failed = stage.mypaas(&["push", "old", &bad]).await;
    eprintln!("{failed}");
    let failed = failed.failed();
    assert!(failed.contains("error: the push failed on old"), "{failed}");
    let asked = stage.mypaas(&["status", "old"]).await;
    eprintln!("{asked}");
    assert!(format!("{}{}", asked.out, asked.err).contains("one of the Python original"), "{asked}");
}
