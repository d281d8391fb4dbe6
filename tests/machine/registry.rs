//! Where a machine's Docker gets the router's image from, as from a mirror of Docker Hub: this machine's own image, by
//! the protocol of registries. It is only read, and there is only that one image.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as Captured, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bollard::Docker;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_util::io::ReaderStream;

const IMAGE: &str = "traefik:v3.7.15";
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What it serves: the manifest, and a folder with the rest, a file for each digest.
struct Image {
    manifest: String,
    digest: String,
    folder: PathBuf,
}

/// Serves the image at this address, for as long as the test lasts.
pub(crate) async fn serve(address: SocketAddr) {
    let image = Arc::new(image().await);
    let routes = Router::new()
        .route("/v2/", get(|| async {}))
        .route("/v2/library/traefik/manifests/{reference}", get(manifest))
        .route("/v2/library/traefik/blobs/{digest}", get(blob))
        .with_state(image);
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
}

async fn manifest(State(image): State<Arc<Image>>) -> Response {
    let fields = [
        (header::CONTENT_TYPE, MANIFEST),
        (header::HeaderName::from_static("docker-content-digest"), image.digest.as_str()),
    ];
    (fields, image.manifest.clone()).into_response()
}

async fn blob(State(image): State<Arc<Image>>, Captured(digest): Captured<String>) -> Response {
    let path = image.folder.join(digest.trim_start_matches("sha256:"));
    let Ok(file) = tokio::fs::File::open(&path).await else { return StatusCode::NOT_FOUND.into_response() };
    let length = file.metadata().await.unwrap().len();
    ([(header::CONTENT_LENGTH, length)], Body::from_stream(ReaderStream::with_capacity(file, 1 << 18))).into_response()
}

/// The image, taken out of this machine's Docker once.
async fn image() -> Image {
    let docker = Docker::connect_with_unix_defaults().unwrap();
    let id = docker.inspect_image(IMAGE).await.expect("`./dev setup test` gets the image").id.unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("image-{}", id.trim_start_matches("sha256:")));
    let lock = File::create(folder.with_extension("lock")).unwrap();
    tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await.unwrap().unwrap();
    if !folder.exists() {
        export(&docker, &folder).await;
    }
    let manifest = fs::read_to_string(folder.join("manifest")).unwrap();
    Image { digest: format!("sha256:{}", hex(&Sha256::digest(&manifest))), manifest, folder }
}

/// As `docker save` has it, with each file named by its digest.
async fn export(docker: &Docker, folder: &Path) {
    let staging = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = staging.path().join("image.tar");
    let mut file = tokio::fs::File::create(&path).await.unwrap();
    let mut exported = std::pin::pin!(docker.export_image(IMAGE));
    while let Some(chunk) = exported.next().await {
        file.write_all(&chunk.unwrap()).await.unwrap();
    }
    file.flush().await.unwrap();
    let unpacked = staging.path().join("unpacked");
    tar::Archive::new(File::open(&path).unwrap()).unpack(&unpacked).unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&fs::read(unpacked.join("manifest.json")).unwrap()).unwrap();
    let blobs = staging.path().join("blobs");
    fs::create_dir(&blobs).unwrap();
    let part = |name: &serde_json::Value, kind: &str| {
        let source = unpacked.join(name.as_str().unwrap());
        let length = source.metadata().unwrap().len();
        let digest = digest(&source);
        fs::rename(fs::canonicalize(&source).unwrap(), blobs.join(&digest)).unwrap();
        serde_json::json!({ "mediaType": kind, "size": length, "digest": format!("sha256:{digest}") })
    };
    let layers = saved[0]["Layers"].as_array().unwrap();
    let layers: Vec<_> =
        layers.iter().map(|layer| part(layer, "application/vnd.docker.image.rootfs.diff.tar.gzip")).collect();
    let config = part(&saved[0]["Config"], "application/vnd.docker.container.image.v1+json");
    let manifest = serde_json::json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
    fs::write(blobs.join("manifest"), manifest.to_string()).unwrap();
    // Another test may have been quicker; what it put there is the same.
    let put = fs::rename(&blobs, folder);
    assert!(folder.join("manifest").exists(), "the image could not be put into {}: {put:?}", folder.display());
}

/// By a program that takes no time for it, also where this one is not optimized.
fn digest(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
