//! Any bytes as a push of the Python original's client: a query, and the zip behind the first line end. No panic, nothing of
//! the server's folder is left but a whole context, and never more than the limits let in.
#![no_main]

use std::cell::LazyCell;
use std::fs;

use bytes::Bytes;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;
use mypaas::context::{Limits, dockerfile_of, receive_zip, unpacked_bytes};
use mypaas::original::Signed;
use tokio::runtime::{Builder, Runtime};

const LIMITS: Limits = Limits { bytes: 1 << 16, files: 32 };

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| Builder::new_current_thread().enable_all().build().unwrap());
}

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    if let Some(signed) = std::str::from_utf8(&bytes[..end]).ok().and_then(Signed::read) {
        assert_eq!(Signed::read(&signed.query()), Some(signed));
    }
    let zip = Bytes::copy_from_slice(bytes.get(end + 1..).unwrap_or_default());
    let folder = tempfile::tempdir().unwrap();
    RUNTIME.with(|runtime| {
        let sent = stream::iter([Ok::<_, std::io::Error>(zip)]);
        let received = runtime.block_on(receive_zip(sent, folder.path(), &LIMITS));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), usize::from(received.is_ok()));
        if let Ok(received) = received {
            assert!(received.files <= LIMITS.files);
            assert!(runtime.block_on(unpacked_bytes(&received.path)).unwrap() <= LIMITS.bytes);
            runtime.block_on(dockerfile_of(&received.path)).unwrap();
        }
    });
});
