//! A program on a terminal of its own: keys go in, a screen comes out.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// When it is dropped, also by a panic, the program dies.
pub(crate) struct Terminal {
    pub(crate) master: Box<dyn MasterPty + Send>,
    pub(crate) child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    /// Everything the program wrote.
    pub(crate) written: Arc<Mutex<Vec<u8>>>,
    patience: Duration,
}

impl Terminal {
    /// `patience` is how long anything that is waited for may take.
    pub(crate) fn start(command: CommandBuilder, size: PtySize, patience: Duration) -> Self {
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        // Else the end of the program would not be the end of what is read.
        drop(pair.slave);
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let sink = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = reader.read(&mut buffer)
                && count > 0
            {
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { master: pair.master, child, keys, written, patience }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.written.lock().unwrap().clone()
    }

    /// What the terminal shows.
    pub(crate) fn screen(&self) -> String {
        let PtySize { rows, cols, .. } = self.master.get_size().unwrap();
        let whole = |number| NonZeroU16::new(number).unwrap();
        let mut terminal = vt100::Parser::new(whole(rows), whole(cols), 0);
        terminal.process(&self.bytes());
        terminal.screen().contents()
    }

    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), || self.screen().contains(text));
    }

    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + self.patience;
        while !is_so() {
            assert!(Instant::now() < deadline, "no {what} in time; the screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end; says whether it ended well.
    pub(crate) fn end(&mut self) -> bool {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < deadline, "it does not end; the screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn wrote(&self, sequence: &str) -> bool {
        let bytes = self.bytes();
        bytes.windows(sequence.len()).any(|window| window == sequence.as_bytes())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
