//! Plays a recording: the same messages at the same pace, the same pictures, and nobody is asked for anything.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use crossterm::event::Event;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tokio::time::{Instant, sleep_until};

use super::{Beginning, Entry, FORMAT};
use crate::console::Options;
use crate::console::canvas::Canvas;
use crate::console::input::{self, Input};
use crate::console::keymap::Keymap;
use crate::console::message::{Message, Stamped};
use crate::console::model::Model;
use crate::console::model::fleet::ServerEntry;
use crate::console::run::{Signals, look};
use crate::console::symbols::to_ascii;
use crate::console::terminal::{self, Terminal};
use crate::console::theme::Theme;
use crate::console::update::update;
use crate::console::view::view;

/// A line longer than this is of no recording.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Nobody wants to watch a console that nobody touches for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A recording that is read.
struct Recording<R> {
    lines: R,
    number: u64,
}

impl<R: BufRead> Recording<R> {
    /// The next line; none at the end.
    fn next<T: serde::de::DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let mut line = String::new();
        self.number += 1;
        let number = self.number;
        let read = (&mut self.lines).take(LONGEST_LINE).read_line(&mut line);
        if read.with_context(|| format!("line {number} cannot be read"))? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&line).with_context(|| format!("line {number} is not understood"))?))
    }
}

/// A session that is played: what it knew, and when that was.
struct Player<R> {
    recording: Recording<R>,
    model: Model,
    /// The time of the last message.
    at: Timestamp,
}

/// What comes next.
enum Scene {
    Message(Stamped),
    Drawn,
    End,
}

impl<R: BufRead> Player<R> {
    fn open(lines: R) -> anyhow::Result<Self> {
        let mut recording = Recording { lines, number: 0 };
        let unknown = || format!("this version plays recordings of format {FORMAT}");
        let beginning: Beginning = match recording.next() {
            Ok(Some(beginning)) => beginning,
            Ok(None) => bail!("the file is empty"),
            Err(error) => return Err(error.context("the file is no recording of a session")),
        };
        if beginning.mypaas_recording != FORMAT {
            let Beginning { mypaas_recording, version, .. } = beginning;
            return Err(anyhow::anyhow!("it is of format {mypaas_recording}, by mypaas {version}").context(unknown()));
        }
        let zone = beginning.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let servers = beginning.servers.into_iter().map(|server| {
            let mut entry = ServerEntry::new(server.name, server.endpoint);
            (entry.colour, entry.lock) = (server.colour, server.lock);
            entry
        });
        let keymap = Keymap::of_file(&beginning.keymap)?;
        let mut model = Model::new(servers.collect(), keymap, zone, beginning.at);
        (model.size, model.mouse) = (beginning.size, beginning.mouse);
        Ok(Self { recording, model, at: beginning.at })
    }

    fn next(&mut self) -> anyhow::Result<Scene> {
        Ok(match self.recording.next()? {
            None => Scene::End,
            Some(Entry::Drawn) => Scene::Drawn,
            Some(Entry::Message { at, message }) => Scene::Message(Stamped { at, message }),
        })
    }

    /// How long after the one before it came.
    fn pause(&mut self, at: Timestamp) -> Duration {
        let pause = Duration::try_from(at.duration_since(self.at)).unwrap_or_default();
        self.at = at;
        pause.min(LONGEST_PAUSE)
    }

    /// What is asked for is not done: the answers are in the recording.
    fn take(&mut self, stamped: Stamped) {
        drop(update(&mut self.model, stamped));
    }

    fn picture(&mut self, theme: &Theme) -> (Buffer, Option<Position>) {
        let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, self.model.size)));
        let drawn = view(&self.model, theme, &mut buffer);
        self.model.saw(drawn.seen);
        (buffer, drawn.cursor)
    }
}

/// Plays the recording in that file so many times as fast as it was; at its end the last picture stays. Space pauses,
/// and goes on; q, esc and ctrl-c leave.
pub async fn replay(file: &Path, speed: f64, options: &Options) -> anyhow::Result<()> {
    let failed = || format!("the recording {} cannot be played", file.display());
    let lines = BufReader::new(File::open(file).with_context(failed)?);
    let player = Player::open(lines).with_context(failed)?;
    let (theme, ascii) = look(options)?;
    let signals = Signals::listen()?;
    let terminal = Terminal::take(false)?;
    let canvas = Canvas::new(terminal.size()?);
    let mut stage = Stage { player, theme, ascii, canvas, terminal, input: Input::listen(), signals, left: false };
    stage.play(speed).await.with_context(failed)
}

struct Stage<R> {
    player: Player<R>,
    theme: Theme,
    ascii: bool,
    canvas: Canvas,
    terminal: Terminal,
    input: Input,
    signals: Signals,
    left: bool,
}

impl<R: BufRead> Stage<R> {
    async fn play(&mut self, speed: f64) -> anyhow::Result<()> {
        self.draw()?;
        while !self.left {
            match self.player.next()? {
                Scene::Message(stamped) => {
                    let pause = self.player.pause(stamped.at);
                    self.wait(pause.div_f64(speed)).await?;
                    self.player.take(stamped);
                }
                Scene::Drawn => self.draw()?,
                Scene::End => break,
            }
        }
        while !self.left {
            let event = self.input.next().await;
            self.heed(event)?;
        }
        Ok(())
    }

