//! A server that listens on the network, and requests written by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use mypaas::api::Problem;
use mypaas::client::Client;
use mypaas::keys::{KeyText, Signer};
use mypaas::proof::{self, BodyDigest};
use mypaas::server::network::accept;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::stage::{SINGLE, Stage};

pub(crate) const DOMAIN: &str = "paas.localhost";

/// No answer takes longer, unless a limit of the server itself is tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with the services `web` and `hidden`, and what is in its `authorized_keys`.
pub(crate) struct Wire {
    pub(crate) stage: Stage,
    pub(crate) address: SocketAddr,
    closed: CancellationToken,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

impl Wire {
    /// With ed25519 for everything, p256 as a viewer, rsa (as the original writes it) for `web` only, and p384 as a viewer of `web` only.
    pub(crate) async fn start() -> Self {
        Self::from(Ipv4Addr::LOCALHOST.into()).await
    }

    /// Lets connect who has this address.
    pub(crate) async fn from(from: std::net::IpAddr) -> Self {
        Self::set_up(from, "").await
    }

    /// With these settings too.
    pub(crate) async fn with(settings: &str) -> Self {
        Self::set_up(Ipv4Addr::LOCALHOST.into(), settings).await
    }

    async fn set_up(from: std::net::IpAddr, settings: &str) -> Self {
        let config = format!("[init]\ndomain = \"{DOMAIN}\"\n{settings}");
        let stage = Stage::with(toml::from_str(&config).unwrap()).await;
        stage.push(SINGLE).await.assert_succeeded();
        stage.push(&SINGLE.replace("web", "hidden")).await.assert_succeeded();
        let authorized = [
            public("ed25519"),
            format!("mypaas-role=\"viewer\" {}", public("p256")),
            format!("mypaas-services=\"web\" {}", original("rsa")),
            format!("mypaas-services=\"web\",mypaas-role=\"viewer\" {}", public("p384")),
        ];
        std::fs::write(stage.home().join("authorized_keys"), authorized.join("\n")).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, closed) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(accept(listener, Arc::clone(&stage.core), from, closed.clone()));
        Self { stage, address, closed }
    }

    /// The server dies and starts again, at another address.
    pub(crate) async fn restart(&mut self) {
        self.stage.die_and_start().await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let core = Arc::clone(&self.stage.core);
        tokio::spawn(accept(listener, core, Ipv4Addr::LOCALHOST.into(), self.closed.clone()));
    }

    pub(crate) fn client(&self, key: &str) -> Client {
        let address = format!("http://{DOMAIN}:{}", self.address.port()).parse().unwrap();
        Client::connect(&address, Some(signer(key))).unwrap()
    }

    /// `GET /daemon/v1/server`, signed with ed25519.
    pub(crate) async fn good(&self) -> Forged {
        Forged::new("GET", "/daemon/v1/server").signed(self, "ed25519").await
    }

    pub(crate) fn authority(&self) -> String {
        format!("{DOMAIN}:{}", self.address.port())
    }

    pub(crate) async fn send(&self, request: &Forged) -> Answer {
        self.send_bytes(&request.bytes()).await
    }

    /// Contexts that wait for their deploy.
    pub(crate) fn kept(&self) -> usize {
        std::fs::read_dir(self.stage.home().join("incoming")).unwrap().count()
    }

    /// Bytes as they are; the connection stays open for the answer.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may have answered and gone before it was all written.
        let _ = stream.write_all(bytes).await;
        read_answer(stream).await
    }
}

pub(crate) async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("an answer, or the end of the connection");
    // What came before a reset counts.
    drop(read);
    Answer::read(&String::from_utf8_lossy(&text))
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// 0 when nothing came back.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn problem(&self) -> Problem {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request that says whatever a test wants it to say.
#[derive(Debug, Clone)]
pub(crate) struct Forged {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Forged {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), fields: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn with_body(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new(method, target) }
    }

    pub(crate) async fn signed(self, wire: &Wire, key: &str) -> Self {
        self.signed_for(&wire.authority(), key, Timestamp::now().as_second()).await
    }

    /// Signed for an authority, at a second since 1970. Each request seems to come from an address of its own, so that
    /// those who fail do not get in each other's way.
    pub(crate) async fn signed_for(mut self, authority: &str, key: &str, created: i64) -> Self {
        let digest = BodyDigest::of(&self.body).field();
        let (path, query) =
            self.target.split_once('?').map_or((&*self.target, None), |(path, rest)| (path, Some(rest)));
        let request = proof::Request { method: &self.method, authority, path, query, digest: &digest };
        let signed = proof::sign(&request, &signer(key), created).await.unwrap();
        self.fields = [
            ("host", authority.to_owned()),
            ("x-real-ip", fresh_address()),
            ("content-type", "application/json".to_owned()),
            ("content-length", self.body.len().to_string()),
            ("content-digest", digest),
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        self
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        &self.fields.iter().find(|(known, _)| known == name).unwrap().1
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        self
    }

    /// Replaces a part of a field that has to be there.
    pub(crate) fn change(self, name: &str, from: &str, to: &str) -> Self {
        let before = self.field(name).to_owned();
        assert!(before.contains(from), "{name} holds no {from:?}: {before}");
        self.set(name, before.replacen(from, to, 1))
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Once more.
    pub(crate) fn twice(mut self, name: &str) -> Self {
        self.fields.push((name.to_owned(), self.field(name).to_owned()));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{} {} HTTP/1.1\r\n{fields}\r\n", self.method, self.target);
        [head.as_bytes(), &self.body].concat()
    }
}

/// A line of the table that `./dev bench attacks` shows.
pub(crate) fn told(attack: &str, got: &str) {
    println!("attack: {attack:<54} {got}");
}

pub(crate) fn fresh_address() -> String {
    static COUNT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("198.18.{high}.{low}")
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys").join(name);
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn public(key: &str) -> String {
    fixture(&format!("{key}.pub")).trim().to_owned()
}

/// As the Python original writes it.
pub(crate) fn original(key: &str) -> String {
    format!("{} {key} key", signer(key).public().to_original().unwrap())
}

pub(crate) fn signer(key: &str) -> Signer {
    match KeyText::parse(&fixture(key)) {
        Ok(KeyText::Open(key)) => key.into(),
        other => panic!("{other:?}"),
    }
}
