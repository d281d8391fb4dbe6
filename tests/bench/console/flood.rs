//! The logs of a service that writes more than anybody can read.

use std::fs;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::fleet::Fleet;
use crate::ours::{command, middle};
use crate::process;
use crate::screen::{COLUMNS, Screen};

/// Lines a second.
pub(crate) const RATE: u32 = 100_000;

const TIME: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

pub(crate) struct Figures {
    /// At most, in bytes.
    pub(crate) memory: u64,
    pub(crate) cpu: f64,
    /// How old the newest line on the screen is: the middle, and the most.
    pub(crate) lag: Option<(Duration, Duration)>,
    /// Whether it was told that lines are missing.
    pub(crate) told: Option<String>,
    /// From the press to the picture, while all this comes.
    pub(crate) keys: Duration,
}

pub(crate) fn measure() -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start("1x5", &["--still", "--flood", &RATE.to_string()], &folder.path().join("fleet"));
    let config = folder.path().join("config/mypaas");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("fleet.toml"), fleet.listed()).unwrap();
    let mut command = command(folder.path());
    command.env("TZ", "UTC");
    let screen = Screen::start(command);
    screen.until(Duration::from_secs(20), |shown| shown.contents().contains("running")).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // The first service of the list, its logs, and their whole times.
    screen.press("ggj/api\r");
    std::thread::sleep(Duration::from_millis(300));
    screen.press("ltt");
    std::thread::sleep(Duration::from_secs(3));
    look(&screen)
}

fn look(screen: &Screen) -> Figures {
    let (cpu, began) = (process::cpu(screen.id()), Instant::now());
    let (mut memory, mut lags, mut keys) = (0, Vec::new(), Vec::new());
    while began.elapsed() < TIME {
        std::thread::sleep(BETWEEN_LOOKS);
        memory = memory.max(process::memory(screen.id()));
        lags.extend(lag(&screen.text()));
        keys.push(key(screen));
    }
    let cpu = (process::cpu(screen.id()) - cpu).as_secs_f64() / began.elapsed().as_secs_f64();
    let most = lags.iter().max().copied();
    let lag = most.map(|most| (middle(&mut lags), most));
    let text = screen.text();
    let told = text
        .lines()
        .find(|line| line.contains("missing") || line.contains("too fast"))
        .map(|line| line.trim().to_owned());
    Figures { memory, cpu, lag, told, keys: middle(&mut keys) }
}

/// The help opens and closes over the logs.
fn key(screen: &Screen) -> Duration {
    let pressed = Instant::now();
    screen.press("?");
    let opened = screen.until(Duration::from_secs(5), |shown| shown.contents().contains(" Keys "));
    screen.press("\u{1b}");
    screen.until(Duration::from_secs(5), |shown| !shown.contents().contains(" Keys "));
    opened.map_or(Duration::from_secs(5), |at| at.saturating_duration_since(pressed))
}

/// How old the last line is that has a time, as in `14:03:22.123`.
fn lag(text: &str) -> Option<Duration> {
    let line = text.lines().rev().take(usize::from(COLUMNS)).find_map(|line| line.split_whitespace().find_map(time))?;
    let now = TimeZone::UTC.to_datetime(Timestamp::now()).time();
    Duration::try_from(now.duration_since(line)).ok()
}

fn time(word: &str) -> Option<Time> {
    (word.len() == "14:03:22.123".len()).then(|| word.parse().ok())?
}

pub(crate) fn tell(figures: &Figures) {
    let megabytes = figures.memory as f64 / 1e6;
    println!("  memory at most        {megabytes:.1} MB");
    println!("  CPU                   {:.0} % of one", 100.0 * figures.cpu);
    match figures.lag {
        Some((middle, most)) => println!("  newest line shown     {middle:.0?} old in the middle, {most:.0?} at most"),
        None => println!("  newest line shown     of unknown age"),
    }
    println!("  what is missing       {}", figures.told.as_deref().unwrap_or("nothing is said to be"));
    println!("  key to paint          {:.1?} in the middle", figures.keys);
}
