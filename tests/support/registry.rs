//! A private registry with one small image, on the loopback, from where Docker pulls without TLS.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::sweep::TEST;

const USER: &str = "ada";

/// In base64 it has a letter that alphabets differ in, wherever it stands.
pub(crate) const PASSWORD: &str = "hush?~>?~>?~>";

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Ends when it is dropped.
pub(crate) struct PrivateRegistry {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// What it answers with, by path.
type Contents = HashMap<String, (&'static str, Vec<u8>)>;

impl PrivateRegistry {
    /// What Docker takes from it is swept with this instance.
    pub(crate) async fn start(instance: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::new(contents(instance)));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn image(&self) -> String {
        format!("{}/team/base:1", self.address)
    }

    /// What `docker login` would leave.
    pub(crate) fn login(&self, password: &str) -> String {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        json!({ "auths": { self.host(): { "auth": auth } } }).to_string()
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(contents): State<Arc<Contents>>, uri: Uri, headers: HeaderMap) -> Response {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    if headers.get(header::AUTHORIZATION).is_none_or(|shown| shown.as_bytes() != wanted.as_bytes()) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"test\"")];
        let told = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "authentication required" }] });
        return (StatusCode::UNAUTHORIZED, challenge, told.to_string()).into_response();
    }
    match contents.get(uri.path()) {
        Some((kind, bytes)) => {
            let digest = header::HeaderName::from_static("docker-content-digest");
            let headers = [(header::CONTENT_TYPE, (*kind).to_owned()), (digest, digest_of(bytes))];
            (headers, bytes.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn contents(instance: &str) -> Contents {
    let layer = layer(instance);
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Labels": { TEST: instance } },
        "rootfs": { "type": "layers", "diff_ids": [digest_of(&layer)] },
        "history": [{ "created_by": "a test" }],
    });
    let config = config.to_string().into_bytes();
    let part = |kind: &str, bytes: &[u8]| -> Value {
        json!({ "mediaType": format!("application/vnd.docker.{kind}"), "size": bytes.len(), "digest": digest_of(bytes) })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": part("container.image.v1+json", &config),
        "layers": [part("image.rootfs.diff.tar", &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let blob =
        |bytes: Vec<u8>| (format!("/v2/team/base/blobs/{}", digest_of(&bytes)), ("application/octet-stream", bytes));
    let tags = ["1".to_owned(), digest_of(&manifest)];
    let manifests = tags.map(|tag| (format!("/v2/team/base/manifests/{tag}"), (MANIFEST, manifest.clone())));
    let ping = ("/v2/".to_owned(), ("application/json", b"{}".to_vec()));
    manifests.into_iter().chain([ping, blob(layer), blob(config)]).collect()
}

/// One file, which no other test's image has.
fn layer(instance: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(instance.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append_data(&mut header, "of", instance.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
