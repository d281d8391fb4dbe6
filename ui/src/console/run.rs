//! The loop. Input comes first and is drawn at once; everything else is gathered for a moment and drawn together;
//! where nothing happens nothing is done, but for what grows older on the screen.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crossterm::event::Event;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mypaas::client::Client;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, sleep_until};

use super::canvas::Canvas;
use super::effect::{Effect, Inboxes, Opened, TerminalEffect, World};
use super::input::{self, Input};
use super::keymap::Keymap;
use super::message::{Message, Stamped};
use super::model::Model;
use super::model::fleet::ServerEntry;
use super::record::{Ended, Recorder, beginning};
use super::surroundings::Surroundings;
use super::symbols::to_ascii;
use super::terminal::{self, Terminal};
use super::theme::{Depth, Theme};
use super::update::update;
use super::view::view;
use super::{Options, Server};

/// News of servers are drawn at most so often.
const BETWEEN_FRAMES: Duration = Duration::from_millis(16);

/// So many messages of servers may wait; their streams wait when there are more.
const INBOX: usize = 256;

/// An age that changes sooner than this is drawn after it.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);

/// Shows the servers and lets them be operated, until the operator leaves.
pub async fn run(servers: Vec<Server>, options: Options) -> anyhow::Result<()> {
    let keymap = options.keymap.as_deref().map_or_else(Keymap::compiled_in, Keymap::load)?;
    let (theme, ascii) = look(&options)?;
    let signals = Signals::listen()?;
    let terminal = Terminal::take(!options.no_mouse)?;
    let size = terminal.size()?;
    let entries = servers.iter().map(entry).collect();
    let ways: BTreeMap<_, _> = servers.into_iter().map(|server| (server.name, server.client)).collect();
    let (sender, inbox) = mpsc::channel(INBOX);
    let (log_sender, log_inbox) = mpsc::channel(1);
    let (shell_sender, shells) = mpsc::channel(1);
    let mut model = Model::new(entries, keymap, TimeZone::system(), Timestamp::now());
    model.size = size;
    model.mouse = !options.no_mouse;
    let recorder = options.record.as_deref().map(|file| Recorder::start(file, &beginning(&model))).transpose()?;
    let mut console = Console {
        model,
        theme,
        ascii,
        canvas: Canvas::new(size),
        terminal,
        world: World::new(ways, options.who, Inboxes { news: sender, logs: log_sender, shells: shell_sender }),
        recorder,
        inbox,
        log_inbox,
        shells,
        input: Some(Input::listen()),
        signals,
        drawn: Instant::now(),
        due: None,
        wake: None,
        over: false,
    };
    console.go().await
}

/// A server before it said anything.
fn entry(server: &Server) -> ServerEntry {
    let endpoint = server.client.as_ref().map_or(server.address.as_str(), Client::endpoint);
    let mut entry = ServerEntry::new(server.name.clone(), endpoint.to_owned());
    (entry.colour, entry.lock) = (server.colour, server.lock);
    entry
}

/// How it is to look on this terminal: the theme, and whether nothing but ASCII is drawn.
pub(super) fn look(options: &Options) -> anyhow::Result<(Theme, bool)> {
    let surroundings = Surroundings::read();
    let depth = if options.no_color { Depth::Plain } else { surroundings.depth() };
    let theme = Theme::new(options.theme.unwrap_or_else(|| surroundings.theme()), depth)?;
    Ok((theme, options.ascii || surroundings.ascii()))
}

