//! What is done with each program, and what is measured meanwhile.

use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use crate::process;
use crate::screen::{Screen, marks};

/// A program that is measured.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) command: CommandBuilder,
    /// Its rows are there when so many lines of the screen hold this.
    pub(crate) row: String,
    /// Pressed before keys move through its list.
    pub(crate) begin: &'static str,
    pub(crate) containers: usize,
}

/// Rows that are there at least, when they are there.
const FEWEST_ROWS: usize = 3;

/// What takes longer is taken as not coming.
const PATIENCE: Duration = Duration::from_secs(20);

const PRESSES: usize = 120;
/// A press that nothing follows for so long counts as so long.
const MOST_FOR_A_KEY: Duration = Duration::from_secs(1);
/// Down so many lines, then up again, so that the mark moves and not the list.
const TURN: usize = 5;

/// A key that is held repeats so often.
const REPEAT: Duration = Duration::from_millis(16);

/// Until nothing of the start goes on.
const SETTLE: Duration = Duration::from_secs(3);

pub(crate) const IDLE: Duration = Duration::from_secs(20);

/// What keys took, sorted.
pub(crate) struct Keys(Vec<Duration>);

impl Keys {
    pub(crate) fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    pub(crate) fn p99(&self) -> Duration {
        self.0[self.0.len() * 99 / 100]
    }
}

/// What is used while nobody does anything.
pub(crate) struct Idle {
    /// Share of one CPU.
    pub(crate) cpu: f64,
    pub(crate) bytes_per_second: f64,
}

impl Program {
    fn shows_rows(&self, screen: &vt100::Screen) -> bool {
        screen.contents().lines().filter(|line| line.contains(&self.row)).count() >= FEWEST_ROWS
    }

    /// Started, and its first rows there; how long that took.
    pub(crate) fn start(&self) -> (Screen, Duration) {
        self.try_start().unwrap_or_else(|| panic!("{} shows no rows", self.name))
    }

    /// None when no rows come; what came instead is told.
    pub(crate) fn try_start(&self) -> Option<(Screen, Duration)> {
        let screen = Screen::start(self.command.clone());
        let Some(at) = screen.until(PATIENCE, |shown| self.shows_rows(shown)) else {
            println!("{}", screen.text());
            return None;
        };
        let took = at - screen.started;
        Some((screen, took))
    }

    /// Started, and everything at rest, with the keys going to the list.
    pub(crate) fn settled(&self) -> Screen {
        let (screen, _) = self.start();
        std::thread::sleep(SETTLE);
        screen.press(self.begin);
        std::thread::sleep(Duration::from_millis(500));
        screen
    }
}

/// From the press to the picture in which another line is marked.
pub(crate) fn keys(screen: &Screen) -> Keys {
    let mut took = Vec::with_capacity(PRESSES);
    for press in 0..PRESSES {
        // The pauses differ, so that no clock of the program's keeps step with them.
        std::thread::sleep(Duration::from_millis(80 + (press as u64 * 37) % 61));
        let before = screen.marks();
        let pressed = Instant::now();
        screen.press(if (press / TURN).is_multiple_of(2) { "j" } else { "k" });
        let painted = screen.until(MOST_FOR_A_KEY, |shown| marks(shown) != before);
        took.push(painted.map_or(MOST_FOR_A_KEY, |at| at.saturating_duration_since(pressed)));
    }
    took.sort_unstable();
    Keys(took)
}

pub(crate) fn idle(screen: &Screen) -> Idle {
    let (cpu, bytes, began) = (process::cpu(screen.id()), screen.bytes(), Instant::now());
    std::thread::sleep(IDLE);
    let time = began.elapsed().as_secs_f64();
    Idle {
        cpu: (process::cpu(screen.id()) - cpu).as_secs_f64() / time,
        bytes_per_second: (screen.bytes() - bytes) as f64 / time,
    }
}

/// Holds `j` until the last of so many rows.
pub(crate) fn hold(screen: &Screen, rows: usize) {
    for _ in 0..rows {
        screen.press("j");
        std::thread::sleep(REPEAT);
    }
    std::thread::sleep(Duration::from_secs(1));
}