    /// Waits for so long, or until somebody leaves.
    async fn wait(&mut self, pause: Duration) -> anyhow::Result<()> {
        let (mut until, mut paused) = (Instant::now() + pause, false);
        while !self.left {
            tokio::select! {
                biased;
                () = terminal::lost() => bail!("the console ended because of a fault of its own"),
                () = self.signals.next() => self.left = true,
                event = self.input.next() => {
                    if self.heed(event)? {
                        paused = !paused;
                        until = Instant::now();
                    }
                }
                () = sleep_until(until), if !paused => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether it is to pause, or to go on.
    fn heed(&mut self, event: Option<std::io::Result<Event>>) -> anyhow::Result<bool> {
        let Some(event) = event.transpose()? else {
            self.left = true;
            return Ok(false);
        };
        match input::message(event) {
            Some(Message::Key(key)) => match key.to_string().as_str() {
                "q" | "esc" | "ctrl-c" => self.left = true,
                "space" => return Ok(true),
                _ => {}
            },
            Some(Message::Resized(size)) => {
                self.canvas.resize(size);
                self.draw()?;
            }
            _ => {}
        }
        Ok(false)
    }

    /// As much of the picture as this terminal has room for.
    fn draw(&mut self) -> anyhow::Result<()> {
        let (mut picture, cursor) = self.player.picture(&self.theme);
        if self.ascii {
            to_ascii(&mut picture);
        }
        let sheet = self.canvas.sheet();
        let both = sheet.area().intersection(*picture.area());
        for place in both.positions() {
            sheet[place] = picture[place].clone();
        }
        let bytes = self.canvas.bytes(cursor.filter(|cursor| both.contains(*cursor)))?;
        if !bytes.is_empty() {
            self.terminal.write(&bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::console::fixture::{self, at};
    use crate::console::message::ServerNews;
    use crate::console::record::{Recorded, Recorder};
    use crate::console::theme::{Depth, ThemeName};

    pub(in crate::console::record) fn beginning() -> Beginning {
        Beginning {
            mypaas_recording: FORMAT,
            version: "0.1.0".into(),
            at: at(0),
            zone: None,
            size: (120, 40).into(),
            mouse: true,
            keymap: Keymap::compiled_in().unwrap().as_file(),
            servers: vec![Recorded {
                name: "local".parse().unwrap(),
                endpoint: "/x.sock".into(),
                colour: None,
                lock: false,
            }],
        }
    }

    fn theme() -> Theme {
        Theme::new(ThemeName::Dark, Depth::TrueColor).unwrap()
    }

    /// The last picture of a text that is a recording.
    fn played(text: &[u8]) -> anyhow::Result<Buffer> {
        let mut player = Player::open(text)?;
        let mut last = player.picture(&theme()).0;
        loop {
            match player.next()? {
                Scene::Message(stamped) => player.take(stamped),
                Scene::Drawn => last = player.picture(&theme()).0,
                Scene::End => return Ok(last),
            }
        }
    }

    #[test]
    fn what_was_recorded_shows_the_same_when_it_is_played() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.jsonl");
        let mut recorder = Recorder::start(&path, &beginning()).unwrap();
        let first_line = serde_json::to_vec(&beginning()).unwrap();
        let mut session = Player::open(first_line.as_slice()).unwrap();
        let snapshot = ServerNews::Snapshot(Box::new(fixture::snapshot(at(1))));
        let mut messages = vec![Message::Server { server: "local".parse().unwrap(), news: snapshot }];
        messages
            .extend(["j", "j", "/", "s", "h", "enter", "?", "esc", "p"].map(|key| Message::Key(key.parse().unwrap())));
        let mut shown = None;
        for (second, message) in (1..).zip(messages) {
            let stamped = Stamped { at: at(second), message };
            assert_eq!(recorder.note(&session.model, &stamped), None);
            session.take(stamped);
            shown = Some(session.picture(&theme()).0);
            assert_eq!(recorder.drew(), None);
        }
        drop(recorder);
        assert_eq!(played(&std::fs::read(path).unwrap()).unwrap(), shown.unwrap());
    }

    #[test]
    fn a_file_that_is_no_recording_or_a_broken_one_says_so() {
        let told = |text: &str| format!("{:#}", played(text.as_bytes()).unwrap_err());
        let good = serde_json::to_string(&beginning()).unwrap();
        assert_eq!(told(""), "the file is empty");
        assert!(told("hello").starts_with("the file is no recording of a session"), "{}", told("hello"));
        let newer = told(&good.replacen(":1,", ":9,", 1));
        assert_eq!(newer, "this version plays recordings of format 1: it is of format 9, by mypaas 0.1.0");
        let cut = told(&format!("{good}\n\"drawn\"\n{{\"message\":"));
        assert!(cut.starts_with("line 3 is not understood"), "{cut}");
    }
}