/// What ends the process from outside.
pub(super) struct Signals([Signal; 3]);

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    pub(super) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// While another program has the terminal, its ctrl-c is its own.
    pub(super) async fn next_but_interrupt(&mut self) {
        let [_, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

pub(super) struct Console {
    pub(super) model: Model,
    theme: Theme,
    ascii: bool,
    pub(super) canvas: Canvas,
    pub(super) terminal: Terminal,
    world: World,
    recorder: Option<Recorder>,
    pub(super) inbox: Receiver<Message>,
    pub(super) log_inbox: Receiver<Message>,
    /// Shells that were asked for.
    shells: Receiver<Opened>,
    /// None while another program has the keyboard.
    pub(super) input: Option<Input>,
    pub(super) signals: Signals,
    /// When something was drawn last.
    drawn: Instant,
    /// When what has come meanwhile is to be drawn.
    due: Option<Instant>,
    /// When something shown will be out of date.
    wake: Option<Instant>,
    over: bool,
}

/// What happened.
enum Happening {
    Input(Option<io::Result<Event>>),
    News(Message),
    /// What containers wrote: much, and never urgent.
    Log(Message),
    Shell(Opened),
    /// It is time to draw.
    Due,
    /// Something shown is out of date.
    Aged,
    Told,
    /// A panic somewhere gave the terminal back.
    Lost,
}

impl Console {
    async fn go(&mut self) -> anyhow::Result<()> {
        for message in self.world.first_news() {
            self.take(message).await?;
        }
        self.draw()?;
        self.world.listen(self.model.wanted());
        while !self.over {
            match self.next().await {
                Happening::Input(event) => self.take_input(event).await?,
                Happening::News(message) => self.take_news(message).await?,
                Happening::Log(message) => {
                    self.take(message).await?;
                    self.draw_soon();
                }
                Happening::Shell(opened) => self.attend(opened).await?,
                Happening::Due => self.draw()?,
                Happening::Aged => {
                    self.take(Message::Tick).await?;
                    self.draw()?;
                }
                Happening::Told => self.take(Message::Told).await?,
                Happening::Lost => anyhow::bail!("the console ended because of a fault of its own"),
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Happening {
        let at = |moment: Option<Instant>| async move {
            match moment {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = terminal::lost() => Happening::Lost,
            () = self.signals.next() => Happening::Told,
            event = next_of(&mut self.input) => Happening::Input(event),
            () = at(self.due) => Happening::Due,
            Some(opened) = self.shells.recv() => Happening::Shell(opened),
            Some(message) = self.inbox.recv() => Happening::News(message),
            Some(message) = self.log_inbox.recv() => Happening::Log(message),
            () = at(self.wake) => Happening::Aged,
        }
    }

    /// Takes what was pressed, all of it that is there, and draws at once.
    async fn take_input(&mut self, event: Option<io::Result<Event>>) -> anyhow::Result<()> {
        let mut next = event;
        loop {
            match next {
                Some(Ok(event)) => {
                    if let Some(message) = input::message(event) {
                        self.take(message).await?;
                    }
                }
                // Nobody will press anything any more.
                Some(Err(_)) | None => self.over = true,
            }
            if self.over {
                return Ok(());
            }
            match self.input.as_mut().and_then(Input::at_once) {
                Some(event) => next = Some(event),
                None => break,
            }
        }
        self.draw()
    }

    /// Takes what servers said, all of it that is there, and has it drawn soon.
    async fn take_news(&mut self, message: Message) -> anyhow::Result<()> {
        self.take(message).await?;
        for _ in 0..INBOX {
            let Ok(message) = self.inbox.try_recv() else { break };
            self.take(message).await?;
        }
        self.draw_soon();
        Ok(())
    }

    fn draw_soon(&mut self) {
        self.due.get_or_insert(self.drawn + BETWEEN_FRAMES);
    }

    pub(super) async fn take(&mut self, message: Message) -> anyhow::Result<()> {
        let stamped = Stamped { at: Timestamp::now(), message };
        let ended = self.recorder.as_mut().and_then(|recorder| recorder.note(&self.model, &stamped));
        let mut effects = update(&mut self.model, stamped);
        effects.extend(self.tell_of_recording(ended));
        for effect in effects {
            if let Some(effect) = self.world.perform(effect) {
                // What is done there may take in messages itself.
                Box::pin(self.perform(effect)).await?;
            }
        }
        self.world.listen(self.model.wanted());
        self.world.keep_plans(|ticket| self.model.awaits_plan(ticket));
        Ok(())
    }

    /// The operator thinks that it goes on.
    fn tell_of_recording(&mut self, ended: Option<Ended>) -> Vec<Effect> {
        let Some(ended) = ended else { return Vec::new() };
        update(&mut self.model, Stamped { at: Timestamp::now(), message: Message::RecordingEnded(ended.to_string()) })
    }

    async fn perform(&mut self, effect: TerminalEffect) -> anyhow::Result<()> {
        match effect {
            TerminalEffect::Quit => self.over = true,
            TerminalEffect::Redraw => self.canvas.forget(),
            TerminalEffect::Mouse(wanted) => self.terminal.take_mouse(wanted)?,
            TerminalEffect::Copy(text) => self.terminal.write(&to_clipboard(&text))?,
            TerminalEffect::Edit { file, line } => self.edit(&file, line).await?,
            TerminalEffect::Suspend => {
                self.terminal.suspend()?;
                self.model.size = self.terminal.size()?;
                self.canvas.forget();
            }
        }
        Ok(())
    }

    pub(super) fn draw(&mut self) -> anyhow::Result<()> {
        self.canvas.resize(self.model.size);
        let sheet = self.canvas.sheet();
        let drawn = view(&self.model, &self.theme, sheet);
        if self.ascii {
            to_ascii(sheet);
        }
        self.model.saw(drawn.seen);
        let ended = self.recorder.as_mut().and_then(Recorder::drew);
        drop(self.tell_of_recording(ended));
        let bytes = self.canvas.bytes(drawn.cursor)?;
        if !bytes.is_empty() {
            self.terminal.write(&bytes)?;
        }
        self.drawn = Instant::now();
        self.due = None;
        self.wake = drawn.wake.map(|at| {
            let sleep = Duration::try_from(at.duration_since(self.model.now)).unwrap_or_default();
            self.drawn + sleep.max(SHORTEST_SLEEP)
        });
        Ok(())
    }
}

/// Nothing comes while another program has the keyboard.
async fn next_of(input: &mut Option<Input>) -> Option<io::Result<Event>> {
    match input {
        Some(input) => input.next().await,
        None => std::future::pending().await,
    }
}

/// The sequence that puts a text into the terminal's clipboard (OSC 52).
fn to_clipboard(text: &str) -> Vec<u8> {
    format!("\u{1b}]52;c;{}\u{7}", BASE64_STANDARD.encode(text)).into_bytes()
}
