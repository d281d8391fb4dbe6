//! A program on a terminal, with the moment at which each of its pictures was there.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

pub(crate) const COLUMNS: u16 = 120;
pub(crate) const ROWS: u16 = 40;

type Keys = Arc<Mutex<Box<dyn Write + Send>>>;

/// When it is dropped, also by a panic, the program dies.
pub(crate) struct Screen {
    shown: Arc<(Mutex<Shown>, Condvar)>,
    child: Box<dyn Child + Send + Sync>,
    keys: Keys,
    /// Where this goes the terminal goes.
    _master: Box<dyn MasterPty + Send>,
    pub(crate) started: Instant,
}

struct Shown {
    parser: vt100::Parser,
    bytes: u64,
    /// When the last of them came.
    at: Instant,
}

impl Screen {
    pub(crate) fn start(command: CommandBuilder) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let whole = |number| NonZeroU16::new(number).unwrap();
        let parser = vt100::Parser::new(whole(ROWS), whole(COLUMNS), 0);
        let shown = Arc::new((Mutex::new(Shown { parser, bytes: 0, at: Instant::now() }), Condvar::new()));
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let reader = pair.master.try_clone_reader().unwrap();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        std::thread::spawn({
            let (shown, keys) = (Arc::clone(&shown), Arc::clone(&keys));
            move || watch(reader, &shown, &keys)
        });
        Self { shown, child, keys, _master: pair.master, started }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub(crate) fn press(&self, keys: &str) {
        let mut writer = self.keys.lock().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// When this was so on the screen first; none when it was not in time.
    pub(crate) fn until(&self, limit: Duration, is_so: impl Fn(&vt100::Screen) -> bool) -> Option<Instant> {
        let deadline = Instant::now() + limit;
        let (shown, told) = &*self.shown;
        let mut shown = shown.lock().unwrap();
        while !is_so(shown.parser.screen()) {
            let left = deadline.checked_duration_since(Instant::now())?;
            shown = told.wait_timeout(shown, left).unwrap().0;
        }
        Some(shown.at)
    }

    pub(crate) fn text(&self) -> String {
        self.shown.0.lock().unwrap().parser.screen().contents()
    }

    pub(crate) fn marks(&self) -> u64 {
        marks(self.shown.0.lock().unwrap().parser.screen())
    }

    /// How much was written to it.
    pub(crate) fn bytes(&self) -> u64 {
        self.shown.0.lock().unwrap().bytes
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn watch(mut reader: Box<dyn Read + Send>, shown: &(Mutex<Shown>, Condvar), keys: &Keys) {
    let mut buffer = [0; 65536];
    while let Ok(count) = reader.read(&mut buffer)
        && count > 0
    {
        let at = Instant::now();
        let bytes = &buffer[..count];
        let mut state = shown.0.lock().unwrap();
        state.parser.process(bytes);
        state.bytes += count as u64;
        state.at = at;
        drop(state);
        shown.1.notify_all();
        answer(bytes, keys);
    }
}

/// What programs ask a terminal before they begin: what it is, and where the cursor stands.
fn answer(bytes: &[u8], keys: &Keys) {
    for (question, answer) in [("\u{1b}[6n", "\u{1b}[1;1R"), ("\u{1b}[c", "\u{1b}[?62;22c")] {
        if bytes.windows(question.len()).any(|window| window == question.as_bytes()) {
            let _ = keys.lock().unwrap().write_all(answer.as_bytes());
        }
    }
}

/// What is marked on the screen, and how, whatever is written there: another line is selected when this is another.
pub(crate) fn marks(screen: &vt100::Screen) -> u64 {
    let mut hasher = DefaultHasher::new();
    for row in 0..ROWS {
        // The mark of a selected line goes across at least these.
        for column in 0..COLUMNS / 4 {
            if let Some(cell) = screen.cell(row, column) {
                let background = cell.bgcolor();
                let marked = cell.inverse() || background != vt100::Color::Default;
                let sign = matches!(cell.contents(), "▌" | "▶" | ">" | "⚪" | "│" | "┃").then(|| cell.contents());
                (marked, cell.bold(), sign).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}
