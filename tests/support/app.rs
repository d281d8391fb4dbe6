//! The process that test containers run, and contexts for images of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/engine_app/main.rs");

/// A context with this Dockerfile, and with the app as `app`.
pub(crate) fn context(dockerfile: &str) -> BoxStream<'static, std::io::Result<Bytes>> {
    let mut tar = tar::Builder::new(Vec::new());
    append(&mut tar, "Dockerfile", dockerfile.as_bytes(), 0o644);
    append(&mut tar, "app", &fs::read(binary()).unwrap(), 0o755);
    let bytes = Bytes::from(tar.into_inner().unwrap());
    let chunks: Vec<_> =
        (0..bytes.len()).step_by(1 << 16).map(|at| bytes.slice(at..bytes.len().min(at + (1 << 16)))).collect();
    stream::iter(chunks.into_iter().map(Ok)).boxed()
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8], mode: u32) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_cksum();
    tar.append_data(&mut header, name, content).unwrap();
}

/// The compiled app. Test processes that run at once compile it once: one does, the others wait.
fn binary() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let binary = folder.join("engine_app");
    let lock = File::create(folder.join("engine_app.lock")).unwrap();
    lock.lock().unwrap();
    if !is_newer(&binary, Path::new(SOURCE)) {
        compile(&binary);
    }
    binary
}

fn is_newer(a: &Path, b: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    matches!((time(a), time(b)), (Ok(a), Ok(b)) if a > b)
}

fn compile(binary: &Path) {
    let unfinished = binary.with_extension("new");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let done = Command::new(rustc)
        .args(["--edition=2024", "-Copt-level=s", "-Cstrip=symbols", "-Ctarget-feature=+crt-static", SOURCE, "-o"])
        .arg(&unfinished)
        .status()
        .unwrap();
    assert!(done.success(), "the test app does not compile");
    fs::rename(unfinished, binary).unwrap();
}
