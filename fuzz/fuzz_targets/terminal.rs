//! Any bytes as what comes over a terminal's connection: no panic, no frame is larger than allowed, and what is read is
//! written and read again as the same.
#![no_main]

use std::io::Cursor;

use futures_util::{FutureExt, StreamExt};
use libfuzzer_sys::fuzz_target;
use mypaas::api::terminal::{Frame, frames};

fuzz_target!(|bytes: &[u8]| {
    let mut connection = frames(Cursor::new(bytes.to_vec()));
    while let Some(Some(Ok(frame))) = connection.next().now_or_never() {
        assert!(frame.len() <= 256 * 1024);
        if let Ok(read) = Frame::decode(frame) {
            let written = read.encode().unwrap();
            assert_eq!(Frame::decode(written.as_ref().into()).unwrap(), read);
        }
    }
});
